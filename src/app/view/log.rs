//! The history of a plan, or of one task.

use serde::Serialize;

use super::attempt::NamedAttempt;

/// What commits say, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogView {
    /// The task that it is about; `null` for the plan.
    pub task: Option<String>,
    /// What commits say.
    pub entries: Vec<LogEntry>,
    /// Whether there are older ones, which are left out.
    pub has_more: bool,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Its name.
    pub commit: String,
    /// When it was made, RFC 3339.
    pub at: String,
    /// Who wrote it.
    pub author: String,
    /// What kind of commit it is.
    pub kind: EntryKind,
    /// Its first line.
    pub subject: String,
    /// The attempts whose work landed with it.
    pub landed: Vec<NamedAttempt>,
    /// The attempts whose records came with it.
    pub attempts: Vec<LoggedAttempt>,
    /// The tasks whose files it changed.
    pub edits: Vec<LoggedEdit>,
    /// What else came with it: gates, retries, milestones.
    pub events: Vec<LoggedEvent>,
}

/// What kind of commit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// The work of a task landed.
    Landing,
    /// Task files were changed.
    Edit,
    /// Nothing but records and events.
    State,
}

/// The record of an attempt, as a commit has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedAttempt {
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// How it ended; `null` where it had not.
    pub outcome: Option<&'static str>,
    /// Why.
    pub reason: Option<String>,
}

/// A task file that a commit changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedEdit {
    /// The task.
    pub task: String,
    /// The file.
    pub path: String,
    /// What became of it.
    pub change: EditKind,
}

/// What became of a task file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EditKind {
    /// It is new.
    Added,
    /// It says something else.
    Changed,
    /// It is elsewhere.
    Moved,
    /// It is gone.
    Removed,
}

/// Something that people, scripts or the coordinator noted beside attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedEvent {
    /// The task; `null` where it is about more than one.
    pub task: Option<String>,
    /// What, in words.
    pub what: String,
    /// Who, where that is known.
    pub by: Option<String>,
    /// What they said about it.
    pub note: Option<String>,
}
