//! The graph of dependencies: the one home of petgraph.
//!
//! Nothing here recurses: a chain of 100,000 tasks is an ordinary plan.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

use super::{TaskIndex, adjacency::Adjacency};
use crate::domain::model::limits::KNOT_CYCLES_MAX;

/// Dependencies and dependents of every task, and an order to visit them in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    dependencies: Adjacency,
    dependents: Adjacency,
    order: Vec<TaskIndex>,
    /// Groups of tasks that wait for each other; only groups of two and more.
    knots: Vec<Vec<TaskIndex>>,
}

impl Graph {
    /// Builds the graph of `n_tasks` tasks from edges `(task, dependency)`.
    ///
    /// An edge from a task to itself is left out: the rules report it.
    pub fn build(n_tasks: usize, edges: impl IntoIterator<Item = (TaskIndex, TaskIndex)>) -> Self {
        let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(n_tasks, n_tasks * 2);
        for _ in 0..n_tasks {
            graph.add_node(());
        }
        let mut dependencies = vec![Vec::new(); n_tasks];
        let mut dependents = vec![Vec::new(); n_tasks];
        for (task, dependency) in edges {
            if task == dependency {
                continue;
            }
            if let Some(list) = dependencies.get_mut(task.position()) {
                list.push(dependency);
            }
            if let Some(list) = dependents.get_mut(dependency.position()) {
                list.push(task);
            }
            graph.add_edge(node(dependency), node(task), ());
        }
        // Components arrive in reverse topological order of the condensed graph.
        let mut order = Vec::with_capacity(n_tasks);
        let mut knots = Vec::new();
        for component in kosaraju_scc(&graph).into_iter().rev() {
            let mut members: Vec<TaskIndex> =
                component.into_iter().map(|node| TaskIndex::new(node.index())).collect();
            members.sort_unstable();
            order.extend_from_slice(&members);
            if members.len() > 1 {
                knots.push(members);
            }
        }
        knots.sort();
        Self {
            dependencies: Adjacency::pack(dependencies),
            dependents: Adjacency::pack(dependents),
            order,
            knots,
        }
    }

    /// Returns the tasks that must be done before `task`.
    pub fn dependencies(&self, task: TaskIndex) -> &[TaskIndex] {
        self.dependencies.of(task)
    }

    /// Returns the tasks that wait for `task`.
    pub fn dependents(&self, task: TaskIndex) -> &[TaskIndex] {
        self.dependents.of(task)
    }

    /// Returns all tasks so that each comes after its dependencies.
    pub fn topological_order(&self) -> &[TaskIndex] {
        &self.order
    }

    /// Returns the groups of tasks that wait for each other, each with its members.
    pub fn knots(&self) -> &[Vec<TaskIndex>] {
        &self.knots
    }

    /// Returns this graph with other dependencies of one task; `None` where the order among the
    /// tasks would have to be found anew.
    ///
    /// What is returned has the edges of the graph that is built from scratch, and a topological
    /// order that fits them, if not always the same one.
    pub fn with_dependencies(&self, task: TaskIndex, dependencies: &[TaskIndex]) -> Option<Self> {
        if !self.knots.is_empty() {
            return None;
        }
        let mut wanted: Vec<TaskIndex> =
            dependencies.iter().copied().filter(|other| *other != task).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let old = self.dependencies(task);
        let is_new = |other: &&TaskIndex| old.binary_search(other).is_err();
        let new: BTreeSet<TaskIndex> = wanted.iter().filter(is_new).copied().collect();
        // The order still fits if all new ones come before the task.
        let before = self.order.iter().take_while(|other| **other != task);
        if before.filter(|other| new.contains(other)).count() != new.len() {
            return None;
        }
        let gone = old.iter().filter(|other| wanted.binary_search(other).is_err());
        let mut graph = self.clone();
        for &other in gone {
            let left: Vec<TaskIndex> =
                self.dependents(other).iter().copied().filter(|one| *one != task).collect();
            graph.dependents.set(other, &left);
        }
        for other in new {
            let mut more = graph.dependents(other).to_vec();
            more.extend([task]);
            more.sort_unstable();
            graph.dependents.set(other, &more);
        }
        graph.dependencies.set(task, &wanted);
        Some(graph)
    }

    /// Returns cycles of `knot` that together visit its members, in the direction "depends on";
    /// the first task of each is not repeated at its end.
    ///
    /// Each is a shortest one through a member that no earlier one visits. There are at most
    /// [`KNOT_CYCLES_MAX`]; the members that they leave out are in some further cycle.
    pub fn cycles_in(&self, knot: &[TaskIndex]) -> Vec<Vec<TaskIndex>> {
        let mut visited: BTreeSet<TaskIndex> = BTreeSet::new();
        let mut cycles = Vec::new();
        for &member in knot {
            if cycles.len() == KNOT_CYCLES_MAX {
                break;
            }
            if !visited.contains(&member) {
                let cycle = self.cycle_through(member, knot);
                visited.extend(&cycle);
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// Returns a shortest cycle through `start` within `knot`.
    fn cycle_through(&self, start: TaskIndex, knot: &[TaskIndex]) -> Vec<TaskIndex> {
        let mut came_from: BTreeMap<TaskIndex, TaskIndex> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(task) = queue.pop_front() {
            for &next in self.dependencies(task) {
                if next == start {
                    return walk_back(&came_from, start, task);
                }
                if knot.binary_search(&next).is_ok() && !came_from.contains_key(&next) {
                    came_from.insert(next, task);
                    queue.push_back(next);
                }
            }
        }
        unreachable!("every member of a knot is on a cycle")
    }
}

/// Returns the path `start … end` that the search took.
fn walk_back(
    came_from: &BTreeMap<TaskIndex, TaskIndex>,
    start: TaskIndex,
    end: TaskIndex,
) -> Vec<TaskIndex> {
    let mut path = vec![end];
    let mut at = end;
    while at != start {
        let Some(&previous) = came_from.get(&at) else { break };
        path.push(previous);
        at = previous;
    }
    path.reverse();
    path
}

fn node(task: TaskIndex) -> NodeIndex<u32> {
    NodeIndex::new(task.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a graph from `task dependency` pairs of numbers.
    fn graph(n_tasks: usize, edges: &[(usize, usize)]) -> Graph {
        Graph::build(n_tasks, edges.iter().map(|&(a, b)| (TaskIndex::new(a), TaskIndex::new(b))))
    }

    fn numbers(tasks: &[TaskIndex]) -> Vec<usize> {
        tasks.iter().map(|task| task.position()).collect()
    }

    #[test]
    fn dependencies_come_first() {
        let graph = graph(4, &[(0, 1), (1, 2), (3, 0), (3, 2)]);
        assert_eq!(numbers(graph.topological_order()), [2, 1, 0, 3]);
        assert_eq!(numbers(graph.dependents(TaskIndex::new(2))), [1, 3]);
        assert_eq!(graph.knots(), Vec::<Vec<TaskIndex>>::new());
    }

    #[test]
    fn a_cycle_is_told_as_its_shortest_path() {
        let graph = graph(5, &[(0, 1), (1, 2), (2, 0), (2, 1), (4, 0), (1, 3)]);
        assert_eq!(graph.knots().len(), 1);
        assert_eq!(numbers(&graph.knots()[0]), [0, 1, 2]);
        let cycles = graph.cycles_in(&graph.knots()[0]);
        assert_eq!(cycles.iter().map(|cycle| numbers(cycle)).collect::<Vec<_>>(), [[0, 1, 2]]);
    }

    #[test]
    fn cycles_that_share_a_task_are_told_one_by_one() {
        let graph = graph(4, &[(0, 1), (1, 0), (0, 2), (2, 0), (3, 2), (2, 3)]);
        let cycles = graph.cycles_in(&graph.knots()[0]);
        let cycles: Vec<_> = cycles.iter().map(|cycle| numbers(cycle)).collect();
        assert_eq!(cycles, [[0, 1], [2, 0], [3, 2]]);
    }

    #[test]
    fn a_tangle_is_told_by_some_of_its_cycles() {
        let n = 2_000;
        let star: Vec<_> = (1..n).flat_map(|i| [(0, i), (i, 0)]).collect();
        let graph = graph(n, &star);
        assert_eq!(graph.cycles_in(&graph.knots()[0]).len(), KNOT_CYCLES_MAX);
    }

    #[test]
    fn repeated_and_self_edges_do_not_count() {
        let graph = graph(2, &[(0, 0), (0, 1), (0, 1)]);
        assert_eq!(numbers(graph.dependencies(TaskIndex::new(0))), [1]);
        assert!(graph.knots().is_empty());
    }

    #[test]
    fn long_chains_and_wide_fans_need_no_recursion() {
        let n = 100_000;
        let chain: Vec<_> = (1..n).map(|i| (i, i - 1)).collect();
        assert_eq!(graph(n, &chain).topological_order().len(), n);
        let ring: Vec<_> = (0..n).map(|i| (i, (i + 1) % n)).collect();
        let ring = graph(n, &ring);
        assert_eq!(ring.cycles_in(&ring.knots()[0])[0].len(), n);
        let fan: Vec<_> = (1..n).map(|i| (i, 0)).collect();
        assert_eq!(graph(n, &fan).dependents(TaskIndex::new(0)).len(), n - 1);
    }
}
