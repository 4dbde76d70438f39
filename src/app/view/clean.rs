//! What was removed, or would be, and what stays.

use serde::Serialize;

/// What `orch clean` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CleanView {
    /// Whether it was done, or only looked at.
    pub is_done: bool,
    /// The branch that work lands on; `null` where there is none.
    pub branch: Option<String>,
    /// Whether a coordinator is at work.
    pub has_coordinator: bool,
    /// All that was found, in the order in which it is told.
    pub things: Vec<CleanThing>,
    /// How many of them were removed, or would be.
    pub n_removed: usize,
    /// How many could not be removed.
    pub n_failed: usize,
    /// The room that was freed, or would be.
    pub bytes: u64,
}

/// One thing that a task left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanThing {
    /// What it is: `worktree`, `half-made`, `branch`, `set-aside` or `rescue`.
    pub kind: ThingKind,
    /// What it is called: a folder, a branch, a ref.
    pub name: String,
    /// The task.
    pub task: String,
    /// The room that it takes up in the file system.
    pub bytes: u64,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, as a sentence.
    pub why: String,
    /// The refs under which its work is kept, or would be.
    pub rescued: Vec<String>,
}

/// What a task left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThingKind {
    /// A worktree, and the branch in it.
    Worktree,
    /// A worktree that was made or removed only in part.
    HalfMade,
    /// A branch without a worktree.
    Branch,
    /// A folder that was in the way of a worktree.
    SetAside,
    /// Work that is kept under a name of its own.
    Rescue,
}

impl ThingKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worktree => "worktree",
            Self::HalfMade => "half-made",
            Self::Branch => "branch",
            Self::SetAside => "set-aside",
            Self::Rescue => "rescue",
        }
    }
}

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It can go.
    Removable,
    /// It is gone.
    Removed,
    /// It was to go, and is still there.
    Failed,
    /// It stays.
    Kept,
}
