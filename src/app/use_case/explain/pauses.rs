//! Words for what passes by itself, and for what is spent: crashes, limits of providers, budgets.

use crate::{
    app::view::explain::{LandingWait, Why},
    domain::{
        model::{
            attempt::{Outcome, ReviewKind},
            id::TaskId,
            sandbox::Lack,
            time::{Timestamp, render_duration},
        },
        scheduler::{budget::Scope, explain::Reason},
    },
};

/// Most files in the way that are named.
const NAMED_FILES_MAX: usize = 5;

/// Says what is in the way of verified work, and what to do about it.
pub(super) fn landing_words(number: u32, wait: &LandingWait) -> Why {
    let LandingWait { what, files, .. } = wait;
    let named: Vec<String> =
        files.iter().take(NAMED_FILES_MAX).map(|file| format!("`{file}`")).collect();
    let more = match files.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (colon, help) = match files.is_empty() {
        true => ("", "it lands by itself when that is over"),
        false => (": ", "commit, stash or revert that, and it lands by itself"),
    };
    let named = named.join(", ");
    let sentence =
        format!("is verified and waits to land (attempt {number}): {what}{colon}{named}{more}");
    Why { sentence, help: help.to_owned(), task: None }
}

/// Says why a task waits for its next attempt, and what to do about it.
pub(super) fn back_off_words(task: &TaskId, reason: &Reason) -> (String, String) {
    let Reason::BackOff { remaining, n_failed, max_attempts, outcome, reason } = reason else {
        unreachable!("only back-offs are told here")
    };
    let wait = render_duration(*remaining);
    let why = match outcome {
        Outcome::Crashed | Outcome::Lost => format!(
            "waits {wait} for its next attempt: its worker crashed {}, {max_attempts} times are \
             allowed; the last time: {reason}",
            times(*n_failed)
        ),
        Outcome::Blocked => format!("waits {wait} for its next attempt: {reason}"),
        Outcome::NotStarted => {
            format!(
                "waits {wait} for its next attempt: the machine is short of something: {reason}"
            )
        }
        _ => format!(
            "waits {wait} for its next attempt: {n_failed} of {max_attempts} attempts failed, \
             the last one: {reason}"
        ),
    };
    (why, format!("`orch logs {task}` shows what it printed"))
}

fn times(n: u32) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

/// Says what keeps tasks back that share a budget, a provider or a machine.
pub(super) fn pause_words(task: &TaskId, reason: &Reason) -> Option<(String, String)> {
    Some(match reason {
        Reason::OverBudget { scope, milestone, words } => {
            budget_words(task, *scope, milestone.as_deref(), words)
        }
        Reason::Limited { provider, until } => (
            format!("waits for {provider}, whose limit is reached until {}", clock(*until)),
            format!("it goes on by itself; `orch retry {task}` tries it now"),
        ),
        Reason::Claimed { by } => (
            format!("is claimed by {by}"),
            "its record comes with `git pull`; where that coordinator is gone for good, delete \
             its ref below `refs/orch/claims/` at the remote"
                .to_owned(),
        ),
        Reason::Breaker { n_crashes, remaining } => (
            format!(
                "waits {}: {n_crashes} workers died at once, so nothing is started for a while",
                render_duration(*remaining)
            ),
            "it goes on by itself; resuming the run starts tasks at once".to_owned(),
        ),
        Reason::NoSandbox(Lack { cause, help }) => {
            (format!("is to run in a sandbox, and is not started outside: {cause}"), help.clone())
        }
        Reason::Short { cause, remaining } => (
            format!("waits {} for the next try: {cause}", render_duration(*remaining)),
            "it goes on by itself, and nothing is used up; `orch doctor` shows what is short"
                .to_owned(),
        ),
        _ => return None,
    })
}

fn budget_words(
    task: &TaskId,
    scope: Scope,
    milestone: Option<&str>,
    words: &str,
) -> (String, String) {
    match scope {
        Scope::Task => (
            format!("is over its budget: {words} used"),
            format!("`orch retry {task}` grants it once more; or raise `budget` in its file"),
        ),
        Scope::Milestone => {
            let name = milestone.unwrap_or_default();
            (
                format!("waits: the budget of milestone `{name}` is spent, {words} used"),
                format!("raise `milestones: {{{name}: {{budget: …}}}}` in .orch/config.yaml"),
            )
        }
        Scope::Run => (
            format!("waits: the budget of the run is spent, {words} used"),
            "start `orch run` again, or raise `run: {budget: …}` in .orch/config.yaml".to_owned(),
        ),
    }
}

/// Says what a person is asked for by attempt `n`.
pub(super) fn review_words(
    task: &TaskId,
    n: u32,
    review: Option<ReviewKind>,
    reason: &str,
) -> (String, String) {
    let sentence = match review {
        Some(ReviewKind::Escalate) => {
            let asks = reason.strip_prefix("the worker ").unwrap_or(reason);
            format!("{asks} (attempt {n})")
        }
        Some(ReviewKind::Review | ReviewKind::Completion | ReviewKind::Landing) | None => {
            format!("waits for a person to look at attempt {n}: {reason}")
        }
    };
    let help = match review {
        Some(ReviewKind::Escalate) => format!(
            "`orch retry {task} --note \"…\"` goes on with your decision, `orch approve {task}` \
             accepts what is there"
        ),
        Some(ReviewKind::Landing) => {
            format!(
                "mend what is in its way; `orch approve {task}` then has it land, `orch retry \
                 {task}` has it done again"
            )
        }
        Some(ReviewKind::Review | ReviewKind::Completion) | None => {
            format!("`orch approve {task}` accepts it, `orch retry {task}` has it done again")
        }
    };
    (sentence, help)
}

/// Returns a point in time for people: to the minute, in UTC.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    // `2026-11-20T10:15:00.250Z`: the day, then hours and minutes.
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

/// Says what a person has not approved, and what to do about it.
pub(super) fn unapproved_words(gate: Option<u32>, why: &str) -> (String, String) {
    let help = "`orch trust` shows what would be executed, and asks".to_owned();
    match gate {
        Some(level) => (
            format!("waits for the gate after level {level}, which waits for approval: {why}"),
            help,
        ),
        None => (format!("waits for approval: {why}"), help),
    }
}
