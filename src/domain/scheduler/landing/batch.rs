//! Work that is verified together: where several attempts wait that were overtaken, one verification
//! of all of it takes the place of one for each, and it lands as one commit. So each commit on the
//! branch was verified as it is, and landing keeps up where verifying takes long.
//!
//! What does not hold together is split: the next batch is half as large, down to one, which lands or
//! fails alone; after each landing it is twice as large again, up to what is set.

#[cfg(test)]
mod tests;

use super::super::{
    Scheduler,
    effect::{Effect, Notice},
    ending::Finish,
    event::{CombineAnswer, LandAnswer},
    phase::{Activity, Live, Stage},
};
use crate::domain::{
    model::{
        attempt::{CheckResult, Outcome},
        id::{AttemptId, TaskId},
    },
    plan::TaskIndex,
};

impl Scheduler {
    /// Merges the work of the attempt whose turn it is again: with that of others, where they wait.
    pub(super) fn merge_in_turn(
        &mut self,
        task: TaskIndex,
        attempt: &AttemptId,
        effects: &mut Vec<Effect>,
    ) {
        let most = usize::try_from(self.batch_max()).unwrap_or(usize::MAX);
        let mut mates = std::mem::take(&mut self.landings.mates);
        mates.retain(|id| self.queued(id).is_some());
        self.landings.mates = mates;
        let mut others = Vec::new();
        while self.landings.mates.len() + 1 < most
            && let Some(id) = self.landings.waiting.pop_front()
        {
            match self.queued(&id) {
                Some(mate) if self.is_enclosed_alike(task, mate) => self.landings.mates.push(id),
                Some(_) => others.push(id),
                None => {}
            }
        }
        for id in others.into_iter().rev() {
            self.landings.waiting.push_front(id);
        }
        if self.landings.mates.is_empty() {
            return self.merge_alone(task, attempt, effects);
        }
        self.set_stage(task, Stage::Merging);
        let attempts = self.batch(attempt);
        effects.push(Effect::Announce(Notice::Combined { attempts: attempts.clone() }));
        effects.push(Effect::Combine { attempts });
    }

    fn batch_max(&self) -> u32 {
        let set = self.plan.config().git.batch;
        self.landings.batch_max.map_or(set, |most| most.min(set))
    }

    /// Returns the attempts of a batch that are still there: that whose turn it is, then its mates.
    fn batch(&self, first: &AttemptId) -> Vec<AttemptId> {
        let mates = self.landings.mates.iter().filter_map(|id| self.queued(id));
        let mates = mates.filter_map(|task| Some(self.at(task)?.assignment.attempt.clone()));
        std::iter::once(first.clone()).chain(mates).collect()
    }

    /// Lets the mates of a batch wait for a turn of their own, before all others.
    pub(super) fn put_mates_back(&mut self) {
        for id in std::mem::take(&mut self.landings.mates).into_iter().rev() {
            self.landings.waiting.push_front(id);
        }
    }

    /// Takes in what came of merging the work of several attempts.
    pub(in super::super) fn combined(
        &mut self,
        attempt: &AttemptId,
        answer: CombineAnswer,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match (live.stage, answer) {
            (Stage::Stopping { why, at: Activity::Merging, .. }, _) => {
                self.put_mates_back();
                self.end_unlanded(task, why, effects);
            }
            (Stage::Merging, CombineAnswer::Together(with)) => {
                let (is_whole, with) = self.keep_together(with);
                match (is_whole, with.is_empty()) {
                    (false, _) => self.merge_in_turn(task, attempt, effects),
                    (true, true) => self.merge_alone(task, attempt, effects),
                    (true, false) => self.verify_batch(task, attempt, effects),
                }
            }
            (Stage::Merging, CombineAnswer::Failed(_)) => {
                self.put_mates_back();
                self.merge_alone(task, attempt, effects);
            }
            _ => {}
        }
    }

    /// Lets those go back whose work does not merge with that of the others. Says as well whether
    /// `with`, whose work is together, all still wait: what somebody took out must not land.
    fn keep_together(&mut self, with: Vec<AttemptId>) -> (bool, Vec<AttemptId>) {
        let is_in = |id: &TaskId| with.iter().any(|attempt| attempt.task == *id);
        let (mates, out): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.landings.mates).into_iter().partition(is_in);
        self.landings.mates = out;
        self.put_mates_back();
        self.landings.mates = mates;
        (self.is_whole(&with), with)
    }

    /// Says whether the work of all these attempts still waits to land.
    fn is_whole(&self, with: &[AttemptId]) -> bool {
        let waits = |attempt: &AttemptId| {
            self.live(attempt).is_some_and(|(_, live)| live.stage == Stage::Queued)
        };
        with.iter().all(waits)
    }

    fn verify_batch(&mut self, task: TaskIndex, attempt: &AttemptId, effects: &mut Vec<Effect>) {
        let attempts = self.batch(attempt);
        let verifies = |attempt: &AttemptId| {
            let live = self.live(attempt);
            live.is_some_and(|(_, live)| !live.assignment.policy.completion.verify.is_empty())
        };
        if attempts.iter().any(verifies) {
            self.set_stage(task, Stage::Verifying);
            effects.push(Effect::VerifyBatch { attempts });
        } else {
            self.land_batch(&attempts, effects);
        }
    }

    /// Takes in what the verify commands say of combined work.
    pub(in super::super) fn batch_verified(
        &mut self,
        attempt: &AttemptId,
        results: &[(AttemptId, Vec<CheckResult>)],
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match live.stage {
            Stage::Stopping { why, at: Activity::Verifying, .. } => {
                self.put_mates_back();
                return self.end_unlanded(task, why, effects);
            }
            Stage::Verifying => {}
            Stage::Preparing
            | Stage::Working
            | Stage::Merging
            | Stage::Queued
            | Stage::Landing
            | Stage::Stopping { .. } => return,
        }
        let all = results.iter().flat_map(|(_, results)| results);
        if let Some(failed) = all.clone().find(|result| !result.is_success()) {
            let reason = format!("verify `{}` failed: {}", failed.command, failed.ending());
            return self.split(task, attempt, reason, effects);
        }
        let mates: Vec<AttemptId> =
            results.iter().map(|(one, _)| one.clone()).filter(|one| one != attempt).collect();
        let was_verified = |one: &AttemptId| results.iter().any(|(known, _)| known == one);
        if !self.is_whole(&mates) || !self.batch(attempt).iter().all(was_verified) {
            return self.merge_in_turn(task, attempt, effects);
        }
        for (one, results) in results {
            self.hold_anew(one, results);
        }
        let attempts = self.batch(attempt);
        self.land_batch(&attempts, effects);
    }

    /// Has the record of an attempt tell of these checks.
    fn hold_anew(&mut self, attempt: &AttemptId, results: &[CheckResult]) {
        let Some((task, _)) = self.live(attempt) else { return };
        let finish = Finish::new(Outcome::Succeeded, Self::held_words(results));
        let ending = self.ending(task, finish.after(results.to_vec()));
        self.change_live(task, |live| live.held = ending.map(Box::new));
    }

    /// Tries half of a batch that does not hold together.
    fn split(
        &mut self,
        task: TaskIndex,
        attempt: &AttemptId,
        reason: String,
        effects: &mut Vec<Effect>,
    ) {
        let attempts = self.batch(attempt);
        let half = u32::try_from(attempts.len() / 2).unwrap_or(u32::MAX).max(1);
        self.landings.batch_max = Some(half);
        effects.push(Effect::Announce(Notice::Split { attempts, reason }));
        self.put_mates_back();
        self.merge_in_turn(task, attempt, effects);
    }

    fn land_batch(&mut self, attempts: &[AttemptId], effects: &mut Vec<Effect>) {
        self.landings.mates.clear();
        let tasks = attempts.iter().filter_map(|one| self.live(one).map(|(task, _)| task));
        let tasks: Vec<TaskIndex> = tasks.collect();
        let works = tasks.into_iter().filter_map(|task| self.begin_landing(task)).collect();
        effects.push(Effect::Land { works });
    }

    /// Takes in what came of landing the work of several attempts.
    pub(super) fn landed_together(
        &mut self,
        attempts: &[AttemptId],
        answer: &LandAnswer,
        effects: &mut Vec<Effect>,
    ) {
        let is_stopping = |live: &Live| matches!(live.stage, Stage::Stopping { .. });
        let is_one_stopping =
            attempts.iter().any(|one| self.live(one).is_some_and(|(_, live)| is_stopping(live)));
        let goes_on = match answer {
            LandAnswer::Done | LandAnswer::Waits | LandAnswer::NoBranch => false,
            LandAnswer::MovedOn => true,
            // One of them was taken out; the others are to land.
            LandAnswer::GivenUp => is_one_stopping,
            // Each finds out for itself.
            LandAnswer::Failed(_) => {
                self.landings.batch_max = Some(1);
                true
            }
        };
        if !goes_on {
            for attempt in attempts {
                self.landed_alone(attempt, answer, effects);
            }
            return;
        }
        for attempt in attempts.iter().rev() {
            let Some((task, live)) = self.live(attempt) else { continue };
            match live.stage {
                Stage::Landing => {
                    self.set_stage(task, Stage::Queued);
                    self.landings.waiting.push_front(attempt.task.clone());
                }
                Stage::Preparing
                | Stage::Working
                | Stage::Merging
                | Stage::Verifying
                | Stage::Queued
                | Stage::Stopping { .. } => self.landed_alone(attempt, answer, effects),
            }
            self.landings.turn.take_if(|turn| *turn == attempt.task);
        }
    }
}
