//! Conflicts: begun in the worktree of a task for its worker to resolve, and never taken for resolved
//! where that was only begun.

use std::{fs, path::Path};

use git2::{Error, Repository, RepositoryState, build::CheckoutBuilder};

use super::{
    GitError, Ground, ground::oid, merge::conflicts, paths::changes, work::Integrated,
    worktree::remove_if_there,
};
use crate::domain::model::commit::CommitId;

/// A note that files are being written into the worktree, and it may be half of them.
pub(super) const MERGING: &str = "orch-merging";

/// A note that the work came to a conflict.
pub(super) const CONFLICT: &str = "orch-conflict";

impl Ground {
    /// Begins the merge of `tip` in the worktree of a task, for its worker to finish; returns the
    /// files that are in conflict, none where it could be finished at once.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn begin_merge(
        &self,
        task: &str,
        tip: &CommitId,
        message: &str,
    ) -> Result<Vec<String>, GitError> {
        self.undo_half_merge(task)?;
        let failed = |source| GitError::failed(format!("merge into {task}"), source);
        let worktree = self.open_worktree(task).map_err(failed)?;
        if worktree.state() == RepositoryState::Merge {
            // A worker was at it already.
            let index = worktree.index().map_err(failed)?;
            return conflicts(&index).map_err(failed);
        }
        self.commit_leftovers(task, &format!("{task}: what was left in its worktree"))?;
        if let Integrated::Clean { .. } = self.integrate(task, tip, message)? {
            return Ok(Vec::new());
        }
        self.mark(task, MERGING, &tip.0)?;
        let begin = || {
            let repository = self.open_worktree(task)?;
            let theirs = repository.find_annotated_commit(oid(tip)?)?;
            let mut checkout = CheckoutBuilder::new();
            checkout.force().allow_conflicts(true).conflict_style_merge(true);
            checkout.our_label("this task").their_label("what landed meanwhile");
            repository.merge(&[&theirs], None, Some(&mut checkout))?;
            conflicts(&repository.index()?)
        };
        let files = begin().map_err(failed)?;
        self.note_base(task, tip)?;
        self.unmark(task, MERGING)?;
        Ok(files)
    }

    /// Says whether the work of a task came to a conflict that is not resolved yet.
    pub fn is_in_conflict(&self, task: &str) -> bool {
        self.admin(task).join(CONFLICT).exists()
    }

    /// Takes back what a process that was killed had begun to write into the worktree of a task: all
    /// work was committed before, and half of a merge must not pass for one.
    pub(super) fn undo_half_merge(&self, task: &str) -> Result<(), GitError> {
        if !self.admin(task).join(MERGING).exists() {
            return Ok(());
        }
        let undo = || {
            let repository = self.open_worktree(task)?;
            let head = repository.head()?.peel(git2::ObjectType::Commit)?;
            repository.reset(&head, git2::ResetType::Hard, None)?;
            self.remove_half_written(task, &repository)?;
            repository.cleanup_state()
        };
        undo()
            .map_err(|source| GitError::failed(format!("undo half a merge into {task}"), source))?;
        self.unmark(task, MERGING)
    }

    /// Removes the files that libgit2 had begun to write beside those that it was to replace.
    fn remove_half_written(&self, task: &str, repository: &Repository) -> Result<(), Error> {
        let note = fs::read_to_string(self.admin(task).join(MERGING)).unwrap_or_default();
        let Ok(coming) = repository.find_commit(oid(&CommitId(note.trim().to_owned()))?) else {
            return Ok(());
        };
        let tree = repository.head()?.peel_to_commit()?.tree_id();
        let (index, top) = (repository.index()?, repository.workdir().map(Path::to_owned));
        for change in changes(repository, Some(tree), Some(coming.tree_id()))? {
            let mut lock = change.path.into_os_string();
            lock.push(".lock");
            if index.get_path(Path::new(&lock), 0).is_none() {
                let path = top.clone().unwrap_or_default().join(&lock);
                remove_if_there(&path).map_err(|error| Error::from_str(&error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Makes a note in the git folder of the worktree of a task; `about` is the commit that it is
    /// about.
    pub(super) fn mark(&self, task: &str, name: &str, about: &str) -> Result<(), GitError> {
        let made = fs::write(self.admin(task).join(name), about);
        made.map_err(|source| GitError::file(format!("note how far {task} is"), source))
    }

    /// Removes a note.
    pub(super) fn unmark(&self, task: &str, name: &str) -> Result<(), GitError> {
        let removed = remove_if_there(&self.admin(task).join(name));
        removed.map_err(|source| GitError::file(format!("note how far {task} is"), source))
    }

    /// Returns those of `files` in the worktree of a task that still hold the marks of a conflict.
    pub fn still_marked(&self, folder: &Path, files: &[String]) -> Vec<String> {
        let is_marked = |file: &&String| {
            let bytes = fs::read(folder.join(file)).unwrap_or_default();
            let mut lines = bytes.split(|byte| *byte == b'\n');
            lines.any(|line| line.starts_with(b"<<<<<<< "))
                && bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b">>>>>>> "))
        };
        files.iter().filter(is_marked).cloned().collect()
    }
}
