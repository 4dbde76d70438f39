//! What happens to an attempt between its start and its record.

use std::{sync::Arc, time::Duration};

use super::{
    Scheduler,
    effect::{Assignment, Effect, Force},
    ending::Finish,
    event::StopMode,
    history::{History, Taken},
    judgement::Judgement,
    phase::{Activity, Course, Live, Phase, Stage, StopReason},
    pulse::Pulse,
    queue::Lane,
};
use crate::domain::{
    model::{
        attempt::{CheckResult, Outcome, ReviewKind, StatusReport, Usage, UsageLimit, WorkerEnd},
        config::Policy,
        id::AttemptId,
        time::{Now, Tick},
    },
    plan::TaskIndex,
};

/// How exactly it is known when a worker ended: it is told in whole microseconds.
const END_PRECISION: Duration = Duration::from_micros(1);

impl Live {
    /// Returns an attempt that `started` now, or runs already.
    pub(super) fn new(assignment: Arc<Assignment>, started: Now, now: Now) -> Self {
        Self {
            pulse: assignment.policy.heartbeat.map(|_| Pulse::at(now.tick)),
            assignment,
            started,
            stage: Stage::Working,
            report: None,
            end: None,
            seen: Usage::default(),
            limit: None,
            over: None,
            stop_asked: None,
            merged: None,
            held: None,
        }
    }

    /// Notes that its worker is started only now.
    pub(super) fn begin(&mut self, now: Now) {
        self.started = Now { tick: now.tick, wall: self.started.wall };
        self.pulse = self.assignment.policy.heartbeat.map(|_| Pulse::at(now.tick));
    }

    /// Returns the moment at which something must be done about the attempt.
    pub fn deadline(&self) -> Option<Tick> {
        // Nothing can be done any more about a worker that has ended.
        if self.over.is_some() && self.end.is_none() {
            return None;
        }
        match self.stage {
            Stage::Working => [self.time_out(), self.pulse_deadline()].into_iter().flatten().min(),
            Stage::Preparing
            | Stage::Merging
            | Stage::Verifying
            | Stage::Queued
            | Stage::Landing => None,
            Stage::Stopping { kill_at, .. } => kill_at,
        }
    }

    /// Returns the moment at which its time is over.
    fn time_out(&self) -> Option<Tick> {
        let timeout = self.assignment.policy.timeout?;
        Some(self.started.tick.plus(timeout.max(Duration::from_millis(1))))
    }

    /// Returns the limits that it counts towards, as they were when it started.
    pub(super) fn lane(&self) -> Lane {
        let role = self.assignment.role.as_ref().filter(|role| role.max_workers.is_some());
        Lane {
            role: role.map(|role| role.name.clone()),
            workstream: self.assignment.spec.workstream.clone(),
            // These two keep tasks from starting; what runs does not count towards them.
            provider: None,
            milestone: None,
        }
    }
}

impl Scheduler {
    /// Takes over attempts that run already, or ended while nobody was there to judge it.
    pub(super) fn adopt(&mut self, attempts: Vec<(AttemptId, Taken)>) {
        for (attempt, taken) in attempts {
            let Some(task) = self.plan.find(attempt.task.as_str()) else { continue };
            let place = self.histories.get(&attempt.task).map(History::place).unwrap_or_default();
            let assignment = Arc::new(Assignment {
                attempt,
                spec: Arc::clone(self.plan.shared_spec(task)),
                role: self.plan.role(task).cloned(),
                policy: self.adopted_policy(task),
                isolation: place.isolation(self.plan.policy(task).isolation),
                lands: place.lands,
                previous: None,
            });
            let mut live = Live::new(assignment, taken.started, self.now);
            live.over = taken.ended.map(|ended| ended.tick);
            if taken.stop_asked.is_some() {
                live.stop_asked = taken.stop_asked;
                let kill_at = Some(self.now.tick.plus(live.assignment.policy.grace));
                let why = StopReason::Interrupted;
                live.stage = Stage::Stopping { why, at: Activity::Working, kill_at };
            }
            self.set_phase(task, Phase::Running(Box::new(live)));
        }
    }

    /// Returns how an attempt is gone on with that began before. What would verify it is not run
    /// before a person approved it: the result is left to them then.
    fn adopted_policy(&self, task: TaskIndex) -> Policy {
        let mut policy = self.plan.policy(task);
        if self.unapproved(task).is_some() {
            policy.completion.verify.clear();
            policy.completion.review = true;
        }
        policy
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
        self.shortage_seen(cause.clone(), effects);
        self.end(task, Finish::new(Outcome::NotStarted, cause), effects);
    }

    /// Notes that nobody will ever know how a worker ended.
    pub(super) fn worker_lost(
        &mut self,
        attempt: &AttemptId,
        cause: String,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        match live.stage {
            Stage::Stopping { why, at: Activity::Working, .. } => {
                self.end_stopped(task, why, effects);
            }
            Stage::Working => self.end(task, Finish::new(Outcome::Lost, cause), effects),
            // Its process had ended before, or was never started.
            Stage::Preparing
            | Stage::Merging
            | Stage::Verifying
            | Stage::Queued
            | Stage::Landing
            | Stage::Stopping { .. } => {}
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
        // What had ended before it was asked to stop counts as it ended.
        let ended = end.ended.map(|ended| ended.tick.plus(END_PRECISION));
        let has_ended_before = ended.zip(live.stop_asked).is_some_and(|(end, asked)| end <= asked);
        let judgement = live.judge(end);
        let claimed = live.contradiction(end.exit);
        let category = live.report.as_ref().and_then(|report| report.category.clone());
        let has_more = live.is_apart() || !live.assignment.policy.completion.verify.is_empty();
        let is_apart = live.is_apart();
        if let Some(live) = self.at_mut(task) {
            live.end = Some(end.clone());
        }
        let is_hurried = self.course == Course::Stopping(StopMode::Now);
        let is_unfinished = matches!(judgement, Judgement::Verify) && has_more && is_hurried;
        if let Stage::Stopping { why, .. } = stage
            && (!has_ended_before || is_unfinished)
        {
            // Its work is there, and only has to land.
            if has_ended_before && is_apart {
                return self.end_unlanded(task, why, effects);
            }
            return self.end_stopped(task, why, effects);
        }
        let finish = match judgement {
            Judgement::Verify => return self.claims_success(task, effects),
            Judgement::Unsigned(reason) => {
                return self.end_unheld(task, reason, Vec::new(), effects);
            }
            Judgement::Failed(reason) => Finish::new(Outcome::Failed, reason),
            Judgement::Crashed(reason) => Finish::new(Outcome::Crashed, reason),
            Judgement::Review(kind, reason) => {
                let category = category.filter(|_| kind == ReviewKind::Escalate);
                Finish { review: Some(kind), category, ..Finish::new(Outcome::Review, reason) }
            }
            Judgement::Blocked(gate, reason) => {
                Finish { waiting_for: Some(gate), ..Finish::new(Outcome::Blocked, reason) }
            }
            Judgement::Limited(limit) => Finish::limited(limit),
        };
        self.end(task, Finish { claimed, ..finish }, effects);
    }

    /// Notes what the output of a worker says that it used.
    pub(super) fn usage_seen(&mut self, attempt: &AttemptId, usage: &Usage) {
        let Some((task, _)) = self.live(attempt) else { return };
        if let Some(live) = self.at_mut(task) {
            live.seen = live.seen.max(usage);
        }
    }

    /// Stops a worker that waits for the limit of its provider to be lifted: that is better done
    /// without it.
    pub(super) fn limit_seen(
        &mut self,
        attempt: &AttemptId,
        limit: UsageLimit,
        effects: &mut Vec<Effect>,
    ) {
        let Some((task, live)) = self.live(attempt) else { return };
        if live.stage != Stage::Working {
            return;
        }
        let limit = live.shared(limit);
        if let Some(live) = self.at_mut(task) {
            live.limit = Some(limit);
        }
        self.stop(task, StopReason::Limited, Force::Ask, effects);
    }

    /// Notes a sign of life of a worker.
    pub(super) fn heartbeat_seen(&mut self, attempt: &AttemptId) {
        if let Some((task, _)) = self.live(attempt) {
            self.beat(task);
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
            Stage::Stopping { why, at: Activity::Verifying, .. } if live.is_apart() => {
                self.end_unlanded(task, why, effects);
            }
            Stage::Stopping { why, at: Activity::Verifying, .. } => {
                self.end_stopped(task, why, effects);
            }
            Stage::Preparing
            | Stage::Working
            | Stage::Merging
            | Stage::Queued
            | Stage::Landing
            | Stage::Stopping { .. } => {}
            Stage::Verifying => match results.iter().find(|result| !result.is_success()) {
                Some(failed) => {
                    let reason = format!("verify `{}` failed: {}", failed.command, failed.ending());
                    self.end_unheld(task, reason, results, effects);
                }
                None => self.checks_held(task, results, effects),
            },
        }
    }

    /// Keeps what a worker reported; an attempt that is not being carried out has no say.
    pub(super) fn status_reported(&mut self, report: StatusReport) {
        let Some((task, _)) = self.live(&report.attempt) else { return };
        if let Some(live) = self.at_mut(task) {
            // What was used stays used, whatever a later report says.
            let before = live.report.as_ref().map(|report| report.usage).unwrap_or_default();
            let usage = report.usage.max(&before);
            live.report = Some(StatusReport { usage, ..report });
        }
        self.beat(task);
    }

    /// Stops what has run out of time, kills what did not stop, and ends waits that are over.
    pub(super) fn pass_deadlines(&mut self, effects: &mut Vec<Effect>) {
        while let Some(&(tick, task)) = self.deadlines.first() {
            if tick > self.now.tick {
                break;
            }
            match self.phases.get(task.position()) {
                Some(Phase::Running(live)) => match live.stage {
                    Stage::Working if live.time_out().is_some_and(|end| end <= self.now.tick) => {
                        let limit = live.assignment.policy.timeout.unwrap_or_default();
                        self.stop(task, StopReason::TimedOut(limit), Force::Ask, effects);
                    }
                    Stage::Working => self.pass_silence(task, effects),
                    Stage::Stopping { why, .. } => {
                        self.stop(task, why, Force::Kill, effects);
                    }
                    Stage::Preparing
                    | Stage::Merging
                    | Stage::Verifying
                    | Stage::Queued
                    | Stage::Landing => unreachable!("only a worker has a deadline"),
                },
                Some(Phase::BackingOff { .. }) => drop(self.set_phase(task, Phase::Open)),
                Some(
                    Phase::Open
                    | Phase::Done
                    | Phase::Review
                    | Phase::OverBudget
                    | Phase::Failed
                    | Phase::Cancelled,
                )
                | None => unreachable!("only running and backing-off tasks have a deadline"),
            }
        }
    }

    /// Finds the attempt with exactly this number; an older one has no say.
    pub(super) fn live(&self, attempt: &AttemptId) -> Option<(TaskIndex, &Live)> {
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

    pub(super) fn set_stage(&mut self, task: TaskIndex, stage: Stage) {
        self.change_live(task, |live| live.stage = stage);
    }

    /// Changes what is known of a running attempt, deadlines and limits included.
    pub(super) fn change_live(&mut self, task: TaskIndex, change: impl FnOnce(&mut Live)) {
        if let Some(live) = self.at(task) {
            let mut live = live.clone();
            change(&mut live);
            self.set_phase(task, Phase::Running(Box::new(live)));
        }
    }
}
