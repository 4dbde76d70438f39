//! Task specs in, plan and diagnostics out; never fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Fault, Plan, TaskIndex, critical_path, graph::Graph};
use crate::domain::model::{
    config::{Config, Role},
    id::RoleName,
    task::{Estimate, Size, TaskSpec},
};

/// Builds the plan from everything that could be read.
///
/// Of several tasks with one id, the first by path is kept; [`super::rules`] reports the others.
/// A task that can never start keeps its place and gets a [`Fault`].
pub fn build(
    mut specs: Vec<TaskSpec>,
    roles: impl IntoIterator<Item = Role>,
    config: Config,
) -> Plan {
    specs.sort_by(|a, b| (&a.id.value, &a.path).cmp(&(&b.id.value, &b.path)));
    specs.dedup_by(|later, first| later.id.value == first.id.value);
    let roles: BTreeMap<RoleName, Role> =
        roles.into_iter().map(|role| (role.name.clone(), role)).collect();
    let graph = Graph::build(specs.len(), edges(&specs));
    let faults = faults(&specs, &roles, &graph);
    let durations: Vec<Duration> = specs
        .iter()
        .map(|spec| config.length_of(spec.estimate.unwrap_or(Estimate::Size(Size::M))))
        .collect();
    let remaining = critical_path::remaining(&graph, &durations);
    Plan { tasks: specs, graph, faults, roles, config, durations, remaining }
}

/// Returns all edges `(task, dependency)` whose ends exist.
fn edges(specs: &[TaskSpec]) -> Vec<(TaskIndex, TaskIndex)> {
    let mut edges = Vec::with_capacity(specs.len() * 2);
    for (position, spec) in specs.iter().enumerate() {
        for dependency in &spec.depends_on {
            if let Some(found) = position_of(specs, &dependency.value) {
                edges.push((TaskIndex::new(position), TaskIndex::new(found)));
            }
        }
    }
    edges
}

fn position_of(specs: &[TaskSpec], id: &str) -> Option<usize> {
    specs.binary_search_by(|spec| spec.id.value.as_str().cmp(id)).ok()
}

/// Finds the tasks that can never start. A task with several faults keeps the first kind.
fn faults(
    specs: &[TaskSpec],
    roles: &BTreeMap<RoleName, Role>,
    graph: &Graph,
) -> BTreeMap<TaskIndex, Fault> {
    let mut faults = BTreeMap::new();
    let at = |task: TaskIndex| specs.get(task.position());
    for knot in graph.knots() {
        let mut cycle = graph.cycle_in(knot);
        cycle.extend(cycle.first().copied());
        let path: Vec<_> =
            cycle.iter().filter_map(|t| at(*t)).map(|s| s.id.value.clone()).collect();
        for &member in knot {
            faults.insert(member, Fault::Cycle(path.clone()));
        }
    }
    let levels: BTreeSet<u32> =
        specs.iter().filter_map(|s| s.level.as_ref()).map(|l| l.value).collect();
    for (position, spec) in specs.iter().enumerate() {
        let task = TaskIndex::new(position);
        let own_id = spec.id.value.as_str();
        if spec.depends_on.iter().any(|d| d.value == own_id) {
            let path = vec![spec.id.value.clone(), spec.id.value.clone()];
            faults.entry(task).or_insert(Fault::Cycle(path));
        }
        if let Some(unknown) =
            spec.depends_on.iter().find(|d| position_of(specs, &d.value).is_none())
        {
            faults.entry(task).or_insert(Fault::UnknownDependency(unknown.value.clone()));
        }
        if let Some(role) = spec.role.as_ref().filter(|role| !roles.contains_key(&role.value)) {
            faults.entry(task).or_insert(Fault::UnknownRole(role.value.clone()));
        }
        let own_level = spec.level.as_ref().map(|level| level.value);
        if let Some(own_level) = own_level.filter(|_| levels.len() > 1) {
            let later = graph
                .dependencies(task)
                .iter()
                .filter_map(|d| at(*d))
                .find(|d| d.level.as_ref().is_some_and(|level| level.value > own_level));
            if let Some(later) = later {
                faults.entry(task).or_insert(Fault::LaterLevel(later.id.value.clone()));
            }
        }
    }
    faults
}
