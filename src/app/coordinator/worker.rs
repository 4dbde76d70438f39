//! How the processes of an attempt are started: worker, verify commands, gate commands.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use super::surroundings::{Surroundings, mask_log};

use crate::{
    app::sandbox::{Enclosure, enclose},
    domain::{
        agent,
        format::layout,
        model::{
            attempt::CheckResult,
            command::argv,
            limits::{SHORTAGE_WAIT_FIRST, SHORTAGE_WAIT_MAX},
            secret,
            task::CommandLine,
        },
        scheduler::{effect::Assignment, event::Event},
    },
    io::{
        process::{
            How, Launch, Stdin,
            check::{CheckTimes, Checked, run_check},
            leftovers::NONCE_VARIABLE,
            log,
        },
        store::Store,
        supervisor::{Order, wire::Raw},
    },
};

/// Where the commands of an attempt run: the folder of the plan, or its copy in a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    /// Relative to the folder of the plan; empty where it is that.
    folder: PathBuf,
    /// The worktree that it is in, likewise.
    top: PathBuf,
}

impl Home {
    /// Returns the folder of the plan.
    pub(super) fn root() -> Self {
        Self { folder: PathBuf::new(), top: PathBuf::new() }
    }

    /// Returns the folder of the plan in the worktree `top`, where it is `prefix` of that.
    pub(super) fn below(top: PathBuf, prefix: &Path) -> Self {
        Self { folder: top.join(prefix), top }
    }

    /// Returns the worktree that it is in, relative to the folder of the plan.
    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// Says whether it is the folder of a worktree.
    pub(super) fn is_apart(&self) -> bool {
        !self.folder.as_os_str().is_empty()
    }

    /// Returns a file in it, relative to the folder of the plan.
    pub(super) fn relative(&self, path: &str) -> String {
        self.folder.join(path).to_string_lossy().into_owned()
    }

    /// Returns a file in it.
    pub(super) fn path(&self, store: &Store, path: &str) -> PathBuf {
        store.root().join(&self.folder).join(path)
    }
}

/// Returns how the worker of an attempt is started.
pub(super) fn launch(
    store: &Store,
    surroundings: &Surroundings,
    assignment: &Assignment,
    nonce: &str,
    home: &Home,
) -> Option<Launch> {
    let policy = &assignment.policy;
    let attempt = &assignment.attempt;
    let path = |relative: String| store.path(&relative);
    let argv = agent::started(policy, &path(layout::prompt_path(attempt)).to_string_lossy())?;
    // One that was never committed is not in the worktree.
    let task_file = home.path(store, &assignment.spec.path);
    let task_file = if task_file.exists() { task_file } else { store.path(&assignment.spec.path) };
    let folder = if home.is_apart() { home.path(store, "") } else { store.root().to_owned() };
    let set = |name: &str, value: OsString| (OsString::from(name), value);
    let mut env = surroundings.variables_for(policy);
    env.extend([
        set(NONCE_VARIABLE, nonce.into()),
        set("ORCH_TASK_ID", attempt.task.as_str().into()),
        set("ORCH_ATTEMPT", attempt.number.to_string().into()),
        set("ORCH_TASK_FILE", task_file.into()),
        set("ORCH_PROMPT_FILE", path(layout::prompt_path(attempt)).into()),
        set("ORCH_STATUS_FILE", home.path(store, &layout::status_path(attempt)).into()),
        set("ORCH_ROOT", store.root().into()),
        set("ORCH_WORKTREE", folder.clone().into()),
    ]);
    Some(Launch {
        argv,
        folder,
        env,
        stdin: Stdin::File(path(layout::prompt_path(attempt))),
        output: path(layout::log_path(attempt)),
    })
}

/// Returns the order by which a supervisor starts the worker.
pub(super) fn order(
    launch: &Launch,
    surroundings: &Surroundings,
    assignment: &Assignment,
    nonce: &str,
    secrets: &[String],
) -> Order {
    let input = match &launch.stdin {
        Stdin::Null => None,
        Stdin::File(path) => Some(Raw::from(path)),
    };
    Order {
        nonce: nonce.to_owned(),
        argv: launch.argv.clone(),
        folder: Raw::from(&launch.folder),
        env: launch.env.iter().map(|(name, value)| (Raw::from(name), Raw::from(value))).collect(),
        input,
        log: Raw::from(&launch.output),
        log_bytes_max: surroundings.log_bytes_max,
        signal: assignment.policy.completion.signal.clone(),
        timeout_ms: assignment.policy.timeout.map(whole_millis),
        grace_ms: whole_millis(assignment.policy.grace),
        secrets: secrets.iter().map(Raw::from).collect(),
        agent: assignment.policy.agent.map(|agent| agent.as_str().to_owned()),
        model: assignment.policy.model.clone(),
    }
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Commands that are run one after the other, up to the first that fails.
#[derive(Debug)]
pub(super) struct Checks {
    /// What to run.
    pub commands: Vec<CommandLine>,
    /// How: everything but the arguments.
    pub launch: Launch,
    /// How long each may take.
    pub times: CheckTimes,
    /// What is not to stand in the log.
    pub secrets: Vec<String>,
    /// What encloses them, where something is to; or why it cannot.
    pub enclosure: Result<Option<Enclosure>, String>,
}

impl Checks {
    /// Runs the commands in the background and sends what `event` makes of the results. The
    /// returned sender stops them.
    pub(super) fn start(
        self,
        events: mpsc::Sender<Event>,
        event: impl FnOnce(Vec<CheckResult>) -> Event + Send + 'static,
    ) -> watch::Sender<Option<How>> {
        let (stop, stopped) = watch::channel(None);
        tokio::spawn(async move {
            let results = self.run(&events, stopped).await;
            send(&events, event(results)).await;
        });
        stop
    }

    async fn run(
        self,
        events: &mpsc::Sender<Event>,
        stopped: watch::Receiver<Option<How>>,
    ) -> Vec<CheckResult> {
        let mut results = Vec::new();
        for command in &self.commands {
            let result = self.run_command(command, self.launch.clone(), events, &stopped).await;
            let goes_on = result.is_success();
            results.push(result);
            if !goes_on {
                break;
            }
        }
        results
    }

    /// Runs one of the commands, started so but for its arguments.
    pub(super) async fn run_command(
        &self,
        command: &CommandLine,
        launch: Launch,
        events: &mpsc::Sender<Event>,
        stopped: &watch::Receiver<Option<How>>,
    ) -> CheckResult {
        let line = command.to_string();
        let launch = Launch { argv: argv(command), ..launch };
        let launch = match &self.enclosure {
            Ok(enclosure) => enclose(enclosure.as_ref(), launch),
            Err(cause) => return not_run(&line, format!("it is not run outside: {cause}")),
        };
        let offset = log::length(&launch.output);
        let mut result = run_one(&line, &launch, self.times, events, stopped).await;
        if !self.secrets.is_empty() {
            mask_log(&launch.output, offset, &self.secrets);
            result.output_tail = secret::mask(&result.output_tail, &self.secrets);
        }
        result
    }
}

/// Runs one command. Where the machine is short of something it is tried again until that is over:
/// a shortage says nothing about what the command checks.
async fn run_one(
    command: &str,
    launch: &Launch,
    times: CheckTimes,
    events: &mpsc::Sender<Event>,
    stopped: &watch::Receiver<Option<How>>,
) -> CheckResult {
    let mut pause = SHORTAGE_WAIT_FIRST;
    let fault = loop {
        match run_check(command, launch, times, stopped.clone()).await {
            Ok(Checked::Ended(result)) => return result,
            Ok(Checked::Cancelled) => break "stopped".to_owned(),
            Err(error) if error.is_temporary() => {
                send(events, Event::ShortageSeen { cause: error.to_string() }).await;
                let mut asked = stopped.clone();
                tokio::select! {
                    Ok(_) = asked.wait_for(Option::is_some) => break "stopped".to_owned(),
                    () = tokio::time::sleep(pause) => {}
                }
                pause = pause.saturating_mul(2).min(SHORTAGE_WAIT_MAX);
            }
            Err(error) => break error.to_string(),
        }
    };
    not_run(command, fault)
}

fn not_run(command: &str, fault: String) -> CheckResult {
    CheckResult {
        command: command.to_owned(),
        exit: None,
        fault: Some(fault),
        duration: Duration::ZERO,
        output_tail: String::new(),
    }
}

/// Sends an event to the loop; when the loop is gone, nobody wants to know.
pub(super) async fn send(events: &mpsc::Sender<Event>, event: Event) {
    if events.send(event).await.is_err() {
        tracing::debug!("an event came after the end of the run");
    }
}
