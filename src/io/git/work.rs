//! What a worker did in its worktree: committed as it was left, and merged with what the others did
//! meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{
    Commit, Error, ErrorCode, Index, IndexAddOption, Oid, Repository, RepositoryState,
    build::CheckoutBuilder,
};

use super::{
    GitError, Ground,
    conflict::{CONFLICT, MERGING},
    ground::{HEADS, author, despite_locks, name_of, oid, under_way},
    merge::{Merged, conflicts, merge_changes, merge_commits},
    paths::{changes, with_folders_of},
};
use crate::domain::{format::layout, model::commit::CommitId};

/// Folders in which only the coordinator changes what is on a branch.
const STATE: [&str; 2] = [layout::STATUS_DIR, layout::RUNS_DIR];

/// What became of the merge of the integration branch into the branch of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrated {
    /// It is merged.
    Clean {
        /// The last commit of the branch of the task.
        head: CommitId,
    },
    /// It cannot be merged without somebody.
    Conflict {
        /// The files that both sides changed.
        files: Vec<String>,
    },
}

/// How the branch of a task goes together with the branch that it is to land on.
enum Fit {
    /// That is merged already.
    Already,
    /// The task did nothing; the others did.
    Behind,
    /// This commit merges both.
    Merged(Oid),
    /// This commit is the work upon a branch that was rewritten.
    Replayed(Oid),
    /// These files were changed on both sides.
    Conflict(Vec<String>),
}

impl Ground {
    /// Commits what the worker of a task left uncommitted, and returns the last commit of the
    /// branch of the task, on which it is then.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn commit_leftovers(&self, task: &str, message: &str) -> Result<CommitId, GitError> {
        let what = || format!("commit what was left in the worktree of {task}");
        let failed = |source| GitError::failed(what(), source);
        self.undo_half_merge(task)?;
        let repository = self.open_worktree(task).map_err(failed)?;
        let under_way = match repository.state() {
            // One that was begun for the worker: it is committed as that.
            RepositoryState::Merge => None,
            state => under_way(state),
        };
        if let Some(what) = under_way {
            return Err(GitError::Refused(format!("{what} is under way in its worktree")));
        }
        drop(repository);
        let head = self.commit_all_in(task, message).map_err(failed)?;
        self.settle_branch(task, head)?;
        Ok(name_of(head))
    }

    /// Commits all that is not ignored; returns the commit that is checked out then.
    fn commit_all_in(&self, task: &str, message: &str) -> Result<Oid, Error> {
        let (made, mut index) = self.make(|| self.all_of(task, message))?;
        let repository = self.open_worktree(task)?;
        if let Some(made) = made {
            // What is checked out, a branch or a commit, moves on.
            despite_locks(|| repository.head()?.set_target(made, "orch: leftovers").map(drop))?;
            index.write()?;
            repository.cleanup_state()?;
        }
        despite_locks(|| Ok(repository.head()?.peel_to_commit()?.id()))
    }

    /// Makes a commit of all that is not ignored, and the index that goes with it; none where there
    /// is nothing to commit.
    fn all_of(&self, task: &str, message: &str) -> Result<(Option<Oid>, Index), Error> {
        let mut repository = self.open_worktree(task)?;
        let mut merged = Vec::new();
        if repository.state() == RepositoryState::Merge {
            repository.mergehead_foreach(|id| {
                merged.push(*id);
                true
            })?;
        }
        let repository = &repository;
        let head = repository.head()?.peel_to_commit()?;
        let mut index = self.index_of_files(repository)?;
        let tree = self.without_state(repository, task, index.write_tree()?)?;
        if tree == head.tree_id() && merged.is_empty() {
            return Ok((None, index));
        }
        let parents: Vec<Oid> = std::iter::once(head.id()).chain(merged).collect();
        Ok((Some(commit(repository, tree, &parents, message)?), index))
    }

    /// Returns `tree` with the folders of state as they were where the work began: what belongs there
    /// comes with the landing, and must not be in the way of a merge.
    fn without_state(&self, repository: &Repository, task: &str, tree: Oid) -> Result<Oid, Error> {
        let Some(base) = self.base_of(task) else { return Ok(tree) };
        let base = repository.find_commit(oid(&base)?)?.tree_id();
        let folders = STATE.map(|folder| self.prefix().join(folder));
        with_folders_of(repository, tree, base, &folders)
    }

    /// Takes all files of the worktree into its index, as `git add --all` would.
    fn index_of_files(&self, repository: &Repository) -> Result<Index, Error> {
        let top = repository.workdir().map(Path::to_owned).unwrap_or_default();
        let local = self.prefix().join(layout::LOCAL_DIR);
        let mut index = repository.index()?;
        // A repository in the worktree is not part of the work, nor is what a plan keeps to itself.
        let is_foreign =
            |path: &Path| path.starts_with(&local) || top.join(path).join(".git").exists();
        index.add_all(
            ["*"],
            IndexAddOption::DEFAULT,
            Some(&mut |path: &Path, _: &[u8]| i32::from(is_foreign(path))),
        )?;
        // A file of a conflict that is there was added just now.
        for path in conflicts(&index)? {
            index.conflict_remove(Path::new(&path))?;
        }
        Ok(index)
    }

    /// Lets the branch of a task end at `head`, and be what is checked out: the worker may have gone
    /// over to another one. Commits that would be lost by that are kept.
    fn settle_branch(&self, task: &str, head: Oid) -> Result<(), GitError> {
        let failed = |source| GitError::failed(format!("move the branch of {task}"), source);
        let worktree = self.open_worktree(task).map_err(failed)?;
        let name = format!("{HEADS}{}", Self::task_branch(task));
        let shared = self.shared().map_err(failed)?;
        let known = match shared.find_reference(&name) {
            Ok(known) => Some(known.peel_to_commit().map_err(failed)?.id()),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if known != Some(head) {
            if let Some(known) = known
                && !shared.graph_descendant_of(head, known).map_err(failed)?
            {
                self.keep(task, &name_of(known))?;
            }
            despite_locks(|| shared.reference(&name, head, true, "orch: work").map(drop))
                .map_err(failed)?;
        }
        let is_on_branch =
            worktree.find_reference("HEAD").is_ok_and(|h| h.symbolic_target() == Ok(Some(&*name)));
        match is_on_branch {
            true => Ok(()),
            false => worktree.set_head(&name).map_err(failed),
        }
    }

    /// Merges `tip`, the last commit of the integration branch, into the branch of a task, whose
    /// worktree is committed.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn integrate(
        &self,
        task: &str,
        tip: &CommitId,
        message: &str,
    ) -> Result<Integrated, GitError> {
        let merged = self.merge_tip(task, tip, message);
        let merged =
            merged.map_err(|source| GitError::failed(format!("merge into {task}"), source))?;
        match &merged {
            Integrated::Clean { .. } => {
                self.note_base(task, tip)?;
                self.unmark(task, CONFLICT)?;
            }
            Integrated::Conflict { .. } => self.mark(task, CONFLICT, &tip.0)?,
        }
        Ok(merged)
    }

    fn merge_tip(&self, task: &str, tip: &CommitId, message: &str) -> Result<Integrated, Error> {
        let worktree = self.open_worktree(task)?;
        let head = despite_locks(|| Ok(worktree.head()?.peel_to_commit()?.id()))?;
        let tip = oid(tip)?;
        let (made, merged) = match self.make(|| self.fit(task, head, tip, message))? {
            Fit::Already => return Ok(Integrated::Clean { head: name_of(head) }),
            Fit::Conflict(files) => return Ok(Integrated::Conflict { files }),
            Fit::Behind => (tip, None),
            Fit::Merged(made) => (made, Some(tip)),
            Fit::Replayed(made) => (made, None),
        };
        self.hold(&held(task), made)?;
        if !worktree.graph_descendant_of(made, head).unwrap_or(false) {
            // Its commits are on no branch from here on.
            self.keep(task, &name_of(head)).map_err(|error| Error::from_str(&error.to_string()))?;
        }
        let tree = worktree.find_commit(made)?.tree_id();
        let marked = |error: GitError| Error::from_str(&error.to_string());
        self.mark(task, MERGING, &made.to_string()).map_err(marked)?;
        self.move_worktree(&worktree, tree, made, merged)?;
        self.unmark(task, MERGING).map_err(marked)?;
        self.release(&held(task));
        Ok(Integrated::Clean { head: name_of(made) })
    }

    /// Finds out how the branch of a task goes together with `tip`, and makes the commit for it.
    fn fit(&self, task: &str, head: Oid, tip: Oid, message: &str) -> Result<Fit, Error> {
        if head == tip {
            return Ok(Fit::Already);
        }
        // Only there it is known where the history of a shallow clone ends.
        let repository = &self.shared()?;
        let tree_of = |id: Oid| Ok::<_, Error>(repository.find_commit(id)?.tree_id());
        // A tip that does not follow the one that was merged last was rewritten by somebody: what
        // they took out must not come back with the branch of the task.
        let base = self.base_of(task).map(|base| oid(&base)).transpose()?;
        let is_rewritten =
            |base: Oid| Ok::<_, Error>(base != tip && !repository.graph_descendant_of(tip, base)?);
        if let Some(base) = base
            && is_rewritten(base)?
        {
            // Their histories would bring it back: only what the task itself changed counts.
            let sides = [tree_of(base)?, tree_of(head)?, tree_of(tip)?];
            return match merge_changes(repository, sides)? {
                Merged::Conflicts(files) => Ok(Fit::Conflict(files)),
                Merged::Tree(tree) => commit(repository, tree, &[tip], message).map(Fit::Replayed),
            };
        }
        if repository.graph_descendant_of(head, tip)? {
            return Ok(Fit::Already);
        }
        if repository.graph_descendant_of(tip, head)? {
            return Ok(Fit::Behind);
        }
        match merge_commits(repository, head, tip)? {
            Merged::Conflicts(files) => Ok(Fit::Conflict(files)),
            Merged::Tree(tree) => commit(repository, tree, &[head, tip], message).map(Fit::Merged),
        }
    }

    /// Lets a worktree without uncommitted work go over to `commit`, whose tree is `tree`, a merge with
    /// `merged`. Should this process die in between, it is undone: see [`Self::undo_half_merge`].
    fn move_worktree(
        &self,
        repository: &Repository,
        tree: Oid,
        commit: Oid,
        merged: Option<Oid>,
    ) -> Result<(), Error> {
        let old = despite_locks(|| Ok(repository.head()?.peel_to_commit()?.tree_id()))?;
        let note = repository.path().join("MERGE_HEAD");
        if let Some(merged) = merged {
            fs::write(&note, format!("{merged}\n")).map_err(|error| {
                Error::from_str(&format!("failed to write {}: {error}", note.display()))
            })?;
        }
        let paths: Vec<PathBuf> =
            changes(repository, Some(old), Some(tree))?.into_iter().map(|c| c.path).collect();
        if !paths.is_empty() {
            let mut checkout = CheckoutBuilder::new();
            checkout.force().disable_pathspec_match(true);
            for path in &paths {
                checkout.path(path.as_path());
            }
            let tree = repository.find_object(tree, None)?;
            repository.checkout_tree(&tree, Some(&mut checkout))?;
        }
        despite_locks(|| repository.head()?.set_target(commit, "orch: merge").map(drop))?;
        repository.cleanup_state()
    }
}

/// Returns the ref that holds the next commit of a task until its branch does.
fn held(task: &str) -> String {
    format!("refs/orch/held/{task}")
}

/// Makes a commit that is on no branch yet.
pub(super) fn commit(
    repository: &Repository,
    tree: Oid,
    parents: &[Oid],
    message: &str,
) -> Result<Oid, Error> {
    let author = author(repository)?;
    let parents =
        parents.iter().map(|id| repository.find_commit(*id)).collect::<Result<Vec<_>, _>>()?;
    let parents: Vec<&Commit<'_>> = parents.iter().collect();
    repository.commit(None, &author, &author, message, &repository.find_tree(tree)?, &parents)
}
