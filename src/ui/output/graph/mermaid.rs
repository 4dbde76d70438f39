//! The graph as a mermaid flowchart, which GitHub and GitLab draw in markdown.

use super::{edges, fill, states};
use crate::{
    app::view::graph::{GraphTask, GraphView},
    ui::output::escape::clean_line,
};

/// Renders the graph, from dependencies to dependents.
pub fn render(graph: &GraphView) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(graph.tasks.iter().enumerate().map(node));
    lines.extend(edges(graph).into_iter().map(|(from, to)| format!("  n{from} --> n{to}")));
    for state in states(graph) {
        let (fill, border) = fill(state);
        lines
            .push(format!("  classDef {} fill:{fill},stroke:{border},color:#000000", class(state)));
    }
    lines.join("\n") + "\n"
}

fn node((at, task): (usize, &GraphTask)) -> String {
    let (id, title) = (label(&task.id), label(&task.title));
    format!("  n{at}[\"{id}<br/>{title}<br/>{}\"]:::{}", task.state, class(task.state))
}

/// Returns the class of a state; mermaid reads `-` and some words as its own.
fn class(state: &str) -> String {
    format!("is_{}", state.replace('-', "_"))
}

/// Returns `text` with everything that means something to mermaid or HTML written as a number.
pub(in crate::ui::output) fn label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for c in clean_line(text).chars() {
        if c.is_ascii_punctuation() && !"-_.,:/".contains(c) {
            label.extend(["#", &u32::from(c).to_string(), ";"]);
        } else {
            label.push(c);
        }
    }
    label
}
