//! View → lines: pure.

use std::time::Duration;

use ratatui::{
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::{
    app::view::run::{Happened, Live, LiveWorker, RunEvent},
    domain::model::time::render_duration,
    ui::output::{
        escape::clean_line,
        run::{self, Tone},
    },
};

/// Columns of the bar over the plan.
const BAR_WIDTH: usize = 24;

/// Columns of the id of a task, where ids are long.
const ID_WIDTH_MAX: usize = 24;

/// Draws the view into at most `height` lines of `width` columns.
pub(super) fn lines(live: &Live, width: usize, height: usize) -> Vec<Line<'static>> {
    let room = height.saturating_sub(2);
    let n_shown = if live.running.len() > room { room.saturating_sub(1) } else { room };
    let id_width = live.running.iter().map(|worker| label(worker).width()).max().unwrap_or(0);
    let mut lines = vec![Line::default()];
    for worker in live.running.iter().take(n_shown) {
        lines.push(worker_line(worker, id_width.min(ID_WIDTH_MAX), width));
    }
    if let Some(n_more) = live.running.len().checked_sub(n_shown).filter(|n| *n > 0) {
        lines.push(Line::from(format!("  … and {n_more} more")).dim());
    }
    lines.push(plan_line(live, width));
    lines
}

/// Returns something that happened as lines; none for what the view itself shows.
pub(super) fn event_lines(event: &RunEvent) -> Vec<Line<'static>> {
    if matches!(event.happened, Happened::Progress { .. } | Happened::Verifying { .. }) {
        return Vec::new();
    }
    let time = run::time_of_day(&event.at);
    let line = |(tone, text): (Tone, String)| {
        let look = match tone {
            Tone::Neutral => Style::new(),
            Tone::Good => Style::new().fg(Color::Green),
            Tone::Uneasy => Style::new().fg(Color::Yellow),
            Tone::Bad => Style::new().fg(Color::Red),
        };
        Line::from(vec![
            Span::from(format!("{time} ")).dim(),
            Span::styled(clean_line(&text).into_owned(), look),
        ])
    };
    run::words(&event.happened).into_iter().map(line).collect()
}

fn label(worker: &LiveWorker) -> String {
    if worker.attempt > 1 {
        format!("{} #{}", worker.task, worker.attempt)
    } else {
        worker.task.clone()
    }
}

fn worker_line(worker: &LiveWorker, id_width: usize, width: usize) -> Line<'static> {
    let (mark, color) = match worker.stage {
        "verifying" | "landing" => ("◆", Color::Cyan),
        "stopping" => ("■", Color::Yellow),
        "stopped" | "traced" | "unkillable" => ("■", Color::Red),
        _ => ("▶", Color::Blue),
    };
    let percent = worker.progress.map_or_else(String::new, |percent| format!("{percent:>3}%"));
    let elapsed = render_duration(worker.elapsed);
    let said = worker.message.as_deref().unwrap_or(&worker.title);
    let said = if worker.stage == "running" { said } else { worker.stage };
    let said = worker.unreadable_since.as_deref().map_or_else(
        || said.to_owned(),
        |since| format!("status file unreadable since {}: {said}", run::time_of_day(since)),
    );
    let head = format!("{:<id_width$}  {elapsed:>8} {percent:>4}  ", cut(&label(worker), id_width));
    let rest = width.saturating_sub(head.width() + 3);
    Line::from(vec![
        Span::styled(format!(" {mark} "), Style::new().fg(color)),
        Span::raw(head),
        Span::raw(cut(&clean_line(&said), rest)),
    ])
}

fn plan_line(live: &Live, width: usize) -> Line<'static> {
    let n_full = (BAR_WIDTH * live.n_done).checked_div(live.n_tasks).unwrap_or(BAR_WIDTH);
    let mut parts = vec![format!("{}/{} done", live.n_done, live.n_tasks)];
    parts.push(render_duration(live.elapsed));
    if live.is_stopping {
        parts.push("stopping (Ctrl-C again kills)".to_owned());
    } else if let Some(remaining) = live.remaining.filter(|left| *left > Duration::ZERO) {
        parts.push(format!("about {} to go", render_duration(remaining)));
    }
    let counts = live.counts.iter().filter(|(state, _)| !matches!(*state, "done" | "cancelled"));
    parts.extend(counts.map(|(state, n)| format!("{n} {state}")));
    parts.extend(live.gate.map(|level| format!("gate of level {level}")));
    let tokens = live.usage.tokens();
    if tokens > 0 {
        parts.push(format!("{tokens} tokens"));
    }
    if live.usage.cost_usd > 0.0 {
        parts.push(format!("${:.2}", live.usage.cost_usd));
    }
    let bar = format!(" {}{} ", "█".repeat(n_full), "░".repeat(BAR_WIDTH - n_full));
    let rest = width.saturating_sub(BAR_WIDTH + 2);
    Line::from(vec![
        Span::styled(bar, Style::new().fg(Color::Green)),
        Span::raw(cut(&parts.join(" · "), rest)),
    ])
}

/// Cuts `text` to `width` columns, with an ellipsis where something is cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::domain::model::attempt::Usage;

    fn worker(task: &str, attempt: u32, stage: &'static str) -> LiveWorker {
        LiveWorker {
            task: task.to_owned(),
            attempt,
            title: "Rate limiting".to_owned(),
            stage,
            elapsed: Duration::from_secs(62),
            progress: (attempt > 1).then_some(40),
            message: (attempt > 1)
                .then(|| "wiring the middleware, all of it, in detail".to_owned()),
            unreadable_since: None,
        }
    }

    #[test]
    fn every_worker_has_a_line_and_the_plan_the_last_one() {
        let live = Live {
            running: vec![
                worker("API-011", 1, "running"),
                worker("API-012", 2, "running"),
                worker("DOC-1", 1, "verifying"),
                LiveWorker {
                    unreadable_since: Some("2026-11-20T10:15:00Z".to_owned()),
                    ..worker("DOC-2", 1, "stopped")
                },
            ],
            counts: vec![("running", 2), ("verifying", 1), ("ready", 4), ("done", 12)],
            n_done: 12,
            n_tasks: 19,
            elapsed: Duration::from_secs(130),
            remaining: Some(Duration::from_secs(200)),
            usage: Usage { input_tokens: 1200, ..Usage::default() },
            gate: None,
            is_stopping: false,
            ..Live::default()
        };
        let draw = |width, height| {
            let lines = lines(&live, width, height);
            lines
                .iter()
                .skip(1)
                .map(|line| format!("|{}\n", line.to_string().trim_end()))
                .collect::<String>()
        };
        expect![[r#"
            | ▶ API-011       1m 02s       Rate limiting
            | ▶ API-012 #2    1m 02s  40%  wiring the middleware, all of it, in detail
            | ◆ DOC-1         1m 02s       verifying
            | ■ DOC-2         1m 02s       status file unreadable since 10:15:00: stopped
            | ███████████████░░░░░░░░░ 12/19 done · 2m 10s · about 3m 20s to go · 2 running …
        "#]]
        .assert_eq(&draw(80, 10));
        expect![[r#"
            | ▶ API-011       1m 02s       Rate limiting
            |  … and 3 more
            | ███████████████░░░░░░░░░ 12/19 done · 2m 10s · about 3m 20…
        "#]]
        .assert_eq(&draw(60, 4));
    }
}
