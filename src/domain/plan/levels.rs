//! Which levels stand before a task: what its dependencies, near and far, must wait for.

use std::{iter, sync::Arc};

use super::{TaskIndex, graph::Graph};
use crate::domain::model::task::TaskSpec;

/// For each task, the highest level among all tasks that must be done before it.
#[derive(Debug)]
pub(super) struct Levels {
    before: Vec<Option<Before>>,
}

/// The highest level before a task, and how it gets there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) level: u32,
    /// The task that has this level.
    pub(super) origin: TaskIndex,
    /// The dependency that leads to it, or is it.
    pub(super) via: TaskIndex,
    /// Number of edges from the task to the origin, by way of `via`.
    pub(super) n_edges: usize,
    /// Whether a task between the two has a level below the origin's.
    pub(super) is_through_lower: bool,
}

impl Levels {
    /// Finds the levels in one pass over the topological order.
    pub(super) fn of(specs: &[Arc<TaskSpec>], graph: &Graph) -> Self {
        let mut before: Vec<Option<Before>> = vec![None; specs.len()];
        for &task in graph.topological_order() {
            let mut highest: Option<Before> = None;
            for &via in graph.dependencies(task) {
                let level = specs.get(via.position()).and_then(|spec| spec.level.as_ref());
                let near = level.map(|level| Before {
                    level: level.value,
                    origin: via,
                    via,
                    n_edges: 1,
                    is_through_lower: false,
                });
                let far = before.get(via.position()).copied().flatten().map(|far| Before {
                    via,
                    n_edges: far.n_edges + 1,
                    is_through_lower: far.is_through_lower
                        || level.is_some_and(|level| level.value < far.level),
                    ..far
                });
                for found in [near, far].into_iter().flatten() {
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

    /// Returns the highest level before `task`.
    pub(super) fn before(&self, task: TaskIndex) -> Option<Before> {
        self.before.get(task.position()).copied().flatten()
    }

    /// Returns the chain from `task` to the task with the highest level before it, both included.
    pub(super) fn chain(&self, task: TaskIndex) -> impl Iterator<Item = TaskIndex> {
        let origin = self.before(task).map(|before| before.origin);
        let next = move |at: &TaskIndex| {
            let before = self.before(*at).filter(|_| Some(*at) != origin);
            before.map(|before| before.via)
        };
        // Around a cycle the chain might not end.
        iter::successors(Some(task), next).take(self.before.len())
    }
}
