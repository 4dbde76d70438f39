//! One edited task in a plan of thousands: the plan that follows, without building it anew.

use std::sync::Arc;

use super::{
    Fault, Plan, TaskIndex,
    build::{duration, own_fault},
    critical_path,
    graph::Graph,
};
use crate::domain::model::task::TaskSpec;

impl Plan {
    /// Returns this plan with `spec` in the place of the task that has its id; `None` where that
    /// changes more than a look at one task can tell, so that the plan must be built from scratch.
    ///
    /// What is returned equals the plan built from scratch in all but the choice among orders that
    /// fit the dependencies.
    pub fn with_spec(&self, spec: &Arc<TaskSpec>) -> Option<Self> {
        let task = self.find(spec.id.value.as_str())?;
        let old = self.spec(task);
        // Where a file has no place, or a fault comes from others, one task decides about more.
        let is_clear = match self.fault(task) {
            None => true,
            Some(Fault::UnknownDependency(_) | Fault::UnknownRole(_)) => !self.has_levels(),
            Some(Fault::Cycle(_) | Fault::LaterLevel(_)) => false,
        };
        if !self.duplicates.is_empty() || old.path != spec.path || !is_clear {
            return None;
        }
        let has_same_edges = has_same_edges(old, spec);
        let has_same_level = level(old) == level(spec);
        if !has_same_level || (self.has_levels() && !has_same_edges) {
            return None;
        }
        let graph = if has_same_edges { Arc::clone(&self.graph) } else { self.graph_with(spec)? };
        let mut plan = Self { graph, ..self.clone() };
        if let Some(slot) = plan.tasks.get_mut(task.position()) {
            *slot = Arc::clone(spec);
        }
        let find = |id: &str| plan.find(id).map(TaskIndex::position);
        match own_fault(spec, find, &plan.roles) {
            Some(fault) => drop(plan.faults.insert(task, fault)),
            None => drop(plan.faults.remove(&task)),
        }
        let takes = duration(spec, &self.config);
        if !has_same_edges || takes != self.duration(task) {
            if let Some(slot) = plan.durations.get_mut(task.position()) {
                *slot = takes;
            }
            plan.remaining = critical_path::remaining(&plan.graph, &plan.durations);
        }
        Some(plan)
    }

    fn has_levels(&self) -> bool {
        self.tasks.iter().any(|spec| spec.level.is_some())
    }

    fn graph_with(&self, spec: &TaskSpec) -> Option<Arc<Graph>> {
        let task = self.find(spec.id.value.as_str())?;
        let known = spec.depends_on.iter().filter_map(|d| self.find(&d.value));
        let wanted: Vec<TaskIndex> = known.collect();
        self.graph.with_dependencies(task, &wanted).map(Arc::new)
    }
}

fn level(spec: &TaskSpec) -> Option<u32> {
    spec.level.as_ref().map(|level| level.value)
}

/// Says whether two specs name the same dependencies, in whatever places.
fn has_same_edges(a: &TaskSpec, b: &TaskSpec) -> bool {
    a.depends_on.iter().map(|named| &named.value).eq(b.depends_on.iter().map(|named| &named.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        model::config::Config,
        plan::{
            build,
            rules::testing::{Draft, task},
        },
    };

    fn plan(drafts: &[Draft]) -> Plan {
        build(drafts.iter().map(|draft| draft.spec().into()).collect(), [], Config::default())
    }

    /// Returns what must be the same however a plan came about: all but the order.
    fn told(plan: &Plan) -> Vec<String> {
        let line = |task| {
            let (needs, needed) = (plan.dependencies(task), plan.dependents(task));
            let times = (plan.duration(task), plan.remaining(task));
            format!("{:?} {needs:?} {needed:?} {:?} {times:?}", plan.spec(task), plan.fault(task))
        };
        plan.indices().map(line).collect()
    }

    #[test]
    fn an_edited_task_gives_the_plan_that_is_built_from_scratch() {
        let base = || [task("a"), task("b").needs("a"), task("c").needs("b"), task("d")];
        let level = || [task("a").level(1), task("b").needs("a").level(2), task("c").needs("b")];
        let table: &[(&[Draft], Draft, bool)] = &[
            (&base(), task("b").needs("a"), true),
            (&base(), task("b"), true),
            (&base(), task("c").needs("a").needs("b"), true),
            (&base(), task("c").needs("nobody"), true),
            (&base(), task("c").needs("c"), true),
            (&base(), task("c").role("nobody"), true),
            (&base(), task("b").needs("a").estimate(90), true),
            (&base(), task("a").needs("c"), false),
            (&base(), task("b").needs("a").level(1), false),
            (&base(), task("e"), false),
            (&base(), task("b").at("elsewhere.md"), false),
            (&level(), task("b").needs("a").level(2).estimate(5), true),
            (&level(), task("b").level(2), false),
            (&[task("a").needs("x"), task("b")], task("a").needs("b"), false),
            (&[task("a").needs("x"), task("b")], task("a"), true),
            (&[task("a").needs("b"), task("b").needs("a")], task("a"), false),
            (&[task("a"), task("a").at("other.md")], task("a").estimate(5), false),
        ];
        for (drafts, edited, is_quick) in table {
            let updated = plan(drafts).with_spec(&edited.spec().into());
            assert_eq!(updated.is_some(), *is_quick, "{edited:?}");
            let Some(updated) = updated else { continue };
            let id = &edited.spec().id.value;
            let others = drafts.iter().filter(|draft| draft.spec().id.value != *id).cloned();
            let scratch = plan(&others.chain([edited.clone()]).collect::<Vec<_>>());
            assert_eq!(told(&updated), told(&scratch));
            let mut seen = vec![false; updated.n_tasks()];
            for &task in updated.topological_order() {
                assert!(updated.dependencies(task).iter().all(|other| seen[other.position()]));
                seen[task.position()] = true;
            }
        }
    }
}
