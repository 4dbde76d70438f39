//! The graph of dependencies, or a part of it.

use serde::Serialize;

/// Tasks and the edges between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphView {
    /// The tasks, each after those that it depends on.
    pub tasks: Vec<GraphTask>,
    /// The edges between these tasks, in the order of the tasks that depend.
    pub edges: Vec<GraphEdge>,
    /// Tasks of the plan that are left out.
    pub n_hidden: usize,
}

/// One task of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphTask {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Its level.
    pub level: Option<u32>,
    /// Its milestone.
    pub milestone: Option<String>,
}

/// One edge: `task` depends on `depends_on`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphEdge {
    /// The task that waits.
    pub task: String,
    /// The task that it waits for.
    pub depends_on: String,
}
