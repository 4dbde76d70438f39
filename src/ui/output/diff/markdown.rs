//! The difference of two plans as markdown, for a comment on a pull request.

mod picture;

use super::{counts, end_name, figures, path, place, spent};
use crate::{
    app::view::{
        change::{FaultView, FieldChange, ItemChange},
        diff::{DiffView, ExecutedChange, StateMove},
        graph::GraphEdge,
    },
    ui::output::{
        figures::{counted, grouped},
        markdown::{BYTES_MAX, Fold, Page, VALUE_MAX, code, value},
    },
};

/// Characters of a value that are shown of what would be executed.
const EXECUTED_VALUE_MAX: usize = 2_000;

/// Items of a list in one line.
const ITEMS_MAX: usize = 8;

/// Renders what is different; nothing where nothing is.
pub fn render(diff: &DiffView) -> String {
    render_within(diff, BYTES_MAX)
}

/// As [`render`], in at most so many bytes.
pub fn render_within(diff: &DiffView, most: usize) -> String {
    if !diff.is_changed {
        return String::new();
    }
    let mut page = Page::within(most);
    page.text(&format!(
        "**Plan** from {} to {}: {}\n",
        code(&end_name(&diff.from), VALUE_MAX),
        code(&end_name(&diff.to), VALUE_MAX),
        counts(diff).join(" · ")
    ));
    let executed: Vec<String> = diff.executed.iter().flat_map(executed).collect();
    let n_files = counted(diff.executed.len(), "file");
    page.list(&format!("⚠️ What is executed changes in {n_files}"), &executed, Fold::Never);
    let settings = diff.settings.iter().map(|of| format!("- changed settings: {}", field(of)));
    let roles = diff.roles.iter().map(|role| item("role ", role));
    page.list("Settings and roles", &settings.chain(roles).collect::<Vec<_>>(), Fold::WhereLong);
    let tasks: Vec<String> = diff.tasks.iter().map(|task| item("", task)).collect();
    page.list("Tasks", &tasks, Fold::WhereLong);
    page.list("Dependencies", &edges(diff), Fold::WhereLong);
    let sum = spent(&diff.spent);
    let title = if sum.is_empty() { "States".to_owned() } else { format!("States ({sum})") };
    page.list(&title, &diff.moves.iter().map(moved).collect::<Vec<_>>(), Fold::WhereLong);
    page.text(&outlook(diff));
    let new = diff.faults_new.iter().map(|of| format!("- **{}** {}", of.severity, fault(of)));
    let gone = diff.faults_gone.iter().map(|of| format!("- repaired: {}", fault(of)));
    page.list("Faults", &new.chain(gone).collect::<Vec<_>>(), Fold::WhereLong);
    page.text(&picture::render(&diff.graph));
    page.whole()
}

fn executed(told: &ExecutedChange) -> Vec<String> {
    let id = told.id.as_deref().map_or_else(String::new, |id| format!(" {}", value(id)));
    let fate = match told.change {
        "changed" => String::new(),
        other => format!("{other} "),
    };
    let mut lines = vec![format!("- {fate}{}{id} in {}", told.what, value(&told.path))];
    for field in &told.fields {
        let line = |sign: &str, text: &str| {
            format!(
                "  - {}{sign} {}",
                code(&field.field, VALUE_MAX),
                code(text, EXECUTED_VALUE_MAX)
            )
        };
        let n_before = lines.len();
        match (&field.from, &field.to) {
            (Some(from), Some(to)) => {
                let to = code(to, EXECUTED_VALUE_MAX);
                lines.push(format!("{} → {to}", line("", from)));
            }
            (Some(from), None) => lines.push(line(" −", from)),
            (None, Some(to)) => lines.push(line(" +", to)),
            (None, None) => {}
        }
        lines.extend(field.removed.iter().map(|gone| line(" −", gone)));
        lines.extend(field.added.iter().map(|new| line(" +", new)));
        lines.extend(field.changed.iter().map(|name| line(": another value of", name)));
        if lines.len() == n_before {
            lines.push(format!("  - {} in another order", value(&field.field)));
        }
    }
    lines
}

fn field(field: &FieldChange) -> String {
    let name = value(&field.field);
    match (&field.from, &field.to) {
        (Some(from), Some(to)) => return format!("{name} {} → {}", value(from), value(to)),
        (None, Some(to)) => return format!("{name} + {}", value(to)),
        (Some(from), None) => return format!("{name} − {}", value(from)),
        (None, None) => {}
    }
    let mut words = vec![name];
    for (sign, items) in [("+", &field.added), ("−", &field.removed), ("~", &field.changed)] {
        words.extend(items.iter().take(ITEMS_MAX).map(|item| format!("{sign} {}", value(item))));
        let n_more = items.len().saturating_sub(ITEMS_MAX);
        words.extend((n_more > 0).then(|| format!("{sign} {} more", grouped(n_more))));
    }
    if words.len() == 1 && field.field != "body" {
        words.push("in another order".to_owned());
    }
    words.join(" ")
}

fn item(kind: &str, item: &ItemChange) -> String {
    let fields: Vec<String> = item.fields.iter().map(field).collect();
    let fields = fields.join(" · ");
    let (change, id) = (item.change, value(&item.id));
    match (item.change, &item.was) {
        ("renamed", Some(was)) => {
            let separator = if fields.is_empty() { "" } else { ": " };
            format!("- renamed {kind}{} to {id}{separator}{fields}", value(was))
        }
        ("changed", _) => format!("- changed {kind}{id}: {fields}"),
        _ => {
            let title = item.title.as_deref().map(value);
            let title = title.map_or_else(String::new, |title| format!(" {title}"));
            format!("- {change} {kind}{id}{title}")
        }
    }
}

fn edges(diff: &DiffView) -> Vec<String> {
    let line = |edge: &GraphEdge, word: &str| {
        format!("- {} {word} waits for {}", value(&edge.task), value(&edge.depends_on))
    };
    let added = diff.edges_added.iter().map(|edge| line(edge, "now"));
    added.chain(diff.edges_removed.iter().map(|edge| line(edge, "no longer"))).collect()
}

fn moved(moved: &StateMove) -> String {
    let (from, to) = (moved.from.unwrap_or("new"), moved.to.unwrap_or("gone"));
    let states = if from == to { to.to_owned() } else { format!("{from} → {to}") };
    let took = spent(&moved.spent);
    let took = if took.is_empty() { took } else { format!(" ({took})") };
    format!("- {}: {states}{took}", value(&moved.id))
}

fn outlook(diff: &DiffView) -> String {
    let (Some(before), Some(after)) = (&diff.before, &diff.after) else {
        return String::new();
    };
    let mut text = "\n#### Outlook\n\n".to_owned();
    for (name, figure) in figures(before, after) {
        text = format!("{text}- {name}: {figure}\n");
    }
    if before.critical_path != after.critical_path {
        let named = |tasks: &[String]| {
            let names = path(tasks).into_iter();
            let names: Vec<String> = names.map(|name| value(&name)).collect();
            if names.is_empty() { "nothing to run".to_owned() } else { names.join(" → ") }
        };
        text = format!(
            "{text}- critical path before: {}\n- critical path after: {}\n",
            named(&before.critical_path),
            named(&after.critical_path)
        );
    }
    text
}

fn fault(fault: &FaultView) -> String {
    format!("{}: {} ({})", value(&place(fault)), code(&fault.message, 400), fault.code)
}

#[cfg(test)]
mod tests;
