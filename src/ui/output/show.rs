//! Everything about one task, as a page.

use anstyle::Style as Look;

use super::{
    Style,
    escape::{clean, clean_line},
    explain::{running_lines, unreadable},
    figures::{counted, length, moment, tokens},
    state,
    table::{self, Cell, Column},
};
use crate::app::view::show::{AttemptView, CheckView, Fields, Neighbor, ReportView, TaskView};

/// Most neighbors that are told one by one.
const NEIGHBORS_MAX: usize = 30;

/// Renders a task.
pub fn render(task: &TaskView, style: Style) -> String {
    let bold = |text: &str| style.paint(Look::new().bold(), text);
    let mut lines = vec![
        format!("{}  {}", bold(&task.id), bold(&clean_line(&task.title))),
        format!("{}:{}", clean_line(&task.path), task.line),
        String::new(),
        state::signed(task.state, style),
    ];
    if let Some(running) = &task.running {
        lines.extend(running_lines(running).into_iter().map(|line| format!("  {line}")));
    } else {
        for why in &task.reasons {
            lines.push(format!("  it {}", clean_line(&why.sentence)));
            if !why.help.is_empty() {
                lines.push(format!("    = help: {}", clean_line(&why.help)));
            }
        }
    }
    if task.is_stale {
        lines.push("  stale: the task file changed since the last attempt".to_owned());
    }
    push_fields(&mut lines, task);
    push_policy(&mut lines, task, style);
    push_neighbors(&mut lines, &bold("depends on"), &task.depends_on, style);
    push_neighbors(&mut lines, &bold("waited for by"), &task.dependents, style);
    if !task.attempts.is_empty() {
        lines.extend([String::new(), bold("attempts")]);
        task.attempts.iter().for_each(|attempt| push_attempt(&mut lines, attempt, style));
    }
    if let Some(report) = &task.report {
        lines.extend([String::new(), bold("last report")]);
        push_report(&mut lines, report);
    }
    // That of a running one was told above.
    if let Some(report) = task.unreadable_report.as_ref().filter(|_| task.running.is_none()) {
        lines.extend([String::new(), bold("last report"), format!("  {}", unreadable(report))]);
    }
    let body = clean(&task.body);
    if !body.trim().is_empty() {
        lines.extend([String::new(), bold("text"), body.trim().to_owned()]);
    }
    lines.join("\n") + "\n"
}

fn push_fields(lines: &mut Vec<String>, task: &TaskView) {
    let Fields { status, priority, role, estimate, milestone, phase, .. } = &task.fields;
    let Fields { workstream, level, tags, files, waits_for, .. } = &task.fields;
    let gates: Vec<String> =
        waits_for.iter().map(|gate| format!("{} ({})", gate.gate, gate.state)).collect();
    let criteria = (task.n_criteria > 0)
        .then(|| format!("{} of {} ticked", task.n_criteria_checked, task.n_criteria));
    let list = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
    let tokens = task.fields.budget_tokens.map(|n| format!("{} tokens", tokens(n)));
    let cost = task.fields.budget_cost_usd.map(|cost| format!("${cost:.2}"));
    let time = task.fields.budget_seconds.map(length);
    let attempts = task.fields.budget_attempts.map(|n| counted(n as usize, "attempt"));
    let budget: Vec<String> = [tokens, cost, time, attempts].into_iter().flatten().collect();
    let fields = [
        ("status", Some(status.clone())),
        ("priority", Some(priority.clone())),
        ("role", role.clone()),
        ("estimate", estimate.clone()),
        ("milestone", milestone.clone()),
        ("phase", phase.clone()),
        ("workstream", workstream.clone()),
        ("level", level.map(|level| level.to_string())),
        ("tags", list(tags)),
        ("files", list(files)),
        ("waits for", list(&gates)),
        ("budget", list(&budget)),
        ("criteria", criteria),
    ];
    lines.push(String::new());
    for (name, value) in fields {
        lines.extend(value.map(|value| format!("{name:<11} {}", clean_line(&value))));
    }
}

fn push_policy(lines: &mut Vec<String>, task: &TaskView, style: Style) {
    let heads = ["SETTING", "VALUE", "SAID BY"];
    let table = heads.map(|head| Column { head, may_be_cut: false });
    let rows: Vec<Vec<Cell>> = task
        .policy
        .iter()
        .map(|setting| {
            vec![Cell::new(setting.name), Cell::new(&setting.value), Cell::new(&setting.from)]
        })
        .collect();
    lines.push(String::new());
    lines.push(table::render(&table, &rows, None, style).trim_end().to_owned());
    if !task.policy.iter().any(|setting| matches!(setting.name, "command" | "agent")) {
        lines.push(
            "no command and no agent: set `worker.agent` or `worker.command` in the task, its role or \
             config.yaml"
                .to_owned(),
        );
    }
}

fn push_neighbors(lines: &mut Vec<String>, title: &str, tasks: &[Neighbor], style: Style) {
    if tasks.is_empty() {
        return;
    }
    lines.extend([String::new(), title.to_owned()]);
    for task in tasks.iter().take(NEIGHBORS_MAX) {
        let (id, title) = (clean_line(&task.id), clean_line(&task.title));
        lines.push(format!("  {id}  {}  {title}", state::signed(task.state, style)));
    }
    if let Some(n_more @ 1..) = tasks.len().checked_sub(NEIGHBORS_MAX) {
        lines.push(format!("  and {n_more} more"));
    }
}

fn push_attempt(lines: &mut Vec<String>, attempt: &AttemptView, style: Style) {
    let outcome = match attempt.outcome {
        "succeeded" => style.paint(state::look("done"), attempt.outcome),
        other => state::painted(other, style),
    };
    let took = attempt.seconds.map(|seconds| format!(", took {}", length(seconds)));
    lines.push(format!(
        "  {}  {outcome}  {}{}",
        attempt.number,
        moment(&attempt.started),
        took.unwrap_or_default()
    ));
    let exit = attempt.exit.as_ref().filter(|exit| **exit != attempt.reason);
    let exit = exit.map(|exit| format!("worker: {exit}"));
    let mut used = Vec::new();
    if attempt.tokens > 0 {
        used.push(format!("{} tokens", tokens(attempt.tokens)));
    }
    if attempt.cost_usd > 0.0 {
        used.push(format!("${:.2}", attempt.cost_usd));
    }
    let used = (!used.is_empty()).then(|| format!("used: {}", used.join(", ")));
    let reason = (!attempt.reason.is_empty()).then(|| attempt.reason.clone());
    let contradicted = attempt.contradicted.map(|claimed| {
        format!("contradiction: its worker reported `{claimed}`, its exit says otherwise")
    });
    let iteration = attempt.iteration.map(|n| format!("iteration {n} of a loop"));
    let leaked = (attempt.n_leaked > 0)
        .then(|| format!("processes that it left running, killed: {}", attempt.n_leaked));
    let more = [reason, exit, contradicted, iteration, leaked].into_iter().flatten();
    let more = more.chain(attempt.verify.iter().map(check_text)).chain(used);
    lines.extend(more.map(|line| format!("     {}", clean_line(&line))));
}

fn check_text(check: &CheckView) -> String {
    let sign = if check.is_passed { "✓" } else { "✗" };
    format!("{sign} `{}`: {} after {}", check.command, check.ending, length(check.seconds))
}

fn push_report(lines: &mut Vec<String>, report: &ReportView) {
    let percent = report.progress.map(|percent| format!("{percent}%"));
    let waits = report.waiting_for.as_ref().map(|gate| format!("waits for {gate}"));
    let said = [Some(report.state.to_owned()), percent, report.message.clone(), waits];
    let said: Vec<String> = said.into_iter().flatten().collect();
    let updated = report.updated.as_deref().map(|updated| format!(" ({})", moment(updated)));
    lines.push(format!(
        "  attempt {}: {}{}",
        report.attempt,
        clean_line(&said.join(", ")),
        updated.unwrap_or_default()
    ));
    let notes = clean(&report.notes);
    lines.extend(notes.trim().lines().map(|line| format!("  │ {line}")));
}
