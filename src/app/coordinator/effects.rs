//! Effects → calls into `io`. Records first, in their order; then everything that acts.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    Coordinator, Sources,
    prompt::{self, Leavings},
    worker::{self, Checks, Home},
};
use crate::{
    app::{error::AppError, view::run::Happened},
    domain::{
        format::{layout, run_record, status_file},
        model::{
            attempt::{AttemptRecord, Digests, Ending, StatusReport},
            config::{Durability, LevelGate},
            id::AttemptId,
            limits::{FAILURE_TAIL_BYTES, GRACE_DEFAULT},
            time::{Tick, Timestamp},
        },
        scheduler::{
            effect::{Assignment, Effect, Force},
            event::Event,
        },
        standstill::Looks,
    },
    io::{
        process::{self, How, Launch, ProcessIdentity, Stdin, check::CheckTimes},
        store::journal::JournalLine,
    },
};

/// A record that is to be written.
struct Rendered {
    path: String,
    text: String,
    /// Whether nothing may be there yet.
    is_new: bool,
}

/// An attempt that is being carried out.
pub(super) struct Worker {
    /// Its record, as it is on disk.
    pub(super) record: AttemptRecord,
    pub(super) assignment: Arc<Assignment>,
    /// What it is told.
    pub(super) prompt: String,
    /// The supervisor that was told to start it.
    pub(super) supervisor: Option<String>,
    /// Its process.
    pub(super) process: Process,
    /// How it is to be stopped.
    pub(super) stop: Option<Force>,
    /// What was seen of its process.
    pub(super) looks: Looks,
    /// Stops its verify commands.
    pub(super) check_stop: Option<watch::Sender<Option<How>>>,
    /// Since when its process is gone, and nobody told how it ended.
    pub(super) absent_since: Option<Tick>,
    /// Values that are not to stand in its log and its status file.
    pub(super) secrets: Vec<String>,
    /// The last that it reported.
    pub(super) report: Option<StatusReport>,
    /// Since when its status file cannot be read.
    pub(super) unreadable_since: Option<Timestamp>,
    /// Where its commands run.
    pub(super) home: Home,
    /// Whether its work landed on a branch that is not checked out, and its record with it.
    pub(super) is_elsewhere: bool,
    /// The files that are in conflict in its worktree, for its prompt.
    pub(super) conflicts: Vec<String>,
}

/// How far the process of a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Process {
    /// There is none: not yet, or not any more.
    None,
    /// A supervisor was told to start it.
    Ordered,
    /// It runs.
    Started(ProcessIdentity),
}

impl Worker {
    /// Returns a worker that was not started yet.
    pub(super) fn new(
        record: AttemptRecord,
        assignment: Arc<Assignment>,
        prompt: String,
        home: Home,
    ) -> Self {
        Self {
            home,
            conflicts: Vec::new(),
            is_elsewhere: false,
            record,
            assignment,
            prompt,
            supervisor: None,
            process: Process::None,
            looks: Looks::default(),
            stop: None,
            check_stop: None,
            absent_since: None,
            secrets: Vec::new(),
            report: None,
            unreadable_since: None,
        }
    }
}

pub(super) fn how(force: Force) -> How {
    match force {
        Force::Ask => How::Polite,
        Force::Kill => How::Kill,
    }
}

impl Coordinator {
    /// Carries effects out. Where a record can never be written, the rest is dropped: as after a
    /// crash, the next run goes on from what is on disk.
    pub(super) async fn carry_out(
        &mut self,
        effects: Vec<Effect>,
        sources: &mut Sources,
    ) -> Result<(), AppError> {
        let (records, acts): (Vec<Effect>, Vec<Effect>) = effects.into_iter().partition(is_record);
        let is_power_safe = self.scheduler.plan().config().durability == Durability::Power;
        let has_records = !records.is_empty();
        for record in records {
            let Some(Rendered { path, text, is_new }) = self.rendered(record) else { continue };
            if is_power_safe {
                let line = JournalLine::Record { path: path.clone(), text: text.clone() };
                self.journal.append(&line);
            }
            if !is_new {
                self.note_unsaved(path.clone());
            }
            if is_new {
                self.create_record(sources, &path, &text).await?;
            } else {
                let swap = |this: &mut Self| this.store.swap(&path, text.as_bytes());
                self.persist(sources, swap).await?;
            }
            self.kept.insert(path, text);
        }
        if is_power_safe && has_records {
            self.persist(sources, |this| this.journal.sync()).await?;
        }
        for act in acts {
            self.act(act)?;
        }
        self.ask_for_wanted();
        self.persist(sources, |this| this.journal.flush()).await
    }

    /// Turns a record into a file, and notes what it says; `None` where it is not to be in this
    /// checkout.
    fn rendered(&mut self, effect: Effect) -> Option<Rendered> {
        Some(match effect {
            Effect::RecordStart(assignment) => {
                let worker = self.prepare(assignment);
                let attempt = worker.record.attempt.clone();
                let text = run_record::render(&worker.record);
                self.workers.insert(attempt.clone(), worker);
                self.tally.n_attempts += 1;
                Rendered { path: layout::run_path(&attempt), text, is_new: true }
            }
            Effect::RecordEnd { attempt, ending } => {
                self.note_unsaved(layout::status_path(&attempt));
                let is_elsewhere = self.workers.get(&attempt).is_some_and(|w| w.is_elsewhere);
                let path = layout::run_path(&attempt);
                let text = run_record::render(&self.ended(&attempt, *ending));
                if is_elsewhere {
                    self.kept.remove(&path);
                    return None;
                }
                Rendered { path, text, is_new: false }
            }
            Effect::RecordGate(record) => Rendered {
                path: layout::gate_run_path(record.level, record.number, &self.mark),
                text: run_record::render_gate(&record),
                is_new: false,
            },
            _ => unreachable!("only records are written"),
        })
    }

    /// Returns everything that an attempt needs.
    fn prepare(&mut self, assignment: Arc<Assignment>) -> Worker {
        let attempt = assignment.attempt.clone();
        let prompt = prompt::prompt(&assignment, &self.leavings(&assignment));
        // Nothing is started where it only lands.
        let started = assignment.policy.started().filter(|_| assignment.lands.is_none());
        let record = AttemptRecord {
            attempt: attempt.clone(),
            started: self.clock.now().wall,
            worker: started.unwrap_or_default(),
            executor: "local".to_owned(),
            nonce: self.nonces.give(),
            log: layout::log_path(&attempt),
            digests: Digests::of(&assignment.spec, assignment.role.as_ref()),
            work: self.yard.work_of(&assignment),
            ending: None,
        };
        let home = self.yard.home(&assignment);
        Worker::new(record, assignment, prompt, home)
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
            log_tail: process::log::tail_of_both(&log, FAILURE_TAIL_BYTES).unwrap_or_default(),
            notes: report.map(|report| report.notes).unwrap_or_default(),
        }
    }

    /// Returns the record of an attempt with its ending.
    fn ended(&mut self, attempt: &AttemptId, ending: Ending) -> AttemptRecord {
        self.tally.count(attempt, &ending);
        if let Some(worker) = self.workers.remove(attempt) {
            return AttemptRecord { ending: Some(ending), ..worker.record };
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
            work: None,
            ending: None,
        });
        AttemptRecord { ending: Some(ending), ..record }
    }

    fn act(&mut self, effect: Effect) -> Result<(), AppError> {
        match effect {
            Effect::Claim(task) => self.want(task),
            Effect::PrepareWorktree(assignment) => self.prepare_worktree(&assignment),
            Effect::Merge { attempt } => self.merge_work(attempt),
            Effect::Combine { attempts } => self.combine(attempts),
            Effect::VerifyBatch { attempts } => self.verify_batch(&attempts),
            Effect::Land { works } => self.land(works),
            Effect::StopLanding { attempt } => self.stop_landing(&attempt),
            Effect::RemoveWorktree { attempt } => self.remove_worktree(&attempt),
            Effect::StartWorker(assignment) => self.order_worker(&assignment.attempt)?,
            Effect::StopWorker { attempt, force } => {
                self.note_stop(&attempt);
                self.stop_worker(&attempt, force)?;
            }
            Effect::StartVerify { attempt } => self.start_verify(&attempt),
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

    fn start_verify(&mut self, attempt: &AttemptId) {
        let Some(events) = self.events.clone() else { return };
        let home = self.workers.get(attempt).map(|worker| worker.home.clone());
        let Some(checks) = home.and_then(|home| self.checks_of(attempt, &home)) else { return };
        let ended = attempt.clone();
        let stop =
            checks.start(events, move |results| Event::VerifyFinished { attempt: ended, results });
        if let Some(worker) = self.workers.get_mut(attempt) {
            worker.check_stop = Some(stop);
        }
    }

    /// Returns the verify commands of an attempt, to be run in `home`.
    pub(super) fn checks_of(&self, attempt: &AttemptId, home: &Home) -> Option<Checks> {
        let worker = self.workers.get(attempt)?;
        let (assignment, nonce) = (&worker.assignment, &worker.record.nonce);
        let launch = worker::launch(&self.store, &self.surroundings, assignment, nonce, home)?;
        let policy = &assignment.policy;
        Some(Checks {
            commands: policy.completion.verify.clone(),
            launch: Launch { stdin: Stdin::Null, ..launch },
            times: CheckTimes { timeout: policy.verify_timeout, grace: policy.grace },
            secrets: worker.secrets.clone(),
            enclosure: self.enclosure_of_checks(attempt, home),
        })
    }

    fn start_gate(&mut self, level: u32, number: u32, gate: LevelGate) {
        let Some(events) = self.events.clone() else { return };
        let mut env = self.surroundings.variables.clone();
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
            secrets: self.surroundings.common_secrets(),
            enclosure: Ok(None),
        };
        let stop =
            checks.start(events, move |results| Event::GateFinished { level, number, results });
        self.gate_stop = Some(stop);
    }

    /// Forgets checks that have ended, so that nothing waits for them.
    pub(super) fn note_end(&mut self, event: &Event) {
        match event {
            Event::VerifyFinished { attempt, .. } | Event::BatchVerified { attempt, .. } => {
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

pub(super) fn stop_checks(stop: Option<&watch::Sender<Option<How>>>, force: Force) {
    if let Some(stop) = stop {
        stop.send_replace(Some(how(force)));
    }
}
