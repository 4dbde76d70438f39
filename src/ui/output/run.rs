//! What happens in a run → mostly one line each.

use std::time::Duration;

use anstyle::{AnsiColor, Style as Look};

use super::{Style, change, escape::clean_line, figures::counted, landing, pauses};
use crate::{
    app::view::{
        hook::{HookFailure, ReachedMilestone},
        run::{Happened, RunEvent},
        sandbox::SandboxView,
        trust::{Approved, Unapproved},
        watching::Watching,
    },
    domain::model::{limits::NAMED_TASKS_MAX, time::render_duration},
};

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

/// Returns the lines for something that happened, with the time of day; none for what is told
/// elsewhere.
pub fn lines(event: &RunEvent, style: Style) -> Vec<String> {
    let time = style.paint(Look::new().dimmed(), time_of_day(&event.at));
    let line = |(tone, text): (Tone, String)| {
        let look = tone.color().map_or_else(Look::new, AnsiColor::on_default);
        format!("{time} {}", style.paint(look, &clean_line(&text)))
    };
    words(&event.happened).into_iter().map(line).collect()
}

/// Returns hours, minutes and seconds of an RFC 3339 timestamp.
pub fn time_of_day(at: &str) -> &str {
    at.get(11..19).unwrap_or(at)
}

pub(super) fn seconds(seconds: f64) -> String {
    render_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Returns an attempt as it is named in lines: only retries have a number.
pub(super) fn name(task: &str, attempt: u32) -> String {
    if attempt > 1 { format!("{task} #{attempt}") } else { task.to_owned() }
}

/// Returns something that happened in words, one item for each line.
pub fn words(happened: &Happened) -> Vec<(Tone, String)> {
    let line = match happened {
        Happened::PlanChanged(change) => {
            return change::lines(change).into_iter().map(|text| (Tone::Neutral, text)).collect();
        }
        Happened::FaultsChanged { new, gone, n_errors: _ } => return change::faults(new, gone),
        Happened::Started { .. }
        | Happened::Progress { .. }
        | Happened::Verifying { .. }
        | Happened::Stopping { .. }
        | Happened::Ended { .. }
        | Happened::GaveUp { .. }
        | Happened::RemovedWhileRunning { .. }
        | Happened::BecameStale { .. } => of_task(happened),
        Happened::GateStarted { .. } | Happened::GateEnded { .. } => of_gate(happened),
        Happened::MovedOn { .. }
        | Happened::Combined { .. }
        | Happened::Split { .. }
        | Happened::LandingWaits { .. }
        | Happened::Landed { .. }
        | Happened::Rescued { .. }
        | Happened::GitChanged { .. }
        | Happened::RecordForged { .. }
        | Happened::NotApart { .. }
        | Happened::StateNotCommitted { .. } => landing::words(happened),
        Happened::RunStarted { .. }
        | Happened::LookStarted { .. }
        | Happened::TakenUp { .. }
        | Happened::SupervisorKilled
        | Happened::LogWaits { .. }
        | Happened::LeftoversStopped { .. }
        | Happened::StopAsked { .. }
        | Happened::Held { .. }
        | Happened::Released
        | Happened::Sandbox(_)
        | Happened::Left { .. } => of_run(happened),
        Happened::NotApplied { .. }
        | Happened::WaitsForApproval(_)
        | Happened::Approved(_)
        | Happened::Watching(_)
        | Happened::HeadMoved { .. }
        | Happened::CoordinatorChanged { .. } => of_surroundings(happened),
        Happened::Silent { .. }
        | Happened::Claimed { .. }
        | Happened::StandsStill { .. }
        | Happened::MovesAgain { .. }
        | Happened::LimitReached { .. }
        | Happened::BreakerOpened { .. }
        | Happened::BreakerClosed
        | Happened::BudgetSpent { .. } => pauses::words(happened),
        Happened::MilestoneReached(_) | Happened::HookFailed(_) | Happened::HooksSkipped { .. } => {
            of_hooks(happened)
        }
        Happened::RunEnded(_) => None,
    };
    line.into_iter().collect()
}

/// Returns what became of one task.
fn of_task(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
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
        Happened::Ended { task, attempt, outcome, reason, seconds: took, retry_in, n_leaked } => {
            let name = name(task, *attempt);
            let (tone, text) = ended(&name, outcome, reason, *took, *retry_in);
            (tone, text + &leaked(*n_leaked))
        }
        Happened::GaveUp { task, n_failed, of, n_blocked } => {
            let one = if *of == "crashes" { "crash" } else { of.trim_end_matches('s') };
            let times = format!("{n_failed} {}", if *n_failed == 1 { one } else { of });
            let blocks = match n_blocked {
                0 => String::new(),
                1 => "; 1 task waits for it".to_owned(),
                n => format!("; {n} tasks wait for it"),
            };
            (Tone::Bad, format!("give up   {task} after {times}{blocks}"))
        }
        Happened::RemovedWhileRunning { task, attempt } => {
            let name = name(task, *attempt);
            let help = format!("`orch cancel {task}` stops it, or let it end");
            (Tone::Uneasy, format!("removed   {name} still runs: {help}"))
        }
        Happened::BecameStale { task, runs_again } => {
            let again = if *runs_again { " (runs again)" } else { "" };
            (Tone::Uneasy, format!("stale     {task} changed after it was done{again}"))
        }
        _ => return None,
    })
}

/// Returns what became of the gate after a level.
fn of_gate(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
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
        _ => return None,
    })
}

/// Returns what became of the run as a whole.
fn of_run(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::RunStarted { n_tasks, n_open, max_workers } => (
            Tone::Neutral,
            format!("run: {n_open} of {n_tasks} tasks to do, up to {max_workers} at once"),
        ),
        Happened::LookStarted { n_tasks, n_open, coordinator } => {
            let who = coordinator.as_ref().map_or_else(
                || "nobody starts ready tasks".to_owned(),
                |who| format!("{who} starts ready tasks"),
            );
            (Tone::Neutral, format!("look: {n_open} of {n_tasks} tasks to do; {who}"))
        }
        Happened::TakenUp { running, ended, lost } => taken_up(running, ended, lost),
        Happened::LogWaits { task, attempt, cause } => (
            Tone::Uneasy,
            format!("wait      {} until its log can be written: {cause}", name(task, *attempt)),
        ),
        Happened::SupervisorKilled => {
            (Tone::Bad, "recover   a supervisor did nothing any more, and was killed".to_owned())
        }
        Happened::LeftoversStopped { n_processes, survivors } => leftovers(*n_processes, survivors),
        Happened::StopAsked { n_running, is_kill } => {
            let what = if *is_kill { "killing" } else { "stopping" };
            let more = if *is_kill { "" } else { " (Ctrl-C again kills them)" };
            (
                Tone::Uneasy,
                format!("stop      {what} {}{more}", counted(*n_running, "running worker")),
            )
        }
        Happened::Held { reason, help } => {
            (Tone::Uneasy, format!("pause     nothing is started: {reason}{}", advice(help)))
        }
        Happened::Released => (Tone::Neutral, "resume    ready tasks are started again".to_owned()),
        Happened::Sandbox(SandboxView { cause: Some(cause), help }) => {
            let text = format!("sandbox   tasks that ask for one are not started: {cause}");
            (Tone::Uneasy, text + &advice(help.as_deref().unwrap_or_default()))
        }
        Happened::Sandbox(SandboxView { cause: None, .. }) => {
            (Tone::Neutral, "sandbox   tasks that ask for one are started".to_owned())
        }
        Happened::Left { n_running } => {
            let rest = match n_running {
                0 => "nothing runs".to_owned(),
                1 => "1 running worker goes on without it".to_owned(),
                n => format!("{n} running workers go on without it"),
            };
            (Tone::Uneasy, format!("leave     the run was left: {rest}"))
        }
        _ => return None,
    })
}

/// Names parts: "task a, task b and 3 more".
fn named(parts: &[String]) -> String {
    let first: Vec<&str> = parts.iter().take(NAMED_TASKS_MAX).map(String::as_str).collect();
    match parts.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Returns what became of the files, the checkout and the coordinator around a run.
fn of_surroundings(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::NotApplied { setting, help } => {
            let text = format!("later     {setting} has no effect before the next start");
            (Tone::Uneasy, text + &advice(help))
        }
        Happened::WaitsForApproval(Unapproved { parts, reason }) => {
            let what = named(parts);
            let help = "`orch trust` shows what would be executed, and asks";
            (Tone::Uneasy, format!("approval  needed for {what}: {reason}{}", advice(help)))
        }
        Happened::Approved(Approved { parts }) => {
            (Tone::Neutral, format!("approval  {} may be started", named(parts)))
        }
        Happened::Watching(Watching { mode, period, reason, help }) => {
            let period = period.map_or_else(String::new, |p| format!(" every {}", seconds(p)));
            (Tone::Uneasy, format!("watch     by {mode}{period}: {reason}{}", advice(help)))
        }
        Happened::HeadMoved { to } => (Tone::Neutral, format!("checkout  {to}")),
        Happened::CoordinatorChanged { coordinator: Some(who) } => {
            (Tone::Neutral, format!("dispatch  {who} starts ready tasks"))
        }
        Happened::CoordinatorChanged { coordinator: None } => {
            (Tone::Uneasy, "dispatch  nobody starts ready tasks".to_owned())
        }
        _ => return None,
    })
}

/// Returns what became of milestones and hooks.
fn of_hooks(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::MilestoneReached(reached) => {
            let ReachedMilestone { milestone, trigger, n_done, n_tasks } = reached;
            let tone = if trigger == "first-failure" { Tone::Uneasy } else { Tone::Good };
            let text = format!("milestone {milestone} ({trigger}): {n_done} of {n_tasks} done");
            (tone, text)
        }
        Happened::HookFailed(HookFailure { hook, about, command, reason }) => {
            let of = if about.is_empty() { String::new() } else { format!(" of {about}") };
            let ran = if command.is_empty() { String::new() } else { format!("`{command}`: ") };
            let help = advice("see .orch/local/logs/@hooks.log; the run goes on");
            (Tone::Uneasy, format!("hook      {hook}{of} failed: {ran}{reason}{help}"))
        }
        Happened::HooksSkipped { n_commands } => {
            let n = counted(*n_commands, "command");
            (Tone::Uneasy, format!("hook      {n} not run to the end: the run is over"))
        }
        _ => return None,
    })
}

/// Returns what to do, as the end of a line.
fn advice(help: &str) -> String {
    if help.is_empty() { String::new() } else { format!(" · {help}") }
}

/// Returns what became of the workers of an earlier coordinator.
fn taken_up(running: &[String], ended: &[String], lost: &[String]) -> (Tone, String) {
    let part = |attempts: &[String], what: &str| {
        (!attempts.is_empty()).then(|| format!("{} {what}", attempts.join(", ")))
    };
    let parts = [
        part(running, "still running: goes on"),
        part(ended, "ended meanwhile: is judged now"),
        part(lost, "lost: starts again"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let tone = if lost.is_empty() { Tone::Neutral } else { Tone::Uneasy };
    (tone, format!("recover   {}", parts.join("; ")))
}

fn leftovers(n_processes: usize, survivors: &[u32]) -> (Tone, String) {
    let text = format!("recover   stopped what nobody saw to: {n_processes} of its processes");
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
    let again =
        retry_in.map_or_else(String::new, |wait| format!(" · next attempt in {}", seconds(wait)));
    match outcome {
        "succeeded" => (Tone::Good, format!("done      {name} in {took}")),
        "review" => (Tone::Uneasy, format!("review    {name} in {took}: {reason}")),
        "failed" => (Tone::Bad, format!("fail      {name} in {took}: {reason}{again}")),
        other => (Tone::Uneasy, format!("{other:<9} {name} in {took}: {reason}{again}")),
    }
}

/// Returns what is added to the end of an attempt whose worker left processes running.
fn leaked(n: u32) -> String {
    match n {
        0 => String::new(),
        1 => " · left 1 process running, killed".to_owned(),
        n => format!(" · left {n} processes running, killed"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::app::view::change::{FaultView, FieldChange, ItemChange, PlanChange};

    /// Returns all lines for what happened, with the tone of each.
    fn told(happened: &[Happened]) -> String {
        let words = happened.iter().flat_map(words);
        words.map(|(tone, text)| format!("{tone:?}: {text}\n")).collect()
    }

    #[test]
    fn what_happens_around_a_run_is_told_in_lines() {
        let (task, reason, help) = ("A-1".to_owned(), "the reason".to_owned(), String::new());
        let tip = "do this".to_owned();
        let happened = [
            Happened::RemovedWhileRunning { task: task.clone(), attempt: 2 },
            Happened::BecameStale { task: task.clone(), runs_again: false },
            Happened::BecameStale { task, runs_again: true },
            Happened::NotApplied { setting: "durability".to_owned(), help: tip.clone() },
            Happened::Watching(Watching {
                mode: "polling",
                period: Some(2.0),
                reason: reason.clone(),
                help: tip.clone(),
            }),
            Happened::HeadMoved { to: "main".to_owned() },
            Happened::Held { reason: reason.clone(), help },
            Happened::Held { reason, help: tip },
            Happened::Released,
            Happened::Left { n_running: 0 },
            Happened::Left { n_running: 1 },
            Happened::Left { n_running: 2 },
            Happened::CoordinatorChanged { coordinator: Some("pid 7 on host".to_owned()) },
            Happened::CoordinatorChanged { coordinator: None },
        ];
        expect![[r#"
            Uneasy: removed   A-1 #2 still runs: `orch cancel A-1` stops it, or let it end
            Uneasy: stale     A-1 changed after it was done
            Uneasy: stale     A-1 changed after it was done (runs again)
            Uneasy: later     durability has no effect before the next start · do this
            Uneasy: watch     by polling every 2.0s: the reason · do this
            Neutral: checkout  main
            Uneasy: pause     nothing is started: the reason
            Uneasy: pause     nothing is started: the reason · do this
            Neutral: resume    ready tasks are started again
            Uneasy: leave     the run was left: nothing runs
            Uneasy: leave     the run was left: 1 running worker goes on without it
            Uneasy: leave     the run was left: 2 running workers go on without it
            Neutral: dispatch  pid 7 on host starts ready tasks
            Uneasy: dispatch  nobody starts ready tasks
        "#]]
        .assert_eq(&told(&happened));
    }

    #[test]
    fn a_line_is_told_for_each_fault_and_no_terminal_code_gets_through() {
        let fault = |severity, line, column, help: Option<&str>| FaultView {
            severity,
            code: "bad-level",
            message: "it is \u{1b}[31mbad".to_owned(),
            path: ".orch/tasks/a.md".to_owned(),
            line,
            column,
            help: help.map(str::to_owned),
        };
        let new = vec![
            fault("error", 4, 14, Some("write a number")),
            fault("warning", 4, 0, None),
            fault("note", 0, 0, None),
        ];
        let gone = vec![fault("error", 1, 1, None)];
        let many = vec![fault("error", 1, 1, None); 12];
        let changed = |new, gone| Happened::FaultsChanged { new, gone, n_errors: 1 };
        expect![[r#"
            Bad: error     .orch/tasks/a.md:4:14: it is \x1b[31mbad [bad-level] · write a number
            Uneasy: warning   .orch/tasks/a.md:4: it is \x1b[31mbad [bad-level]
            Neutral: note      .orch/tasks/a.md: it is \x1b[31mbad [bad-level]
            Good: fixed     .orch/tasks/a.md: it is \x1b[31mbad
        "#]]
        .assert_eq(&told(&[changed(new, gone)]));
        let told = told(&[changed(many.clone(), many)]);
        let more: Vec<&str> = told.lines().filter(|line| line.contains('…')).collect();
        assert_eq!(told.lines().count(), 22);
        expect![[r#"
            Bad: error     … and 2 more (`orch check`)
            Good: fixed     … and 2 more (`orch check`)"#]]
        .assert_eq(&more.join("\n"));
    }

    #[test]
    fn events_of_several_lines_have_the_time_on_each() {
        let field = FieldChange { field: "body".to_owned(), ..FieldChange::default() };
        let task = |id: &str| ItemChange {
            id: id.to_owned(),
            change: "changed",
            title: None,
            was: None,
            path: String::new(),
            fields: vec![field.clone()],
        };
        let change = PlanChange { tasks: vec![task("a"), task("b")], ..PlanChange::default() };
        let event = RunEvent {
            at: "2026-11-20T10:15:00.250Z".to_owned(),
            happened: Happened::PlanChanged(change),
        };
        let expected = ["10:15:00 change    a: body", "10:15:00 change    b: body"];
        assert_eq!(lines(&event, Style::default()), expected);
    }
}
