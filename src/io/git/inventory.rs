//! What the repository holds of tasks: worktrees, branches, and work that is kept apart.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{Error, FileMode, Repository, RepositoryState, StatusOptions};

use super::{
    GitError, Ground,
    ground::{HEADS, despite_locks, name_of, oid},
    worktree::RESCUE,
};
use crate::domain::{format::layout, model::commit::CommitId};

/// What the git folders of worktrees of tasks are called.
const ADMIN: &str = "orch-";

/// A worktree of a task, as far as git knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWorktree {
    /// The task.
    pub task: String,
    /// The folder; `None` where git does not know that any more.
    pub folder: Option<PathBuf>,
    /// Whether it was made completely, and nobody has begun to remove it.
    pub is_complete: bool,
}

/// A branch of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskBranch {
    /// The task.
    pub task: String,
    /// Its last commit.
    pub tip: CommitId,
}

/// Work that is kept under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescue {
    /// The full name.
    pub name: String,
    /// The task.
    pub task: String,
    /// The commit.
    pub commit: CommitId,
    /// When that was made, in seconds since 1970.
    pub seconds: i64,
}

/// What a worktree holds that is in no commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorktreeState {
    /// The commit that is checked out.
    pub head: CommitId,
    /// How many files differ from that commit, but for those that git ignores and the state of the
    /// plan.
    pub n_changed: usize,
    /// Repositories in it: what they hold can be in no commit of this one.
    pub foreign: Vec<String>,
    /// Whether something is under way in it that its worker did not finish, a rebase for example.
    pub is_unfinished: bool,
}

impl Ground {
    /// Returns the worktrees of tasks, by task.
    pub fn task_worktrees(&self) -> Vec<TaskWorktree> {
        let entries = fs::read_dir(self.common_dir().join("worktrees"));
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut found: Vec<TaskWorktree> = names
            .filter_map(|name| name.to_str()?.strip_prefix(ADMIN).map(str::to_owned))
            .map(|task| TaskWorktree {
                folder: self.folder_of(&task),
                is_complete: self.base_of(&task).is_some(),
                task,
            })
            .collect();
        found.sort_by(|a, b| a.task.cmp(&b.task));
        found
    }

    /// Returns the branches of tasks, by task.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn task_branches(&self) -> Result<Vec<TaskBranch>, GitError> {
        let prefix = format!("{HEADS}{}", Self::task_branch(""));
        let found = self.refs_below(&prefix, |below, commit| TaskBranch {
            task: below.to_owned(),
            tip: name_of(commit.id()),
        });
        found.map_err(|source| GitError::failed("list the branches of tasks", source))
    }

    /// Returns the work that is kept apart, by name.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn rescues(&self) -> Result<Vec<Rescue>, GitError> {
        let found = self.refs_below(RESCUE, |below, commit| Rescue {
            name: format!("{RESCUE}{below}"),
            task: below.rsplit_once('/').map_or(below, |(task, _)| task).to_owned(),
            commit: name_of(commit.id()),
            seconds: commit.time().seconds(),
        });
        found.map_err(|source| GitError::failed("list the work that is kept apart", source))
    }

    fn refs_below<T>(
        &self,
        prefix: &str,
        describe: impl Fn(&str, &git2::Commit<'_>) -> T,
    ) -> Result<Vec<T>, Error> {
        let repository = self.shared()?;
        let mut found = Vec::new();
        for reference in repository.references_glob(&format!("{prefix}*"))? {
            let reference = reference?;
            let Ok(name) = reference.name() else { continue };
            let (Some(below), Ok(commit)) = (name.strip_prefix(prefix), reference.peel_to_commit())
            else {
                continue;
            };
            found.push((name.to_owned(), describe(below, &commit)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    /// Says whether a commit is one of `keepers`, or below one of them.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn is_kept_by(&self, commit: &CommitId, keepers: &[CommitId]) -> Result<bool, GitError> {
        let look = || {
            let repository = self.shared()?;
            let commit = oid(commit)?;
            for keeper in keepers {
                let keeper = oid(keeper)?;
                if keeper == commit || repository.graph_descendant_of(keeper, commit)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        look().map_err(|source: Error| GitError::failed("compare commits", source))
    }

    /// Looks what a worktree holds; nothing is changed by that.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn worktree_state(&self, task: &str) -> Result<WorktreeState, GitError> {
        let look = || {
            let repository = self.open_worktree(task)?;
            let head = despite_locks(|| Ok(repository.head()?.peel_to_commit()?.id()))?;
            let head = name_of(head);
            let is_unfinished =
                !matches!(repository.state(), RepositoryState::Clean | RepositoryState::Merge);
            let mut foreign = embedded(&repository)?;
            let n_changed = self.changed_in(&repository, &mut foreign)?;
            Ok(WorktreeState { head, n_changed, foreign, is_unfinished })
        };
        look().map_err(|source: Error| {
            GitError::failed(format!("look at the worktree of {task}"), source)
        })
    }

    /// Counts what differs from the last commit, and notes repositories that are no part of it.
    fn changed_in(
        &self,
        repository: &Repository,
        foreign: &mut Vec<String>,
    ) -> Result<usize, Error> {
        let own = [layout::STATUS_DIR, layout::RUNS_DIR, layout::LOCAL_DIR];
        let own = own.map(|folder| self.prefix().join(folder));
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false);
        // The index of somebody else is not written for a look at it.
        options.no_refresh(false).update_index(false).exclude_submodules(true);
        let mut n_changed = 0;
        for entry in repository.statuses(Some(&mut options))?.iter() {
            let path = String::from_utf8_lossy(entry.path_bytes()).into_owned();
            if own.iter().any(|folder| Path::new(&path).starts_with(folder)) {
                continue;
            }
            match path.strip_suffix('/') {
                // Git does not look into another repository.
                Some(folder) => foreign.push(folder.to_owned()),
                None => n_changed += 1,
            }
        }
        Ok(n_changed)
    }

    /// Returns the commit that is checked out in what is left of a worktree; `None` where that
    /// cannot be found out.
    pub(super) fn head_of(&self, task: &str) -> Option<CommitId> {
        let repository = self.open_worktree(task).ok()?;
        let head = despite_locks(|| Ok(repository.head()?.peel_to_commit()?.id()));
        head.ok().map(name_of)
    }
}

/// Returns the repositories in a worktree of which its index knows no more than a commit.
fn embedded(repository: &Repository) -> Result<Vec<String>, Error> {
    let top = repository.workdir().map(Path::to_owned).unwrap_or_default();
    let index = repository.index()?;
    let links = index.iter().filter(|entry| entry.mode == u32::from(FileMode::Commit));
    let paths = links.map(|entry| String::from_utf8_lossy(&entry.path).into_owned());
    Ok(paths.filter(|path| top.join(path).join(".git").symlink_metadata().is_ok()).collect())
}
