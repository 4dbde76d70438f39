//! Which levels stand before a task: what its dependencies, near and far, must wait for.

use std::iter;

use super::{TaskIndex, graph::Graph};
use crate::domain::model::task::TaskSpec;

/// For each task, the highest level among all tasks that must be done before it.
#[derive(Debug)]
pub(super) struct Levels {
    before: Vec<Option<Before>>,
}

/// The highest level before a task.
#[derive(Debug, Clone, Copy)]
struct Before {
    level: u32,
    /// The task that has this level.
    origin: TaskIndex,
    /// The dependency that leads to it, or is it.
    via: TaskIndex,
}

impl Levels {
    /// Finds the levels in one pass over the topological order.
    pub(super) fn of(specs: &[TaskSpec], graph: &Graph) -> Self {
        let mut before: Vec<Option<Before>> = vec![None; specs.len()];
        for &task in graph.topological_order() {
            let mut highest: Option<Before> = None;
            for &via in graph.dependencies(task) {
                let own = specs.get(via.position()).and_then(|spec| spec.level.as_ref());
                let own = own.map(|level| Before { level: level.value, origin: via, via });
                let far = before.get(via.position()).copied().flatten();
                let far = far.map(|far| Before { via, ..far });
                for found in [own, far].into_iter().flatten() {
                    if highest.is_none_or(|highest| found.level > highest.level) {
                        highest = Some(found);
                    }
                }
            }
            if let Some(slot) = before.get_mut(task.position()) {
                *slot = highest;
            }
        }
        Self { before }
    }

    /// Returns the highest level before `task`, and a task that has it.
    pub(super) fn highest_before(&self, task: TaskIndex) -> Option<(u32, TaskIndex)> {
        self.at(task).map(|before| (before.level, before.origin))
    }

    /// Returns the chain from `task` to the task with the highest level before it, both included.
    pub(super) fn chain(&self, task: TaskIndex) -> impl Iterator<Item = TaskIndex> {
        let origin = self.at(task).map(|before| before.origin);
        let next = move |at: &TaskIndex| {
            let before = self.at(*at).filter(|_| Some(*at) != origin);
            before.map(|before| before.via)
        };
        // Around a cycle the chain might not end.
        iter::successors(Some(task), next).take(self.before.len())
    }

    fn at(&self, task: TaskIndex) -> Option<Before> {
        self.before.get(task.position()).copied().flatten()
    }
}
