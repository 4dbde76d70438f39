//! A dry run: waves, the critical path, the forecast, and what is left out.

use anstyle::Style as Look;

use super::{
    Style,
    escape::clean_line,
    figures::{counted, length},
    state,
    table::{self, Cell, Column},
};
use crate::app::view::plan::{PlanView, PlannedTask, Wave};

/// Most tasks of the critical path that are named.
const CRITICAL_MAX: usize = 12;

/// Renders a dry run. With a `width`, long titles are cut to fit.
pub fn render(plan: &PlanView, width: Option<usize>, style: Style) -> String {
    let mut parts = vec![head(plan, style)];
    parts.extend(plan.waves.iter().map(|wave| wave_text(wave, width, style)));
    if plan.n_to_run > 0 {
        parts.push(forecast(plan, style));
    }
    if !plan.not_run.is_empty() {
        parts.push(not_run(plan, width, style));
    }
    parts.join("\n")
}

fn bold(style: Style, text: &str) -> String {
    style.paint(Look::new().bold(), text)
}

fn head(plan: &PlanView, style: Style) -> String {
    let to_run = match plan.n_to_run {
        0 => "nothing to run".to_owned(),
        n => format!("{} to run in {}", counted(n, "task"), counted(plan.waves.len(), "wave")),
    };
    let n_done = plan.n_done;
    let n_tasks = counted(plan.n_tasks, "task");
    format!("{} ({n_done} of {n_tasks} done; dry run, nothing is started)\n", bold(style, &to_run))
}

fn wave_text(wave: &Wave, width: Option<usize>, style: Style) -> String {
    let column = |head, may_be_cut| Column { head, may_be_cut };
    let table = [
        column("START", false),
        column("END", false),
        column("WORKER", false),
        column("ID", false),
        column("TITLE", true),
        column("", false),
    ];
    let row = |task: &PlannedTask| {
        let now = if task.state == "running" { "runs" } else { "now" };
        let start =
            if task.start_seconds > 0.0 { length(task.start_seconds) } else { now.to_owned() };
        let critical = if task.is_critical { "critical" } else { "" };
        let look = if task.is_critical { Look::new().bold() } else { Look::new() };
        vec![
            Cell::new(&start),
            Cell::new(&length(task.end_seconds)),
            Cell::new(&task.worker.to_string()),
            Cell::painted(&task.id, look),
            Cell::new(&task.title),
            Cell::painted(critical, anstyle::AnsiColor::Yellow.on_default()),
        ]
    };
    let rows: Vec<Vec<Cell>> = wave.tasks.iter().map(row).collect();
    let title = format!("wave {}: {}", wave.number, counted(rows.len(), "task"));
    format!("{}\n{}", bold(style, &title), table::render(&table, &rows, width, style))
}

fn forecast(plan: &PlanView, style: Style) -> String {
    let workers = |n: u32| counted(n as usize, "worker");
    let idle = match plan.n_workers_used {
        n if n < plan.max_workers as usize => format!(" (never more than {n} busy at once)"),
        _ => String::new(),
    };
    let mut lines = vec![format!(
        "{}: all done in {} with {}{idle}",
        bold(style, "forecast"),
        length(plan.end_seconds),
        workers(plan.max_workers)
    )];
    if plan.max_workers != 1 {
        lines.push(format!("  with 1 worker: {}", length(plan.end_seconds_one_worker)));
    }
    let floor = length(plan.critical_path_seconds);
    lines.push(format!("  however many workers: {floor} at least, along the critical path"));
    let named = plan.critical_path.iter().take(CRITICAL_MAX).map(String::as_str);
    let mut path = named.collect::<Vec<_>>().join(" → ");
    if let Some(n_more @ 1..) = plan.critical_path.len().checked_sub(CRITICAL_MAX) {
        let last = plan.critical_path.last().map_or("", String::as_str);
        path = format!("{path} → … {} more … → {last}", n_more.saturating_sub(1));
    }
    let n = counted(plan.critical_path.len(), "task");
    lines.push(format!("{} ({n}): {path}", bold(style, "critical path")));
    lines.push(durations(plan, style));
    lines.join("\n") + "\n"
}

fn durations(plan: &PlanView, style: Style) -> String {
    let known = &plan.durations;
    let mut text = match known.n_recorded {
        0 => "estimates as written (no attempt on record yet)".to_owned(),
        n => format!(
            "estimates × {:.2}, from {} on record",
            known.factor,
            counted(n, "finished task")
        ),
    };
    if known.n_without_estimate > 0 {
        let n = counted(known.n_without_estimate, "task");
        text = format!("{text}; {n} without `estimate` counted as size M");
    }
    format!("{}: {text}", bold(style, "durations"))
}

fn not_run(plan: &PlanView, width: Option<usize>, style: Style) -> String {
    let column = |head, may_be_cut| Column { head, may_be_cut };
    let table =
        [column("STATE", false), column("ID", false), column("TITLE", true), column("WHY", true)];
    let rows: Vec<Vec<Cell>> = plan
        .not_run
        .iter()
        .map(|task| {
            vec![
                Cell::painted(task.state, state::look(task.state)),
                Cell::new(&task.id),
                Cell::new(&task.title),
                Cell::new(&clean_line(&task.why)),
            ]
        })
        .collect();
    let title = format!("{} will not run", counted(rows.len(), "task"));
    format!(
        "{} (`orch explain ID` says what to do)\n{}",
        bold(style, &title),
        table::render(&table, &rows, width, style)
    )
}
