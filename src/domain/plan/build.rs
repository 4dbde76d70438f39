//! Task specs in, plan and diagnostics out; never fails.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Fault, Plan, TaskIndex, critical_path, graph::Graph, index::Index, levels::Levels};
use crate::domain::model::{
    config::{Config, Role},
    id::{RoleName, TaskId},
    task::{Estimate, Size, TaskSpec},
};

/// Builds the plan from everything that could be read.
///
/// Of several tasks with one id, the first by path is kept; [`super::rules`] reports the others.
/// A task that can never start keeps its place and gets a [`Fault`].
pub fn build(
    mut specs: Vec<Arc<TaskSpec>>,
    roles: impl IntoIterator<Item = Role>,
    config: Config,
) -> Plan {
    specs.sort_by(|a, b| (&a.id.value, &a.path).cmp(&(&b.id.value, &b.path)));
    let mut duplicates = Vec::new();
    specs.dedup_by(|later, first| {
        let is_taken = later.id.value == first.id.value;
        if is_taken {
            duplicates.push(later.clone());
        }
        is_taken
    });
    let roles: BTreeMap<RoleName, Role> =
        roles.into_iter().map(|role| (role.name.clone(), role)).collect();
    let index = Index::of(&specs);
    let find = |id: &str| index.find(&specs, id);
    let graph = Graph::build(specs.len(), edges(&specs, find));
    let faults = faults(&specs, &roles, &graph, find);
    let durations: Vec<Duration> = specs.iter().map(|spec| duration(spec, &config)).collect();
    let remaining = critical_path::remaining(&graph, &durations);
    Plan {
        tasks: specs,
        index: Arc::new(index),
        duplicates,
        graph: Arc::new(graph),
        faults,
        roles: Arc::new(roles),
        config: Arc::new(config),
        worker: None,
        durations,
        remaining,
    }
}

/// Returns how long a task is thought to take.
pub(super) fn duration(spec: &TaskSpec, config: &Config) -> Duration {
    config.length_of(spec.estimate.unwrap_or(Estimate::Size(Size::M)))
}

/// Returns all edges `(task, dependency)` whose ends exist.
fn edges(
    specs: &[Arc<TaskSpec>],
    find: impl Fn(&str) -> Option<usize>,
) -> Vec<(TaskIndex, TaskIndex)> {
    let mut edges = Vec::with_capacity(specs.len() * 2);
    for (position, spec) in specs.iter().enumerate() {
        for dependency in &spec.depends_on {
            if let Some(found) = find(&dependency.value) {
                edges.push((TaskIndex::new(position), TaskIndex::new(found)));
            }
        }
    }
    edges
}

/// Finds the tasks that can never start. A task with several faults keeps the first kind.
fn faults(
    specs: &[Arc<TaskSpec>],
    roles: &BTreeMap<RoleName, Role>,
    graph: &Graph,
    find: impl Fn(&str) -> Option<usize>,
) -> BTreeMap<TaskIndex, Fault> {
    let mut faults = cycle_faults(specs, graph);
    let levels = Levels::of(specs, graph);
    for (position, spec) in specs.iter().enumerate() {
        let task = TaskIndex::new(position);
        if let Some(fault) = own_fault(spec, &find, roles) {
            faults.entry(task).or_insert(fault);
        }
        if let (Some(own), Some(before)) = (&spec.level, levels.before(task))
            && before.level > own.value
            && let Some(later) = specs.get(before.origin.position())
        {
            faults.entry(task).or_insert(Fault::LaterLevel(later.id.value.clone()));
        }
    }
    faults
}

/// Returns the fault that a task has by what it says itself, whatever the others say.
pub(super) fn own_fault(
    spec: &TaskSpec,
    find: impl Fn(&str) -> Option<usize>,
    roles: &BTreeMap<RoleName, Role>,
) -> Option<Fault> {
    let own_id = spec.id.value.as_str();
    if spec.depends_on.iter().any(|dependency| dependency.value == own_id) {
        let path = [spec.id.value.clone(), spec.id.value.clone()];
        return Some(Fault::Cycle(path.into()));
    }
    let unknown = spec.depends_on.iter().find(|d| find(&d.value).is_none());
    if let Some(unknown) = unknown {
        return Some(Fault::UnknownDependency(unknown.value.clone()));
    }
    let role = spec.role.as_ref().filter(|role| !roles.contains_key(&role.value));
    role.map(|role| Fault::UnknownRole(role.value.clone()))
}

/// Gives every member of a knot a cycle that it is on, or at least one that it waits for.
fn cycle_faults(specs: &[Arc<TaskSpec>], graph: &Graph) -> BTreeMap<TaskIndex, Fault> {
    let mut faults = BTreeMap::new();
    for knot in graph.knots() {
        let mut first: Option<Arc<[TaskId]>> = None;
        for cycle in graph.cycles_in(knot) {
            let path: Arc<[TaskId]> = cycle
                .iter()
                .chain(cycle.first())
                .filter_map(|task| specs.get(task.position()))
                .map(|spec| spec.id.value.clone())
                .collect();
            for &member in &cycle {
                faults.entry(member).or_insert_with(|| Fault::Cycle(Arc::clone(&path)));
            }
            first.get_or_insert(path);
        }
        for &member in knot {
            if let Some(path) = &first {
                faults.entry(member).or_insert_with(|| Fault::Cycle(Arc::clone(path)));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::rules::testing::{Draft, task};

    /// Builds a plan without roles and lists its faults.
    fn faults_of(drafts: &[Draft]) -> Vec<String> {
        let plan =
            build(drafts.iter().map(|draft| draft.spec().into()).collect(), [], Config::default());
        plan.indices()
            .filter_map(|task| plan.fault(task).map(|fault| format!("{} {fault:?}", plan.id(task))))
            .collect()
    }

    #[test]
    fn a_chain_to_a_later_level_is_a_fault_of_all_who_wait_for_it() {
        let table: &[(&[Draft], &[&str])] = &[
            (&[task("a").level(1).needs("b"), task("b").level(1)], &[]),
            (&[task("a").level(2).needs("b"), task("b").level(1)], &[]),
            (&[task("a").level(1).needs("b"), task("b").level(2)], &["a LaterLevel(b)"]),
            (
                &[task("a").level(1).needs("b"), task("b").needs("c"), task("c").level(2)],
                &["a LaterLevel(c)"],
            ),
            (
                &[
                    task("a").level(1).needs("b").needs("c"),
                    task("b").level(1).needs("d"),
                    task("c").needs("e"),
                    task("d").level(2),
                    task("e").level(3),
                ],
                &["a LaterLevel(e)", "b LaterLevel(d)"],
            ),
            (&[task("a").needs("b"), task("b").level(9)], &[]),
        ];
        for (drafts, expected) in table {
            assert_eq!(faults_of(drafts), *expected);
        }
    }

    #[test]
    fn each_member_of_a_knot_is_told_its_own_cycle() {
        let drafts = [
            task("a").needs("b").needs("c"),
            task("b").needs("a"),
            task("c").needs("a"),
            task("d").needs("d"),
            task("e").needs("a"),
        ];
        assert_eq!(
            faults_of(&drafts),
            ["a Cycle([a, b, a])", "b Cycle([a, b, a])", "c Cycle([c, a, c])", "d Cycle([d, d])"]
        );
    }

    #[test]
    fn of_two_files_with_one_id_the_first_by_path_counts() {
        let drafts = [task("a").at("z.md").needs("b"), task("a").at("b.md"), task("b")];
        let plan =
            build(drafts.iter().map(|draft| draft.spec().into()).collect(), [], Config::default());
        assert_eq!(plan.n_tasks(), 2);
        assert_eq!(&*plan.spec(TaskIndex::new(0)).path, "b.md");
    }
}
