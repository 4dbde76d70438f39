//! Dependencies that came and went, and the part of the graph around all that changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Names;
use crate::{
    app::view::{
        diff::{ChangedEdge, ChangedGraph, ChangedTask},
        graph::GraphEdge,
    },
    domain::{
        model::task::TaskSpec,
        plan::{
            Plan,
            diff::{Fate, PlanDiff},
        },
    },
};

/// Most changed tasks of a picture: more cannot be read.
const PICTURE_TASKS_MAX: usize = 60;

/// Most edges of a picture; what draws it gives up at 500.
const PICTURE_EDGES_MAX: usize = 200;

/// Returns the edges that came, and those that went. Edges of a renamed task stay its edges.
pub(super) fn changed(
    before: &Plan,
    after: &Plan,
    diff: &PlanDiff,
    names: &Names<'_>,
) -> (Vec<GraphEdge>, Vec<GraphEdge>) {
    let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
    for item in &diff.tasks {
        for dependency in depends_on(before, names.before(&item.id)) {
            old.insert((item.id.as_str(), renamed(names, dependency)));
        }
        for dependency in depends_on(after, &item.id) {
            new.insert((item.id.as_str(), dependency));
        }
    }
    let edges = |edges: Vec<&(&str, &str)>| -> Vec<GraphEdge> {
        let edge = |(task, depends_on): &(&str, &str)| GraphEdge {
            task: (*task).to_owned(),
            depends_on: (*depends_on).to_owned(),
        };
        edges.into_iter().map(edge).collect()
    };
    (edges(new.difference(&old).collect()), edges(old.difference(&new).collect()))
}

fn renamed<'a>(names: &Names<'a>, id: &'a str) -> &'a str {
    names.now(id)
}

/// Returns what a task depends on, as it is written; nothing where there is no such task.
fn depends_on<'a>(plan: &'a Plan, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let spec = plan.find(id).map(|task| plan.spec(task));
    spec.into_iter().flat_map(|spec| spec.depends_on.iter().map(|id| id.value.as_str()))
}

/// Returns the tasks that are different with what is next to them; of too many, those first whose
/// place in the graph is another one.
pub(super) fn graph(
    before: &Plan,
    after: &Plan,
    diff: &PlanDiff,
    (added, removed): (&[GraphEdge], &[GraphEdge]),
) -> ChangedGraph {
    let moved: BTreeSet<&str> =
        added.iter().chain(removed).map(|edge| edge.task.as_str()).collect();
    let mut items: Vec<_> = diff.tasks.iter().collect();
    items.sort_by_key(|item| item.fate == Fate::Changed && !moved.contains(item.id.as_str()));
    let n_hidden = items.len().saturating_sub(PICTURE_TASKS_MAX);
    items.truncate(PICTURE_TASKS_MAX);
    let fates: BTreeMap<&str, &Fate> =
        items.iter().map(|item| (item.id.as_str(), &item.fate)).collect();
    let edge = |task: &str, depends_on: &str, change| ChangedEdge {
        task: task.to_owned(),
        depends_on: depends_on.to_owned(),
        change,
    };
    let mut edges = BTreeSet::new();
    for (changed, change) in [(added, "added"), (removed, "removed")] {
        let shown = changed.iter().filter(|edge| fates.contains_key(edge.task.as_str()));
        edges.extend(shown.map(|found| edge(&found.task, &found.depends_on, change)));
    }
    let is_new: BTreeSet<(&str, &str)> =
        added.iter().map(|edge| (edge.task.as_str(), edge.depends_on.as_str())).collect();
    let mut same = Vec::new();
    for task in fates.keys().filter_map(|id| after.find(id)) {
        let id = after.id(task).as_str();
        let up = after.dependencies(task).iter().map(|other| (id, after.id(*other).as_str()));
        let down = after.dependents(task).iter().map(|other| (after.id(*other).as_str(), id));
        same.extend(up.chain(down).filter(|edge| !is_new.contains(edge)));
    }
    // What is different matters more than what is beside it.
    let room = PICTURE_EDGES_MAX.saturating_sub(edges.len());
    let same: BTreeSet<(&str, &str)> = same.into_iter().collect();
    let mut edges: Vec<ChangedEdge> = edges.into_iter().take(PICTURE_EDGES_MAX).collect();
    edges.extend(same.into_iter().take(room).map(|(task, other)| edge(task, other, "same")));
    let mut ids: BTreeSet<&str> = fates.keys().copied().collect();
    ids.extend(edges.iter().flat_map(|edge| [edge.task.as_str(), edge.depends_on.as_str()]));
    let tasks = ids.into_iter().map(|id| {
        let spec = [after, before].iter().find_map(|plan| Some(plan.spec(plan.find(id)?)));
        let title = spec.map_or("", |spec: &TaskSpec| spec.title.as_str());
        let change = fates.get(id).map_or("same", |fate| fate.as_str());
        ChangedTask { id: id.to_owned(), title: title.to_owned(), change }
    });
    ChangedGraph { tasks: tasks.collect(), edges, n_hidden }
}
