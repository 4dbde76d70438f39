//! The graph as a tree: what depends on nothing stands at the left, what waits for it below.
//!
//! A task with several dependencies is shown in full once, and pointed at from then on. Nothing
//! here recurses, and no line is indented further than [`DEPTH_MAX`] steps.

use anstyle::Style as Look;

use super::edges;
use crate::{
    app::view::graph::{GraphTask, GraphView},
    ui::output::{
        Style,
        escape::clean_line,
        figures::{columns, counted, cut},
        state,
    },
};

/// Deepest indentation; what lies deeper goes on at the left.
const DEPTH_MAX: usize = 16;

/// Fewest columns that are left for a title.
const TITLE_COLUMNS_MIN: usize = 12;

/// Renders the graph. With a `width`, long titles are cut to fit.
pub fn render(graph: &GraphView, width: Option<usize>, style: Style) -> String {
    let mut tree = Tree::new(graph, width, style);
    let n_parents = tree.n_parents.clone();
    let is_root = |at: &usize| n_parents.get(*at) == Some(&0);
    let mut roots: Vec<usize> = (0..graph.tasks.len()).filter(is_root).collect();
    roots.sort_by_key(|at| graph.tasks.get(*at).map(|task| &task.id));
    // Members of a cycle hang below no root: they come last, each where it is not shown yet.
    for root in roots.into_iter().chain(0..graph.tasks.len()) {
        if !tree.is_seen(root) {
            tree.draw(root);
        }
    }
    let mut text = tree.text;
    if !graph.tasks.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(graph));
    text
}

fn summary(graph: &GraphView) -> String {
    let mut text =
        format!("{}, {}", counted(graph.tasks.len(), "task"), counted(graph.edges.len(), "edge"));
    if graph.n_hidden > 0 {
        text.extend([" (", &counted(graph.n_hidden, "task"), " of the plan not shown)"]);
    }
    text + "\n"
}

struct Tree<'a> {
    graph: &'a GraphView,
    /// By task: those that wait for it, by id.
    children: Vec<Vec<usize>>,
    n_parents: Vec<usize>,
    seen: Vec<bool>,
    width: Option<usize>,
    style: Style,
    text: String,
}

/// A task that is about to be shown.
struct Line {
    at: usize,
    /// What stands before its branch.
    before: String,
    branch: &'static str,
    depth: usize,
}

impl<'a> Tree<'a> {
    fn new(graph: &'a GraphView, width: Option<usize>, style: Style) -> Self {
        let n = graph.tasks.len();
        let (mut children, mut n_parents) = (vec![Vec::new(); n], vec![0; n]);
        for (from, to) in edges(graph) {
            if let (Some(list), Some(count)) = (children.get_mut(from), n_parents.get_mut(to)) {
                list.push(to);
                *count += 1;
            }
        }
        for list in &mut children {
            list.sort_by_key(|at| graph.tasks.get(*at).map(|task| &task.id));
        }
        Self { graph, children, n_parents, seen: vec![false; n], width, style, text: String::new() }
    }

    fn is_seen(&self, at: usize) -> bool {
        self.seen.get(at).copied().unwrap_or(true)
    }

    /// Shows what hangs below `root`, and what hangs too deep below that.
    fn draw(&mut self, root: usize) {
        let mut deep = vec![root];
        while let Some(root) = deep.pop() {
            let is_going_on = self.is_seen(root);
            let mut stack = vec![Line { at: root, before: String::new(), branch: "", depth: 0 }];
            while let Some(line) = stack.pop() {
                let is_first = line.depth == 0 && is_going_on;
                if self.is_seen(line.at) && !is_first {
                    self.push_line(&line, "↑ shown above");
                    continue;
                }
                if let Some(seen) = self.seen.get_mut(line.at) {
                    *seen = true;
                }
                let has_children = self.children.get(line.at).is_some_and(|c| !c.is_empty());
                let is_too_deep = has_children && line.depth >= DEPTH_MAX;
                let note = match (is_first, is_too_deep) {
                    (true, _) => "(goes on)",
                    (false, true) => "↓ goes on below",
                    (false, false) => "",
                };
                self.push_line(&line, note);
                if is_too_deep {
                    deep.push(line.at);
                } else {
                    self.push_children(&mut stack, &line);
                }
            }
        }
    }

    fn push_children(&self, stack: &mut Vec<Line>, line: &Line) {
        let Some(children) = self.children.get(line.at) else { return };
        let step = match line.branch {
            "" => "",
            "├─ " => "│  ",
            _ => "   ",
        };
        let before = format!("{}{step}", line.before);
        for (n, at) in children.iter().enumerate().rev() {
            let branch = if n + 1 == children.len() { "└─ " } else { "├─ " };
            stack.push(Line { at: *at, before: before.clone(), branch, depth: line.depth + 1 });
        }
    }

    fn push_line(&mut self, line: &Line, note: &str) {
        let Some(task) = self.graph.tasks.get(line.at) else { return };
        let lead = format!("{}{}", line.before, line.branch);
        let is_seen_before = note.starts_with('↑');
        let dim = Look::new().dimmed();
        let mut text = self.style.paint(dim, &lead);
        let head = format!("{} {}", state::sign(task.state), task.id);
        text.push_str(&self.style.paint(state::look(task.state), &head));
        if is_seen_before {
            text.extend(["  ", &self.style.paint(dim, note)]);
        } else {
            let word = state::painted(task.state, self.style);
            let taken = columns(&lead) + columns(&head) + columns(task.state) + columns(note) + 6;
            text.extend(["  ", &word, "  ", &self.title(task, taken)]);
            if !note.is_empty() {
                text.extend(["  ", &self.style.paint(dim, note)]);
            }
        }
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Returns the title as far as there is room for it beside `taken` columns.
    fn title(&self, task: &GraphTask, taken: usize) -> String {
        let title = clean_line(&task.title);
        match self.width {
            Some(width) => cut(&title, width.saturating_sub(taken).max(TITLE_COLUMNS_MIN)),
            None => title.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::graph::GraphEdge;
    use crate::ui::output::graph::{dot, mermaid};
    use expect_test::{Expect, expect};

    fn graph(tasks: &[(&str, &str, &'static str)], edges: &[(&str, &str)]) -> GraphView {
        let task = |(id, title, state): &(&str, &str, &'static str)| GraphTask {
            id: (*id).to_owned(),
            title: (*title).to_owned(),
            state,
            level: None,
            milestone: None,
        };
        let edge = |(task, depends_on): &(&str, &str)| GraphEdge {
            task: (*task).to_owned(),
            depends_on: (*depends_on).to_owned(),
        };
        GraphView {
            tasks: tasks.iter().map(task).collect(),
            edges: edges.iter().map(edge).collect(),
            n_hidden: 0,
        }
    }

    fn check(graph: &GraphView, width: Option<usize>, expected: &Expect) {
        expected.assert_eq(&render(graph, width, Style::default()));
    }

    #[test]
    fn a_task_with_several_dependencies_is_shown_once() {
        let tasks = [
            ("a", "Base", "done"),
            ("b", "Left", "running"),
            ("c", "Right", "failed"),
            ("d", "Join", "blocked"),
            ("e", "End", "blocked"),
        ];
        let edges = [("b", "a"), ("c", "a"), ("d", "b"), ("d", "c"), ("e", "d")];
        check(
            &graph(&tasks, &edges),
            None,
            &expect![[r"
                ✓ a  done  Base
                ├─ ▶ b  running  Left
                │  └─ ■ d  blocked  Join
                │     └─ ■ e  blocked  End
                └─ ✗ c  failed  Right
                   └─ ■ d  ↑ shown above

                5 tasks, 5 edges
            "]],
        );
    }

    #[test]
    fn cycles_end_and_foreign_text_is_harmless() {
        let tasks = [("a", "\u{1b}[31m\"x\"]; y", "blocked"), ("b", "long title of b", "blocked")];
        let cycle = graph(&tasks, &[("a", "b"), ("b", "a")]);
        check(
            &cycle,
            Some(30),
            &expect![[r#"
                ■ a  blocked  \x1b[31m"x"];…
                └─ ■ b  blocked  long title …
                   └─ ■ a  ↑ shown above

                2 tasks, 2 edges
            "#]],
        );
        expect![[r##"
            digraph plan {
              rankdir=LR;
              node [shape=box, style="rounded,filled", fontname="sans-serif"];
              "a" [label="a\n\\x1b[31m\"x\"]; y\nblocked", fillcolor="#e1bee7", color="#6a1b9a"];
              "b" [label="b\nlong title of b\nblocked", fillcolor="#e1bee7", color="#6a1b9a"];
              "b" -> "a";
              "a" -> "b";
            }
        "##]]
        .assert_eq(&dot::render(&cycle));
        expect![[r##"
            flowchart LR
              n0["a<br/>#92;x1b#91;31m#34;x#34;#93;#59; y<br/>blocked"]:::is_blocked
              n1["b<br/>long title of b<br/>blocked"]:::is_blocked
              n1 --> n0
              n0 --> n1
              classDef is_blocked fill:#e1bee7,stroke:#6a1b9a,color:#000000
        "##]]
        .assert_eq(&mermaid::render(&cycle));
    }

    #[test]
    fn a_long_chain_goes_on_at_the_left() {
        let n = 10_000;
        let ids: Vec<String> = (0..n).map(|at| format!("t{at:05}")).collect();
        let tasks: Vec<_> = ids.iter().map(|id| (id.as_str(), "", "ready")).collect();
        let edges: Vec<_> =
            ids.iter().skip(1).zip(&ids).map(|(task, on)| (task.as_str(), on.as_str())).collect();
        let text = render(&graph(&tasks, &edges), None, Style::default());
        assert!(text.contains("t00016  ready    ↓ goes on below\n○ t00016  ready    (goes on)\n"));
        assert_eq!(text.matches("t09999").count(), 1);
        assert!(text.len() < n * 100);
    }
}
