//! What must be waited for, and what is used up, in the simulated world: limits of providers, gates
//! that workers ask for, budgets, crashes and iterations.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use orch::domain::{
    model::{
        attempt::{AttemptRecord, Ending, Outcome, Usage},
        id::{AttemptId, GateName, TaskId},
        outside::{EventKind, GateState, OutsideEvent, OutsideFacts},
        task::{LoopSpec, TaskSpec},
    },
    scheduler::event::Event,
};

use super::{
    Bug,
    world::{Check, World},
};

/// Tokens that a task with a budget may use, and that each attempt uses.
const BUDGET: u64 = 100;
pub(super) const USED: u64 = 60;

/// Asks for signs of life, limits what may be used up, and names a provider.
pub(super) fn watch_over(spec: &mut TaskSpec, rng: &mut Rng) {
    spec.retry.max_crashes = Some(rng.u32(1..5));
    spec.worker.heartbeat = (rng.u8(..) < 60).then(|| Duration::from_millis(500));
    spec.worker.provider = (rng.u8(..) < 90).then(|| "p".to_owned());
    spec.budget.tokens = (rng.u8(..) < 60).then_some(BUDGET);
    let is_loop = rng.u8(..) < 60;
    spec.repeat = is_loop.then(|| LoopSpec { max_iterations: Some(rng.u32(1..4)) });
}

pub(super) fn gate() -> GateName {
    GateName("ci".to_owned())
}

impl World {
    /// Plants the bugs that are a loss of memory.
    pub(super) fn remembered(&self, mut record: AttemptRecord) -> AttemptRecord {
        if let Some(ending) = &mut record.ending {
            match self.bug {
                Bug::ForgetUsage => ending.usage = Usage::default(),
                Bug::ForgetGate => ending.waiting_for = None,
                Bug::ForgetLimit => ending.limit = None,
                _ => {}
            }
        }
        record
    }

    pub(super) fn facts(&self) -> OutsideFacts {
        OutsideFacts::gather(self.outside.iter().cloned())
    }

    /// Returns how the attempts of a task ended, by the records.
    fn endings(&self, task: &TaskId) -> impl Iterator<Item = &Ending> {
        let of_task = self.records.values().filter(move |record| record.attempt.task == *task);
        of_task.filter_map(|record| record.ending.as_ref())
    }

    /// Says whether the records justify that a task is given up.
    pub(super) fn is_out_of(&self, task: &TaskId) -> bool {
        let index = self.plan.find(task.as_str()).unwrap();
        let policy = self.plan.policy(index);
        let n = |counts: fn(Outcome) -> bool| {
            let counted = self.endings(task).filter(|ending| counts(ending.outcome)).count();
            u32::try_from(counted).unwrap()
        };
        n(|o| matches!(o, Outcome::Failed | Outcome::Stalled)) >= policy.max_attempts
            || n(|o| matches!(o, Outcome::Crashed | Outcome::Lost)) >= policy.max_crashes
            || policy.max_iterations.is_some_and(|max| n(|o| o == Outcome::Unfinished) >= max)
    }

    /// Says whether the records of a task use up its budget.
    pub(super) fn is_spent(&self, task: &TaskId) -> bool {
        let index = self.plan.find(task.as_str()).unwrap();
        let used: u64 = self.endings(task).map(|ending| ending.usage.tokens()).sum();
        self.plan.spec(index).budget.tokens.is_some_and(|limit| used >= limit)
    }

    /// Checks that nothing of what a task must wait for is still to come.
    pub(super) fn check_waits(&self, task: &TaskId) -> Check {
        let index = self.plan.find(task.as_str()).unwrap();
        let provider = self.plan.spec(index).worker.provider.as_ref();
        let limit = provider.and_then(|provider| self.limited_until.get(provider));
        if limit.is_some_and(|until| *until > self.now_ms) {
            return Err("worker started while the limit of its provider holds".to_owned());
        }
        let is_blocked =
            self.endings(task).last().is_some_and(|last| last.outcome == Outcome::Blocked);
        if is_blocked && self.facts().gate(&gate(), task) != GateState::Open {
            return Err("worker started before the gate that it waits for".to_owned());
        }
        if self.is_spent(task) {
            return Err("worker started over its budget".to_owned());
        }
        Ok(())
    }

    /// Checks an ending against what happened, and notes what must be waited for because of it.
    pub(super) fn note_ending(&mut self, attempt: &AttemptId, ending: &Ending) -> Check {
        let is_own_end = !self.asked_to_stop.contains(attempt);
        if ending.outcome == Outcome::Failed && is_own_end && self.crashed.contains(attempt) {
            return Err("a crash used up an attempt".to_owned());
        }
        if let Some(limit) = &ending.limit {
            let resets = limit.resets.and_then(|at| u64::try_from(at.0).ok());
            let resets = resets.filter(|at| *at > self.now_ms);
            let known = self.limited_until.entry(limit.provider.clone()).or_default();
            let is_known = *known > self.now_ms;
            let until = resets.unwrap_or(if is_known { *known } else { self.now_ms + 60_000 });
            *known = until.max(*known);
        }
        if ending.outcome == Outcome::Blocked {
            let when = self.now_ms + self.rng.u64(0..3000);
            self.gates_due.push((when, attempt.task.clone()));
        }
        Ok(())
    }

    /// Opens the gate of a task.
    pub(super) fn open_gate(&mut self, at: usize) -> Event {
        let (_, task) = self.gates_due.swap_remove(at);
        let kind = EventKind::Gate { gate: gate(), task: Some(task), is_open: true };
        self.outside.push(OutsideEvent { kind, by: None, at: None, note: None });
        Event::PlanChanged { plan: Arc::clone(&self.plan), outside: self.facts() }
    }
}
