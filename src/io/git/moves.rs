//! How the commit that is checked out came to be another one: by commits that its user made here,
//! or by others, and what that changed in the plan.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::SystemTime,
};

use git2::{DiffOptions, Oid, Repository, RepositoryState};

use super::{GitError, ground::read_as_git_does};
use crate::domain::format::layout::{self, FileKind};

/// What the entries of the log of `HEAD` begin with that stand for a commit made here: not those of
/// a merge, a cherry-pick, a rebase, a pull, a reset or a checkout.
const OWN: [&str; 3] = ["commit: ", "commit (amend): ", "commit (initial): "];

/// Most entries of the log that are looked at; with more of them, all counts as one move.
const ENTRIES_MAX: usize = 10_000;

/// Where a plan is in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The git folder that all checkouts of the repository share.
    pub common_dir: PathBuf,
    /// The top folder of the checkout.
    pub top: PathBuf,
    /// The folder of the plan below that.
    folder: PathBuf,
    /// The commit that is checked out; empty before the first one.
    pub head: String,
    /// When git wrote the index last.
    pub index_written: Option<SystemTime>,
    /// Whether a merge, a rebase or the like is under way: files are already those of a commit that
    /// will be checked out only when it has ended.
    pub is_under_way: bool,
}

/// Files of the plan that are others since another commit was checked out, by commits that the user
/// did not make here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moves {
    /// These; empty where there was no such commit.
    Files(BTreeSet<String>),
    /// It cannot be told: each may be another.
    Any,
}

impl Moves {
    /// Says whether `path`, relative to the folder of the plan, may be another.
    pub fn touch(&self, path: &str) -> bool {
        match self {
            Self::Files(files) => files.contains(path),
            Self::Any => true,
        }
    }
}

/// Says whether a file of the plan in `root` lies in a repository within the one that `root` lies
/// in, as a submodule is: whatever is checked out there, the commit of the outer one stays the same.
pub fn is_in_another(root: &Path, path: &str) -> bool {
    let folders = Path::new(path).ancestors().skip(1);
    folders
        .filter(|folder| !folder.as_os_str().is_empty())
        .any(|folder| root.join(folder).join(".git").symlink_metadata().is_ok())
}

impl Place {
    /// Finds the checkout that the folder of a plan lies in; `None` outside of one.
    ///
    /// # Errors
    /// [`GitError`] where there is one that cannot be looked at.
    pub fn find(root: &Path) -> Result<Option<Self>, GitError> {
        read_as_git_does();
        let failed = |error| GitError::failed("look at the git repository", error);
        let repository = match Repository::discover(root) {
            Ok(repository) => repository,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let Some(top) = repository.workdir() else { return Ok(None) };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let top = real(top);
        let folder = real(root).strip_prefix(&top).map(Path::to_owned).unwrap_or_default();
        let head = match repository.refname_to_id("HEAD") {
            Ok(id) => id.to_string(),
            Err(error) if error.code() == git2::ErrorCode::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let index = std::fs::metadata(repository.path().join("index"));
        let index_written = index.and_then(|about| about.modified()).ok();
        let common_dir = real(repository.commondir());
        let is_under_way =
            !matches!(repository.state(), RepositoryState::Clean | RepositoryState::Bisect);
        Ok(Some(Self { common_dir, top, folder, head, index_written, is_under_way }))
    }

    /// Returns what tells this plan from others of the repository.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns what became of the files of the plan between the commit `since` and the one that is
    /// checked out, but for what commits did that were made here.
    pub fn moves(&self, since: &str) -> Moves {
        if since == self.head {
            return Moves::Files(BTreeSet::new());
        }
        self.foreign(since).map_or(Moves::Any, Moves::Files)
    }

    fn foreign(&self, since: &str) -> Option<BTreeSet<String>> {
        let repository = Repository::open(&self.top).ok()?;
        let id =
            |text: &str| if text.is_empty() { Some(Oid::ZERO_SHA1) } else { text.parse().ok() };
        let (since, mut at): (Oid, Oid) = (id(since)?, id(&self.head)?);
        let log = repository.reflog("HEAD").ok()?;
        let mut files = BTreeSet::new();
        // The newer end of moves that were not made here, one after the other: what differs between
        // both ends is all that they brought.
        let mut foreign: Option<Oid> = None;
        for entry in log.iter().take(ENTRIES_MAX) {
            if at == since {
                break;
            }
            if entry.id_new() != at {
                // Somebody moved it without a word.
                foreign.get_or_insert(at);
                at = entry.id_new();
                if at == since {
                    break;
                }
            }
            let words = entry.message().ok().flatten().unwrap_or_default();
            if OWN.iter().any(|own| words.starts_with(own)) {
                if let Some(end) = foreign.take() {
                    self.note(&repository, at, end, &mut files)?;
                }
            } else {
                foreign.get_or_insert(at);
            }
            at = entry.id_old();
        }
        if at != since {
            // How it came from there is not on record any more.
            foreign.get_or_insert(at);
            at = since;
        }
        if let Some(end) = foreign {
            self.note(&repository, at, end, &mut files)?;
        }
        Some(files)
    }

    /// Adds the files of the plan that differ between two commits.
    fn note(
        &self,
        repository: &Repository,
        old: Oid,
        new: Oid,
        files: &mut BTreeSet<String>,
    ) -> Option<()> {
        if old == new {
            return Some(());
        }
        let tree = |id: Oid| match id.is_zero() {
            true => Some(None),
            false => repository.find_commit(id).and_then(|commit| commit.tree()).ok().map(Some),
        };
        let (old, new) = (tree(old)?, tree(new)?);
        let mut options = DiffOptions::new();
        options.pathspec(self.folder.join(layout::ORCH_DIR)).disable_pathspec_match(true);
        let diff =
            repository.diff_tree_to_tree(old.as_ref(), new.as_ref(), Some(&mut options)).ok()?;
        for delta in diff.deltas() {
            for path in [delta.old_file().path(), delta.new_file().path()].into_iter().flatten() {
                let below = path.strip_prefix(&self.folder).unwrap_or(path);
                let below = below.to_string_lossy().into_owned();
                // Records and reports decide nothing about what is executed.
                let is_plan = matches!(
                    layout::classify(&below),
                    FileKind::Task | FileKind::Role(_) | FileKind::Config
                );
                if is_plan {
                    files.insert(below);
                }
            }
        }
        Some(())
    }
}
