//! How work comes to the branch that is checked out.

/// How work comes to the branch that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSpec {
    /// How verified work lands.
    pub landing: LandingMode,
    /// Whether records and status files without work are committed, too.
    pub commits_state: bool,
    /// Branches on which a run does not begin without being told to.
    pub protect: Vec<String>,
}

impl Default for GitSpec {
    fn default() -> Self {
        Self {
            landing: LandingMode::default(),
            commits_state: true,
            protect: ["main", "master"].map(str::to_owned).to_vec(),
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
