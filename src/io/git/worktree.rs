//! Worktrees of tasks: each task works in one of its own, on a branch of its own.
//!
//! They are made in this process. No hook of the user runs, no filter that the repository names, no
//! submodule is fetched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::{
    GitError, Ground,
    fill::fill,
    ground::{HEADS, despite_locks, name_of, oid},
};
use crate::domain::model::commit::CommitId;

/// What the branches of tasks begin with.
const BRANCHES: &str = "orch/";

/// Where work is kept that is on no branch.
pub(super) const RESCUE: &str = "refs/orch/rescue/";

/// A file in the git folder of a worktree that is complete: it holds the commit of the integration
/// branch that is merged into it.
pub(super) const READY: &str = "orch-base";

/// How often a worktree is put in its place where somebody takes that away.
const RENAMES: usize = 100;

/// Where a worktree comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// That of the attempt before, where there is one.
    Before,
    /// A new one; what the attempt before left is kept apart.
    Fresh,
}

/// A worktree that is ready to be worked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Whether it is that of an attempt before.
    pub is_kept: bool,
    /// What the attempt before left, where it was set aside.
    pub rescued: Option<String>,
}

impl Ground {
    /// Returns the name of the branch of a task.
    pub fn task_branch(task: &str) -> String {
        format!("{BRANCHES}{task}")
    }

    /// Makes the worktree of a task in `folder`, on its branch, which begins at `tip`; or takes up
    /// the one that is there. One that is half made, or that somebody removed, is made again from
    /// the branch.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn prepare_worktree(
        &self,
        task: &str,
        folder: &Path,
        tip: &CommitId,
        origin: Origin,
    ) -> Result<Prepared, GitError> {
        let what = || format!("make the worktree of {task}");
        let mut rescued = None;
        if self.is_ready(task, folder) {
            if origin == Origin::Before {
                return Ok(Prepared { is_kept: true, rescued });
            }
            rescued = self.rescue(task)?;
            self.remove_worktree(task, folder)?;
            self.delete_branch(task)?;
        } else {
            self.clear_away(task, folder)?;
        }
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(|source| GitError::file(what(), source))?;
        }
        let made = self.add_worktree(task, folder, tip);
        if made.is_err() {
            // What is half made would be in the way of the next attempt.
            self.clear_away(task, folder)?;
        }
        made?;
        Ok(Prepared { is_kept: false, rescued })
    }

    /// Says whether the worktree of a task is there and complete.
    pub fn is_ready(&self, task: &str, folder: &Path) -> bool {
        let link = fs::symlink_metadata(folder.join(".git"));
        let is_its_folder = self.folder_of(task).is_some_and(|known| known == folder);
        link.is_ok() && is_its_folder && self.base_of(task).is_some()
    }

    /// Returns the folder of the worktree of a task, as git knows it.
    pub(super) fn folder_of(&self, task: &str) -> Option<PathBuf> {
        let link = fs::read_to_string(self.admin(task).join("gitdir")).ok()?;
        Path::new(link.trim()).parent().map(Path::to_owned)
    }

    fn add_worktree(&self, task: &str, folder: &Path, tip: &CommitId) -> Result<(), GitError> {
        let branch = Self::task_branch(task);
        if let Some(place) = self.checked_out_at(&branch) {
            return Err(GitError::Refused(format!(
                "the branch {branch} is checked out in {}; check out another one there",
                place.display()
            )));
        }
        let begin = || {
            let repository = self.shared()?;
            let tip = oid(tip)?;
            self.point_branch(&repository, task, tip)?;
            let branch = repository.find_reference(&format!("{HEADS}{branch}"))?;
            repository.merge_base(branch.peel_to_commit()?.id(), tip)
        };
        let merged = begin().map_err(|source| self.explained(task, source))?;
        let head = format!("ref: {HEADS}{}", Self::task_branch(task));
        self.link_worktree(task, folder, &head)
            .map_err(|source| GitError::file(format!("make the worktree of {task}"), source))?;
        let fill = || {
            let repository = self.open_worktree(task)?;
            fill(&repository, repository.head()?.peel(ObjectType::Tree)?.id())
        };
        fill().map_err(|source| self.explained(task, source))?;
        self.note_base(task, &name_of(merged))
    }

    /// Writes the files that make a folder a worktree in which `head`, a branch or a commit, is checked
    /// out, as `git worktree add` does. That of libgit2 looks at all other worktrees, and stumbles over those that are being made just now.
    pub(super) fn link_worktree(
        &self,
        task: &str,
        folder: &Path,
        head: &str,
    ) -> std::io::Result<()> {
        let (admin, new) = (self.admin(task), self.common_dir().join(format!("orch-new-{task}")));
        remove_folder_if_there(&new)?;
        fs::create_dir(&new)?;
        // Nobody prunes it, least of all as long as it is half made.
        fs::write(new.join("locked"), format!("orch works on {task}\n"))?;
        fs::write(new.join("gitdir"), format!("{}\n", folder.join(".git").display()))?;
        fs::write(new.join("commondir"), "../..\n")?;
        fs::write(new.join("HEAD"), format!("{head}\n"))?;
        fs::create_dir_all(folder)?;
        fs::write(folder.join(".git"), format!("gitdir: {}\n", admin.display()))?;
        // A git command that comes by sees all of it or nothing. One that prunes worktrees removes the
        // folder of all of them where it is empty.
        for _ in 0..RENAMES {
            if let Some(parent) = admin.parent() {
                fs::create_dir_all(parent)?;
            }
            match fs::rename(&new, &admin) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => return other,
            }
        }
        fs::rename(&new, &admin)
    }

    /// Lets the branch of a task begin at `tip`; one that holds work stays as it is.
    fn point_branch(
        &self,
        repository: &Repository,
        task: &str,
        tip: Oid,
    ) -> Result<(), git2::Error> {
        let name = format!("{HEADS}{}", Self::task_branch(task));
        let known = match repository.find_reference(&name) {
            Ok(known) => Some(known.peel_to_commit()?.id()),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let has_work = match known {
            Some(known) => known != tip && !repository.graph_descendant_of(tip, known)?,
            None => false,
        };
        if !has_work {
            despite_locks(|| {
                repository.reference(&name, tip, true, "orch: begin a task").map(drop)
            })?;
        }
        Ok(())
    }

    /// Returns why a worktree cannot be made, in words where the cause is known.
    fn explained(&self, task: &str, source: git2::Error) -> GitError {
        let is_taken = self.shared().is_ok_and(|r| r.find_reference("refs/heads/orch").is_ok());
        if is_taken {
            let words = "a branch called `orch` is in the way of `orch/…`; rename it (`git branch -m orch NAME`)";
            return GitError::Refused(words.to_owned());
        }
        GitError::failed(format!("make the worktree of {task}"), source)
    }

    /// Returns the folder in which a branch is checked out; `None` where it is in none.
    pub fn checked_out_at(&self, branch: &str) -> Option<PathBuf> {
        self.checkouts().into_iter().find(|(_, head)| head == branch).map(|(git_dir, _)| {
            let opened = Repository::open(&git_dir).ok();
            opened.and_then(|found| self.top_of(&found)).unwrap_or(git_dir)
        })
    }

    /// Returns the top folder of a checkout; `None` where it has none. That of the own one is known since
    /// the beginning: a worker may have written another one into the settings (`core.worktree`).
    pub(super) fn top_of(&self, checkout: &Repository) -> Option<PathBuf> {
        let is_own = checkout.path() == self.git_dir();
        let top = if is_own { Some(self.top()) } else { checkout.workdir() };
        top.map(Path::to_owned)
    }

    /// Returns the git folder of each checkout of the repository, with the branch in it.
    pub(super) fn checkouts(&self) -> Vec<(PathBuf, String)> {
        let with_branch = self.git_dirs().filter_map(|git_dir| {
            let head = fs::read_to_string(git_dir.join("HEAD")).ok()?;
            let name = head.trim().strip_prefix("ref: ")?.strip_prefix(HEADS)?.to_owned();
            Some((git_dir, name))
        });
        with_branch.collect()
    }

    /// Returns the git folder of each checkout of the repository.
    pub(super) fn git_dirs(&self) -> impl Iterator<Item = PathBuf> {
        let linked = fs::read_dir(self.common_dir().join("worktrees"));
        let linked = linked.into_iter().flatten().flatten().map(|entry| entry.path());
        std::iter::once(self.common_dir().to_owned()).chain(linked)
    }

    /// Removes what is half made or was half removed. A folder that is no worktree of ours is set
    /// aside: nobody knows what is in it.
    fn clear_away(&self, task: &str, folder: &Path) -> Result<(), GitError> {
        let what = || format!("make room for the worktree of {task}");
        let admin = self.admin(task);
        if let Some(other) = self.folder_of(task).filter(|other| other != folder)
            && other.symlink_metadata().is_ok()
        {
            return Err(GitError::Refused(format!(
                "task {task} has its worktree in {}, as another `orch` in this repository works on \
                 it",
                other.display()
            )));
        }
        let is_ours = admin.exists();
        let was_ready = self.base_of(task).is_some();
        if folder.symlink_metadata().is_ok() && (!is_ours || was_ready) {
            let is_empty = fs::read_dir(folder).is_ok_and(|mut all| all.next().is_none());
            let moved = match is_empty {
                true => fs::remove_dir(folder),
                false => fs::rename(folder, free_name(folder)),
            };
            moved.map_err(|source| GitError::file(what(), source))?;
        }
        match is_ours {
            true => self.remove_worktree(task, folder),
            false => Ok(()),
        }
    }

    /// Removes the worktree of a task with all that is in it; its branch stays. One that is not
    /// there is fine.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn remove_worktree(&self, task: &str, folder: &Path) -> Result<(), GitError> {
        let what = || format!("remove the worktree of {task}");
        // From here on it counts as half made, should this process die in the middle.
        remove_if_there(&self.admin(task).join(READY))
            .map_err(|source| GitError::file(what(), source))?;
        if folder.symlink_metadata().is_ok() {
            fs::remove_dir_all(folder).map_err(|source| GitError::file(what(), source))?;
        }
        // Git would stumble over logs that are taken away while it shortens them.
        self.wait_for_tidying();
        // As above: a git command that comes by sees all of it or nothing.
        let old = self.common_dir().join(format!("orch-old-{task}"));
        let removed =
            remove_folder_if_there(&old).and_then(|()| match fs::rename(self.admin(task), &old) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
                Ok(()) => fs::remove_dir_all(&old),
            });
        removed.map_err(|source| GitError::file(what(), source))
    }

    /// Deletes the branch of a task; one that is not there is fine.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn delete_branch(&self, task: &str) -> Result<(), GitError> {
        let deleted = self.delete_ref(&format!("{HEADS}{}", Self::task_branch(task)));
        deleted.map_err(|source| GitError::failed(format!("delete the branch of {task}"), source))
    }

    /// Returns the git folder of the worktree of a task.
    pub(super) fn admin(&self, task: &str) -> PathBuf {
        self.common_dir().join("worktrees").join(admin_name(task))
    }

    /// Opens the worktree of a task. Its own link to the repository is not followed: a worker can
    /// write it.
    pub(super) fn open_worktree(&self, task: &str) -> Result<Repository, git2::Error> {
        Repository::open(self.admin(task))
    }

    /// Returns the commit of the integration branch that is merged into the worktree of a task;
    /// `None` where that is not complete.
    pub fn base_of(&self, task: &str) -> Option<CommitId> {
        let text = fs::read_to_string(self.admin(task).join(READY)).ok()?;
        Some(CommitId(text.trim().to_owned())).filter(|base| !base.0.is_empty())
    }

    pub(super) fn note_base(&self, task: &str, base: &CommitId) -> Result<(), GitError> {
        let path = self.admin(task).join(READY);
        let new = self.admin(task).join("orch-base.new");
        let written = fs::write(&new, format!("{base}\n")).and_then(|()| fs::rename(&new, &path));
        written.map_err(|source| GitError::file(format!("note the base of {task}"), source))
    }

    /// Commits what is in the worktree of a task and keeps it under a name of its own; returns that
    /// name, `None` where nothing is to be kept.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn rescue(&self, task: &str) -> Result<Option<String>, GitError> {
        let head =
            self.commit_leftovers(task, &format!("{task}: what was left in its worktree"))?;
        let Some(base) = self.base_of(task).filter(|base| *base != head) else { return Ok(None) };
        let is_merged = || {
            let repository = self.shared()?;
            repository.graph_descendant_of(oid(&base)?, oid(&head)?)
        };
        match is_merged().map_err(|source| GitError::failed("compare commits", source))? {
            true => Ok(None),
            false => self.keep(task, &head).map(Some),
        }
    }

    /// Returns a name under which work of a task is kept.
    pub fn rescue_name(task: &str, number: u32) -> String {
        format!("{RESCUE}{task}/{number}")
    }

    /// Keeps a commit of a task under a name of its own, which is returned.
    ///
    /// # Errors
    /// [`GitError`].
    pub(super) fn keep(&self, task: &str, commit: &CommitId) -> Result<String, GitError> {
        let keep = || {
            let repository = self.shared()?;
            let commit = oid(commit)?;
            let mut number = 1_u32;
            loop {
                let name = Self::rescue_name(task, number);
                let kept = || repository.reference(&name, commit, false, "orch: rescue").map(drop);
                match despite_locks(kept) {
                    Ok(_) => return Ok(name),
                    Err(error) if error.code() == ErrorCode::Exists => number += 1,
                    Err(error) => return Err(error),
                }
            }
        };
        keep().map_err(|source| GitError::failed(format!("keep the work of {task}"), source))
    }
}

fn admin_name(task: &str) -> String {
    format!("orch-{task}")
}

/// Returns a name beside `folder` that is free.
pub(super) fn free_name(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = (1_u32..).map(|number| folder.with_file_name(format!("{name}~{number}")));
    let mut free = names.filter(|path| path.symlink_metadata().is_err());
    free.next().unwrap_or_else(|| folder.to_owned())
}

pub(super) fn remove_folder_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

pub(super) fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
