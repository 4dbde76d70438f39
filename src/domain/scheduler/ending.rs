//! How an attempt ends: its record, and what follows for its task.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    Scheduler,
    effect::{Effect, Notice, Uses},
    phase::{Course, Phase, StopReason},
};
use crate::domain::{
    model::{
        attempt::{CheckResult, Ending, Killer, Outcome, ReportedState, ReviewKind, UsageLimit},
        id::{AttemptId, GateName},
        time::{Now, Tick},
    },
    plan::TaskIndex,
};

/// How an attempt is to be recorded as ended.
#[derive(Debug, Clone)]
pub(super) struct Finish {
    pub outcome: Outcome,
    pub reason: String,
    pub verify: Vec<CheckResult>,
    pub limit: Option<UsageLimit>,
    pub waiting_for: Option<GateName>,
    pub category: Option<String>,
    pub review: Option<ReviewKind>,
    pub claimed: Option<ReportedState>,
    pub conflicts: Vec<String>,
}

impl Finish {
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            verify: Vec::new(),
            limit: None,
            waiting_for: None,
            category: None,
            review: None,
            claimed: None,
            conflicts: Vec::new(),
        }
    }

    /// Returns the end of an attempt whose work others got in the way of.
    pub(super) fn conflict(files: Vec<String>) -> Self {
        let named = match &files[..] {
            [] => "files".to_owned(),
            [one] => format!("`{one}`"),
            [one, other] => format!("`{one}` and `{other}`"),
            [one, rest @ ..] => format!("`{one}` and {} more files", rest.len()),
        };
        let reason = format!("{named} changed on the branch meanwhile, and cannot be merged");
        Self { conflicts: files, ..Self::new(Outcome::Conflict, reason) }
    }

    /// Returns the end of an attempt at a limit of its provider.
    pub(super) fn limited(limit: UsageLimit) -> Self {
        let reason = format!("the limit of {} is reached: {}", limit.provider, limit.words);
        Self { limit: Some(limit), ..Self::new(Outcome::Limited, reason) }
    }

    pub(super) fn after(mut self, verify: Vec<CheckResult>) -> Self {
        self.verify = verify;
        self
    }
}

impl Scheduler {
    /// Records what became of the attempts that nobody carries out any more.
    pub(super) fn settle_lost(&mut self, effects: &mut Vec<Effect>) {
        for (attempt, outcome, cause) in std::mem::take(&mut self.lost) {
            let ending = Ending::new(self.now.wall, outcome, cause);
            if let Some(history) = self.histories.get_mut(&attempt.task) {
                history.settle(ending.clone());
            }
            effects.push(Effect::RecordEnd { attempt: attempt.clone(), ending: Box::new(ending) });
            if let Some(task) = self.plan.find(attempt.task.as_str()) {
                let phase = self.settled_phase(task, None);
                self.set_phase(task, phase);
                self.tell_given_up(task, &attempt, effects);
                self.tell_over_budget(task, effects);
            }
        }
    }

    /// Ends an attempt whose checks all held.
    pub(super) fn end_held(
        &mut self,
        task: TaskIndex,
        results: Vec<CheckResult>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.at(task) else { return };
        let held = Self::held_words(&results);
        let finish = if live.assignment.policy.completion.review {
            let reason = format!("{held}; a person must approve it");
            Finish { review: Some(ReviewKind::Completion), ..Finish::new(Outcome::Review, reason) }
        } else {
            Finish::new(Outcome::Succeeded, held)
        };
        self.end(task, finish.after(results), effects);
    }

    /// Says in words that these checks held.
    pub(super) fn held_words(results: &[CheckResult]) -> String {
        match results.len() {
            0 => "exit code 0".to_owned(),
            1 => "exit code 0, verify command passed".to_owned(),
            n => format!("exit code 0, all {n} verify commands passed"),
        }
    }

    /// Ends an attempt whose worker claimed success against its checks: the next iteration of a
    /// loop, or a failure.
    pub(super) fn end_unheld(
        &mut self,
        task: TaskIndex,
        reason: String,
        results: Vec<CheckResult>,
        effects: &mut Vec<Effect>,
    ) {
        let is_loop =
            self.at(task).is_some_and(|live| live.assignment.policy.max_iterations.is_some());
        let outcome = if is_loop { Outcome::Unfinished } else { Outcome::Failed };
        self.end(task, Finish::new(outcome, reason).after(results), effects);
    }

    /// Ends an attempt that was stopped.
    pub(super) fn end_stopped(
        &mut self,
        task: TaskIndex,
        why: StopReason,
        effects: &mut Vec<Effect>,
    ) {
        let outcome = match why {
            StopReason::TimedOut(_) => Outcome::Failed,
            StopReason::Stalled(_) => Outcome::Stalled,
            StopReason::OverBudget(..) => Outcome::OverBudget,
            StopReason::Limited => {
                let limit = self.at(task).and_then(|live| live.limit.clone());
                let Some(limit) = limit else { unreachable!("a limit was seen") };
                return self.end(task, Finish::limited(limit), effects);
            }
            StopReason::Cancelled => Outcome::Cancelled,
            StopReason::Interrupted => Outcome::Interrupted,
        };
        self.end(task, Finish::new(outcome, why.phrase()), effects);
    }

    /// Records how an attempt ended and moves its task on.
    pub(super) fn end(&mut self, task: TaskIndex, finish: Finish, effects: &mut Vec<Effect>) {
        if let Some(ending) = self.ending(task, finish) {
            self.conclude(task, ending, effects);
        }
    }

    /// Returns what is to be recorded of an attempt that ends so.
    pub(super) fn ending(&self, task: TaskIndex, finish: Finish) -> Option<Ending> {
        let live = self.at(task)?;
        let attempt = &live.assignment.attempt;
        let after = self.retried_after(&attempt.task);
        let n_before = self.histories.get(&attempt.task).map_or(0, |h| h.n_unfinished(after));
        // It may have ended while no coordinator was there.
        let exited = live.end.as_ref().filter(|_| finish.verify.is_empty()).and_then(|e| e.ended);
        let ended = exited.unwrap_or(self.now);
        let Finish { outcome, reason, verify, limit, waiting_for, category, .. } = finish;
        let Finish { review, claimed, conflicts, .. } = finish;
        Some(Ending {
            exit: live.end.as_ref().map(|end| end.exit),
            verify,
            conflicts,
            usage: live.usage(),
            digests: live.merged.clone().unwrap_or_else(|| self.plan.digests(task)),
            limit,
            waiting_for,
            category,
            review,
            claimed,
            iteration: live.assignment.policy.max_iterations.map(|_| n_before + 1),
            n_leaked: live.end.as_ref().map_or(0, |end| end.n_leaked),
            is_oom: live.end.as_ref().and_then(|e| e.killed_by) == Some(Killer::OutOfMemory),
            ..Ending::new(ended.wall, outcome, reason)
        })
    }

    /// Records how an attempt ended and moves its task on.
    pub(super) fn conclude(&mut self, task: TaskIndex, ending: Ending, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task).cloned() else { return };
        let attempt = live.assignment.attempt.clone();
        let (outcome, reason) = (ending.outcome, ending.reason.clone());
        // It may have ended while no coordinator was there.
        let exited = live.end.as_ref().filter(|_| ending.verify.is_empty()).and_then(|e| e.ended);
        let ended = match &live.held {
            // It was over when it was verified; then it waited for its turn.
            Some(_) => {
                let waited = self.now.wall.since(ending.ended);
                Now { tick: Tick(self.now.tick.0.saturating_sub(waited)), wall: ending.ended }
            }
            None => exited.unwrap_or(self.now),
        };
        effects
            .push(Effect::RecordEnd { attempt: attempt.clone(), ending: Box::new(ending.clone()) });
        if outcome != Outcome::NotStarted {
            self.book(&live, ended.tick);
        }
        if let Some(history) = self.histories.get_mut(&attempt.task) {
            history.settle(ending.clone());
        }
        let took = ended.tick.0.saturating_sub(live.started.tick.0);
        let retry_in = self.move_on(task, &attempt, outcome);
        effects.push(Effect::Announce(Notice::Ended {
            attempt: attempt.clone(),
            outcome,
            reason,
            took,
            retry_in,
            n_leaked: ending.n_leaked,
        }));
        self.tell_given_up(task, &attempt, effects);
        self.tell_over_budget(task, effects);
        if let Some(limit) = ending.limit.filter(|_| outcome == Outcome::Limited) {
            self.note_limit(&attempt, &limit, effects);
        } else if outcome == Outcome::Succeeded {
            self.forget_limit(live.assignment.policy.provider.as_deref());
        }
        self.feed_breaker(outcome, ended.tick, effects);
        self.started_well(&attempt, effects);
    }

    /// Puts the task of an ended attempt into its next phase; returns the wait before it is tried
    /// again, where it is.
    fn move_on(
        &mut self,
        task: TaskIndex,
        attempt: &AttemptId,
        outcome: Outcome,
    ) -> Option<Duration> {
        if self.leaving.remove(&attempt.task) {
            self.set_phase(task, Phase::Cancelled);
            return None;
        }
        let phase = self.settled_phase(task, None);
        let goes_on = outcome.is_failure()
            || matches!(
                outcome,
                Outcome::Crashed
                    | Outcome::Lost
                    | Outcome::Unfinished
                    | Outcome::Limited
                    | Outcome::Unlanded
            );
        let wait = if let Phase::BackingOff { until } = phase {
            Some(until.0.saturating_sub(self.now.tick.0))
        } else {
            (goes_on && matches!(phase, Phase::Open)).then_some(Duration::ZERO)
        };
        self.set_phase(task, phase);
        wait.filter(|_| self.course == Course::Running)
    }

    /// Tells that a task failed for good, where it did.
    pub(super) fn tell_given_up(
        &mut self,
        task: TaskIndex,
        attempt: &AttemptId,
        effects: &mut Vec<Effect>,
    ) {
        if !matches!(self.phases.get(task.position()), Some(Phase::Failed)) {
            return;
        }
        let Some(history) = self.histories.get(&attempt.task) else { return };
        let after = self.retried_after(&attempt.task);
        let (n_failed, of) = match history.outcome(after) {
            Some(Outcome::Crashed | Outcome::Lost) => (history.n_crashed(after), Uses::Crashes),
            Some(Outcome::Unfinished) => (history.n_unfinished(after), Uses::Iterations),
            _ => (history.n_failed(after), Uses::Attempts),
        };
        effects.push(Effect::Announce(Notice::GaveUp {
            task: attempt.task.clone(),
            n_failed,
            of,
            n_blocked: self.n_downstream(task),
        }));
    }
}
