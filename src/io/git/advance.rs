//! A branch that goes on to another commit, and the checkout that it is in with it.
//!
//! As `git read-tree -m -u OLD NEW` would, all or nothing, but for hooks and filters, of which none
//! runs: what is staged, changed or untracked stays as it is, and where something of that is in the
//! way, nothing happens.
//!
//! A command of the user that comes while `index.lock` is held fails, so it is held for a fraction of
//! a millisecond only: everything is prepared before, and nothing is begun while a command is at work
//! or was just before, as another one may follow at once.
//!
//! Files are put in their place first, then the index, and the branch last: should this process die
//! in between, the files are newer than the branch, and the next start finishes it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use git2::{Error, ErrorClass, ErrorCode, Oid, Repository, RepositoryState};

use super::{
    GitError, Ground,
    ground::{HEADS, author, oid, under_way},
    landing::HELD,
    paths::changes,
    placed::IndexLock,
    shifted::{Aside, Checkout},
    worktree::remove_folder_if_there,
};
use crate::domain::model::commit::CommitId;

/// The file below the scratch folder that says what is being done.
const STEP: &str = "step";

/// What is taken back where it is dropped before it is final.
pub(super) trait Final {
    /// Says that it stays.
    fn finish(self);
}

impl Final for () {
    fn finish(self) {}
}

/// A branch that is to go on.
pub struct Step<'a> {
    /// Its short name.
    pub branch: &'a str,
    /// Where it is.
    pub old: &'a CommitId,
    /// Where it goes.
    pub new: &'a CommitId,
    /// A folder for files before they are put in their place, on the file system of the checkout.
    pub scratch: &'a Path,
    /// Folders, relative to that of the plan, whose files only the coordinator writes.
    pub own: &'a [String],
    /// Files in them, as well, of which nobody has anything newer than `new`.
    pub fresh: &'a [String],
    /// How long nobody must have used git in the checkout: who did so just now goes on, mostly.
    pub quiet: Duration,
    /// Says what keeps the checkout busy just now: asked right before it is touched.
    pub busy: &'a dyn Fn(&Path) -> Option<String>,
}

/// What became of a branch that was to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// It did, with the checkout that it is in.
    Done,
    /// It did; it is in no checkout.
    DoneElsewhere,
    /// It is not where it was.
    Moved,
    /// Something is in the way, for now.
    InTheWay(Obstacle),
}

/// What is in the way of a checkout that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is, as a phrase.
    pub what: String,
    /// The files that have local changes, relative to the top folder.
    pub files: Vec<String>,
}

impl Obstacle {
    pub(super) fn of(what: impl Into<String>) -> Advanced {
        Advanced::InTheWay(Self { what: what.into(), files: Vec::new() })
    }
}

impl Ground {
    /// Lets a branch go on, and the checkout that it is in.
    ///
    /// # Errors
    /// [`GitError`]; nothing has changed then.
    pub fn advance(&self, step: &Step<'_>) -> Result<Advanced, GitError> {
        let what = || format!("move the branch {}", step.branch);
        if let Some(rebase) = self.rebase_of(step.branch) {
            return Ok(Obstacle::of(rebase));
        }
        let Some(git_dir) = self.holder(step.branch) else {
            let moved = self.advance_elsewhere(step);
            self.release(HELD);
            let moved = moved.map_err(|source| GitError::failed(what(), source))?;
            remove_folder_if_there(step.scratch).map_err(|e| GitError::file(what(), e))?;
            return Ok(moved);
        };
        remove_folder_if_there(step.scratch).map_err(|source| GitError::file(what(), source))?;
        note(step).map_err(|source| GitError::file(what(), source))?;
        let advanced = self.advance_checkout(step, &git_dir);
        let advanced = advanced.map_err(|source| GitError::failed(what(), source))?;
        remove_folder_if_there(step.scratch).map_err(|source| GitError::file(what(), source))?;
        self.release(HELD);
        Ok(advanced)
    }

    /// Returns the git folder of the checkout that a branch is in.
    pub(super) fn holder(&self, branch: &str) -> Option<PathBuf> {
        self.checkouts().into_iter().find(|(_, head)| head == branch).map(|(git_dir, _)| git_dir)
    }

    fn advance_checkout(&self, step: &Step<'_>, git_dir: &Path) -> Result<Advanced, Error> {
        let repository = Repository::open(git_dir)?;
        let state = repository.state();
        // A bisect checks commits out, and moves no branch.
        if let Some(what) = under_way(state).filter(|_| state != RepositoryState::Bisect) {
            return Ok(Obstacle::of(format!("{what} is under way")));
        }
        if tip_id(&self.shared()?, step.branch)? != oid(step.old)? {
            return Ok(Advanced::Moved);
        }
        let (old, new) = (tree_of(&repository, step.old)?, tree_of(&repository, step.new)?);
        let changed = changes(&repository, Some(old), Some(new))?;
        let Some(top) = self.top_of(&repository) else {
            return self.move_branch(step, || Ok(Ok(())));
        };
        let checkout = Checkout {
            repository: &repository,
            git_dir,
            top: &top,
            busy: step.busy,
            quiet: step.quiet,
            placed: &self.placed,
        };
        let own = self.paths_in_commit(step.own);
        let fresh = self.paths_in_commit(step.fresh);
        let aside = Aside { scratch: step.scratch, own: &own, fresh: &fresh };
        let shift = match checkout.prepare(&changed, (old, new), &aside)? {
            Ok(shift) => shift,
            Err(obstacle) => return Ok(Advanced::InTheWay(obstacle)),
        };
        if let Some(what) = checkout.busy() {
            return Ok(Obstacle::of(what));
        }
        self.move_branch(step, || {
            let holds = || is_at(git_dir, step.branch);
            checkout.carry_out(&shift, &aside, holds)
        })
    }

    /// Moves a branch from where it is to be. `first` is done right before, with the branch locked; it
    /// says what is in the way, or returns what is to be made final when the branch has moved.
    pub(super) fn move_branch<T: Final>(
        &self,
        step: &Step<'_>,
        first: impl FnOnce() -> Result<Result<T, String>, Error>,
    ) -> Result<Advanced, Error> {
        let repository = self.shared()?;
        let name = format!("{HEADS}{}", step.branch);
        let mut transaction = repository.transaction()?;
        match transaction.lock_ref(&name) {
            Ok(()) => {}
            Err(error) if is_locked(&error) => {
                let what = format!("git is at work: it holds the branch {}", step.branch);
                return Ok(Obstacle::of(what));
            }
            Err(error) => return Err(error),
        }
        if tip_id(&repository, step.branch)? != oid(step.old)? {
            return Ok(Advanced::Moved);
        }
        let who = author(&repository)?;
        transaction.set_target(&name, oid(step.new)?, Some(&who), "orch: landed")?;
        let done = match first()? {
            Ok(done) => done,
            Err(what) => return Ok(Obstacle::of(what)),
        };
        match transaction.commit() {
            Ok(()) => {
                done.finish();
                Ok(Advanced::Done)
            }
            // The log of what is checked out is being written, for example.
            Err(error) if is_locked(&error) => Ok(Obstacle::of("git is at work")),
            Err(error) => Err(error),
        }
    }

    /// Returns what is under way that ends by moving `branch`, wherever it was begun.
    fn rebase_of(&self, branch: &str) -> Option<String> {
        let name = format!("{HEADS}{branch}");
        let is_rebased = |git_dir: &PathBuf| {
            ["rebase-merge", "rebase-apply"].iter().any(|folder| {
                let head = fs::read_to_string(git_dir.join(folder).join("head-name"));
                head.is_ok_and(|head| head.trim() == name)
            })
        };
        self.git_dirs()
            .any(|git_dir| is_rebased(&git_dir))
            .then(|| "a rebase is under way".to_owned())
    }

    /// Finishes what a coordinator that died had begun, or undoes it; returns the branch that was
    /// moved, where it was one. `is_free` says that nobody uses git in this checkout.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn finish_step(
        &self,
        scratch: &Path,
        own: &[String],
        is_free: bool,
    ) -> Result<Option<(String, Advanced)>, GitError> {
        let what = || "finish what a landing had begun".to_owned();
        let Ok(text) = fs::read_to_string(scratch.join(STEP)) else { return Ok(None) };
        let lines: Vec<&str> = text.lines().collect();
        let &[branch, old, new, "end"] = &lines[..] else {
            remove_folder_if_there(scratch).map_err(|source| GitError::file(what(), source))?;
            return Ok(None);
        };
        for (git_dir, _) in self.checkouts() {
            let is_free = is_free && git_dir == self.git_dir();
            IndexLock::remove_stale(&git_dir, is_free)
                .map_err(|source| GitError::file(what(), source))?;
        }
        let (old, new) = (CommitId(old.to_owned()), CommitId(new.to_owned()));
        let busy = |_: &Path| None;
        let step = Step {
            branch,
            old: &old,
            new: &new,
            scratch,
            own,
            fresh: own,
            quiet: Duration::ZERO,
            busy: &busy,
        };
        // A lock of the branch that this left: nobody else holds one so long.
        let stale = self.common_dir().join(format!("{HEADS}{branch}.lock"));
        if stale.exists() {
            fs::remove_file(&stale).map_err(|source| GitError::file(what(), source))?;
        }
        let tip = self.tip(branch)?;
        let has_commit = self
            .shared()
            .is_ok_and(|repository| oid(&new).is_ok_and(|id| repository.find_commit(id).is_ok()));
        let advanced = match tip {
            Some(tip) if tip == new => Advanced::Done,
            Some(tip) if tip == old && has_commit => self.advance(&step)?,
            Some(_) | None => Advanced::Moved,
        };
        remove_folder_if_there(scratch).map_err(|source| GitError::file(what(), source))?;
        Ok(Some((branch.to_owned(), advanced)))
    }
}

/// Says whether a branch is checked out there.
pub(super) fn is_at(git_dir: &Path, branch: &str) -> bool {
    let head = fs::read_to_string(git_dir.join("HEAD"));
    head.is_ok_and(|head| head.trim() == format!("ref: {HEADS}{branch}"))
}

pub(super) fn tip_id(repository: &Repository, branch: &str) -> Result<Oid, Error> {
    let found = repository.find_reference(&format!("{HEADS}{branch}"))?;
    Ok(found.peel_to_commit()?.id())
}

pub(super) fn tree_of(repository: &Repository, commit: &CommitId) -> Result<Oid, Error> {
    Ok(repository.find_commit(oid(commit)?)?.tree_id())
}

fn is_locked(error: &Error) -> bool {
    error.code() == ErrorCode::Locked
        || (error.class() == ErrorClass::Os && error.message().contains(".lock"))
}

pub(super) fn of_io(path: &Path, error: &std::io::Error) -> Error {
    Error::from_str(&format!("{}: {error}", path.display()))
}

/// Writes down what is about to be done.
fn note(step: &Step<'_>) -> std::io::Result<()> {
    fs::create_dir_all(step.scratch)?;
    let text = format!("{}\n{}\n{}\nend\n", step.branch, step.old, step.new);
    fs::write(step.scratch.join(STEP), text)
}
