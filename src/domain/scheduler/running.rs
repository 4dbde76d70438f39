//! What happens to an attempt between its start and its record.

use std::sync::Arc;

use super::{
    Scheduler,
    effect::{Effect, Force, Notice},
    judgement::Judgement,
    phase::{Course, Live, Phase, Stage, StopReason},
    queue::Lane,
    retry,
};
use crate::domain::{
    model::{
        attempt::{CheckResult, Ending, Outcome, StatusReport, WorkerEnd},
        id::AttemptId,
        task::AuthorStatus,
        time::{Now, Tick},
    },
    plan::TaskIndex,
};

/// How long a start waits that failed because the machine is short of something.
const SHORTAGE_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// How an attempt is to be recorded as ended.
struct Finish {
    outcome: Outcome,
    reason: String,
    verify: Vec<CheckResult>,
}

impl Finish {
    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), verify: Vec::new() }
    }

    fn after(mut self, verify: Vec<CheckResult>) -> Self {
        self.verify = verify;
        self
    }
}

impl Live {
    /// Returns the moment at which something must be done about the attempt.
    pub fn deadline(&self) -> Option<Tick> {
        match self.stage {
            Stage::Working => self.assignment.policy.timeout.map(|timeout| {
                self.started.tick.plus(timeout.max(std::time::Duration::from_millis(1)))
            }),
            Stage::Verifying => None,
            Stage::Stopping { kill_at, .. } => kill_at,
        }
    }

    /// Returns the limits that it counts towards, as they were when it started.
    pub(super) fn lane(&self) -> Lane {
        let role = self.assignment.role.as_ref().filter(|role| role.max_workers.is_some());
        Lane {
            role: role.map(|role| role.name.clone()),
            workstream: self.assignment.spec.workstream.clone(),
        }
    }
}

impl Scheduler {
    /// Takes over attempts that run already, with the moments when they started.
    pub(super) fn adopt(&mut self, attempts: Vec<(AttemptId, Now)>) {
        for (attempt, started) in attempts {
            let Some(task) = self.plan.find(attempt.task.as_str()) else { continue };
            let live = Live {
                assignment: Arc::new(super::Assignment {
                    attempt,
                    spec: Arc::clone(self.plan.shared_spec(task)),
                    role: self.plan.role(task).cloned(),
                    policy: self.plan.policy(task),
                    previous: None,
                }),
                started,
                stage: Stage::Working,
                report: None,
                end: None,
            };
            self.set_phase(task, Phase::Running(Box::new(live)));
        }
    }

    pub(super) fn worker_not_started(
        &mut self,
        attempt: &AttemptId,
        cause: String,
        is_passing: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        if let Stage::Stopping { why, .. } = live.stage {
            return self.end_stopped(task, why, effects);
        }
        if !is_passing {
            return self.end(task, Finish::new(Outcome::Failed, cause), effects);
        }
        self.end(task, Finish::new(Outcome::Lost, cause), effects);
        self.set_phase(task, Phase::BackingOff { until: self.now.tick.plus(SHORTAGE_WAIT) });
    }

    pub(super) fn worker_lost(
        &mut self,
        attempt: &AttemptId,
        cause: String,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match live.stage {
            Stage::Stopping { why, in_verify: false, .. } => self.end_stopped(task, why, effects),
            Stage::Working => self.end(task, Finish::new(Outcome::Lost, cause), effects),
            // Its process had ended before.
            Stage::Verifying | Stage::Stopping { in_verify: true, .. } => {}
        }
    }

    pub(super) fn worker_exited(
        &mut self,
        attempt: &AttemptId,
        end: &WorkerEnd,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        if live.end.is_some() {
            return;
        }
        let stage = live.stage;
        let judgement = live.judge(end);
        let has_verify = !live.assignment.policy.completion.verify.is_empty();
        if let Some(live) = self.at_mut(task) {
            live.end = Some(end.clone());
        }
        if let Stage::Stopping { why, .. } = stage {
            return self.end_stopped(task, why, effects);
        }
        match judgement {
            Judgement::Failed(reason) => {
                self.end(task, Finish::new(Outcome::Failed, reason), effects);
            }
            Judgement::Review(reason) => {
                self.end(task, Finish::new(Outcome::Review, reason), effects);
            }
            Judgement::Verify if has_verify => {
                self.set_stage(task, Stage::Verifying);
                effects.push(Effect::StartVerify { attempt: attempt.clone() });
                effects.push(Effect::Announce(Notice::Verifying { attempt: attempt.clone() }));
            }
            Judgement::Verify => self.end_held(task, Vec::new(), effects),
        }
    }

    pub(super) fn verify_finished(
        &mut self,
        attempt: &AttemptId,
        results: Vec<CheckResult>,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match live.stage {
            Stage::Working => {}
            Stage::Stopping { why, in_verify: true, .. } => self.end_stopped(task, why, effects),
            Stage::Stopping { in_verify: false, .. } => {}
            Stage::Verifying => match results.iter().find(|result| !result.is_success()) {
                Some(failed) => {
                    let reason = format!("verify `{}` failed: {}", failed.command, failed.ending());
                    self.end(task, Finish::new(Outcome::Failed, reason).after(results), effects);
                }
                None => self.end_held(task, results, effects),
            },
        }
    }

    /// Keeps what a worker reported; an attempt that is not being carried out has no say.
    pub(super) fn status_reported(&mut self, report: StatusReport) {
        let Some((task, _)) = self.live(&report.attempt) else { return };
        if let Some(live) = self.at_mut(task) {
            live.report = Some(report);
        }
    }

    /// Stops what has run out of time, kills what did not stop, and ends waits that are over.
    pub(super) fn pass_deadlines(&mut self, effects: &mut Vec<Effect>) {
        while let Some(&(tick, task)) = self.deadlines.first() {
            if tick > self.now.tick {
                break;
            }
            match self.phases.get(task.position()) {
                Some(Phase::Running(live)) => match live.stage {
                    Stage::Working => {
                        let limit = live.assignment.policy.timeout.unwrap_or_default();
                        self.stop(task, StopReason::TimedOut(limit), Force::Ask, effects);
                    }
                    Stage::Stopping { why, .. } => {
                        self.stop(task, why, Force::Kill, effects);
                    }
                    Stage::Verifying => unreachable!("a verifying attempt has no deadline"),
                },
                Some(Phase::BackingOff { .. }) => drop(self.set_phase(task, Phase::Open)),
                Some(
                    Phase::Open | Phase::Done | Phase::Review | Phase::Failed | Phase::Cancelled,
                )
                | None => unreachable!("only running and backing-off tasks have a deadline"),
            }
        }
    }

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
    fn stop(&mut self, task: TaskIndex, why: StopReason, force: Force, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task) else { return };
        let attempt = live.assignment.attempt.clone();
        let kill_at =
            (force == Force::Ask).then(|| self.now.tick.plus(live.assignment.policy.grace));
        let (why, in_verify) = match live.stage {
            Stage::Working => (why, false),
            Stage::Verifying => (why, true),
            Stage::Stopping { .. } if force == Force::Ask => return,
            Stage::Stopping { why, in_verify, .. } => (why, in_verify),
        };
        self.set_stage(task, Stage::Stopping { why, in_verify, kill_at });
        let stopping = attempt.clone();
        effects.push(if in_verify {
            Effect::StopVerify { attempt, force }
        } else {
            Effect::StopWorker { attempt, force }
        });
        effects.push(Effect::Announce(Notice::Stopping {
            attempt: stopping,
            why: why.phrase(),
            force,
        }));
    }

    fn end_held(&mut self, task: TaskIndex, results: Vec<CheckResult>, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task) else { return };
        let held = match results.len() {
            0 => "exit code 0".to_owned(),
            1 => "exit code 0, verify command passed".to_owned(),
            n => format!("exit code 0, all {n} verify commands passed"),
        };
        if live.assignment.policy.completion.review {
            let reason = format!("{held}; a person must approve it");
            self.end(task, Finish::new(Outcome::Review, reason).after(results), effects);
        } else {
            self.end(task, Finish::new(Outcome::Succeeded, held).after(results), effects);
        }
    }

    fn end_stopped(&mut self, task: TaskIndex, why: StopReason, effects: &mut Vec<Effect>) {
        let outcome = match why {
            StopReason::TimedOut(_) => Outcome::Failed,
            StopReason::Cancelled => Outcome::Cancelled,
            StopReason::Interrupted => Outcome::Interrupted,
        };
        self.end(task, Finish::new(outcome, why.phrase()), effects);
    }

    /// Records how an attempt ended and moves its task on.
    fn end(&mut self, task: TaskIndex, finish: Finish, effects: &mut Vec<Effect>) {
        let Finish { outcome, reason, verify } = finish;
        let Some(live) = self.at(task).cloned() else { return };
        let attempt = live.assignment.attempt.clone();
        // It may have ended while no coordinator was there.
        let exited = live.end.as_ref().filter(|_| verify.is_empty()).and_then(|end| end.ended);
        let ended = exited.unwrap_or(self.now);
        let ending = Ending {
            ended: ended.wall,
            outcome,
            reason: reason.clone(),
            exit: live.end.as_ref().map(|end| end.exit),
            verify,
            usage: live.report.as_ref().map(|report| report.usage).unwrap_or_default(),
            digests: self.plan.digests(task),
        };
        effects
            .push(Effect::RecordEnd { attempt: attempt.clone(), ending: Box::new(ending.clone()) });
        if let Some(history) = self.histories.get_mut(&attempt.task) {
            history.settle(ending);
        }
        let took = ended.tick.0.saturating_sub(live.started.tick.0);
        let retry_in = self.move_on(task, &attempt);
        effects.push(Effect::Announce(Notice::Ended {
            attempt: attempt.clone(),
            outcome,
            reason,
            took,
            retry_in,
        }));
        if matches!(self.phases.get(task.position()), Some(Phase::Failed)) {
            effects.push(Effect::Announce(Notice::GaveUp {
                task: attempt.task.clone(),
                n_failed: self.n_failed(&attempt),
                n_blocked: self.n_downstream(task),
            }));
        }
    }

    /// Puts the task of an ended attempt into its next phase; returns the wait before a retry.
    fn move_on(&mut self, task: TaskIndex, attempt: &AttemptId) -> Option<std::time::Duration> {
        if self.leaving.remove(&attempt.task) {
            self.set_phase(task, Phase::Cancelled);
            return None;
        }
        let history = self.histories.get(&attempt.task)?;
        let outcome = history.outcome(self.outside.retried_after(&attempt.task));
        let author = self.plan.spec(task).status.value;
        let is_settled = matches!(author, AuthorStatus::Done | AuthorStatus::Cancelled);
        if outcome != Some(Outcome::Failed) || is_settled {
            let phase = self.settled_phase(task, None);
            self.set_phase(task, phase);
            return None;
        }
        let policy = self.plan.policy(task);
        let n_failed = self.n_failed(attempt);
        if n_failed >= policy.max_attempts {
            self.set_phase(task, Phase::Failed);
            return None;
        }
        let wait = retry::backoff(policy.backoff, n_failed, attempt);
        self.set_phase(task, Phase::BackingOff { until: self.now.tick.plus(wait) });
        (self.course == Course::Running).then_some(wait)
    }

    fn n_failed(&self, attempt: &AttemptId) -> u32 {
        let after = self.outside.retried_after(&attempt.task);
        self.histories.get(&attempt.task).map_or(0, |history| history.n_failed(after))
    }

    /// Finds the attempt with exactly this number; an older one has no say.
    fn live(&self, attempt: &AttemptId) -> Option<(TaskIndex, &Live)> {
        let task = self.plan.find(attempt.task.as_str())?;
        let live = self.at(task)?;
        (live.assignment.attempt == *attempt).then_some((task, live))
    }

    /// Returns the attempt that is being carried out for a task.
    pub(super) fn at(&self, task: TaskIndex) -> Option<&Live> {
        let phase = self.phases.get(task.position())?;
        if let Phase::Running(live) = phase { Some(live) } else { None }
    }

    /// As [`Self::at`], for changes that move neither stage nor limits.
    fn at_mut(&mut self, task: TaskIndex) -> Option<&mut Live> {
        let phase = self.phases.get_mut(task.position())?;
        if let Phase::Running(live) = phase { Some(live) } else { None }
    }

    fn set_stage(&mut self, task: TaskIndex, stage: Stage) {
        if let Some(live) = self.at(task) {
            let live = Live { stage, ..live.clone() };
            self.set_phase(task, Phase::Running(Box::new(live)));
        }
    }
}
