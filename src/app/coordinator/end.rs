//! How a coordinator ends: at the end of the plan, or before it and leaving its workers at work.

use std::time::Duration;

use super::{
    Coordinator, Incoming, Request, Sources,
    effects::{Process, Worker, stop_checks},
};
use crate::{
    app::{
        error::AppError,
        view::run::{Happened, Summary},
    },
    domain::{
        model::{config::Durability, id::AttemptId},
        scheduler::effect::Force,
    },
    io::store::lock::LockError,
};

/// How long killed processes are waited for.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// What a coordinator leaves at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Workers at work, which the next run takes up.
    ToNextRun,
    /// Nothing.
    Nothing,
}

impl Coordinator {
    pub(super) fn end(&mut self) -> Result<Summary, AppError> {
        if self.misplaced().is_some() {
            return Err(LockError::Lost.into());
        }
        if self.is_left {
            return self.leave();
        }
        let summary = self.tally.summary(&self.scheduler, self.clock.now());
        if self.scheduler.plan().config().durability == Durability::Power {
            self.store.sync_file_system()?;
        }
        self.journal.reset()?;
        self.dismiss_supervisor();
        self.tell(Happened::RunEnded(summary.clone()));
        self.send_outbox();
        Ok(summary)
    }

    /// Ends, and leaves the workers to their supervisor: the next coordinator takes them up.
    fn leave(&mut self) -> Result<Summary, AppError> {
        self.journal.flush()?;
        let summary = self.tally.summary(&self.scheduler, self.clock.now());
        let n_running = self.n_at_work();
        let summary = Summary { verdict: "left".to_owned(), exit_code: 0, n_running, ..summary };
        self.tell(Happened::Left { n_running });
        self.tell(Happened::RunEnded(summary.clone()));
        self.send_outbox();
        Ok(summary)
    }

    /// Lets go of everything before the end: checks are stopped, as nobody would know how they
    /// ended, and workers go on where they are left to the next run.
    pub(super) async fn let_go(&mut self, sources: &mut Sources, leaving: Leaving) {
        let is_lost = leaving == Leaving::Nothing;
        // What is verified lands with the next run.
        self.stop_landings();
        for worker in self.workers.values() {
            stop_checks(worker.check_stop.as_ref(), Force::Kill);
        }
        stop_checks(self.gate_stop.as_ref(), Force::Kill);
        if is_lost && self.scheduler.is_stopping() {
            let graces = self.workers.values().map(|worker| worker.assignment.policy.grace);
            let grace = graces.max().unwrap_or_default();
            self.stop_all_workers(Force::Ask);
            self.await_ends(sources, is_lost, grace).await;
        }
        if is_lost {
            self.stop_all_workers(Force::Kill);
        }
        self.await_ends(sources, is_lost, KILL_PATIENCE).await;
    }

    fn stop_all_workers(&mut self, force: Force) {
        let attempts: Vec<AttemptId> = self.workers.keys().cloned().collect();
        for attempt in &attempts {
            self.note_stop(attempt);
            if let Err(error) = self.stop_worker(attempt, force) {
                tracing::warn!(%error, "a worker may still run");
            }
        }
    }

    /// Waits, at most for `time`, until all checks have ended, and where everything `is_lost` all
    /// workers, too; somebody who asks once more does not want to wait.
    async fn await_ends(&mut self, sources: &mut Sources, is_lost: bool, time: Duration) {
        let is_at_work = |worker: &Worker| {
            // An order that was not carried out yet would be lost with this process.
            worker.check_stop.is_some()
                || worker.process == Process::Ordered
                || (is_lost && worker.process != Process::None)
        };
        // One deadline for all: sources that tick would put off one for each wait for ever.
        let deadline = tokio::time::Instant::now() + time;
        while self.gate_stop.is_some() || self.workers.values().any(is_at_work) {
            match tokio::time::timeout_at(deadline, sources.next(None, &self.tracker, false)).await
            {
                Ok(Incoming::Event(event)) => self.note_end(&event),
                Ok(Incoming::Told(told)) => {
                    // What follows from it is decided by the next run.
                    if let Err(error) = self.supervisor_told(told, &mut Vec::new()) {
                        tracing::warn!(%error, "the end of a worker is not followed");
                    }
                }
                Ok(Incoming::Request(Request::Stop(_))) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Returns how many workers have a process.
    pub(super) fn n_at_work(&self) -> usize {
        self.workers.values().filter(|worker| worker.process != Process::None).count()
    }
}
