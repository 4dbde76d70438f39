//! Effects → calls into `io`. Records first, in their order; then everything that acts.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    Coordinator, Sources,
    prompt::{self, Leavings},
    worker::{self, Checks, Wanted},
};
use crate::{
    app::{error::AppError, view::run::Happened},
    domain::{
        format::{layout, run_record, status_file},
        model::{
            attempt::{AttemptRecord, Digests, Ending, GateRecord, StatusReport},
            config::{Durability, LevelGate},
            id::AttemptId,
            limits::{FAILURE_TAIL_BYTES, GRACE_DEFAULT},
        },
        scheduler::{
            effect::{Assignment, Effect, Force},
            event::Event,
        },
    },
    io::{
        process::{self, How, Launch, ProcessError, Stdin, check::CheckTimes},
        store::journal::JournalLine,
    },
};

/// An attempt that is being carried out.
pub(super) struct Worker {
    /// Its record, as it is on disk.
    record: AttemptRecord,
    assignment: Arc<Assignment>,
    /// What it is told.
    prompt: String,
    /// Its process, once that was started.
    pid: Option<u32>,
    /// How its processes are started.
    launch: Option<Launch>,
    /// Stops its verify commands.
    check_stop: Option<watch::Sender<Option<How>>>,
    /// Whether the journal holds its process.
    is_in_journal: bool,
    /// The last that it reported.
    pub(super) report: Option<StatusReport>,
}

/// How long killed processes are waited for.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

impl Worker {
    /// Says whether a process of it runs.
    fn is_at_work(&self) -> bool {
        self.pid.is_some() || self.check_stop.is_some()
    }
}

fn how(force: Force) -> How {
    match force {
        Force::Ask => How::Polite,
        Force::Kill => How::Kill,
    }
}

impl Coordinator {
    /// Carries effects out. Where a record cannot be written, the rest is dropped: as after a
    /// crash, the next run goes on from what is on disk.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), AppError> {
        let (records, acts): (Vec<Effect>, Vec<Effect>) = effects.into_iter().partition(is_record);
        let is_power_safe = self.scheduler.plan().config().durability == Durability::Power;
        let has_records = !records.is_empty();
        for record in records {
            self.write_record(record, is_power_safe)?;
        }
        if is_power_safe && has_records {
            self.journal.sync()?;
        }
        for act in acts {
            self.act(act)?;
        }
        self.journal.flush()?;
        Ok(())
    }

    fn write_record(&mut self, effect: Effect, is_power_safe: bool) -> Result<(), AppError> {
        let (path, text, is_new) = match effect {
            Effect::RecordStart(assignment) => {
                let worker = self.prepare(assignment);
                let attempt = worker.record.attempt.clone();
                let text = run_record::render(&worker.record);
                self.workers.insert(attempt.clone(), worker);
                self.tally.n_attempts += 1;
                (layout::run_path(&attempt), text, true)
            }
            Effect::RecordEnd { attempt, ending } => {
                let record = self.ended(&attempt, *ending)?;
                (layout::run_path(&attempt), run_record::render(&record), false)
            }
            Effect::RecordGate(record) => self.gate_record(&record),
            _ => unreachable!("only records are written"),
        };
        if is_power_safe {
            self.journal.append(&JournalLine::Record { path: path.clone(), text: text.clone() });
        }
        if is_new {
            self.store.create(&path, text.as_bytes())?;
        } else {
            self.store.swap(&path, text.as_bytes())?;
        }
        Ok(())
    }

    fn gate_record(&self, record: &GateRecord) -> (String, String, bool) {
        let path = layout::gate_run_path(record.level, record.number);
        (path, run_record::render_gate(record), false)
    }

    /// Returns everything that an attempt needs.
    fn prepare(&mut self, assignment: Arc<Assignment>) -> Worker {
        let attempt = assignment.attempt.clone();
        let prompt = prompt::prompt(&assignment, &self.leavings(&assignment));
        let started = assignment.policy.started();
        Worker {
            record: AttemptRecord {
                attempt: attempt.clone(),
                started: self.clock.now().wall,
                worker: started.unwrap_or_default(),
                executor: "local".to_owned(),
                nonce: self.nonces.give(),
                log: layout::log_path(&attempt),
                digests: Digests::of(&assignment.spec, assignment.role.as_ref()),
                ending: None,
            },
            assignment,
            prompt,
            pid: None,
            launch: None,
            check_stop: None,
            is_in_journal: false,
            report: None,
        }
    }

    /// Returns what the attempt before left behind, as far as it is still there.
    fn leavings(&self, assignment: &Assignment) -> Leavings {
        let Some(previous) = &assignment.previous else { return Leavings::default() };
        let attempt = AttemptId::new(assignment.attempt.task.clone(), previous.number);
        let path = layout::status_path(&attempt);
        let report =
            self.store.read_file(&path).ok().and_then(|bytes| status_file::parse(&path, &bytes).0);
        let log = self.store.path(&layout::log_path(&attempt));
        Leavings {
            log_tail: process::log::tail(&log, 0, FAILURE_TAIL_BYTES).unwrap_or_default(),
            notes: report.map(|report| report.notes).unwrap_or_default(),
        }
    }

    /// Returns the record of an attempt with its ending.
    fn ended(&mut self, attempt: &AttemptId, ending: Ending) -> Result<AttemptRecord, AppError> {
        self.tally.count(attempt, &ending);
        if let Some(worker) = self.workers.remove(attempt) {
            return Ok(AttemptRecord { ending: Some(ending), ..worker.record });
        }
        // An earlier coordinator started it.
        let path = layout::run_path(attempt);
        let bytes = self.store.read_file(&path).unwrap_or_default();
        let record = run_record::parse(&path, &bytes).0.unwrap_or_else(|| AttemptRecord {
            attempt: attempt.clone(),
            started: ending.ended,
            worker: String::new(),
            executor: "local".to_owned(),
            nonce: String::new(),
            log: layout::log_path(attempt),
            digests: Digests::default(),
            ending: None,
        });
        Ok(AttemptRecord { ending: Some(ending), ..record })
    }

    fn act(&mut self, effect: Effect) -> Result<(), AppError> {
        match effect {
            Effect::StartWorker(assignment) => self.start_worker(&assignment.attempt)?,
            Effect::StopWorker { attempt, force } => {
                if let Some(pid) = self.workers.get(&attempt).and_then(|worker| worker.pid) {
                    process::stop_group(pid, how(force))?;
                }
            }
            Effect::StartVerify { attempt } => self.start_verify(attempt),
            Effect::StopVerify { attempt, force } => {
                if let Some(worker) = self.workers.get(&attempt) {
                    stop_checks(worker.check_stop.as_ref(), force);
                }
            }
            Effect::StartGate { level, number, gate } => self.start_gate(level, number, gate),
            Effect::StopGate { force } => stop_checks(self.gate_stop.as_ref(), force),
            Effect::Announce(notice) => self.tell(Happened::announced(notice)),
            Effect::RecordStart(_) | Effect::RecordEnd { .. } | Effect::RecordGate(_) => {
                unreachable!("records are written, not acted on")
            }
        }
        Ok(())
    }

    fn start_worker(&mut self, attempt: &AttemptId) -> Result<(), AppError> {
        let Some(worker) = self.workers.get_mut(attempt) else { return Ok(()) };
        let Some(events) = self.events.clone() else { return Ok(()) };
        self.store.write_scratch(&layout::prompt_path(attempt), worker.prompt.as_bytes())?;
        let (assignment, nonce) = (&worker.assignment, &worker.record.nonce);
        let Some(launch) = worker::launch(&self.store, &self.environment, assignment, nonce) else {
            let cause = "neither a command nor an agent is given for it".to_owned();
            not_started(events, attempt.clone(), cause, false);
            return Ok(());
        };
        match process::start(&launch) {
            Ok(running) => {
                worker.pid = Some(running.pid);
                let wanted = Wanted::of(&assignment.policy, launch.output.clone());
                worker.launch = Some(launch);
                worker::watch_over(running, attempt.clone(), wanted, events);
            }
            Err(error) => {
                let cause = cause_of(&error);
                // Where people look for what went wrong.
                let note = format!("orch: {cause}\n");
                self.store.write_scratch(&layout::log_path(attempt), note.as_bytes())?;
                not_started(events, attempt.clone(), cause, error.is_temporary());
            }
        }
        Ok(())
    }

    /// Notes the processes of workers that have run for a while, so that the next coordinator can
    /// stop them if this one dies. Younger ones are found by the nonce in their environment.
    pub(super) fn note_processes(&mut self) {
        for (attempt, worker) in &mut self.workers {
            let Some(pid) = worker.pid.filter(|_| !worker.is_in_journal) else { continue };
            let identity = process::identity(pid);
            self.journal.append(&JournalLine::Process {
                attempt: attempt.to_string(),
                nonce: worker.record.nonce.clone(),
                pid,
                start_ticks: identity.start_ticks,
                boot_id: identity.boot_id,
            });
            worker.is_in_journal = true;
        }
    }

    fn start_verify(&mut self, attempt: AttemptId) {
        let Some(events) = self.events.clone() else { return };
        let Some(worker) = self.workers.get_mut(&attempt) else { return };
        let Some(launch) = worker.launch.clone() else { return };
        let policy = &worker.assignment.policy;
        let checks = Checks {
            commands: policy.completion.verify.clone(),
            launch: Launch { stdin: Stdin::Null, ..launch },
            times: CheckTimes { timeout: policy.verify_timeout, grace: policy.grace },
        };
        let stop = checks.start(events, move |results| Event::VerifyFinished { attempt, results });
        worker.check_stop = Some(stop);
    }

    fn start_gate(&mut self, level: u32, number: u32, gate: LevelGate) {
        let Some(events) = self.events.clone() else { return };
        let mut env = self.environment.clone();
        env.push(("ORCH_ROOT".into(), self.store.root().into()));
        env.push(("ORCH_LEVEL".into(), level.to_string().into()));
        let log = layout::gate_log_path(level, number);
        let checks = Checks {
            commands: gate.run,
            launch: Launch {
                argv: Vec::new(),
                folder: self.store.root().to_owned(),
                env,
                stdin: Stdin::Null,
                output: self.store.path(&log),
            },
            times: CheckTimes { timeout: gate.timeout, grace: GRACE_DEFAULT },
        };
        let stop =
            checks.start(events, move |results| Event::GateFinished { level, number, results });
        self.gate_stop = Some(stop);
    }

    /// Kills whatever runs, and waits until it is gone. The records stay without an ending: they
    /// could not be written.
    pub(super) async fn kill_everything(&mut self, sources: &mut Sources) {
        for worker in self.workers.values() {
            stop_checks(worker.check_stop.as_ref(), Force::Kill);
            if let Some(pid) = worker.pid
                && let Err(error) = process::stop_group(pid, How::Kill)
            {
                tracing::warn!(%error, "a worker may still run");
            }
        }
        stop_checks(self.gate_stop.as_ref(), Force::Kill);
        // One deadline for all: sources that tick would put off one for each wait for ever.
        let deadline = tokio::time::Instant::now() + KILL_PATIENCE;
        while self.gate_stop.is_some() || self.workers.values().any(Worker::is_at_work) {
            match tokio::time::timeout_at(deadline, sources.next(None, &self.tracker, false)).await
            {
                Ok(super::Incoming::Event(event)) => self.note_end(&event),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// Forgets a process that has ended, so that nothing waits for it or signals its number.
    pub(super) fn note_end(&mut self, event: &Event) {
        match event {
            Event::WorkerExited { attempt, .. } | Event::WorkerNotStarted { attempt, .. } => {
                if let Some(worker) = self.workers.get_mut(attempt) {
                    worker.pid = None;
                }
            }
            Event::VerifyFinished { attempt, .. } => {
                if let Some(worker) = self.workers.get_mut(attempt) {
                    worker.check_stop = None;
                }
            }
            Event::GateFinished { .. } => self.gate_stop = None,
            _ => {}
        }
    }
}

fn is_record(effect: &Effect) -> bool {
    matches!(effect, Effect::RecordStart(_) | Effect::RecordEnd { .. } | Effect::RecordGate(_))
}

fn stop_checks(stop: Option<&watch::Sender<Option<How>>>, force: Force) {
    if let Some(stop) = stop {
        stop.send_replace(Some(how(force)));
    }
}

fn not_started(
    events: tokio::sync::mpsc::Sender<Event>,
    attempt: AttemptId,
    cause: String,
    is_passing: bool,
) {
    tokio::spawn(async move {
        let event = Event::WorkerNotStarted { attempt, cause, is_passing };
        worker::send(&events, event).await;
    });
}

/// Returns an error with its causes, in one line.
fn cause_of(error: &ProcessError) -> String {
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
