//! How work comes to the branch that is checked out.

use super::{limits, remote::RemoteSpec};

/// How work comes to the branch that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSpec {
    /// How verified work lands.
    pub landing: LandingMode,
    /// Of how many tasks at most the work is verified together, where it has to be verified again
    /// before it lands: 1 has each land alone.
    pub batch: u32,
    /// Whether records and status files without work are committed, too.
    pub commits_state: bool,
    /// Branches on which a run does not begin without being told to.
    pub protect: Vec<String>,
    /// How much of what did not land `orch clean` leaves in its place.
    pub keep: KeepSpec,
    /// Where the branch is pushed to be merged.
    pub remote: RemoteSpec,
}

/// How much of what did not land is left in its place: worktrees of tasks that failed or are
/// blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepSpec {
    /// Most worktrees.
    pub worktrees: u64,
    /// Most room for them together; `None` where that is not looked at.
    pub bytes: Option<u64>,
}

impl Default for KeepSpec {
    fn default() -> Self {
        Self { worktrees: limits::KEPT_WORKTREES_DEFAULT, bytes: None }
    }
}

impl Default for GitSpec {
    fn default() -> Self {
        Self {
            landing: LandingMode::default(),
            batch: 1,
            commits_state: true,
            protect: ["main", "master"].map(str::to_owned).to_vec(),
            keep: KeepSpec::default(),
            remote: RemoteSpec::default(),
        }
    }
}

/// How the commits of a worker come to the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LandingMode {
    /// As one commit: what is on the branch was verified, commit by commit.
    #[default]
    Squash,
    /// As they are, behind one commit that merges them.
    Merge,
    /// One after the other, each put upon the branch anew.
    Rebase,
}

impl LandingMode {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 3] =
        [("squash", Self::Squash), ("merge", Self::Merge), ("rebase", Self::Rebase)];
}
