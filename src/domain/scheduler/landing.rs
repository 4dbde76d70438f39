//! How the work of an attempt with a worktree of its own comes to the branch: merged with what
//! landed meanwhile, verified as merged, and landed, one after the other.
//!
//! Several attempts may be verified side by side, each merged with the branch as it was then. Only
//! one at a time has its turn to land: the branch is where it was verified, or it keeps its turn
//! while it is merged and verified again. So whatever is on the branch was verified as it is, and
//! nobody is overtaken for ever.
//!
//! Where several wait that were overtaken, their work may be verified together: see [`batch`].

mod batch;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::{
    Scheduler,
    effect::{Effect, Notice},
    ending::Finish,
    event::{LandAnswer, MergeAnswer},
    phase::{Activity, Live, Stage, StopReason},
};
use crate::domain::{
    model::{
        attempt::{CheckResult, Ending, Outcome, ReviewKind},
        id::{AttemptId, TaskId},
    },
    plan::TaskIndex,
};

/// Whether tasks can have worktrees of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worktrees {
    /// They cannot.
    None,
    /// They can: what is checked out is the branch that their work lands on.
    Here,
    /// They can, but another branch is checked out.
    Away,
}

/// Whose work lands next.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    /// Whose turn it is.
    turn: Option<TaskId>,
    /// Whose work is being verified together with that of the one whose turn it is.
    mates: Vec<TaskId>,
    /// Who waits for it, in the order in which they were verified.
    waiting: VecDeque<TaskId>,
    /// Most tasks in a batch for now, where the last one did not hold.
    batch_max: Option<u32>,
}

impl Live {
    /// Returns what the attempt is at, or was when it was asked to stop.
    pub fn activity(&self) -> Activity {
        match self.stage {
            Stage::Preparing => Activity::Preparing,
            Stage::Working => Activity::Working,
            Stage::Merging => Activity::Merging,
            Stage::Verifying => Activity::Verifying,
            Stage::Queued | Stage::Landing => Activity::Landing,
            Stage::Stopping { at, .. } => at,
        }
    }

    /// Says whether it has a worktree of its own.
    pub fn is_apart(&self) -> bool {
        self.assignment.isolation.is_apart()
    }
}

impl Scheduler {
    /// Notes whether another branch is checked out than that which work lands on.
    pub(super) fn branch_left(&mut self, is_away: bool) {
        self.worktrees = match (self.worktrees, is_away) {
            (Worktrees::None, _) => Worktrees::None,
            (_, true) => Worktrees::Away,
            (_, false) => Worktrees::Here,
        };
    }

    /// Starts the worker of an attempt whose worktree is there, or lands what is in it.
    pub(super) fn worktree_ready(&mut self, attempt: &AttemptId, effects: &mut Vec<Effect>) {
        let Some((task, live)) = self.live(attempt) else { return };
        match live.stage {
            Stage::Stopping { why, at: Activity::Preparing, .. } => {
                self.end_stopped(task, why, effects);
            }
            Stage::Preparing if live.assignment.lands.is_some() => {
                self.set_stage(task, Stage::Merging);
                effects.push(Effect::Merge { attempt: attempt.clone() });
            }
            Stage::Preparing => {
                let assignment = live.assignment.clone();
                // Its time begins now.
                let now = self.now;
                self.change_live(task, |live| {
                    live.stage = Stage::Working;
                    live.begin(now);
                });
                effects.push(Effect::StartWorker(assignment));
            }
            Stage::Working
            | Stage::Merging
            | Stage::Verifying
            | Stage::Queued
            | Stage::Landing
            | Stage::Stopping { .. } => {}
        }
    }

    /// Goes on with an attempt whose worker claims success.
    pub(super) fn claims_success(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task) else { return };
        if !live.is_apart() {
            return self.verify(task, effects);
        }
        let attempt = live.assignment.attempt.clone();
        self.set_stage(task, Stage::Merging);
        effects.push(Effect::Merge { attempt });
    }

    /// Starts the verify commands of an attempt, or goes on where there are none.
    pub(super) fn verify(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task) else { return };
        if live.assignment.policy.completion.verify.is_empty() {
            return self.checks_held(task, Vec::new(), effects);
        }
        let attempt = live.assignment.attempt.clone();
        self.set_stage(task, Stage::Verifying);
        effects.push(Effect::StartVerify { attempt: attempt.clone() });
        effects.push(Effect::Announce(Notice::Verifying { attempt }));
    }

    /// Lands the work of an attempt whose checks all held, or ends it where there is nothing to
    /// land now.
    pub(super) fn checks_held(
        &mut self,
        task: TaskIndex,
        results: Vec<CheckResult>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(live) = self.at(task) else { return };
        let is_to_be_approved =
            live.assignment.policy.completion.review && live.assignment.lands.is_none();
        if !live.is_apart() || is_to_be_approved {
            return self.end_held(task, results, effects);
        }
        let id = live.assignment.attempt.task.clone();
        let finish = Finish::new(Outcome::Succeeded, Self::held_words(&results)).after(results);
        let ending = self.ending(task, finish);
        self.change_live(task, |live| {
            live.stage = Stage::Queued;
            live.held = ending.map(Box::new);
        });
        // Who has the turn keeps it.
        if self.landings.turn.as_ref() == Some(&id) {
            return self.land(task, effects);
        }
        self.landings.waiting.push_back(id);
    }

    /// Gives the turn to whoever waits for it, where nobody has it.
    pub(super) fn advance_landings(&mut self, effects: &mut Vec<Effect>) {
        let lands = |this: &Self, id: &TaskId| {
            let task = this.plan.find(id.as_str());
            task.filter(|task| this.at(*task).is_some_and(Live::is_apart))
        };
        if self.landings.turn.as_ref().is_some_and(|id| lands(self, id).is_none()) {
            self.landings.turn = None;
            self.put_mates_back();
        }
        while self.landings.turn.is_none() {
            let Some(id) = self.landings.waiting.pop_front() else { return };
            if let Some(task) = self.queued(&id) {
                self.landings.turn = Some(id);
                self.land(task, effects);
            }
        }
    }

    /// Finds a task whose work is verified and waits for its turn.
    fn queued(&self, id: &TaskId) -> Option<TaskIndex> {
        let task = self.plan.find(id.as_str())?;
        self.at(task).is_some_and(|live| live.stage == Stage::Queued).then_some(task)
    }

    fn land(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        let works = self.begin_landing(task).into_iter().collect();
        effects.push(Effect::Land { works });
    }

    /// Notes that the work of an attempt lands; returns what its record is to say then.
    fn begin_landing(&mut self, task: TaskIndex) -> Option<(AttemptId, Box<Ending>)> {
        let live = self.at(task)?;
        let work = (live.assignment.attempt.clone(), live.held.clone()?);
        self.set_stage(task, Stage::Landing);
        Some(work)
    }

    /// Takes in what came of a merge.
    pub(super) fn merged(
        &mut self,
        attempt: &AttemptId,
        answer: MergeAnswer,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match (live.stage, answer) {
            (Stage::Stopping { why, at: Activity::Merging, .. }, _) => {
                self.end_unlanded(task, why, effects);
            }
            (Stage::Merging, MergeAnswer::Clean(digests)) => {
                self.change_live(task, |live| live.merged = Some(digests));
                self.verify(task, effects);
            }
            (Stage::Merging, MergeAnswer::NoBranch) => self.end_without_branch(task, effects),
            (Stage::Merging, MergeAnswer::Conflict(files)) => {
                self.end(task, Finish::conflict(files), effects);
            }
            (Stage::Merging, MergeAnswer::Failed(cause)) => {
                let reason = format!("its work cannot be merged: {cause}");
                self.end(task, Finish::new(Outcome::Failed, reason), effects);
            }
            _ => {}
        }
    }

    /// Takes in what came of a landing.
    pub(super) fn landed(
        &mut self,
        attempts: &[AttemptId],
        answer: &LandAnswer,
        effects: &mut Vec<Effect>,
    ) {
        if *answer == LandAnswer::Done {
            self.landings.batch_max = self.landings.batch_max.map(|most| most.saturating_mul(2));
        }
        if let [attempt] = attempts {
            return self.landed_alone(attempt, answer, effects);
        }
        self.landed_together(attempts, answer, effects);
    }

    /// Takes in what came of the landing of an attempt, for this attempt.
    fn landed_alone(
        &mut self,
        attempt: &AttemptId,
        answer: &LandAnswer,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        let why = match live.stage {
            Stage::Landing => None,
            Stage::Stopping { why, at: Activity::Landing, .. } => Some(why),
            Stage::Preparing
            | Stage::Working
            | Stage::Merging
            | Stage::Verifying
            | Stage::Queued
            | Stage::Stopping { .. } => return,
        };
        match (answer, why) {
            (LandAnswer::Done, _) => {
                let Some(ending) = live.held.clone() else { return };
                self.conclude(task, *ending, effects);
                effects.push(Effect::RemoveWorktree { attempt: attempt.clone() });
            }
            (LandAnswer::Waits, None) => {
                // What is in its way need not be in the way of the others.
                self.landings.turn.take_if(|turn| *turn == attempt.task);
            }
            (LandAnswer::Waits, Some(_)) => {}
            (_, Some(why)) => self.end_unlanded(task, why, effects),
            (LandAnswer::MovedOn, None) => self.moved_on(task, attempt, effects),
            (LandAnswer::GivenUp, None) => {
                self.end_unlanded(task, StopReason::Interrupted, effects);
            }
            (LandAnswer::NoBranch, None) => self.end_without_branch(task, effects),
            (LandAnswer::Failed(cause), None) => {
                let reason = format!("its work is verified, but cannot land: {cause}");
                let finish = Finish::new(Outcome::Review, reason);
                self.end(task, Finish { review: Some(ReviewKind::Landing), ..finish }, effects);
            }
        }
    }

    /// Merges the work of an attempt again, as the branch went on, perhaps with that of others; where
    /// somebody else has the turn, when that is over.
    fn moved_on(&mut self, task: TaskIndex, attempt: &AttemptId, effects: &mut Vec<Effect>) {
        let id = &attempt.task;
        if self.landings.turn.as_ref().is_some_and(|turn| turn != id) {
            self.landings.waiting.push_back(id.clone());
            return self.set_stage(task, Stage::Queued);
        }
        self.landings.turn = Some(id.clone());
        self.merge_in_turn(task, attempt, effects);
    }

    /// Merges the work of the attempt whose turn it is by itself.
    fn merge_alone(&mut self, task: TaskIndex, attempt: &AttemptId, effects: &mut Vec<Effect>) {
        self.set_stage(task, Stage::Merging);
        effects.push(Effect::Announce(Notice::MovedOn { attempt: attempt.clone() }));
        effects.push(Effect::Merge { attempt: attempt.clone() });
    }

    /// Ends an attempt whose work can land nowhere now: that is no fault of it.
    fn end_without_branch(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        let reason = "the branch that its work was to land on is gone";
        self.end(task, Finish::new(Outcome::Unlanded, reason), effects);
    }

    /// Ends an attempt that was stopped when its work was there and had not landed.
    pub(super) fn end_unlanded(
        &mut self,
        task: TaskIndex,
        why: StopReason,
        effects: &mut Vec<Effect>,
    ) {
        if why == StopReason::Interrupted {
            let reason = "the run was stopped before its work could land";
            return self.end(task, Finish::new(Outcome::Unlanded, reason), effects);
        }
        self.end_stopped(task, why, effects);
    }
}
