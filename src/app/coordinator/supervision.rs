//! Workers by way of the supervisor: orders go to it, and what it tells becomes events.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    Coordinator,
    adoption::{Adopted, Read, end_leftovers},
    effects::{Process, Worker, how},
    prompt,
    surroundings::masked,
    worker,
};
use crate::{
    app::{error::AppError, sandbox::enclose, view::run::Happened},
    domain::{
        format::layout,
        model::{id::AttemptId, limits::ABSENCE_MAX},
        scheduler::{effect::Force, event::Event},
    },
    io::{
        process::{self, ProcessIdentity, cause_of},
        store::journal::JournalLine,
        supervisor::{Line, Supervisor, Told, ledger::Ledger, wire::micros},
    },
};

impl Coordinator {
    /// Follows the supervisors of earlier coordinators.
    pub(super) fn follow_supervisors(&mut self) {
        for ledger in std::mem::take(&mut self.inherited.followed) {
            tokio::spawn(ledger.follow(self.told.clone()));
        }
    }

    /// Takes up the workers of earlier coordinators: what their supervisors told of those that
    /// ended becomes events.
    pub(super) fn take_up(&mut self, batch: &mut Vec<Event>) -> Result<(), AppError> {
        for adopted in std::mem::take(&mut self.inherited.adopted) {
            let Adopted { record, supervisor, identity, end, .. } = adopted;
            let attempt = record.attempt.clone();
            let live = self.scheduler.running().find(|live| live.assignment.attempt == attempt);
            let Some(assignment) = live.map(|live| Arc::clone(&live.assignment)) else { continue };
            let nonce = record.nonce.clone();
            let home = self.yard.home(&assignment);
            let launch =
                worker::launch(&self.store, &self.surroundings, &assignment, &nonce, &home);
            let env = launch.map(|launch| launch.env).unwrap_or_default();
            let secrets = self.surroundings.secrets(&assignment.policy, &env);
            let mut worker = Worker::new(record, assignment, String::new(), home);
            worker.secrets = secrets;
            worker.supervisor = Some(supervisor.clone());
            worker.process = identity.map_or(Process::Ordered, Process::Started);
            self.workers.insert(attempt.clone(), worker);
            batch.extend(self.read_report(&attempt));
            if let Some(line) = end {
                self.supervisor_told(Told { supervisor, line: Some(line) }, batch)?;
            }
        }
        Ok(())
    }

    /// Removes the ledgers of supervisors that are gone, once all that they told is on record.
    pub(super) fn forget_read_ledgers(&mut self) {
        let is_worn = self.supervisor.as_ref().is_some_and(Supervisor::is_worn);
        if is_worn && self.workers.is_empty() {
            self.dismiss_supervisor();
        }
        let workers = &self.workers;
        let is_needed = |read: &Read| {
            let is_it = |worker: &Worker| worker.supervisor.as_ref() == Some(&read.name);
            workers.values().any(is_it) || read.cgroup.as_ref().is_some_and(|group| group.exists())
        };
        let (needed, over) =
            std::mem::take(&mut self.inherited.read).into_iter().partition(is_needed);
        self.inherited.read = needed;
        for Read { name, .. } in over {
            self.forget_ledger(&name);
        }
    }

    fn forget_ledger(&self, name: &str) {
        if let Err(error) = self.store.remove(&layout::ledger_path(name)) {
            tracing::debug!(%error, "a ledger stays");
        }
    }

    /// Lets the own supervisor go, at the end of a run in which nothing runs any more.
    pub(super) fn dismiss_supervisor(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            self.forget_ledger(supervisor.name());
        }
    }

    /// Orders the worker of an attempt to be started; starts a supervisor where there is none.
    pub(super) fn order_worker(&mut self, attempt: &AttemptId) -> Result<(), AppError> {
        let Some(worker) = self.workers.get_mut(attempt) else { return Ok(()) };
        // Only the beginning of an attempt needs it.
        let mut prompt = std::mem::take(&mut worker.prompt);
        prompt::push_conflicts(&mut prompt, &worker.conflicts);
        let path = layout::prompt_path(attempt);
        if let Err(error) = self.store.write_scratch(&path, prompt.as_bytes()) {
            let is_passing = self.passes(error.is_passing());
            self.not_started(attempt.clone(), cause_of(&error), is_passing);
            return Ok(());
        }
        let enclosure = match self.enclosure(attempt) {
            Ok(enclosure) => enclosure,
            Err(refusal) => {
                self.refused(attempt.clone(), refusal);
                return Ok(());
            }
        };
        let Some(worker) = self.workers.get(attempt) else { return Ok(()) };
        let (assignment, nonce) = (&worker.assignment, &worker.record.nonce);
        let launch =
            worker::launch(&self.store, &self.surroundings, assignment, nonce, &worker.home);
        let Some(launch) = launch else {
            self.not_started(attempt.clone(), "no command is given for it".to_owned(), false);
            return Ok(());
        };
        let secrets = self.surroundings.secrets(&assignment.policy, &launch.env);
        let launch = enclose(enclosure.as_ref(), launch);
        let order = worker::order(&launch, &self.surroundings, assignment, nonce, &secrets);
        let started = self.supervisor.take().map_or_else(|| self.start_supervisor(), Ok);
        let supervisor = match started {
            Ok(supervisor) => supervisor,
            Err(error) if self.passes(error.is_passing()) => {
                self.not_started(attempt.clone(), cause_of(&error), true);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if let Some(worker) = self.workers.get_mut(attempt) {
            worker.supervisor = Some(supervisor.name().to_owned());
            worker.process = Process::Ordered;
            worker.secrets = secrets;
        }
        supervisor.order(&order);
        self.supervisor = Some(supervisor);
        Ok(())
    }

    /// Says whether what cannot be started now may be started later: `is_passing` says that of the
    /// cause alone, and where `.orch` was taken away any cause passes.
    fn passes(&self, is_passing: bool) -> bool {
        is_passing || self.misplaced().is_some()
    }

    fn start_supervisor(&mut self) -> Result<Supervisor, AppError> {
        let name = self.nonces.give();
        let ledger = layout::ledger_path(&name);
        // It is there before its supervisor is, so that no supervisor can be overlooked.
        self.store.write_scratch(&ledger, b"")?;
        let told = self.told.clone();
        Ok(Supervisor::start(name, &self.store.path(&ledger), told)?)
    }

    pub(super) fn not_started(&self, attempt: AttemptId, cause: String, is_passing: bool) {
        let Some(events) = self.events.clone() else { return };
        tokio::spawn(async move {
            let event = Event::WorkerNotStarted { attempt, cause, is_passing };
            worker::send(&events, event).await;
        });
    }

    /// Turns what a supervisor told into events.
    pub(super) fn supervisor_told(
        &mut self,
        told: Told,
        batch: &mut Vec<Event>,
    ) -> Result<(), AppError> {
        let Some(line) = told.line else {
            self.supervisor_gone(&told.supervisor);
            return Ok(());
        };
        match line {
            Line::Hello { .. } => {
                if let Some(own) = &mut self.supervisor {
                    own.has_begun |= own.name() == told.supervisor;
                }
            }
            Line::Orphaned => {}
            Line::Started { nonce, pid, start_ticks, .. } => {
                let boot_id = process::boot_id().to_owned();
                let identity = ProcessIdentity { pid, start_ticks, boot_id };
                self.worker_started(&nonce, identity)?;
                let attempt = self.of_nonce(&nonce).filter(|_| self.scheduler.is_short());
                batch.extend(attempt.map(|attempt| Event::WorkerStarted { attempt }));
            }
            Line::NotStarted { nonce, cause, is_passing } => {
                let Some(attempt) = self.of_nonce(&nonce) else { return Ok(()) };
                // Where people look for what went wrong.
                let note = format!("orch: {cause}\n");
                let log = layout::log_path(&attempt);
                if let Err(error) = self.store.write_scratch(&log, note.as_bytes()) {
                    tracing::debug!(%error, "only the record says why");
                }
                self.process_ended(&attempt);
                let is_passing = self.passes(is_passing);
                batch.push(Event::WorkerNotStarted { attempt, cause, is_passing });
            }
            Line::Used { nonce, usage } => {
                let Some(attempt) = self.of_nonce(&nonce) else { return Ok(()) };
                batch.push(Event::UsageSeen { attempt, usage: usage.into() });
            }
            Line::Limited { nonce, limit } => {
                let Some(attempt) = self.of_nonce(&nonce) else { return Ok(()) };
                batch.push(Event::LimitSeen { attempt, limit: limit.into() });
            }
            Line::Short { nonce, cause } => {
                let Some(attempt) = self.of_nonce(&nonce) else { return Ok(()) };
                let (task, attempt) = (attempt.task.to_string(), attempt.number);
                self.tell(Happened::LogWaits { task, attempt, cause });
            }
            Line::Exited { nonce, end } => {
                let Some(attempt) = self.of_nonce(&nonce) else { return Ok(()) };
                self.look_at_triggers(&attempt);
                self.process_ended(&attempt);
                self.mask_status(&attempt);
                self.mirror_status(&attempt);
                let end = Box::new(end.meaning());
                batch.extend(self.read_report(&attempt));
                self.follow_end(&attempt, batch);
                batch.push(Event::WorkerExited { attempt, end });
            }
        }
        Ok(())
    }

    /// Tells of settings and hooks of git that were changed while a worker ran that has ended now.
    fn look_at_triggers(&mut self, attempt: &AttemptId) {
        let changes = self.yard.new_triggers();
        if changes.is_empty() {
            return;
        }
        let runs = |(one, worker): &(&AttemptId, &Worker)| {
            *one != attempt && worker.process != Process::None
        };
        let others = self.workers.iter().filter(runs).map(|(one, _)| one.task.to_string());
        let tasks = std::iter::once(attempt.task.to_string()).chain(others).collect();
        self.tell(Happened::GitChanged { tasks, changes });
    }

    fn worker_started(&mut self, nonce: &str, identity: ProcessIdentity) -> Result<(), AppError> {
        let Some(attempt) = self.of_nonce(nonce) else { return Ok(()) };
        let Some(worker) = self.workers.get_mut(&attempt) else { return Ok(()) };
        worker.process = Process::Started(identity);
        match worker.stop {
            Some(force) => stop(worker, force),
            None => Ok(()),
        }
    }

    fn of_nonce(&self, nonce: &str) -> Option<AttemptId> {
        let is_it = |(_, worker): &(&AttemptId, &Worker)| worker.record.nonce == nonce;
        self.workers.iter().find(is_it).map(|(attempt, _)| attempt.clone())
    }

    /// Takes secrets out of the status file of a worker that has ended, before git gets it.
    fn mask_status(&self, attempt: &AttemptId) {
        let Some(worker) = self.workers.get(attempt) else { return };
        if worker.secrets.is_empty() {
            return;
        }
        let path = worker.home.relative(&layout::status_path(attempt));
        let bytes = self.store.read_file(&path).unwrap_or_default();
        let Some(text) = masked(&bytes, &worker.secrets) else { return };
        if let Err(error) = self.store.replace(&path, text.as_bytes()) {
            tracing::warn!(%error, "a secret stands in a status file");
        }
    }

    /// Copies the status file of a worker in a worktree to where readers look for it. It is masked:
    /// what is masked when the worker has ended is the file itself.
    pub(super) fn mirror_status(&self, attempt: &AttemptId) {
        let Some(worker) = self.workers.get(attempt).filter(|w| w.home.is_apart()) else { return };
        let path = layout::status_path(attempt);
        let Ok(bytes) = self.store.read_file(&worker.home.relative(&path)) else { return };
        let bytes = masked(&bytes, &worker.secrets).map_or(bytes, String::into_bytes);
        if self.store.read_file(&path).is_ok_and(|known| known == bytes) {
            return;
        }
        if let Err(error) = self.store.replace(&path, &bytes) {
            tracing::warn!(%error, "what a worker reports is not shown");
        }
    }

    fn process_ended(&mut self, attempt: &AttemptId) {
        if let Some(worker) = self.workers.get_mut(attempt) {
            worker.process = Process::None;
        }
    }

    /// Notes that a worker is asked to stop because the run is: should this coordinator die before
    /// it has ended, the next one must not take its end for that of its work.
    pub(super) fn note_stop(&mut self, attempt: &AttemptId) {
        let Some(worker) = self.workers.get(attempt).filter(|_| self.scheduler.is_stopping())
        else {
            return;
        };
        let nonce = worker.record.nonce.clone();
        let tick_us = micros(self.clock.now().tick);
        self.journal.append(&JournalLine::Stopping { nonce, tick_us });
        // Written before the worker hears of it; where that cannot be, it is stopped all the same.
        if let Err(error) = self.journal.flush() {
            tracing::warn!(%error, "it is not on record that a worker is being stopped");
        }
    }

    /// Ends attempts whose processes are gone without their supervisor telling so.
    pub(super) fn look_for_absent(&mut self, batch: &mut Vec<Event>) {
        let now = self.clock.now().tick;
        for (attempt, worker) in &mut self.workers {
            let Process::Started(identity) = &worker.process else { continue };
            if identity.is_alive() {
                worker.absent_since = None;
                continue;
            }
            let since = *worker.absent_since.get_or_insert(now);
            if now >= since.plus(ABSENCE_MAX) {
                worker.process = Process::None;
                let cause = "its process is gone, and its supervisor does not say how it ended";
                let (attempt, cause) = (attempt.clone(), cause.to_owned());
                batch.push(Event::WorkerLost { attempt, cause });
            }
        }
    }

    /// Stops the worker of an attempt, or does so as soon as it is known.
    pub(super) fn stop_worker(
        &mut self,
        attempt: &AttemptId,
        force: Force,
    ) -> Result<(), AppError> {
        let now = self.clock.now().tick;
        let Some(worker) = self.workers.get_mut(attempt) else { return Ok(()) };
        worker.stop = Some(force);
        if force == Force::Kill {
            worker.looks.note_kill(now);
        }
        stop(worker, force)
    }

    /// Kills what a supervisor that is gone left: nobody would ever know how it ended.
    fn supervisor_gone(&mut self, name: &str) {
        let own = self.supervisor.take_if(|supervisor| supervisor.name() == name);
        let Some(events) = self.events.clone() else { return };
        let (mut left, mut attempts) = (Vec::new(), Vec::new());
        for (attempt, worker) in &mut self.workers {
            if worker.supervisor.as_deref() != Some(name) {
                continue;
            }
            let identity = match std::mem::replace(&mut worker.process, Process::None) {
                Process::None => continue,
                Process::Ordered => None,
                Process::Started(identity) => Some(identity),
            };
            left.push((worker.record.nonce.clone(), identity));
            attempts.push(attempt.clone());
        }
        // One that ended by itself has removed its group.
        let ledger = Ledger::read(name.to_owned(), self.store.path(&layout::ledger_path(name)));
        // One that never took an order has lost no worker. It writes before it tells, and what it
        // was about to tell died with it; on a full disk it can only tell.
        let has_written = ledger.as_ref().is_ok_and(|ledger| ledger.identity.is_some());
        let has_begun = has_written || own.is_none_or(|supervisor| supervisor.has_begun);
        let cgroup = ledger.ok().and_then(|ledger| ledger.cgroup);
        let groups: Vec<PathBuf> = cgroup.clone().into_iter().collect();
        self.inherited.read.push(Read { name: name.to_owned(), cgroup });
        tokio::spawn(async move {
            let stopped = end_leftovers(&left, &groups, Duration::ZERO).await;
            for attempt in attempts {
                if !has_begun {
                    let cause = "the supervisor of the workers could not begin".to_owned();
                    let event = Event::WorkerNotStarted { attempt, cause, is_passing: true };
                    worker::send(&events, event).await;
                    continue;
                }
                let cause = match stopped.survivors.as_slice() {
                    [] => "its supervisor was killed; so was what it left running".to_owned(),
                    _ => "its supervisor was killed; something it left running could not be"
                        .to_owned(),
                };
                worker::send(&events, Event::WorkerLost { attempt, cause }).await;
            }
        });
    }
}

/// Stops the process of a worker, where it is known, and what is in its group.
fn stop(worker: &Worker, force: Force) -> Result<(), AppError> {
    if let Process::Started(identity) = &worker.process
        && identity.is_alive()
    {
        process::stop_process(identity.pid, identity.start_ticks, how(force))?;
    }
    Ok(())
}
