//! Where the branch of a plan is pushed to be merged by others.

/// Where the branch of a plan is pushed to be merged by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSpec {
    /// The name of the git remote.
    pub name: String,
    /// Where it must lead; `None` where that is not said.
    pub push_url: Option<String>,
    /// What kind of host it is on.
    pub host: HostWord,
}

impl Default for RemoteSpec {
    fn default() -> Self {
        Self { name: "origin".to_owned(), push_url: None, host: HostWord::default() }
    }
}

/// What kind of host a repository is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostWord {
    /// What its address tells, or else the program that is installed.
    #[default]
    Auto,
    /// GitHub, reached with `gh`.
    GitHub,
    /// GitLab, reached with `glab`.
    GitLab,
}

impl HostWord {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("github", Self::GitHub), ("gitlab", Self::GitLab)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }
}
