//! What was found around `orch`, one line each.

use anstyle::{AnsiColor, Style as Look};

use super::{Style, escape::clean_line, figures::counted};
use crate::app::view::doctor::{Check, Verdict};

/// Columns of the longest verdict.
const VERDICT_COLUMNS: usize = 7;

/// Renders what was found; each remedy stands below its line.
pub fn render(checks: &[Check], style: Style) -> String {
    let columns = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        lines.push(line(check, columns, style));
        lines.extend(check.help.iter().map(|help| format!("    = help: {}", clean_line(help))));
    }
    let n_with = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let errors = counted(n_with(Verdict::Error), "error");
    let warnings = counted(n_with(Verdict::Warning), "warning");
    lines.push(format!("\n{}: {errors}, {warnings}", counted(checks.len(), "check")));
    lines.join("\n") + "\n"
}

fn line(check: &Check, columns: usize, style: Style) -> String {
    let verdict = check.verdict.as_str();
    let blanks = " ".repeat(VERDICT_COLUMNS.saturating_sub(verdict.len()));
    let verdict = style.paint(look(check.verdict), verdict);
    format!("{verdict}{blanks}  {:columns$}  {}", check.name, clean_line(&check.message))
}

fn look(verdict: Verdict) -> Look {
    match verdict {
        Verdict::Ok => AnsiColor::Green.on_default(),
        Verdict::Warning => AnsiColor::Yellow.on_default().bold(),
        Verdict::Error => AnsiColor::Red.on_default().bold(),
    }
}
