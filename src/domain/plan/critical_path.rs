//! The longest chains through the plan: what decides when it can end at the earliest.

use std::time::Duration;

use super::{Plan, TaskIndex, graph::Graph};

/// Returns, for each task, the longest path from its start to the end of the plan.
///
/// Within a cycle, where no such path exists, only edges to tasks already visited count.
pub(super) fn remaining(graph: &Graph, durations: &[Duration]) -> Vec<Duration> {
    let mut remaining = vec![Duration::ZERO; durations.len()];
    for &task in graph.topological_order().iter().rev() {
        let after = graph
            .dependents(task)
            .iter()
            .filter_map(|next| remaining.get(next.position()))
            .max()
            .copied()
            .unwrap_or_default();
        let own = durations.get(task.position()).copied().unwrap_or_default();
        if let Some(slot) = remaining.get_mut(task.position()) {
            *slot = own.saturating_add(after);
        }
    }
    remaining
}

/// Returns the chain with the largest sum of `durations` among the tasks that `counts` lets
/// through, first task first. Of equal chains, the one whose tasks come first by id.
pub(super) fn longest_chain(
    plan: &Plan,
    durations: &[Duration],
    counts: impl Fn(TaskIndex) -> bool,
) -> Vec<TaskIndex> {
    let mut best: Vec<Duration> = vec![Duration::ZERO; durations.len()];
    let mut previous: Vec<Option<TaskIndex>> = vec![None; durations.len()];
    let mut end: Option<(Duration, TaskIndex)> = None;
    for &task in plan.topological_order() {
        if !counts(task) {
            continue;
        }
        let mut longest: Option<(Duration, TaskIndex)> = None;
        for &dependency in plan.dependencies(task) {
            let length = best.get(dependency.position()).copied().unwrap_or_default();
            if counts(dependency) && longest.is_none_or(|(most, _)| length > most) {
                longest = Some((length, dependency));
            }
        }
        let own = durations.get(task.position()).copied().unwrap_or_default();
        let length = own.saturating_add(longest.map_or(Duration::ZERO, |(most, _)| most));
        if let (Some(slot), Some(from)) =
            (best.get_mut(task.position()), previous.get_mut(task.position()))
        {
            *slot = length;
            *from = longest.map(|(_, dependency)| dependency);
        }
        if end.is_none_or(|(most, last)| length > most || (length == most && task < last)) {
            end = Some((length, task));
        }
    }
    let mut chain: Vec<TaskIndex> = std::iter::successors(end.map(|(_, task)| task), |task| {
        previous.get(task.position()).copied().flatten()
    })
    .take(durations.len())
    .collect();
    chain.reverse();
    chain
}
