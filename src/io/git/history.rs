//! How a plan came to be as it is: the commits of its branch, newest first, as far as they changed
//! its files. Read from the objects of the repository; there need be no checkout.

mod trees;

use std::path::{Path, PathBuf};

use git2::{Commit, Error, ErrorCode, Oid, Repository};

use self::trees::Trees;
use super::{
    GitError,
    ground::{name_of, read_as_git_does},
    paths::entry_at,
};
use crate::domain::{format::layout::ORCH_DIR, model::commit::CommitId};

/// The commits of a plan: along the first parents of what is checked out.
pub struct History {
    repository: Repository,
    /// The folder of the plan below the top folder.
    prefix: PathBuf,
    /// The commit that is told next, with the tree of the plan in it.
    next: Option<(Oid, Option<Oid>)>,
    trees: Trees,
}

/// A commit, and the files of the plan that it changed.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its name.
    pub id: CommitId,
    /// When it was made, in seconds since 1970.
    pub seconds: i64,
    /// Who wrote it.
    pub author: String,
    /// What it says.
    pub message: String,
    /// The files, by path.
    pub files: Vec<ChangedFile>,
}

/// A file of the plan that a commit changed.
#[derive(Debug, Clone)]
pub struct ChangedFile {
    /// Its path, relative to the folder of the plan.
    pub path: String,
    /// What it was; `None` where it is new.
    pub old: Option<Content>,
    /// What it is; `None` where it is gone.
    pub new: Option<Content>,
}

/// What is in a file, to be read where somebody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content(Oid);

impl History {
    /// Opens the history of the plan in the folder `root`; without one, that of the nearest folder
    /// from `from` upwards that holds a plan in the last commit. `None` where there is neither.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn open(from: &Path, root: Option<&Path>) -> Result<Option<Self>, GitError> {
        read_as_git_does();
        let failed = |source| GitError::failed("open the git repository", source);
        let repository = match Repository::discover(root.unwrap_or(from)) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let below = |folder: &Path| {
            let top = repository.workdir()?.canonicalize().ok()?;
            folder.canonicalize().ok()?.strip_prefix(top).ok().map(Path::to_owned)
        };
        let head = match repository.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => Some(commit.id()),
            Err(error) if error.code() == ErrorCode::UnbornBranch => None,
            Err(error) => return Err(failed(error)),
        };
        let prefix = match root {
            Some(root) => Some(below(root).unwrap_or_default()),
            None => head.and_then(|head| {
                let tree = repository.find_commit(head).ok()?.tree().ok()?;
                let folder = below(from).unwrap_or_default();
                let mut above = folder.ancestors();
                let has_plan = |folder: &&Path| entry_at(&tree, &folder.join(ORCH_DIR)).is_some();
                above.find(has_plan).map(Path::to_owned)
            }),
        };
        let Some(prefix) = prefix else { return Ok(None) };
        let mut history = Self { repository, prefix, next: None, trees: Trees::default() };
        if let Some(head) = head {
            let commit = history.repository.find_commit(head).map_err(failed)?;
            let plan = plan_of(&history.prefix, &commit);
            let plan = plan.map_err(failed)?;
            drop(commit);
            history.next = Some((head, plan));
        }
        Ok(Some(history))
    }

    /// Returns the next commit that changed the plan, or whose message `is_wanted`; `None` at the
    /// end.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn next(&mut self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<Revision>, GitError> {
        let found = self.advance(is_wanted);
        found.map_err(|source| GitError::failed("read the history of the plan", source))
    }

    fn advance(&mut self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<Revision>, Error> {
        while let Some((id, plan)) = self.next.take() {
            let commit = self.repository.find_commit(id)?;
            let before = match commit.parent_id(0) {
                // Of a shallow clone, nobody knows what the last commit changed.
                Err(_) if self.repository.is_shallow() => plan,
                Err(_) => None,
                Ok(parent) => match self.repository.find_commit(parent) {
                    Ok(parent) => {
                        let before = plan_of(&self.prefix, &parent)?;
                        self.next = Some((parent.id(), before));
                        before
                    }
                    Err(error) if error.code() == ErrorCode::NotFound => plan,
                    Err(error) => return Err(error),
                },
            };
            let message = String::from_utf8_lossy(commit.message_bytes());
            if before == plan && !is_wanted(&message) {
                continue;
            }
            let files = self.trees.differences(&self.repository, before, plan)?;
            let files = files.into_iter().map(|(path, old, new)| ChangedFile {
                path: Path::new(ORCH_DIR).join(path).to_string_lossy().into_owned(),
                old: old.map(Content),
                new: new.map(Content),
            });
            return Ok(Some(Revision {
                id: name_of(id),
                seconds: commit.time().seconds(),
                author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
                files: files.collect(),
                message: message.into_owned(),
            }));
        }
        Ok(None)
    }

    /// Returns the bytes of a file; `None` where they are not there, as in a partial clone.
    pub fn read(&self, content: Content) -> Option<Vec<u8>> {
        Some(self.repository.find_blob(content.0).ok()?.content().to_vec())
    }
}

/// Returns the tree of the plan in a commit.
fn plan_of(prefix: &Path, commit: &Commit<'_>) -> Result<Option<Oid>, Error> {
    let entry = entry_at(&commit.tree()?, &prefix.join(ORCH_DIR));
    Ok(entry.filter(|entry| entry.is_folder()).map(|entry| entry.id))
}
