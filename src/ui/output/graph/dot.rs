//! The graph in the language of Graphviz: `orch graph --format dot | dot -Tsvg`.

use super::{edges, fill};
use crate::{
    app::view::graph::{GraphTask, GraphView},
    ui::output::escape::clean_line,
};

/// Renders the graph, from dependencies to dependents.
pub fn render(graph: &GraphView) -> String {
    let mut lines = vec![
        "digraph plan {".to_owned(),
        "  rankdir=LR;".to_owned(),
        "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];".to_owned(),
    ];
    lines.extend(graph.tasks.iter().map(node));
    let id = |at: usize| graph.tasks.get(at).map_or("", |task| task.id.as_str());
    let edges = edges(graph).into_iter();
    lines.extend(edges.map(|(from, to)| format!("  {} -> {};", quoted(id(from)), quoted(id(to)))));
    lines.push("}".to_owned());
    lines.join("\n") + "\n"
}

fn node(task: &GraphTask) -> String {
    let (fill, border) = fill(task.state);
    // A line break in a label is written `\n`, which must not be quoted again.
    let lines = [task.id.as_str(), &task.title, task.state].map(inner);
    format!(
        "  {} [label=\"{}\", fillcolor=\"{fill}\", color=\"{border}\"];",
        quoted(&task.id),
        lines.join(r"\n")
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", inner(text))
}

/// Returns `text` as it stands between quotes.
fn inner(text: &str) -> String {
    clean_line(text).replace('\\', r"\\").replace('"', r#"\""#)
}
