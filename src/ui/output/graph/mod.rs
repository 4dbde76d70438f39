//! The graph of dependencies as a tree, as DOT and as a mermaid flowchart.

pub mod dot;
pub mod mermaid;
pub mod tree;

use std::collections::BTreeMap;

use crate::app::view::graph::GraphView;

/// Returns the edges as positions `(from, to)` in the list of tasks, from a task to one that
/// waits for it.
fn edges(graph: &GraphView) -> Vec<(usize, usize)> {
    let places: BTreeMap<&str, usize> =
        graph.tasks.iter().enumerate().map(|(at, task)| (task.id.as_str(), at)).collect();
    let place = |id: &str| places.get(id).copied();
    let edges = graph.edges.iter();
    edges.filter_map(|edge| Some((place(&edge.depends_on)?, place(&edge.task)?))).collect()
}

/// Returns the states that occur, in a fixed order.
fn states(graph: &GraphView) -> Vec<&'static str> {
    let mut states: Vec<&'static str> = graph.tasks.iter().map(|task| task.state).collect();
    states.sort_unstable();
    states.dedup();
    states
}

/// Returns fill and border of the nodes of a state, light enough for black text.
fn fill(state: &str) -> (&'static str, &'static str) {
    match state {
        "done" => ("#c8e6c9", "#2e7d32"),
        "running" | "verifying" | "landing" => ("#b3e5fc", "#0277bd"),
        "ready" => ("#bbdefb", "#1565c0"),
        "backing-off" | "review" => ("#fff9c4", "#f9a825"),
        "blocked" => ("#e1bee7", "#6a1b9a"),
        "failed" => ("#ffcdd2", "#c62828"),
        _ => ("#eeeeee", "#757575"),
    }
}
