//! Git repositories: where they are, and what git calls things.

mod advance;
mod apply;
mod batch;
mod branch;
pub mod checkout;
pub mod claims;
mod clearing;
mod conflict;
mod conversion;
mod elsewhere;
mod fill;
mod forecast;
mod ground;
mod history;
mod inventory;
mod landing;
mod leavings;
mod merge;
mod moves;
mod paths;
mod placed;
mod program;
mod push;
pub mod revision;
mod shift;
mod shifted;
mod state;
mod triggers;
mod work;
mod worktree;

pub use self::{
    advance::{Advanced, Obstacle, Step},
    batch::Combined,
    branch::BranchError,
    forecast::Merges,
    ground::{Ground, Head},
    history::{ChangedFile, Content, History, Revision},
    inventory::{Rescue, TaskBranch, TaskWorktree, WorktreeState},
    landing::{Built, CommitRange, Landing, StateFile},
    moves::{Moves, Place, is_in_another},
    push::{Base, Pushed, Remotes, refspec},
    triggers::Triggers,
    work::Integrated,
    worktree::{Origin, Prepared},
};

use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};

use super::shortage;

/// Why git could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// A new repository could not be made.
    #[error("failed to make a git repository in {}", path.display())]
    Init {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// A commit could not be made.
    #[error("failed to commit in {}", path.display())]
    Commit {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// The repository refused something.
    #[error("failed to {what}")]
    Failed {
        /// What was to be done.
        what: String,
        /// Why.
        source: git2::Error,
    },
    /// A file beside the repository's own could not be handled.
    #[error("failed to {what}")]
    File {
        /// What was to be done.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The repository belongs to another user: what its settings name could run for them.
    #[error("the git repository in {} belongs to another user", folder.display())]
    Foreign {
        /// Its folder, as git calls it.
        folder: PathBuf,
    },
    /// It is not possible as things stand.
    #[error("{0}")]
    Refused(String),
}

impl GitError {
    /// Returns that the repository refused to do `what`.
    fn failed(what: impl Into<String>, source: git2::Error) -> Self {
        match foreign_folder(&source) {
            Some(folder) => Self::Foreign { folder },
            None => Self::Failed { what: what.into(), source },
        }
    }

    /// Returns that a file could not be handled, as was to be done for `what`.
    fn file(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::File { what: what.into(), source }
    }
}

/// Says whether the same may work later by itself: the machine is short of something.
pub fn is_passing(error: &GitError) -> bool {
    match error {
        GitError::File { source, .. } => shortage::is_passing(source),
        // libgit2 tells what the system said in words only.
        GitError::Init { source, .. }
        | GitError::Commit { source, .. }
        | GitError::Failed { source, .. } => {
            let words = ["No space left", "Disk quota", "Too many open files", "Cannot allocate"];
            words.iter().any(|cause| source.message().contains(cause))
        }
        GitError::Foreign { .. } | GitError::Refused(_) => false,
    }
}

/// Returns the top folder of the checkout that holds `path`; `None` outside of a repository, and
/// in a bare one.
pub fn repository_root(path: &Path) -> Option<PathBuf> {
    Repository::discover(path).ok()?.workdir().map(Path::to_owned)
}

/// Returns the folder of the repository that `path` lies in, where it belongs to another user and is
/// not named in the user's settings (`safe.directory`): nothing of it is used then.
pub fn foreign_repository(path: &Path) -> Option<PathBuf> {
    Repository::discover(path).err().as_ref().and_then(foreign_folder)
}

/// Returns the folder of the repository that was not opened because it belongs to another user.
fn foreign_folder(error: &git2::Error) -> Option<PathBuf> {
    let words = error.message();
    let is_foreign = error.code() == git2::ErrorCode::Owner;
    // Libgit2 tells the folder in words only.
    is_foreign.then(|| words.split('\'').nth(1).unwrap_or("?").into())
}

/// Says whether `path` lies in a bare repository, which has no checkout.
pub fn is_bare(path: &Path) -> bool {
    Repository::discover(path).is_ok_and(|repository| repository.is_bare())
}

/// Returns the files below `folder`, itself below `root`, that git keeps; none where it cannot be told.
pub fn tracked_below(root: &Path, folder: &str) -> Vec<String> {
    let Ok(repository) = Repository::discover(root) else { return Vec::new() };
    let Ok(index) = repository.index() else { return Vec::new() };
    let below = repository.workdir().and_then(|top| {
        let real = |path: &Path| path.canonicalize().ok();
        real(root)?.strip_prefix(real(top)?).ok().map(|prefix| prefix.join(folder))
    });
    let Some(below) = below else { return Vec::new() };
    let names = index.iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned());
    names.filter(|name| Path::new(name).starts_with(&below)).collect()
}

/// Returns what the program `git` says of its version; `None` where it says nothing.
///
/// # Errors
/// Why it could not be started.
pub fn program_version(folder: &Path) -> std::io::Result<Option<String>> {
    let told = program::git(folder).arg("--version").output()?;
    let text = String::from_utf8_lossy(&told.stdout);
    let version = text.trim().strip_prefix("git version ").map(str::to_owned);
    Ok(version.filter(|version| told.status.success() && !version.is_empty()))
}

/// Makes a git repository in the folder `path`; one that is there stays as it is.
///
/// # Errors
/// [`GitError::Init`].
pub fn init(path: &Path) -> Result<(), GitError> {
    match Repository::init(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(GitError::Init { path: path.to_owned(), source }),
    }
}

/// Returns the name that git gives to a file of these bytes: 40 hexadecimal digits.
pub fn blob_id(bytes: &[u8]) -> String {
    // Hashing bytes in memory cannot fail but for a lack of memory.
    Oid::hash_object(ObjectType::Blob, bytes).unwrap_or(Oid::ZERO_SHA1).to_string()
}

/// Returns the `user.name` that git knows in `path`, the user's own where `path` is outside of a
/// repository.
pub fn user_name(path: &Path) -> Option<String> {
    let config = match Repository::discover(path) {
        Ok(repository) => repository.config(),
        Err(_) => git2::Config::open_default(),
    };
    config.ok()?.get_string("user.name").ok().filter(|name| !name.trim().is_empty())
}

/// Commits everything in the repository at `path` that is not ignored, as its first commit.
///
/// # Errors
/// [`GitError`].
pub fn commit_all(path: &Path, message: &str) -> Result<(), GitError> {
    let commit = || {
        let repository = Repository::open(path)?;
        let mut index = repository.index()?;
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = repository.find_tree(index.write_tree()?)?;
        let author =
            repository.signature().or_else(|_| git2::Signature::now("orch", "orch@localhost"))?;
        repository.commit(Some("HEAD"), &author, &author, message, &tree, &[]).map(drop)
    };
    commit().map_err(|source| GitError::Commit { path: path.to_owned(), source })
}
