//! What will not go together, one line each.

use super::{Style, escape::clean_line, figures::counted};
use crate::app::view::conflicts::{Conflict, ConflictKind, ConflictsView};

/// Most files that are named of one conflict.
const NAMED_FILES_MAX: usize = 8;

/// Renders what was found; what to do about it stands below each line.
pub fn render(found: &ConflictsView, style: Style) -> String {
    let mut lines = Vec::new();
    for conflict in &found.conflicts {
        lines.push(line(conflict, found.branch.as_deref().unwrap_or_default(), style));
        lines.push(format!("    = help: {}", clean_line(&conflict.help)));
    }
    if found.has_more {
        lines.push("and more, which are left out".to_owned());
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(last_line(found));
    lines.join("\n") + "\n"
}

fn line(conflict: &Conflict, branch: &str, style: Style) -> String {
    let look = anstyle::AnsiColor::Yellow.on_default().bold();
    let names: Vec<String> =
        conflict.tasks.iter().map(|id| style.paint(look, &clean_line(id))).collect();
    let names = names.join(" and ");
    let what = match conflict.kind {
        ConflictKind::Landing => format!("does not merge with {}", clean_line(branch)),
        ConflictKind::Merge => "do not merge".to_owned(),
        ConflictKind::Files => "may touch the same files".to_owned(),
    };
    let shown = conflict.files.iter().take(NAMED_FILES_MAX).map(|file| clean_line(file));
    let files = shown.collect::<Vec<_>>().join(", ");
    let more = match conflict.files.len().saturating_sub(NAMED_FILES_MAX) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{names} {what}: {files}{more}")
}

fn last_line(found: &ConflictsView) -> String {
    let looked_at = match &found.branch {
        Some(branch) => {
            let branches = match found.n_branches {
                1 => "1 branch of a task".to_owned(),
                n => format!("{n} branches of tasks"),
            };
            format!("{branches}, {}, {}", clean_line(branch), counted(found.n_ready, "ready task"))
        }
        None => counted(found.n_ready, "ready task"),
    };
    match found.conflicts.len() {
        0 => format!("no conflicts ahead: {looked_at}"),
        n => format!("{} ahead: {looked_at}", counted(n, "conflict")),
    }
}
