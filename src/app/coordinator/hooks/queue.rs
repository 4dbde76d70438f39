//! Runs hooks one after the other, beside the run.
//!
//! The run never waits for them: it puts them into a queue, and looks now and then at what became
//! of them.

use std::{
    collections::BTreeSet, ffi::OsString, path::PathBuf, sync::mpsc as told, time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};

use crate::{
    app::coordinator::surroundings::mask_log,
    domain::model::{
        command::argv,
        hook::{Hook, HookEvent},
        limits::{HOOK_GRACE, HOOK_LOG_BYTES_MAX, HOOKS_WAITING_MAX},
        task::CommandLine,
    },
    io::process::{
        How, Launch, ProcessError, Stdin, cap,
        check::{CheckTimes, Checked, run_check},
        log,
    },
};

/// Time between two looks at the length of the log while a hook runs.
const LOG_LOOK: Duration = Duration::from_millis(100);

/// How long a hook that was killed is waited for.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// A hook that is to run.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// What it is for.
    pub(super) event: HookEvent,
    /// What that is about: a task, a level, a milestone, or nothing.
    pub(super) about: String,
    pub(super) hook: Hook,
    /// Its whole environment.
    pub(super) env: Vec<(OsString, OsString)>,
    /// What is not to stand in the log.
    pub(super) secrets: Vec<String>,
}

/// What became of hooks, where that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A command failed, as the first of its kind of event since one succeeded.
    Failed { event: HookEvent, about: String, command: String, reason: String },
    /// So many commands were not run, or not to their end.
    Skipped(usize),
}

/// The queue, and who works it off.
pub(super) struct Queue {
    jobs: Option<mpsc::Sender<Job>>,
    troubles: told::Receiver<Trouble>,
    stop: watch::Sender<Option<How>>,
    runner: JoinHandle<()>,
    /// Commands for which there was no room.
    n_dropped: usize,
}

impl Queue {
    /// Opens a queue whose hooks run in `folder` and write into `log`.
    pub(super) fn open(folder: PathBuf, log: PathBuf) -> Self {
        let (jobs, waiting) = mpsc::channel(HOOKS_WAITING_MAX);
        let (troubled, troubles) = told::channel();
        let (stop, stopped) = watch::channel(None);
        let runner = Runner { folder, log, stopped, troubled };
        let runner = tokio::spawn(runner.work_off(waiting));
        Self { jobs: Some(jobs), troubles, stop, runner, n_dropped: 0 }
    }

    /// Puts a hook at the end of the queue.
    pub(super) fn push(&mut self, job: Job) {
        let n_commands = job.hook.run.len();
        if self.jobs.as_ref().is_none_or(|jobs| jobs.try_send(job).is_err()) {
            self.n_dropped += n_commands;
        }
    }

    /// Returns what is to be told by now.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        self.troubles.try_iter().collect()
    }

    /// Waits until all hooks have run, until `enough` is over, or for `patience`; then kills the
    /// one that runs and leaves the others. Returns what is still to be told.
    pub(super) async fn finish(
        mut self,
        patience: Duration,
        enough: impl Future<Output = ()>,
    ) -> Vec<Trouble> {
        self.jobs = None;
        tokio::select! {
            _ = &mut self.runner => {}
            () = time::sleep(patience) => {}
            () = enough => {}
        }
        if !self.runner.is_finished() {
            self.stop.send_replace(Some(How::Kill));
            if time::timeout(KILL_PATIENCE, &mut self.runner).await.is_err() {
                tracing::warn!("a hook that was killed has not ended yet");
            }
        }
        let mut troubles: Vec<Trouble> = self.troubles();
        if self.n_dropped > 0 {
            troubles.push(Trouble::Skipped(self.n_dropped));
        }
        troubles
    }
}

/// Works the queue off.
struct Runner {
    folder: PathBuf,
    log: PathBuf,
    stopped: watch::Receiver<Option<How>>,
    troubled: told::Sender<Trouble>,
}

impl Runner {
    async fn work_off(self, mut jobs: mpsc::Receiver<Job>) {
        let mut failing: BTreeSet<HookEvent> = BTreeSet::new();
        let mut n_skipped = 0;
        while let Some(job) = jobs.recv().await {
            for command in &job.hook.run {
                let reason = match self.run(&job, command).await {
                    Ended::Well => {
                        failing.remove(&job.event);
                        continue;
                    }
                    Ended::Skipped => {
                        n_skipped += 1;
                        continue;
                    }
                    Ended::Badly(reason) => reason,
                };
                if failing.insert(job.event) {
                    let (event, about) = (job.event, job.about.clone());
                    let command = command.to_string();
                    self.tell(Trouble::Failed { event, about, command, reason });
                }
            }
        }
        if n_skipped > 0 {
            self.tell(Trouble::Skipped(n_skipped));
        }
    }

    fn tell(&self, trouble: Trouble) {
        if self.troubled.send(trouble).is_err() {
            tracing::debug!("nobody wants to know what became of hooks");
        }
    }

    async fn run(&self, job: &Job, command: &CommandLine) -> Ended {
        if self.stopped.borrow().is_some() {
            return Ended::Skipped;
        }
        let launch = Launch {
            argv: argv(command),
            folder: self.folder.clone(),
            env: job.env.clone(),
            stdin: Stdin::Null,
            output: self.log.clone(),
        };
        let (event, about) = (job.event.as_str(), &job.about);
        let space = if about.is_empty() { "" } else { " " };
        let offset = log::length(&self.log);
        self.keep_log(cap::append(&self.log, &format!("== {event}{space}{about}: {command}\n")));
        let times = CheckTimes { timeout: job.hook.timeout, grace: HOOK_GRACE };
        let name = command.to_string();
        let mut running = std::pin::pin!(run_check(&name, &launch, times, self.stopped.clone()));
        let mut look = time::interval(LOG_LOOK);
        let checked = loop {
            tokio::select! {
                checked = &mut running => break checked,
                _ = look.tick() => self.keep_log(cap::cap(&self.log, HOOK_LOG_BYTES_MAX)),
            }
        };
        self.keep_log(cap::cap(&self.log, HOOK_LOG_BYTES_MAX));
        if !job.secrets.is_empty() {
            // Where it may have been cut meanwhile, nothing is where it was.
            let may_be_cut = log::length(&self.log) >= HOOK_LOG_BYTES_MAX / 4;
            mask_log(&self.log, if may_be_cut { 0 } else { offset }, &job.secrets);
        }
        match checked {
            Ok(Checked::Ended(result)) if result.is_success() => Ended::Well,
            Ok(Checked::Ended(result)) => Ended::Badly(result.ending()),
            Ok(Checked::Cancelled) => Ended::Skipped,
            Err(error) => Ended::Badly(error.to_string()),
        }
    }

    /// A log that cannot be kept short, or written, keeps no hook from running.
    fn keep_log(&self, kept: Result<(), ProcessError>) {
        if let Err(error) = kept {
            tracing::debug!(%error, "the log of hooks");
        }
    }
}

/// How a command of a hook ended.
enum Ended {
    Well,
    Badly(String),
    Skipped,
}
