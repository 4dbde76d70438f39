//! What git is doing to the checkout: looked up in the git folder, without asking git.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use git2::Repository;

/// The git folder of a checkout: that of a linked worktree is its own.
#[derive(Debug, Clone)]
pub struct Checkout {
    git_dir: PathBuf,
}

/// The checkout at one moment. Two equal ones with nothing locked have seen no command that moves
/// files in between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckoutState {
    /// A command holds `index.lock`: it may be in the middle of changing files.
    pub is_locked: bool,
    /// What has begun and is not finished, a rebase for example: files may hold conflicts.
    pub unfinished: Option<&'static str>,
    /// The branch that is checked out, or the commit where it is none.
    pub head: Option<String>,
    /// Length and time of the index, which every command that moves files writes anew.
    index: Option<(u64, SystemTime, u64)>,
}

/// Names below the git folder that tell of a change.
const TELLING: [&str; 3] = ["HEAD", "index.lock", "index"];

/// What is there as long as something goes on.
const UNFINISHED: [(&str, &str); 5] = [
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
];

impl Checkout {
    /// Finds the checkout that `path` lies in; `None` outside of one.
    pub fn find(path: &Path) -> Option<Self> {
        let repository = Repository::discover(path).ok()?;
        repository.workdir()?;
        Some(Self { git_dir: repository.path().to_owned() })
    }

    /// Returns the git folder.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Says whether a change of `path` may tell that git is at work.
    pub fn is_told_by(&self, path: &Path) -> bool {
        path.parent() == Some(self.git_dir.as_path())
            && TELLING.iter().any(|name| path.file_name().is_some_and(|file| file == *name))
    }

    /// Returns since when a command holds `index.lock`; `None` where none does.
    pub fn locked_since(&self) -> Option<SystemTime> {
        fs::symlink_metadata(self.git_dir.join("index.lock")).ok()?.modified().ok()
    }

    /// Looks at the git folder.
    pub fn state(&self) -> CheckoutState {
        let is_there = |name: &str| fs::symlink_metadata(self.git_dir.join(name)).is_ok();
        CheckoutState {
            is_locked: is_there("index.lock"),
            unfinished: UNFINISHED.iter().find(|(name, _)| is_there(name)).map(|(_, what)| *what),
            head: fs::read_to_string(self.git_dir.join("HEAD")).ok().map(|head| short_name(&head)),
            index: fs::metadata(self.git_dir.join("index")).ok().and_then(|about| {
                use std::os::unix::fs::MetadataExt as _;
                Some((about.len(), about.modified().ok()?, about.ino()))
            }),
        }
    }
}

/// Returns what people call the content of `HEAD`.
fn short_name(head: &str) -> String {
    let head = head.trim();
    match head.strip_prefix("ref: ") {
        Some(name) => name.strip_prefix("refs/heads/").unwrap_or(name).to_owned(),
        None => head.chars().take(9).collect(),
    }
}
