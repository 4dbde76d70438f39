//! Worktrees and branches of tasks that go, without the work that is in them.
//!
//! First the work is secured, then its place is taken away. Should this process die in between,
//! what is left counts as half made, and nothing is lost.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    GitError, Ground, Rescue,
    ground::{HEADS, oid},
    worktree::{READY, free_name, remove_if_there},
};
use crate::domain::model::commit::CommitId;

impl Ground {
    /// Sees to it that all work of a task is reachable from one of `keepers`: what lies uncommitted
    /// in its worktree in `folder` is committed, and what no keeper holds is kept under names of
    /// its own. Returns the names that are new. What git ignores is no work.
    ///
    /// # Errors
    /// [`GitError::Refused`] where something in the worktree can be in no commit; [`GitError`].
    pub fn secure(
        &self,
        task: &str,
        folder: &Path,
        keepers: &[CommitId],
    ) -> Result<Vec<String>, GitError> {
        let before = self.rescues()?;
        let mut commits = self.commits_of(task)?;
        if self.is_ready(task, folder) {
            if let Some(path) = self.worktree_state(task)?.foreign.first() {
                let words = format!("a git repository lies in it, in {path}");
                return Err(GitError::Refused(words));
            }
            let message = format!("{task}: what was left in its worktree");
            commits.insert(0, self.commit_leftovers(task, &message)?);
        } else if self.base_of(task).is_some() && folder.symlink_metadata().is_ok() {
            let words = "git and its folder do not know each other; see `git worktree repair`";
            return Err(GitError::Refused(words.to_owned()));
        }
        let mut keepers = keepers.to_vec();
        for commit in commits {
            if !self.is_kept_by(&commit, &keepers)? {
                self.keep(task, &commit)?;
                keepers.push(commit);
            }
        }
        let is_new = |rescue: &Rescue| rescue.task == task && !before.contains(rescue);
        let new = self.rescues()?.into_iter().filter(is_new);
        Ok(new.map(|rescue| rescue.name).collect())
    }

    /// Returns the commits that hold the work of a task: that of its worktree and that of its
    /// branch, which are the same but where its worker went its own way.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn commits_of(&self, task: &str) -> Result<Vec<CommitId>, GitError> {
        let tip = self.tip(&Self::task_branch(task))?;
        let mut commits: Vec<CommitId> = self.head_of(task).into_iter().chain(tip).collect();
        commits.dedup();
        Ok(commits)
    }

    /// Removes the worktree of a task whose work is secured, with all that is in it; its branch
    /// stays. Says whether it is gone: `may_go` is asked once nobody takes it up any more as it is.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn take_away(
        &self,
        task: &str,
        folder: &Path,
        may_go: &dyn Fn() -> bool,
    ) -> Result<bool, GitError> {
        let what = || format!("remove the worktree of {task}");
        let failed = |source| GitError::file(what(), source);
        let base = self.base_of(task);
        remove_if_there(&self.admin(task).join(READY)).map_err(failed)?;
        if !may_go() {
            return base.map_or(Ok(false), |base| self.note_base(task, &base).map(|()| false));
        }
        // In an instant: whoever needs the place meanwhile makes a worktree of their own there.
        let aside = free_name(folder);
        let is_there = folder.symlink_metadata().is_ok();
        if is_there {
            fs::rename(folder, &aside).map_err(failed)?;
        }
        self.remove_worktree(task, folder)?;
        if is_there {
            remove_all(&aside).map_err(failed)?;
        }
        Ok(true)
    }

    /// Deletes the branch of a task where its work is reachable from one of `keepers`; says whether
    /// it is gone.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn drop_branch(&self, task: &str, keepers: &[CommitId]) -> Result<bool, GitError> {
        let branch = Self::task_branch(task);
        let Some(tip) = self.tip(&branch)? else { return Ok(true) };
        if self.checked_out_at(&branch).is_some() || !self.is_kept_by(&tip, keepers)? {
            return Ok(false);
        }
        self.drop_ref(&format!("{HEADS}{branch}"), &tip)?;
        Ok(true)
    }

    /// Deletes a name where it still stands for `commit`.
    ///
    /// # Errors
    /// [`GitError::Failed`], also where somebody moved it.
    pub fn drop_ref(&self, name: &str, commit: &CommitId) -> Result<(), GitError> {
        let dropped = oid(commit).and_then(|commit| self.delete_ref_at(name, Some(commit)));
        dropped.map_err(|source| GitError::failed(format!("delete {name}"), source))
    }

    /// Removes a folder that was set aside, with all that is in it.
    ///
    /// # Errors
    /// [`GitError::File`].
    pub fn remove_aside(&self, folder: &Path) -> Result<(), GitError> {
        let failed = |source| GitError::file(format!("remove {}", folder.display()), source);
        remove_all(folder).map_err(failed)
    }
}

/// Removes a folder with all that is in it, also where tools made folders in it read-only.
fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut folders = vec![folder.to_owned()];
            while let Some(next) = folders.pop() {
                fs::set_permissions(&next, fs::Permissions::from_mode(0o700))?;
                folders.extend(folders_in(&next)?);
            }
            fs::remove_dir_all(folder)
        }
        other => other,
    }
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    Ok(entries.iter().filter(|entry| is_folder(entry)).map(fs::DirEntry::path).collect())
}
