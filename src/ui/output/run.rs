//! What happens in a run → one line each; its summary → a few lines.

use std::time::Duration;

use anstyle::{AnsiColor, Style as Look};

use super::{Style, escape::clean_line, figures::counted};
use crate::{
    app::view::run::{Happened, RunEvent, Summary, Unfinished},
    domain::model::time::render_duration,
};

/// Unfinished tasks of one kind that the summary names.
const UNFINISHED_MAX: usize = 20;

/// What a line is about; decides its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It goes on.
    Neutral,
    /// Something was achieved.
    Good,
    /// Something needs attention, later.
    Uneasy,
    /// Something failed.
    Bad,
}

impl Tone {
    /// Returns the color.
    pub fn color(self) -> Option<AnsiColor> {
        match self {
            Self::Neutral => None,
            Self::Good => Some(AnsiColor::Green),
            Self::Uneasy => Some(AnsiColor::Yellow),
            Self::Bad => Some(AnsiColor::Red),
        }
    }
}

/// Returns the line for something that happened, with the time of day; `None` for what is told
/// elsewhere.
pub fn line(event: &RunEvent, style: Style) -> Option<String> {
    let (tone, text) = words(&event.happened)?;
    let look = tone.color().map_or_else(Look::new, AnsiColor::on_default);
    let time = style.paint(Look::new().dimmed(), time_of_day(&event.at));
    Some(format!("{time} {}", style.paint(look, &clean_line(&text))))
}

/// Returns hours, minutes and seconds of an RFC 3339 timestamp.
pub fn time_of_day(at: &str) -> &str {
    at.get(11..19).unwrap_or(at)
}

fn seconds(seconds: f64) -> String {
    render_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Returns an attempt as it is named in lines: only retries have a number.
fn name(task: &str, attempt: u32) -> String {
    if attempt > 1 { format!("{task} #{attempt}") } else { task.to_owned() }
}

/// Returns something that happened in words.
pub fn words(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::RunStarted { n_tasks, n_open, max_workers } => (
            Tone::Neutral,
            format!("run: {n_open} of {n_tasks} tasks to do, up to {max_workers} at once"),
        ),
        Happened::LeftoversStopped { attempts, n_processes, survivors } => {
            leftovers(attempts, *n_processes, survivors)
        }
        Happened::Started { task, attempt, title } => {
            let title = if title == task { String::new() } else { format!(": {title}") };
            (Tone::Neutral, format!("start     {}{title}", name(task, *attempt)))
        }
        Happened::Progress { task, attempt, state, progress, message } => {
            let percent = progress.map_or_else(String::new, |percent| format!(" {percent}%"));
            let said = message.as_ref().map_or_else(String::new, |said| format!(": {said}"));
            (Tone::Neutral, format!("report    {} {state}{percent}{said}", name(task, *attempt)))
        }
        Happened::Verifying { task, attempt } => {
            (Tone::Neutral, format!("verify    {}", name(task, *attempt)))
        }
        Happened::Stopping { task, attempt, why, is_kill } => {
            let verb = if *is_kill { "kill     " } else { "stop     " };
            (Tone::Uneasy, format!("{verb} {}: {why}", name(task, *attempt)))
        }
        Happened::Ended { task, attempt, outcome, reason, seconds: took, retry_in } => {
            ended(&name(task, *attempt), outcome, reason, *took, *retry_in)
        }
        Happened::GaveUp { task, n_failed, n_blocked } => {
            let times = if *n_failed == 1 {
                "1 attempt".to_owned()
            } else {
                format!("{n_failed} attempts")
            };
            let blocks = match n_blocked {
                0 => String::new(),
                1 => "; 1 task waits for it".to_owned(),
                n => format!("; {n} tasks wait for it"),
            };
            (Tone::Bad, format!("give up   {task} after {times}{blocks}"))
        }
        Happened::GateStarted { level } => {
            (Tone::Neutral, format!("gate      after level {level}"))
        }
        Happened::GateEnded { level, opens, is_passed, reason } => match (is_passed, opens) {
            (true, _) => (Tone::Good, format!("gate      after level {level} passed")),
            (false, true) => (
                Tone::Uneasy,
                format!("gate      after level {level} failed, but is advisory: {reason}"),
            ),
            (false, false) => {
                (Tone::Bad, format!("gate      after level {level} failed: {reason}"))
            }
        },
        Happened::StopAsked { n_running, is_kill } => {
            let what = if *is_kill { "killing" } else { "stopping" };
            let more = if *is_kill { "" } else { " (Ctrl-C again kills them)" };
            (
                Tone::Uneasy,
                format!("stop      {what} {}{more}", counted(*n_running, "running worker")),
            )
        }
        Happened::PlanChanged(_)
        | Happened::FaultsChanged { .. }
        | Happened::RemovedWhileRunning { .. }
        | Happened::BecameStale { .. }
        | Happened::NotApplied { .. }
        | Happened::Watching { .. }
        | Happened::HeadMoved { .. }
        | Happened::Held { .. }
        | Happened::Released
        | Happened::Left { .. }
        | Happened::CoordinatorChanged { .. }
        | Happened::LookStarted { .. }
        | Happened::RunEnded(_) => return None,
    })
}

fn leftovers(attempts: &[String], n_processes: usize, survivors: &[u32]) -> (Tone, String) {
    let attempts = attempts.join(", ");
    let stopped = match n_processes {
        0 => "none of their processes was alive".to_owned(),
        1 => "1 process was stopped".to_owned(),
        n => format!("{n} processes were stopped"),
    };
    let text = format!("recover   {attempts} had no ending: {stopped}, they start again");
    if survivors.is_empty() {
        (Tone::Uneasy, text)
    } else {
        let pids: Vec<String> = survivors.iter().map(ToString::to_string).collect();
        (Tone::Bad, format!("{text}; could not be stopped: process {}", pids.join(", ")))
    }
}

fn ended(
    name: &str,
    outcome: &str,
    reason: &str,
    took: f64,
    retry_in: Option<f64>,
) -> (Tone, String) {
    let took = seconds(took);
    match outcome {
        "succeeded" => (Tone::Good, format!("done      {name} in {took}")),
        "review" => (Tone::Uneasy, format!("review    {name} in {took}: {reason}")),
        "failed" => {
            let again = retry_in
                .map_or_else(String::new, |wait| format!(" · next attempt in {}", seconds(wait)));
            (Tone::Bad, format!("fail      {name} in {took}: {reason}{again}"))
        }
        other => (Tone::Uneasy, format!("{other:<9} {name} in {took}: {reason}")),
    }
}

/// Returns the end of a run: what is done, what is not, why, and what it used.
pub fn summary(summary: &Summary, style: Style) -> String {
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
        "stopped" => Tone::Uneasy,
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
    if summary.verdict == "stopped" {
        lines.push("`orch run` goes on from here".to_owned());
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
