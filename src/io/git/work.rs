//! What a worker did in its worktree: committed as it was left, and merged with what the others did
//! meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{
    Commit, Error, ErrorCode, IndexAddOption, Oid, Repository, RepositoryState,
    build::CheckoutBuilder,
};

use super::{
    GitError, Ground,
    ground::{HEADS, author, name_of, oid},
    merge::{Merged, conflicts, merge_commits, merge_trees},
    paths::{changes, entry_at, with_entry},
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

impl Ground {
    /// Commits what the worker of a task left uncommitted, and returns the last commit of the
    /// branch of the task, on which it is then.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn commit_leftovers(&self, task: &str, message: &str) -> Result<CommitId, GitError> {
        let what = || format!("commit what was left in the worktree of {task}");
        let failed = |source| GitError::failed(what(), source);
        let mut repository = self.open_worktree(task).map_err(failed)?;
        let under_way = match repository.state() {
            RepositoryState::Clean | RepositoryState::Merge => None,
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => Some("a rebase"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
                Some("a cherry-pick")
            }
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
            RepositoryState::Bisect => Some("a bisect"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
                Some("a series of patches")
            }
        };
        if let Some(what) = under_way {
            return Err(GitError::Refused(format!("{what} is under way in its worktree")));
        }
        let head = self.commit_all_in(&mut repository, task, message).map_err(failed)?;
        self.settle_branch(&repository, task, head)?;
        Ok(name_of(head))
    }

    /// Commits all that is not ignored; returns the commit that is checked out then.
    fn commit_all_in(
        &self,
        repository: &mut Repository,
        task: &str,
        message: &str,
    ) -> Result<Oid, Error> {
        let mut merged = Vec::new();
        if repository.state() == RepositoryState::Merge {
            repository.mergehead_foreach(|id| {
                merged.push(*id);
                true
            })?;
        }
        let repository = &*repository;
        let head = repository.head()?.peel_to_commit()?;
        let tree = self.tree_of_files(repository)?;
        let tree = self.without_state(repository, task, tree)?;
        if tree == head.tree_id() && merged.is_empty() {
            return Ok(head.id());
        }
        let others = merged
            .into_iter()
            .map(|id| repository.find_commit(id))
            .collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<&Commit<'_>> = std::iter::once(&head).chain(&others).collect();
        let author = author(repository)?;
        let tree = repository.find_tree(tree)?;
        let made = repository.commit(None, &author, &author, message, &tree, &parents)?;
        // What is checked out, a branch or a commit, moves on.
        repository.head()?.set_target(made, "orch: leftovers")?;
        repository.cleanup_state()?;
        Ok(made)
    }

    /// Returns `tree` with the folders of state as they were where the work began: what belongs there
    /// comes with the landing, and must not be in the way of a merge.
    fn without_state(&self, repository: &Repository, task: &str, tree: Oid) -> Result<Oid, Error> {
        let Some(base) = self.base_of(task) else { return Ok(tree) };
        let base = repository.find_commit(oid(&base)?)?.tree()?;
        let mut cleared = tree;
        for folder in STATE {
            let path = self.prefix().join(folder);
            let entry = entry_at(&base, &path);
            cleared = with_entry(repository, Some(cleared), &path, entry)?.unwrap_or(cleared);
        }
        Ok(cleared)
    }

    /// Takes all files of the worktree into its index, as `git add --all` would.
    fn tree_of_files(&self, repository: &Repository) -> Result<Oid, Error> {
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
        index.write()?;
        index.write_tree()
    }

    /// Lets the branch of a task end at `head`, and be what is checked out: the worker may have gone
    /// over to another one. Commits that would be lost by that are kept.
    fn settle_branch(&self, worktree: &Repository, task: &str, head: Oid) -> Result<(), GitError> {
        let failed = |source| GitError::failed(format!("move the branch of {task}"), source);
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
            shared.reference(&name, head, true, "orch: work").map_err(failed)?;
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
        if let Integrated::Clean { .. } = &merged {
            self.note_base(task, tip)?;
        }
        Ok(merged)
    }

    fn merge_tip(&self, task: &str, tip: &CommitId, message: &str) -> Result<Integrated, Error> {
        let repository = self.open_worktree(task)?;
        let head = repository.head()?.peel_to_commit()?.id();
        let tip = oid(tip)?;
        if head == tip {
            return Ok(Integrated::Clean { head: name_of(head) });
        }
        let tree_of = |id: Oid| Ok::<_, Error>(repository.find_commit(id)?.tree_id());
        // A tip that does not follow the one that was merged last was rewritten by somebody: what
        // they took out must not come back with the branch of the task.
        let base = self.base_of(task).map(|base| oid(&base)).transpose()?;
        let is_rewritten =
            |base: Oid| Ok::<_, Error>(base != tip && !repository.graph_descendant_of(tip, base)?);
        if let Some(base) = base
            && is_rewritten(base)?
            && let Some(tree) =
                merge_trees(&repository, tree_of(base)?, tree_of(head)?, tree_of(tip)?)?
        {
            // Its commits are on no branch from here on.
            self.keep(task, &name_of(head)).map_err(|error| Error::from_str(&error.to_string()))?;
            let made = commit(&repository, tree, &[tip], message)?;
            self.move_worktree(&repository, tree, made, None)?;
            return Ok(Integrated::Clean { head: name_of(made) });
        }
        if repository.graph_descendant_of(head, tip)? {
            return Ok(Integrated::Clean { head: name_of(head) });
        }
        if repository.graph_descendant_of(tip, head)? {
            // It did nothing; the others did.
            self.move_worktree(&repository, tree_of(tip)?, tip, None)?;
            return Ok(Integrated::Clean { head: name_of(tip) });
        }
        let tree = match merge_commits(&repository, head, tip)? {
            Merged::Conflicts(files) => return Ok(Integrated::Conflict { files }),
            Merged::Tree(tree) => tree,
        };
        let made = commit(&repository, tree, &[head, tip], message)?;
        self.move_worktree(&repository, tree, made, Some(tip))?;
        Ok(Integrated::Clean { head: name_of(made) })
    }

    /// Lets a worktree without uncommitted work go over to `commit`, whose tree is `tree`. First its
    /// files, then its branch: should this process die in between, its files are newer than its
    /// branch, and are committed as what they are, a merge with `merged`.
    fn move_worktree(
        &self,
        repository: &Repository,
        tree: Oid,
        commit: Oid,
        merged: Option<Oid>,
    ) -> Result<(), Error> {
        let head = repository.head()?;
        let old = head.peel_to_commit()?.tree_id();
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
        let mut branch = head;
        branch.set_target(commit, "orch: merge")?;
        repository.cleanup_state()
    }

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
        self.commit_leftovers(task, &format!("{task}: what was left in its worktree"))?;
        if let Integrated::Clean { .. } = self.integrate(task, tip, message)? {
            return Ok(Vec::new());
        }
        let begin = || {
            let repository = self.open_worktree(task)?;
            let theirs = repository.find_annotated_commit(oid(tip)?)?;
            let mut checkout = CheckoutBuilder::new();
            checkout.force().allow_conflicts(true).conflict_style_merge(true);
            checkout.our_label("this task").their_label("what landed meanwhile");
            repository.merge(&[&theirs], None, Some(&mut checkout))?;
            conflicts(&repository.index()?)
        };
        let files =
            begin().map_err(|source| GitError::failed(format!("merge into {task}"), source))?;
        self.note_base(task, tip)?;
        Ok(files)
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
