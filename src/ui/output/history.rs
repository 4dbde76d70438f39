//! The history of a plan: one line for each thing that a commit says.

use anstyle::{AnsiColor, Style as Look};

use super::{
    Style,
    figures::moment,
    state,
    table::{self, Cell, Column},
};
use crate::app::view::{
    attempt::NamedAttempt,
    log::{EditKind, EntryKind, LogEntry, LogView, LoggedAttempt},
};

/// Most things that are told of one commit.
const THINGS_MAX: usize = 8;

/// Digits of the name of a commit that people read.
const DIGITS: usize = 9;

/// Renders what commits say, newest first. With a `width`, long lines are cut to fit.
pub fn render(found: &LogView, width: Option<usize>, style: Style) -> String {
    if found.entries.is_empty() {
        return match &found.task {
            Some(task) => format!("no commit is about `{task}` yet\n"),
            None => "no commit is about the plan yet\n".to_owned(),
        };
    }
    let column = |head, may_be_cut| Column { head, may_be_cut };
    let table =
        [column("WHEN", false), column("COMMIT", false), column("WHO", true), column("WHAT", true)];
    let rows: Vec<Vec<Cell>> = found.entries.iter().flat_map(rows).collect();
    let text = table::render(&table, &rows, width, style);
    match found.has_more {
        true => format!("{text}\nolder ones are left out: `-n 0` shows all\n"),
        false => text,
    }
}

fn rows(entry: &LogEntry) -> Vec<Vec<Cell>> {
    let all = things(entry);
    let n_more = all.len().saturating_sub(THINGS_MAX);
    let mut shown: Vec<(Look, String)> = all.into_iter().take(THINGS_MAX).collect();
    if n_more > 0 {
        shown.push((Look::new().dimmed(), format!("and {n_more} more")));
    }
    let row = |(look, what): (Look, String)| {
        let commit = entry.commit.get(..DIGITS).unwrap_or(&entry.commit);
        vec![
            Cell::new(&moment(&entry.at)),
            Cell::painted(commit, AnsiColor::Yellow.on_default()),
            Cell::new(&entry.author),
            Cell::painted(&what, look),
        ]
    };
    shown.into_iter().map(row).collect()
}

/// Returns what a commit says, each with its look.
fn things(entry: &LogEntry) -> Vec<(Look, String)> {
    let mut things = Vec::new();
    let is = |a: &LoggedAttempt, b: &NamedAttempt| a.task == b.task && a.attempt == b.attempt;
    let is_landed = |a: &LoggedAttempt| entry.landed.iter().any(|b| is(a, b));
    for landed in &entry.landed {
        let NamedAttempt { task, attempt } = landed;
        let record = entry.attempts.iter().find(|attempt| is(attempt, landed));
        let how = record.map(how_it_ended).unwrap_or_default();
        let comma = if how.is_empty() { "" } else { ", " };
        things.push((state::look("done"), format!("{task}.{attempt} landed{comma}{how}")));
    }
    for attempt in entry.attempts.iter().filter(|attempt| !is_landed(attempt)) {
        let look = match attempt.outcome {
            Some("succeeded") => state::look("done"),
            Some("review") => state::look("review"),
            Some("failed" | "crashed" | "stalled" | "conflict") => state::look("failed"),
            _ => Look::new(),
        };
        let id = format!("{}.{}", attempt.task, attempt.attempt);
        things.push((look, format!("{id} {}", how_it_ended(attempt))));
    }
    for edit in &entry.edits {
        let what = match edit.change {
            EditKind::Added => "is new".to_owned(),
            EditKind::Changed => "is changed".to_owned(),
            EditKind::Moved => format!("is moved to {}", edit.path),
            EditKind::Removed => "is removed".to_owned(),
        };
        // The words of whoever did it, where they are about this.
        let why = match entry.kind {
            EntryKind::Edit if !entry.subject.is_empty() => format!(": {}", entry.subject),
            EntryKind::Edit | EntryKind::Landing | EntryKind::State => String::new(),
        };
        things.push((Look::new(), format!("{} {what}{why}", edit.task)));
    }
    for event in &entry.events {
        let task = event.task.as_ref().map(|task| format!("{task}: ")).unwrap_or_default();
        let by = event.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        let note = event.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        things.push((Look::new(), format!("{task}{}{by}{note}", event.what)));
    }
    things
}

/// Says how an attempt ended, and why.
fn how_it_ended(attempt: &LoggedAttempt) -> String {
    let outcome = attempt.outcome.unwrap_or("was under way");
    match &attempt.reason {
        Some(reason) => format!("{outcome}: {reason}"),
        None => outcome.to_owned(),
    }
}
