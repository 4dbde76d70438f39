//! The graph of dependencies: whole, or what lies around some tasks.

use std::collections::VecDeque;

use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::graph::{GraphEdge, GraphTask, GraphView},
    },
    domain::plan::{Plan, TaskIndex},
};

/// Which part of the graph is wanted.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// What lies around these tasks; empty means all.
    pub ids: Vec<String>,
    /// At most this many steps towards what they depend on.
    pub up: Option<usize>,
    /// At most this many steps towards what waits for them.
    pub down: Option<usize>,
    /// Without tasks that are done or cancelled.
    pub is_open_only: bool,
}

/// Returns the wanted part of the graph.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task.
pub fn graph(standing: &Standing, part: &Part) -> Result<GraphView, AppError> {
    let plan = standing.plan();
    let mut is_in = vec![part.ids.is_empty(); plan.n_tasks()];
    for id in &part.ids {
        let task = standing.find(id)?;
        mark(plan, task, part.up.unwrap_or(usize::MAX), Plan::dependencies, &mut is_in);
        mark(plan, task, part.down.unwrap_or(usize::MAX), Plan::dependents, &mut is_in);
    }
    let is_shown = |task: &TaskIndex| {
        is_in.get(task.position()).copied().unwrap_or_default()
            && !(part.is_open_only && standing.state(*task).is_settled())
    };
    let tasks: Vec<TaskIndex> = plan.topological_order().iter().copied().filter(is_shown).collect();
    let edges = tasks.iter().flat_map(|task| {
        let dependencies = plan.dependencies(*task).iter().filter(|id| is_shown(id));
        dependencies.map(|dependency| GraphEdge {
            task: plan.id(*task).to_string(),
            depends_on: plan.id(*dependency).to_string(),
        })
    });
    Ok(GraphView {
        edges: edges.collect(),
        n_hidden: plan.n_tasks() - tasks.len(),
        tasks: tasks.iter().map(|task| shown(standing, *task)).collect(),
    })
}

fn shown(standing: &Standing, task: TaskIndex) -> GraphTask {
    let spec = standing.plan().spec(task);
    GraphTask {
        id: spec.id.value.to_string(),
        title: spec.title.clone(),
        state: standing.state(task).as_str(),
        level: spec.level.as_ref().map(|level| level.value),
        milestone: spec.milestone.clone(),
    }
}

/// Marks what can be reached from `task` in at most `n_steps` steps.
fn mark<'a>(
    plan: &'a Plan,
    task: TaskIndex,
    n_steps: usize,
    next: impl Fn(&'a Plan, TaskIndex) -> &'a [TaskIndex],
    is_in: &mut [bool],
) {
    let mut seen = vec![false; plan.n_tasks()];
    let mut queue = VecDeque::from([(task, 0)]);
    while let Some((task, n)) = queue.pop_front() {
        let is_new =
            seen.get_mut(task.position()).is_some_and(|seen| !std::mem::replace(seen, true));
        if !is_new {
            continue;
        }
        if let Some(slot) = is_in.get_mut(task.position()) {
            *slot = true;
        }
        if n < n_steps {
            queue.extend(next(plan, task).iter().map(|next| (*next, n + 1)));
        }
    }
}
