//! The difference of two plans for a terminal.

use anstyle::{AnsiColor, Style as Look};

use super::{counts, end_name, figures, path, place, spent};
use crate::{
    app::view::{
        change::{FaultView, FieldChange, ItemChange},
        diff::{DiffView, ExecutedChange, StateMove},
    },
    ui::output::{
        Style, change,
        escape::clean_line,
        figures::{counted, cut},
        state,
    },
};

const GREEN: Look = AnsiColor::Green.on_default();
const RED: Look = AnsiColor::Red.on_default();
const YELLOW: Look = AnsiColor::Yellow.on_default();

/// Renders what is different; nothing where nothing is. With a `width`, long lines are cut to fit,
/// but for what would be executed.
pub fn render(diff: &DiffView, width: Option<usize>, style: Style) -> String {
    if !diff.is_changed {
        return String::new();
    }
    let page = Page { width, style };
    let sections = [
        page.head(diff),
        page.executed(&diff.executed),
        page.items("settings and roles", &settings_and_roles(diff)),
        page.items("tasks", &diff.tasks.iter().map(task).collect::<Vec<_>>()),
        page.edges(diff),
        page.moves(diff),
        page.outlook(diff),
        page.faults(diff),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What became of something, in one line.
struct Line {
    change: &'static str,
    text: String,
}

fn settings_and_roles(diff: &DiffView) -> Vec<Line> {
    let settings = diff.settings.iter().map(|field| Line {
        change: "changed",
        text: format!("settings: {}", change::field(field)),
    });
    settings.chain(diff.roles.iter().map(|role| item("role ", role))).collect()
}

fn task(task: &ItemChange) -> Line {
    item("", task)
}

fn item(kind: &str, item: &ItemChange) -> Line {
    let title = item.title.as_deref().map_or_else(String::new, |t| format!("  {}", clean_line(t)));
    let fields = change::fields(item.fields.iter());
    let text = match (item.change, &item.was) {
        ("renamed", Some(was)) => {
            let separator = if fields.is_empty() { "" } else { ": " };
            format!("{kind}{was} → {}{separator}{fields}", item.id)
        }
        ("changed", _) => format!("{kind}{}: {fields}", item.id),
        _ => format!("{kind}{}{title}", item.id),
    };
    Line { change: item.change, text: clean_line(&text).into_owned() }
}

/// How everything is shown.
struct Page {
    width: Option<usize>,
    style: Style,
}

impl Page {
    fn bold(&self, text: &str) -> String {
        self.style.paint(Look::new().bold(), text)
    }

    /// Returns a line with a colored beginning, cut to fit.
    fn line(&self, look: Look, lead: &str, text: &str) -> String {
        let text = match self.width {
            Some(width) => cut(text, width.saturating_sub(lead.chars().count() + 3)),
            None => text.to_owned(),
        };
        format!("  {} {text}\n", self.style.paint(look, lead))
    }

    fn head(&self, diff: &DiffView) -> String {
        let range = format!("{} → {}", end_name(&diff.from), end_name(&diff.to));
        let counts = counts(diff).join(" · ");
        format!("{}\n{}{}", self.bold(&range), counts, if counts.is_empty() { "" } else { "\n" })
    }

    fn executed(&self, executed: &[ExecutedChange]) -> String {
        if executed.is_empty() {
            return String::new();
        }
        let title = format!("what is executed changes in {}", counted(executed.len(), "file"));
        let mut text = format!("{}\n", self.style.paint(YELLOW.bold(), &title));
        for told in executed {
            let id = told.id.as_deref().map_or_else(String::new, |id| format!(" {id}"));
            let fate = match told.change {
                "changed" => String::new(),
                other => format!(" ({other})"),
            };
            let head = format!("  {}{id}{fate}  {}", told.what, told.path);
            text.extend([&*clean_line(&head), "\n"]);
            text.extend(told.fields.iter().flat_map(|field| self.executed_field(field)));
        }
        text
    }

    /// Returns the lines of one key: whole, as who reads them decides by them.
    fn executed_field(&self, field: &FieldChange) -> Vec<String> {
        let line = |look, sign: &str, value: &str| {
            let text = format!("{sign} {}: {}", field.field, clean_line(value));
            format!("    {}\n", self.style.paint(look, &text))
        };
        let mut lines = Vec::new();
        lines.extend(field.from.as_deref().map(|from| line(RED, "-", from)));
        lines.extend(field.removed.iter().map(|gone| line(RED, "-", gone)));
        lines.extend(field.to.as_deref().map(|to| line(GREEN, "+", to)));
        lines.extend(field.added.iter().map(|new| line(GREEN, "+", new)));
        lines.extend(field.changed.iter().map(|name| line(YELLOW, "~", name)));
        if lines.is_empty() {
            lines.push(format!("    {}\n", change::field(field)));
        }
        lines
    }

    fn items(&self, title: &str, lines: &[Line]) -> String {
        if lines.is_empty() {
            return String::new();
        }
        let mut text = format!("{}\n", self.bold(title));
        for Line { change, text: line } in lines {
            let (look, sign) = match *change {
                "added" => (GREEN, "+"),
                "removed" => (RED, "-"),
                "renamed" => (YELLOW, ">"),
                _ => (YELLOW, "~"),
            };
            text.push_str(&self.line(look, sign, line));
        }
        text
    }

    fn edges(&self, diff: &DiffView) -> String {
        if diff.edges_added.is_empty() && diff.edges_removed.is_empty() {
            return String::new();
        }
        let mut text = format!("{}\n", self.bold("dependencies"));
        for (edges, look, sign) in
            [(&diff.edges_added, GREEN, "+"), (&diff.edges_removed, RED, "-")]
        {
            for edge in edges {
                let edge = format!("{} waits for {}", edge.task, edge.depends_on);
                text.push_str(&self.line(look, sign, &clean_line(&edge)));
            }
        }
        text
    }

    fn moves(&self, diff: &DiffView) -> String {
        if diff.moves.is_empty() {
            return String::new();
        }
        let sum = spent(&diff.spent);
        let sum = if sum.is_empty() { String::new() } else { format!(" ({sum} in between)") };
        let mut text = format!("{}{sum}\n", self.bold("states"));
        text.extend(diff.moves.iter().map(|moved| self.moved(moved)));
        text
    }

    fn moved(&self, moved: &StateMove) -> String {
        let word = |state: Option<&'static str>, other: &str| {
            state.map_or_else(|| other.to_owned(), |state| state::painted(state, self.style))
        };
        let states = match (moved.from, moved.to) {
            (from, to) if from == to => word(to, "gone"),
            (from, to) => format!("{} → {}", word(from, "new"), word(to, "gone")),
        };
        let took = spent(&moved.spent);
        let took = if took.is_empty() { took } else { format!("  ({took})") };
        format!("  {}: {states}{took}\n", clean_line(&moved.id))
    }

    fn outlook(&self, diff: &DiffView) -> String {
        let (Some(before), Some(after)) = (&diff.before, &diff.after) else {
            return String::new();
        };
        let figures = figures(before, after);
        let figures = figures.iter().map(|(name, figure)| format!("  {name}: {figure}\n"));
        let mut text = format!("{}\n{}", self.bold("outlook"), figures.collect::<String>());
        if before.critical_path != after.critical_path {
            for (sign, look, of) in [("-", RED, before), ("+", GREEN, after)] {
                let path = path(&of.critical_path).join(" → ");
                let path = if path.is_empty() { "nothing to run" } else { &path };
                text.push_str(&self.line(look, sign, &clean_line(path)));
            }
        }
        text
    }

    fn faults(&self, diff: &DiffView) -> String {
        if diff.faults_new.is_empty() && diff.faults_gone.is_empty() {
            return String::new();
        }
        let mut text = format!("{}\n", self.bold("faults"));
        text.extend(diff.faults_new.iter().map(|fault| self.fault(fault, true)));
        text.extend(diff.faults_gone.iter().map(|fault| self.fault(fault, false)));
        text
    }

    fn fault(&self, fault: &FaultView, is_new: bool) -> String {
        let (look, lead) = match (is_new, fault.severity) {
            (false, _) => (GREEN, "repaired"),
            (true, "error") => (RED, "error"),
            (true, other) => (YELLOW, other),
        };
        let text = format!("{}: {} [{}]", place(fault), fault.message, fault.code);
        format!("  {} {}\n", self.style.paint(look, lead), clean_line(&text))
    }
}
