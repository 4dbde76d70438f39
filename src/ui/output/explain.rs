//! Why a task is where it is, in sentences.

use anstyle::Style as Look;

use super::{
    Style,
    escape::clean_line,
    figures::{counted, length, moment},
    landing::obstacle,
    state,
};
use crate::app::view::explain::{Cause, Explanation, LandingWait, Running, UnreadableReport, Why};

/// Most tasks of a chain that are named between its two ends.
const CHAIN_MAX: usize = 4;

/// Renders an explanation.
pub fn render(told: &Explanation, style: Style) -> String {
    let bold = |text: &str| style.paint(Look::new().bold(), &clean_line(text));
    let mut lines = vec![
        format!("{}  {}", bold(&told.id), bold(&told.title)),
        state::signed(told.state, style),
    ];
    if let Some(running) = &told.running {
        lines.push(String::new());
        lines.extend(running_lines(running));
    }
    for why in told.reasons.iter().filter(|why| !is_told_below(told, why)) {
        lines.push(String::new());
        push_why(&mut lines, &format!("`{}`", told.id), why, style);
    }
    if !told.causes.is_empty() {
        lines.push(String::new());
        lines.push(bold("At the bottom of it:"));
        for cause in &told.causes {
            push_cause(&mut lines, &told.id, cause, style);
        }
        if told.n_more_causes > 0 {
            lines.push(format!("  and {} more", told.n_more_causes));
        }
    }
    let notes = notes(told);
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    lines.join("\n") + "\n"
}

/// Says whether the part on running attempts or on causes tells of this reason, too.
fn is_told_below(told: &Explanation, why: &Why) -> bool {
    let is_in_chain = |id: &String| {
        told.causes.iter().any(|cause| cause.id == *id || cause.through.first() == Some(id))
    };
    told.running.is_some() || why.task.as_ref().is_some_and(is_in_chain)
}

/// Tells what an attempt does that is being carried out.
pub fn running_lines(running: &Running) -> Vec<String> {
    let (number, time) = (running.attempt, length(running.elapsed_seconds));
    let since = moment(&running.started);
    let mut lines = vec![match &running.waits {
        None => format!("attempt {number} runs for {time} (since {since})"),
        Some(_) => format!("attempt {number} began {time} ago ({since}), and its work is verified"),
    }];
    if let Some(LandingWait { what, files, since }) = &running.waits {
        let obstacle = obstacle(what, files);
        let line = format!("it waits to land since {}: {obstacle}", moment(since));
        lines.push(clean_line(&line).into_owned());
    }
    let percent = running.progress.map(|percent| format!("{percent}%"));
    let message = running.message.as_deref().map(|message| clean_line(message).into_owned());
    let said: Vec<String> = [percent, message].into_iter().flatten().collect();
    if !said.is_empty() {
        lines.push(format!("progress: {}", said.join(" ")));
    }
    if let Some(standstill) = running.standstill {
        lines.push(format!("its process stands still: it is {standstill}"));
    }
    lines.extend(running.unreadable_report.as_ref().map(unreadable));
    lines.push(format!("log: {} (`orch logs {} -f` follows it)", running.log, running.id));
    lines
}

/// Tells of a status file that cannot be read.
pub(super) fn unreadable(report: &UnreadableReport) -> String {
    let UnreadableReport { path, since, why } = report;
    let since = since.as_deref().map_or_else(String::new, |at| format!(" since {}", moment(at)));
    format!("status file: unreadable{since}: {}: {}", clean_line(path), clean_line(why))
}

fn push_why(lines: &mut Vec<String>, subject: &str, why: &Why, style: Style) {
    lines.push(format!("{subject} {}", clean_line(&why.sentence)));
    if !why.help.is_empty() {
        let help = style.paint(Look::new().bold(), "help");
        lines.push(format!("  = {help}: {}", clean_line(&why.help)));
    }
}

/// Tells a chain as one sentence: "`C` waits for `B`, which waits for `A`, which failed …".
fn push_cause(lines: &mut Vec<String>, id: &str, cause: &Cause, style: Style) {
    let n = cause.through.len();
    let skipped = n.saturating_sub(CHAIN_MAX);
    let named = cause.through.iter().take(n.min(CHAIN_MAX));
    let mut parts: Vec<String> = named.map(|id| format!("waits for `{id}`")).collect();
    if skipped > 0 {
        parts.push(format!("waits through {} for `{}`", counted(skipped, "more task"), cause.id));
    } else {
        parts.push(format!("waits for `{}`", cause.id));
    }
    let subject = format!("  `{id}` {}, which", parts.join(", which "));
    let mut told = Vec::new();
    push_why(&mut told, &subject, &cause.why, style);
    let indented = told.into_iter().enumerate();
    lines.extend(indented.map(|(at, line)| if at == 0 { line } else { format!("  {line}") }));
}

fn notes(told: &Explanation) -> Vec<String> {
    let mut notes = Vec::new();
    let is_settled = matches!(told.state, "done" | "cancelled");
    if told.n_downstream > 0 && !is_settled {
        let verb = if told.n_downstream == 1 { "waits" } else { "wait" };
        notes.push(format!("{} {verb} for `{}`", counted(told.n_downstream, "task"), told.id));
    }
    if !told.has_coordinator && !is_settled {
        notes.push("no coordinator is at work: nothing starts before `orch run`".to_owned());
    }
    notes
}
