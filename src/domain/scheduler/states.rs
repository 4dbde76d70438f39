//! The state of every task as people see it: derived, never stored.

use super::{
    Phase, Scheduler,
    phase::{Activity, TaskState},
};
use crate::domain::{
    model::{outside::GateState, task::AuthorStatus},
    plan::TaskIndex,
};

impl Scheduler {
    /// Returns the state of every task, by index.
    pub fn states(&self) -> Vec<TaskState> {
        let mut stuck_level = None;
        loop {
            let states = self.states_with(stuck_level);
            let lowest = self.levels.all().find(|level| {
                let is_stuck = |task: &TaskIndex| {
                    states.get(task.position()).is_some_and(|state| is_stuck(*state))
                };
                self.levels.tasks(*level).iter().any(is_stuck)
            });
            let is_shut = self.is_gate_shut() || self.is_gate_unapproved();
            let shut = is_shut.then(|| self.levels.current()).flatten();
            let found = [lowest, shut].into_iter().flatten().min();
            // The lowest stuck level only goes down, so this ends.
            if found == stuck_level {
                return states;
            }
            stuck_level = found;
        }
    }

    /// Returns the states under the assumption that no level above `stuck_level` will open.
    fn states_with(&self, stuck_level: Option<u32>) -> Vec<TaskState> {
        let mut states = vec![TaskState::Waiting; self.plan.n_tasks()];
        for &task in self.plan.topological_order() {
            let state = self.state_after(task, stuck_level, &states);
            if let Some(slot) = states.get_mut(task.position()) {
                *slot = state;
            }
        }
        states
    }

    fn state_after(
        &self,
        task: TaskIndex,
        stuck_level: Option<u32>,
        states: &[TaskState],
    ) -> TaskState {
        let spec = self.plan.spec(task);
        match self.phases.get(task.position()) {
            Some(Phase::Running(live)) => {
                return match live.activity() {
                    Activity::Preparing | Activity::Working => TaskState::Running,
                    Activity::Merging | Activity::Verifying => TaskState::Verifying,
                    Activity::Landing => TaskState::Landing,
                };
            }
            Some(Phase::BackingOff { .. }) => return TaskState::BackingOff,
            Some(Phase::Done) => return TaskState::Done,
            Some(Phase::Review | Phase::OverBudget) => return TaskState::Review,
            Some(Phase::Failed) => return TaskState::Failed,
            Some(Phase::Cancelled) => return TaskState::Cancelled,
            Some(Phase::Open) | None => {}
        }
        match spec.status.value {
            AuthorStatus::Draft => return TaskState::Draft,
            AuthorStatus::Hold => return TaskState::Hold,
            AuthorStatus::Todo | AuthorStatus::Done | AuthorStatus::Cancelled => {}
        }
        let level = spec.level.as_ref().map(|level| level.value);
        let is_behind_stuck_level =
            stuck_level.is_some_and(|stuck| level.is_some_and(|level| level > stuck));
        let dependencies = self.plan.dependencies(task).iter();
        let dependency_states =
            dependencies.filter_map(|dependency| states.get(dependency.position()));
        let mut is_waiting = !self.levels.is_open(level);
        for state in dependency_states {
            if is_stuck(*state) || *state == TaskState::Cancelled {
                return TaskState::Blocked;
            }
            is_waiting |= *state != TaskState::Done;
        }
        if self.plan.fault(task).is_some() || is_behind_stuck_level {
            return TaskState::Blocked;
        }
        let (mut has_failed_gate, mut has_shut_gate) = (false, self.unapproved(task).is_some());
        for gate in self.gates(task) {
            let state = self.outside.gate(gate, &spec.id.value);
            has_failed_gate |= state == GateState::Failed;
            has_shut_gate |= state != GateState::Open;
        }
        match (is_waiting, has_failed_gate, has_shut_gate) {
            (_, true, _) | (false, _, true) => TaskState::Blocked,
            (true, false, _) => TaskState::Waiting,
            (false, false, false) if self.lacks_sandbox(task).is_some() => TaskState::Blocked,
            (false, false, false) if self.shared_budget_spent(task).is_some() => TaskState::Blocked,
            (false, false, false) => TaskState::Ready,
        }
    }

    /// Returns the number of tasks that wait for `task`, directly or through others.
    pub fn n_downstream(&self, task: TaskIndex) -> usize {
        let mut seen = vec![false; self.plan.n_tasks()];
        let mut stack = vec![task];
        let mut n = 0;
        while let Some(task) = stack.pop() {
            for &dependent in self.plan.dependents(task) {
                if let Some(seen) = seen.get_mut(dependent.position())
                    && !std::mem::replace(seen, true)
                {
                    n += 1;
                    stack.push(dependent);
                }
            }
        }
        n
    }
}

/// Says whether a task in this state needs a person before anything behind it can start.
fn is_stuck(state: TaskState) -> bool {
    match state {
        TaskState::Draft
        | TaskState::Hold
        | TaskState::Blocked
        | TaskState::Review
        | TaskState::Failed => true,
        TaskState::Waiting
        | TaskState::Ready
        | TaskState::BackingOff
        | TaskState::Running
        | TaskState::Verifying
        | TaskState::Landing
        | TaskState::Done
        | TaskState::Cancelled => false,
    }
}
