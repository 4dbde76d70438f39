//! How attempts are asked to stop: by a person, by the end of their time, or with the run.

use super::{
    Scheduler,
    effect::{Effect, Force, Notice},
    phase::{Activity, Stage, StopReason},
};
use crate::domain::{
    model::{id::AttemptId, task::AuthorStatus},
    plan::TaskIndex,
};

impl Scheduler {
    pub(super) fn stop_all(&mut self, force: Force, effects: &mut Vec<Effect>) {
        for task in self.running.clone() {
            self.stop(task, StopReason::Interrupted, force, effects);
        }
    }

    /// Stops the attempts that a person cancelled: in the file of the task, or, where that is gone,
    /// by naming the attempt.
    pub(super) fn stop_cancelled(&mut self, effects: &mut Vec<Effect>) {
        let is_cancelled = |task: &TaskIndex| {
            self.plan.spec(*task).status.value == AuthorStatus::Cancelled
                || self
                    .at(*task)
                    .is_some_and(|live| self.outside.is_cancelled(&live.assignment.attempt))
        };
        let cancelled: Vec<TaskIndex> = self.running.iter().copied().filter(is_cancelled).collect();
        for task in cancelled {
            self.stop(task, StopReason::Cancelled, Force::Ask, effects);
        }
    }

    /// Asks an attempt to stop, or kills it. The first reason stays.
    pub(super) fn stop(
        &mut self,
        task: TaskIndex,
        why: StopReason,
        force: Force,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.at(task) else { return };
        let attempt = live.assignment.attempt.clone();
        let kill_at =
            (force == Force::Ask).then(|| self.now.tick.plus(live.assignment.policy.grace));
        let (why, at) = match live.stage {
            Stage::Stopping { .. } if force == Force::Ask => return,
            Stage::Stopping { why, at, .. } => (why, at),
            // Nobody else is asked about one that only waits.
            Stage::Queued if why.is_asked_for() => return self.end_unlanded(task, why, effects),
            // All that it could use up, it has.
            Stage::Merging | Stage::Queued | Stage::Landing if !why.is_asked_for() => return,
            Stage::Preparing
            | Stage::Working
            | Stage::Merging
            | Stage::Verifying
            | Stage::Queued
            | Stage::Landing => (why, live.activity()),
        };
        let now = self.now.tick;
        // What ends soon by itself is not killed.
        let kill_at = kill_at.filter(|_| matches!(at, Activity::Working | Activity::Verifying));
        self.change_live(task, |live| {
            live.stage = Stage::Stopping { why, at, kill_at };
            live.stop_asked.get_or_insert(now);
        });
        let stopping = attempt.clone();
        effects.extend(Self::stop_effect(attempt, at, force));
        effects.push(Effect::Announce(Notice::Stopping {
            attempt: stopping,
            why: why.phrase(),
            force,
        }));
    }

    /// Returns what stops an attempt; `None` where it ends soon by itself.
    fn stop_effect(attempt: AttemptId, at: Activity, force: Force) -> Option<Effect> {
        match at {
            Activity::Preparing | Activity::Merging => None,
            Activity::Working => Some(Effect::StopWorker { attempt, force }),
            Activity::Verifying => Some(Effect::StopVerify { attempt, force }),
            Activity::Landing => Some(Effect::StopLanding { attempt }),
        }
    }
}
