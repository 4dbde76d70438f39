//! What is different in the graph, as a mermaid flowchart.

use std::collections::BTreeMap;

use crate::{
    app::view::diff::{ChangedEdge, ChangedGraph, ChangedTask},
    ui::output::{
        figures::{counted, cut},
        graph::mermaid::label,
    },
};

/// Columns of a title in a node.
const TITLE_COLUMNS: usize = 40;

/// The look of what is different: fill and border.
const LOOKS: [(&str, &str, &str); 5] = [
    ("added", "#c8e6c9", "#2e7d32"),
    ("removed", "#ffcdd2", "#c62828"),
    ("renamed", "#fff9c4", "#f9a825"),
    ("changed", "#bbdefb", "#1565c0"),
    ("same", "#eeeeee", "#757575"),
];

/// Renders a section with the picture; nothing where no task is different.
pub(super) fn render(graph: &ChangedGraph) -> String {
    if graph.tasks.is_empty() {
        return String::new();
    }
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(graph.tasks.iter().enumerate().map(node));
    let places: BTreeMap<&str, usize> =
        graph.tasks.iter().enumerate().map(|(at, task)| (task.id.as_str(), at)).collect();
    let place = |id: &str| places.get(id).copied();
    let known: Vec<(usize, usize, &ChangedEdge)> = graph
        .edges
        .iter()
        .filter_map(|edge| Some((place(&edge.depends_on)?, place(&edge.task)?, edge)))
        .collect();
    for (from, to, edge) in &known {
        let arrow = match edge.change {
            "added" => "==>",
            "removed" => "-.->",
            _ => "-->",
        };
        lines.push(format!("  n{from} {arrow} n{to}"));
    }
    for (change, fill, border) in LOOKS {
        if graph.tasks.iter().any(|task| task.change == change) {
            lines.push(format!("  classDef is_{change} fill:{fill},stroke:{border},color:#000000"));
        }
        let numbers = known.iter().enumerate().filter(|(_, (_, _, edge))| edge.change == change);
        let numbers: Vec<String> = numbers.map(|(at, _)| at.to_string()).collect();
        if change != "same" && !numbers.is_empty() {
            lines.push(format!("  linkStyle {} stroke:{border}", numbers.join(",")));
        }
    }
    let hidden = match graph.n_hidden {
        0 => String::new(),
        n => format!("\n{} more that changed are not in the picture.\n", counted(n, "task")),
    };
    format!(
        "\n#### Graph\n\nGreen is new, red is gone, yellow is renamed, blue is changed; grey stands \
         beside it.\n\n```mermaid\n{}\n```\n{hidden}",
        lines.join("\n")
    )
}

fn node((at, task): (usize, &ChangedTask)) -> String {
    let title = match task.title == task.id || task.title.is_empty() {
        true => String::new(),
        false => format!("<br/>{}", label(&cut(&task.title, TITLE_COLUMNS))),
    };
    format!("  n{at}[\"{}{title}\"]:::is_{}", label(&task.id), task.change)
}
