//! What a range of commits does to the plan, for terminals and for comments on pull requests.

pub mod markdown;
pub mod text;

use super::{
    escape::clean_line,
    figures::{counted, grouped, length, tokens},
};
use crate::app::view::{
    change::FaultView,
    diff::{DiffView, End, Outlook, Spent},
};

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 9;

/// Tasks of a critical path that are named.
const CRITICAL_MAX: usize = 12;

/// Says what a moment is called.
fn end_name(end: &End) -> String {
    let commit = end.commit.as_deref().unwrap_or_default();
    let commit: String = commit.chars().take(COMMIT_DIGITS).collect();
    // A name that is the commit says nothing beside it.
    let is_its_name = commit.is_empty() || end.name.starts_with(&commit);
    let name = match is_its_name && !commit.is_empty() {
        true => commit.clone(),
        false => clean_line(&end.name).into_owned(),
    };
    match (end.is_merge_base, is_its_name) {
        (true, _) => format!("{commit} (shared with {name})"),
        (false, true) => name,
        (false, false) => format!("{name} ({commit})"),
    }
}

/// Counts what is different, in the order of the sections; empty where nothing is.
fn counts(diff: &DiffView) -> Vec<String> {
    let mut counts = Vec::new();
    for change in ["added", "removed", "renamed", "changed"] {
        let n = diff.tasks.iter().filter(|task| task.change == change).count();
        counts.extend((n > 0).then(|| format!("{} {change}", counted(n, "task"))));
    }
    let n_edges = (diff.edges_added.len(), diff.edges_removed.len());
    counts.extend((n_edges != (0, 0)).then(|| format!("edges +{} -{}", n_edges.0, n_edges.1)));
    let n_moved = diff.moves.iter().filter(|moved| moved.from != moved.to).count();
    counts.extend((n_moved > 0).then(|| counted(n_moved, "state") + " moved"));
    let others = [
        (diff.roles.len(), "role"),
        (diff.settings.len(), "setting"),
        (diff.faults_new.len(), "new fault"),
        (diff.faults_gone.len(), "repaired fault"),
    ];
    counts.extend(others.iter().filter(|(n, _)| *n > 0).map(|(n, word)| counted(*n, word)));
    counts
}

/// Says what attempts took; empty where there was none.
fn spent(spent: &Spent) -> String {
    let mut words = Vec::new();
    words.extend((spent.n_attempts > 0).then(|| counted(spent.n_attempts, "attempt")));
    words.extend((spent.seconds > 0.0).then(|| length(spent.seconds)));
    words.extend((spent.tokens > 0).then(|| format!("{} tokens", tokens(spent.tokens))));
    words.extend((spent.cost_usd > 0.0).then(|| format!("{:.2} USD", spent.cost_usd)));
    words.join(", ")
}

/// Names the tasks of a critical path, the middle of a long one left out.
fn path(tasks: &[String]) -> Vec<String> {
    match tasks.len().checked_sub(CRITICAL_MAX) {
        None | Some(0) => tasks.to_vec(),
        Some(n_more) => {
            let (first, last) = tasks.split_at(CRITICAL_MAX - 1);
            let more = format!("… {} more …", grouped(n_more));
            let last = last.last().cloned();
            first.iter().cloned().chain([more]).chain(last).collect()
        }
    }
}

/// Returns a figure before and after, once where it is the same.
fn moved(before: String, after: &str) -> String {
    if before == after { before } else { format!("{before} → {after}") }
}

/// The figures of both outlooks, each with its name.
fn figures(before: &Outlook, after: &Outlook) -> [(&'static str, String); 4] {
    let both = |show: &dyn Fn(&Outlook) -> String| moved(show(before), &show(after));
    [
        ("tasks", both(&|of| format!("{} of {} done", grouped(of.n_done), grouped(of.n_tasks)))),
        ("to run", both(&|of| counted(of.n_to_run, "task"))),
        ("critical path", both(&|of| length(of.critical_path_seconds))),
        ("forecast", both(&|of| length(of.end_seconds))),
    ]
}

/// Returns the place of a fault.
fn place(fault: &FaultView) -> String {
    match (fault.line, fault.column) {
        (0, _) => fault.path.clone(),
        (line, 0) => format!("{}:{line}", fault.path),
        (line, column) => format!("{}:{line}:{column}", fault.path),
    }
}
