//! What is started now: the best of what may start, while there is room.

use std::sync::Arc;

use super::{
    Scheduler,
    effect::{Assignment, Effect, Notice, Previous},
    history::Place,
    landing::Worktrees,
    phase::{Live, Phase, Stage},
    queue::Lane,
};
use crate::domain::{
    model::{config::Policy, id::AttemptId, task::Isolation},
    plan::TaskIndex,
};

impl Scheduler {
    /// Starts whatever may start, best first, while there is room.
    pub(super) fn dispatch(&mut self, effects: &mut Vec<Effect>) {
        let max_workers = self.plan.config().max_workers as usize;
        // What is asked for keeps its slot.
        while self.may_start() && self.running.len() + self.asked.len() < max_workers {
            let may_start = |task| {
                self.file_conflict(task).is_none()
                    && self.is_free(task)
                    && self.may_land(task)
                    && self.lacks_sandbox(task).is_none()
            };
            let first = self.ready.first(|lane| self.lane_has_room(lane), may_start);
            let Some(task) = first else { break };
            if self.asks_for(task, effects) {
                continue;
            }
            self.start(task, effects);
            self.weigh();
        }
    }

    /// Says whether the work of a task could land: whether it is about the branch that is checked out,
    /// or lands nowhere.
    fn may_land(&self, task: TaskIndex) -> bool {
        self.worktrees != Worktrees::Away
            || self.isolation_of(&self.plan.policy(task)) == Isolation::None
    }

    fn lane_has_room(&self, lane: &Lane) -> bool {
        let role_has_room = lane.role.as_ref().is_none_or(|name| {
            let limit = self.plan.roles().get(name).and_then(|role| role.max_workers);
            self.in_role.get(name).copied().unwrap_or(0) < limit.unwrap_or(u32::MAX)
        });
        let is_spent = lane.milestone.as_ref().is_some_and(|name| self.is_milestone_spent(name));
        let is_limited = lane.provider.as_ref().is_some_and(|name| self.limit_of(name).is_some());
        role_has_room
            && !is_spent
            && !is_limited
            && lane.workstream.as_ref().is_none_or(|name| !self.in_workstream.contains_key(name))
    }

    /// Returns a running task whose files meet those of `task`.
    pub(super) fn file_conflict(&self, task: TaskIndex) -> Option<TaskIndex> {
        let spec = self.plan.spec(task);
        self.running.iter().copied().find(|other| {
            let Some(Phase::Running(live)) = self.phases.get(other.position()) else {
                return false;
            };
            let other = &live.assignment.spec;
            // A task that was renamed while its attempt runs is still the same work.
            other.path == spec.path
                || self.heirs.get(&spec.id.value) == Some(&other.id.value)
                || other.files.iter().any(|glob| spec.files.iter().any(|own| own.meets(glob)))
        })
    }

    /// Returns where an attempt under `policy` is carried out: apart, where that can be and nobody
    /// says otherwise.
    fn isolation_of(&self, policy: &Policy) -> Isolation {
        match policy.isolation {
            Some(Isolation::None) => Isolation::None,
            // Never less than that: where there is none, the task is not started.
            Some(Isolation::Sandbox) => Isolation::Sandbox,
            Some(Isolation::Worktree) | None if self.worktrees != Worktrees::None => {
                Isolation::Worktree
            }
            Some(Isolation::Worktree) | None => Isolation::None,
        }
    }

    fn start(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        assert!(self.is_ready(task), "only a ready task is started");
        let spec = Arc::clone(self.plan.shared_spec(task));
        let id = spec.id.value.clone();
        let history = self.histories.entry(id.clone()).or_default();
        let previous = history.ending.as_ref().map(|ending| Previous {
            number: history.last,
            outcome: ending.outcome,
            reason: ending.reason.clone(),
            check_tail: ending
                .verify
                .iter()
                .find(|check| !check.is_success())
                .map(|check| check.output_tail.clone())
                .unwrap_or_default(),
            note: (self.outside.retried_after(&id, history.last) > 0)
                .then(|| self.outside.retry_note(&id, history.last).map(str::to_owned))
                .flatten(),
        });
        let attempt = AttemptId::new(id, history.last + 1);
        let digests = self.plan.digests(task);
        let policy = self.plan.policy(task);
        let isolation = self.isolation_of(&policy);
        self.assert_enclosed(task, isolation);
        let is_apart = isolation.is_apart();
        let history = self.histories.entry(attempt.task.clone()).or_default();
        let lands = history.unlanded(self.outside.retried_after(&attempt.task, history.last));
        let lands = lands.filter(|_| is_apart);
        history.start(attempt.number, self.now.wall, digests, Place { is_apart, lands });
        let assignment = Arc::new(Assignment {
            attempt: attempt.clone(),
            role: self.plan.role(task).cloned(),
            policy,
            isolation,
            lands,
            spec,
            previous,
        });
        self.note_start(&attempt);
        let title = match assignment.lands {
            Some(number) => format!("{} (lands attempt {number})", assignment.spec.title),
            None => assignment.spec.title.clone(),
        };
        effects.push(Effect::RecordStart(Arc::clone(&assignment)));
        effects.push(match is_apart {
            true => Effect::PrepareWorktree(Arc::clone(&assignment)),
            false => Effect::StartWorker(Arc::clone(&assignment)),
        });
        effects.push(Effect::Announce(Notice::Started { attempt, title }));
        let mut live = Live::new(assignment, self.now, self.now);
        if is_apart {
            live.stage = Stage::Preparing;
        }
        self.set_phase(task, Phase::Running(Box::new(live)));
    }
}
