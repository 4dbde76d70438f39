//! The end of a run → a few lines.

use anstyle::{AnsiColor, Style as Look};

use super::{
    Style,
    escape::clean_line,
    run::{Tone, seconds},
};
use crate::app::view::run::{Summary, Unfinished};

/// Unfinished tasks of one kind that the summary names.
const UNFINISHED_MAX: usize = 20;

/// Returns the end of a run: what is done, what is not, why, and what it used.
pub fn render(summary: &Summary, style: Style) -> String {
    let mut lines = vec![String::new()];
    for (word, tone, tasks) in [
        ("failed", Tone::Bad, &summary.failed),
        ("review", Tone::Uneasy, &summary.review),
        ("blocked", Tone::Uneasy, &summary.blocked),
    ] {
        let look = tone.color().map_or_else(Look::new, AnsiColor::on_default);
        lines.extend(
            tasks.iter().take(UNFINISHED_MAX).flat_map(|task| unfinished(word, look, task, style)),
        );
        if let Some(n_more) = tasks.len().checked_sub(UNFINISHED_MAX).filter(|n| *n > 0) {
            lines.push(format!("{word:<8} … and {n_more} more (`orch status`)"));
        }
    }
    let tone = match summary.verdict.as_str() {
        "done" => Tone::Good,
        "stopped" | "left" => Tone::Uneasy,
        _ => Tone::Bad,
    };
    let look = tone.color().map_or_else(Look::new, AnsiColor::on_default).bold();
    let mut parts = vec![format!("{} of {} tasks done", summary.n_done, summary.n_tasks)];
    for (n, word) in [
        (summary.failed.len(), "failed"),
        (summary.review.len(), "to review"),
        (summary.blocked.len(), "blocked"),
        (summary.kept_back, "on hold or draft"),
        (summary.left, "left"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    let attempts = if summary.n_attempts == 1 { "attempt" } else { "attempts" };
    parts.push(format!("{} {attempts} in {}", summary.n_attempts, seconds(summary.seconds)));
    if summary.tokens > 0 {
        parts.push(format!("{} tokens", summary.tokens));
    }
    if summary.cost_usd > 0.0 {
        parts.push(format!("${:.2}", summary.cost_usd));
    }
    lines.push(format!("{}: {}", style.paint(look, &summary.verdict), parts.join(" · ")));
    match summary.verdict.as_str() {
        "stopped" => lines.push("`orch run` goes on from here".to_owned()),
        "left" if summary.n_running > 0 => lines.push(format!(
            "{} on: `orch run` takes up what runs, `orch stop` stops it",
            if summary.n_running == 1 { "1 worker goes" } else { "the workers go" }
        )),
        "left" => lines.push("nothing runs; `orch run` goes on from here".to_owned()),
        _ => {}
    }
    lines.join("\n") + "\n"
}

fn unfinished(word: &str, look: Look, task: &Unfinished, style: Style) -> Vec<String> {
    let word = style.paint(look, &format!("{word:<8}"));
    let mut lines = vec![format!("{word} {}: {}", task.task, clean_line(&task.why))];
    if !task.help.is_empty() {
        lines.push(format!("           = help: {}", clean_line(&task.help)));
    }
    lines
}
