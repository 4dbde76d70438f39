//! Who starts first: tasks that may start, in order, apart by the limits that they share.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::domain::{
    model::{id::RoleName, task::Priority},
    plan::{Plan, TaskIndex},
};

/// The order among tasks that may start: priority, then longest remaining path, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(Reverse<Priority>, Reverse<Duration>, TaskIndex);

/// Which shared limits a task is under; tasks of one lane are hindered by the same ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    /// The role, where it has a limit of its own.
    pub role: Option<RoleName>,
    /// The workstream.
    pub workstream: Option<String>,
    /// The provider whose limits hold for it.
    pub provider: Option<String>,
    /// The milestone, where it has a budget.
    pub milestone: Option<String>,
}

/// Tasks that may start, by lane and rank.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadyQueue {
    lanes: BTreeMap<Lane, BTreeSet<Rank>>,
    n_tasks: usize,
}

impl ReadyQueue {
    /// Adds a task; adding it twice changes nothing.
    pub(super) fn insert(&mut self, plan: &Plan, task: TaskIndex) {
        let is_new = self.lanes.entry(lane(plan, task)).or_default().insert(rank(plan, task));
        self.n_tasks += usize::from(is_new);
    }

    /// Removes a task, where it is in the queue.
    pub(super) fn remove(&mut self, plan: &Plan, task: TaskIndex) {
        let lane = lane(plan, task);
        if let Some(tasks) = self.lanes.get_mut(&lane) {
            self.n_tasks -= usize::from(tasks.remove(&rank(plan, task)));
            if tasks.is_empty() {
                self.lanes.remove(&lane);
            }
        }
    }

    /// Says whether a task is in the queue.
    pub(super) fn contains(&self, plan: &Plan, task: TaskIndex) -> bool {
        self.lanes.get(&lane(plan, task)).is_some_and(|tasks| tasks.contains(&rank(plan, task)))
    }

    /// Returns the number of tasks.
    pub(super) fn n_tasks(&self) -> usize {
        self.n_tasks
    }

    /// Returns the task that should start first, among the lanes and tasks that may.
    pub(super) fn first(
        &self,
        lane_has_room: impl Fn(&Lane) -> bool,
        may_start: impl Fn(TaskIndex) -> bool,
    ) -> Option<TaskIndex> {
        self.lanes
            .iter()
            .filter(|(lane, _)| lane_has_room(lane))
            .filter_map(|(_, tasks)| tasks.iter().find(|rank| may_start(rank.2)))
            .min()
            .map(|rank| rank.2)
    }
}

/// Returns the limits that `task` shares with others.
pub(super) fn lane(plan: &Plan, task: TaskIndex) -> Lane {
    let role = plan.role(task).filter(|role| role.max_workers.is_some());
    Lane {
        role: role.map(|role| role.name.clone()),
        workstream: plan.spec(task).workstream.clone(),
        provider: plan.provider(task).map(Cow::into_owned),
        milestone: plan.budgeted_milestone(task).map(str::to_owned),
    }
}

fn rank(plan: &Plan, task: TaskIndex) -> Rank {
    Rank(Reverse(plan.spec(task).priority), Reverse(plan.remaining(task)), task)
}
