//! How the plan stands, on one screen.

use anstyle::Style as Look;

use super::{
    Style,
    escape::clean_line,
    explain::unreadable,
    figures::{bar, counted, cut, length, moment, percent, tokens},
    landing::obstacle,
    state,
    table::{self, Cell, Column},
};
use crate::app::view::{
    explain::LandingWait,
    status::{ApprovalView, Group, Need, StatusView},
};

/// Columns of the bar over the whole plan.
const BAR_COLUMNS: usize = 30;

/// Columns of the bar of one group.
const GROUP_BAR_COLUMNS: usize = 12;

/// Most needs that are told one by one.
const NEEDS_MAX: usize = 20;

/// Renders the status. With a `width`, long lines are cut to fit.
pub fn render(status: &StatusView, width: Option<usize>, style: Style) -> String {
    let mut parts = vec![overview(status, style)];
    parts.extend(status.approval.map(|found| approval(found, style)));
    if !status.running.is_empty() {
        parts.push(running(status, width, style));
    }
    if !status.needs.is_empty() {
        parts.push(needs(status, width, style));
    }
    for (title, groups) in [
        ("MILESTONE", &status.milestones),
        ("ROLE", &status.roles),
        ("WORKSTREAM", &status.workstreams),
    ] {
        if !groups.is_empty() {
            parts.push(group_table(title, groups, width, style));
        }
    }
    if !status.levels.is_empty() {
        parts.push(levels(status, width, style));
    }
    parts.push(figures(status));
    parts.join("\n")
}

fn approval(found: ApprovalView, style: Style) -> String {
    let what = match found {
        ApprovalView { is_all: true, .. } => {
            "nothing of this plan is started before you approve it".to_owned()
        }
        ApprovalView { n_waiting: 1, .. } => "1 part of the plan waits for approval".to_owned(),
        ApprovalView { n_waiting, .. } => {
            format!("{n_waiting} parts of the plan wait for approval")
        }
    };
    format!("{}: `orch trust` shows what would be executed, and asks\n", bold(style, &what))
}

fn bold(style: Style, text: &str) -> String {
    style.paint(Look::new().bold(), text)
}

fn overview(status: &StatusView, style: Style) -> String {
    let (n_done, n_tasks) = (status.n_done, status.n_tasks);
    let bar =
        style.paint(anstyle::AnsiColor::Green.on_default(), &bar(n_done, n_tasks, BAR_COLUMNS));
    let share = percent(n_done, n_tasks);
    let counts: Vec<String> = status
        .states
        .iter()
        .map(|count| {
            style.paint(state::look(count.state), &format!("{} {}", count.n_tasks, count.state))
        })
        .collect();
    let coordinator = match &status.coordinator {
        Some(at_work) => format!(
            "a coordinator is at work: process {} on {} since {}",
            at_work.pid,
            clean_line(&at_work.host),
            moment(&clean_line(&at_work.started))
        ),
        None => "no coordinator is at work".to_owned(),
    };
    format!(
        "{bar} {share}%  {n_done} of {} done\n{}\n{coordinator}\n",
        counted(n_tasks, "task"),
        counts.join(" · ")
    )
}

fn column(head: &'static str, may_be_cut: bool) -> Column {
    Column { head, may_be_cut }
}

fn running(status: &StatusView, width: Option<usize>, style: Style) -> String {
    let table = [
        column("RUNS", false),
        column("ID", false),
        column("TITLE", true),
        column("FOR", false),
        column("DONE", false),
        column("MESSAGE", true),
    ];
    let rows: Vec<Vec<Cell>> = status
        .running
        .iter()
        .map(|running| {
            let share = running.progress.map(|percent| format!("{percent}%"));
            vec![
                match running.standstill {
                    Some(standstill) => Cell::painted(standstill, state::look("failed")),
                    None => Cell::painted(running.state, state::look(running.state)),
                },
                Cell::new(&running.id),
                Cell::new(&running.title),
                Cell::new(&length(running.elapsed_seconds)),
                Cell::new(&share.unwrap_or_default()),
                match (&running.waits, &running.unreadable_report) {
                    (Some(LandingWait { what, files, .. }), _) => {
                        let obstacle = obstacle(what, files);
                        Cell::painted(&clean_line(&obstacle), state::look("review"))
                    }
                    (None, Some(report)) => {
                        Cell::painted(&unreadable(report), state::look("failed"))
                    }
                    (None, None) => Cell::new(running.message.as_deref().unwrap_or_default()),
                },
            ]
        })
        .collect();
    table::render(&table, &rows, width, style)
}

fn needs(status: &StatusView, width: Option<usize>, style: Style) -> String {
    let mut lines = vec![bold(style, "needs a person")];
    for need in status.needs.iter().take(NEEDS_MAX) {
        push_need(&mut lines, need, width, style);
    }
    if let Some(n_more @ 1..) = status.needs.len().checked_sub(NEEDS_MAX) {
        lines.push(format!("  and {n_more} more: `orch list --state failed,review,blocked`"));
    }
    lines.join("\n") + "\n"
}

fn push_need(lines: &mut Vec<String>, need: &Need, width: Option<usize>, style: Style) {
    let subject = need.id.as_deref().unwrap_or(&need.title);
    let text = format!("{} {}", clean_line(subject), clean_line(&need.sentence));
    let text = width.map_or(text.clone(), |width| cut(&text, width.saturating_sub(4)));
    let sign = style.paint(state::look(need.state), state::sign(need.state));
    lines.push(format!("  {sign} {text}"));
    let waits = match need.n_downstream {
        Some(1) => "1 task waits for it: ".to_owned(),
        Some(n @ 2..) => format!("{n} tasks wait for it: "),
        Some(0) | None => String::new(),
    };
    lines.push(format!("    {waits}{}", clean_line(&need.help)));
}

fn group_table(
    title: &'static str,
    groups: &[Group],
    width: Option<usize>,
    style: Style,
) -> String {
    let mut table = vec![
        column(title, true),
        column("PROGRESS", false),
        column("DONE", false),
        column("RUNNING", false),
        column("STUCK", false),
        column("REACHED", false),
    ];
    let has_used = groups.iter().any(|group| group.tokens > 0 || group.cost_usd > 0.0);
    if has_used {
        table.extend([column("TOKENS", false), column("COST", false)]);
    }
    let some = |n: usize| if n == 0 { String::new() } else { n.to_string() };
    let rows: Vec<Vec<Cell>> = groups
        .iter()
        .map(|group| {
            let mut row = vec![
                Cell::new(&group.name),
                Cell::new(&bar(group.n_done, group.n_tasks, GROUP_BAR_COLUMNS)),
                Cell::new(&format!("{}/{}", group.n_done, group.n_tasks)),
                Cell::painted(&some(group.n_running), state::look("running")),
                Cell::painted(&some(group.n_stuck), state::look("failed")),
                Cell::new(&group.reached.as_deref().map(moment).unwrap_or_default()),
            ];
            if has_used {
                row.push(Cell::new(&tokens(group.tokens)));
                row.push(Cell::new(&format!("${:.2}", group.cost_usd)));
            }
            row
        })
        .collect();
    table::render(&table, &rows, width, style)
}

fn levels(status: &StatusView, width: Option<usize>, style: Style) -> String {
    let table = [
        column("LEVEL", false),
        column("PROGRESS", false),
        column("DONE", false),
        column("GATE", false),
    ];
    let rows: Vec<Vec<Cell>> = status
        .levels
        .iter()
        .map(|level| {
            let look = match level.gate {
                Some("passed") => state::look("done"),
                Some("failed") => state::look("failed"),
                Some("running") => state::look("running"),
                Some(_) | None => Look::new(),
            };
            vec![
                Cell::new(&level.level.to_string()),
                Cell::new(&bar(level.n_done, level.n_tasks, GROUP_BAR_COLUMNS)),
                Cell::new(&format!("{}/{}", level.n_done, level.n_tasks)),
                Cell::painted(level.gate.unwrap_or_default(), look),
            ]
        })
        .collect();
    table::render(&table, &rows, width, style)
}

/// Tells what was spent and what is to come, one a line.
pub(super) fn figures(status: &StatusView) -> String {
    let crashes = match status.n_crashes {
        0 => String::new(),
        n => format!(" ({n} crashed)"),
    };
    let mut spent = vec![
        counted(status.n_attempts, "attempt") + &crashes,
        format!("{} of work", length(status.worker_seconds)),
    ];
    if status.tokens > 0 {
        spent.push(format!("{} tokens", tokens(status.tokens)));
    }
    if status.cost_usd > 0.0 {
        spent.push(format!("${:.2}", status.cost_usd));
    }
    let mut lines = Vec::new();
    if status.n_attempts > 0 {
        lines.push(format!("spent: {}", spent.join(", ")));
    }
    if status.n_to_run > 0 {
        lines.push(format!(
            "forecast: {} in {} with {} (`orch plan` shows when)",
            counted(status.n_to_run, "more task"),
            length(status.end_seconds),
            counted(status.max_workers as usize, "worker")
        ));
    } else if status.n_done == status.n_tasks {
        lines.push("all tasks are done".to_owned());
    } else {
        lines.push("nothing can start by itself now".to_owned());
    }
    lines.join("\n") + "\n"
}
