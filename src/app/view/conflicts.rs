//! What will not go together.

use serde::Serialize;

/// What `orch conflicts` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConflictsView {
    /// The branch that work lands on; `null` where there is none.
    pub branch: Option<String>,
    /// How many branches of tasks hold work that has not landed.
    pub n_branches: usize,
    /// How many tasks are ready.
    pub n_ready: usize,
    /// All that was found, the nearest first.
    pub conflicts: Vec<Conflict>,
    /// Whether there are more, which are left out.
    pub has_more: bool,
}

/// Two that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What kind of two.
    pub kind: ConflictKind,
    /// The tasks: two, or one where the other is the branch.
    pub tasks: Vec<String>,
    /// The files that both changed, or the patterns that meet.
    pub files: Vec<String>,
    /// What to do about it.
    pub help: String,
}

/// What does not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConflictKind {
    /// The work of a task and the branch that it is to land on.
    Landing,
    /// The work of two tasks.
    Merge,
    /// What two tasks that are ready will touch.
    Files,
}
