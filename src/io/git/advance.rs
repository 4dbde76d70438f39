//! A branch that goes on to another commit, and the checkout that it is in with it.
//!
//! As `git read-tree -m -u OLD NEW` would, all or nothing, but for hooks and filters, of which none
//! runs: what is staged, changed or untracked stays as it is, and where something of that is in the
//! way, nothing happens. Files are put in their place first, then the index, and the branch last: should this
//! process die in between, the files are newer than the branch, and the next start finishes it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use git2::{Error, ErrorClass, ErrorCode, Index, IndexTime, Oid, Repository, RepositoryState};

use super::{
    GitError, Ground,
    apply::Applied,
    ground::{HEADS, author, oid},
    paths::changes,
    shift::{Move, Shift, staged},
};
use crate::domain::model::commit::CommitId;

/// What stands in an `index.lock` of ours.
const LOCK_WORDS: &[u8] = b"orch\n";

/// The file below the scratch folder that says what is being done.
const STEP: &str = "step";

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
    /// Says what keeps the checkout busy just now: asked right before it is touched.
    pub busy: &'a dyn Fn(&Path) -> Option<String>,
}

/// What became of a branch that was to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// It did.
    Done,
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
    fn of(what: impl Into<String>) -> Advanced {
        Advanced::InTheWay(Self { what: what.into(), files: Vec::new() })
    }
}

/// How a checkout was found; another one is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct IndexStamp(Option<(u64, u64, i64, i64)>);

impl IndexStamp {
    fn of(path: &Path) -> Self {
        let about = fs::metadata(path).ok();
        Self(about.map(|a| (a.len(), a.ino(), a.mtime(), a.mtime_nsec())))
    }

    fn time(&self) -> IndexTime {
        let (seconds, nanoseconds) = self.0.map_or((0, 0), |(_, _, s, n)| (s, n));
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        IndexTime::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    }
}

/// The `index.lock` of a checkout, held by us; it goes when this is dropped.
struct IndexLock(PathBuf);

impl IndexLock {
    /// Takes the lock; `None` where somebody holds it.
    fn take(git_dir: &Path) -> std::io::Result<Option<Self>> {
        let path = git_dir.join("index.lock");
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let lock = Self(path);
                file.write_all(LOCK_WORDS)?;
                Ok(Some(lock))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::error!(%error, "{} stays", self.0.display());
        }
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
        let holding = self.checkouts().into_iter().find(|(_, head)| head == step.branch);
        let Some((git_dir, _)) = holding else {
            let moved = self.move_branch(step, || Ok(None));
            return moved.map_err(|source| GitError::failed(what(), source));
        };
        clear(step.scratch).map_err(|source| GitError::file(what(), source))?;
        note(step).map_err(|source| GitError::file(what(), source))?;
        let advanced = self.advance_checkout(step, &git_dir);
        let advanced = advanced.map_err(|source| GitError::failed(what(), source))?;
        clear(step.scratch).map_err(|source| GitError::file(what(), source))?;
        Ok(advanced)
    }

    fn advance_checkout(&self, step: &Step<'_>, git_dir: &Path) -> Result<Advanced, Error> {
        let repository = Repository::open(git_dir)?;
        if let Some(what) = under_way(&repository) {
            return Ok(Obstacle::of(format!("{what} is under way")));
        }
        let Some(top) = repository.workdir().map(Path::to_owned) else {
            return self.move_branch(step, || Ok(None));
        };
        let (old, new) = (tree_of(&repository, step.old)?, tree_of(&repository, step.new)?);
        let changed = changes(&repository, Some(old), Some(new))?;
        let index_path = git_dir.join("index");
        let stamp = IndexStamp::of(&index_path);
        let mut index = open_copy(&index_path, step.scratch)?;
        if index.has_conflicts() {
            return Ok(Obstacle::of("a merge is not finished"));
        }
        let own: Vec<PathBuf> =
            step.own.iter().map(|folder| PathBuf::from(self.path_in_commit(folder))).collect();
        let shift = Shift {
            repository: &repository,
            index: &index,
            index_time: stamp.time(),
            top: &top,
            scratch: step.scratch,
            own: &own,
        };
        let moves = match shift.plan(&changed, new, old)? {
            Ok(moves) => moves,
            Err(paths) => {
                let files = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
                let what = "local changes are in the way".to_owned();
                return Ok(Advanced::InTheWay(Obstacle { what, files }));
            }
        };
        if let Some(what) = (step.busy)(&top) {
            return Ok(Obstacle::of(what));
        }
        // From here to the end it is a matter of a few milliseconds.
        let Some(lock) = IndexLock::take(git_dir).map_err(|error| of_io(git_dir, &error))? else {
            return Ok(Obstacle::of("git is at work: it holds index.lock"));
        };
        let is_same = IndexStamp::of(&index_path) == stamp && is_at(git_dir, step.branch);
        if !is_same {
            return Ok(Obstacle::of("git is at work"));
        }
        let moved = self.move_branch(step, || {
            let applied = match Applied::apply(&moves, &top, step.scratch) {
                Ok(applied) => applied,
                Err(error) => return Ok(Some(format!("a file cannot be written: {error}"))),
            };
            restage(&mut index, &moves, &top)?;
            index.write()?;
            let made = fs::rename(step.scratch.join("index"), &index_path);
            made.map_err(|error| of_io(&index_path, &error))?;
            applied.finish();
            Ok(None)
        });
        drop(lock);
        moved
    }

    /// Moves a branch from where it is to be, with its lock held; `first` is done before, and may
    /// say what is in the way.
    fn move_branch(
        &self,
        step: &Step<'_>,
        first: impl FnOnce() -> Result<Option<String>, Error>,
    ) -> Result<Advanced, Error> {
        let repository = self.shared()?;
        let name = format!("{HEADS}{}", step.branch);
        let mut transaction = repository.transaction()?;
        match transaction.lock_ref(&name) {
            Ok(()) => {}
            Err(error) if is_locked(&error) => {
                return Ok(Obstacle::of(format!(
                    "git is at work: it holds the branch {}",
                    step.branch
                )));
            }
            Err(error) => return Err(error),
        }
        let now = repository.find_reference(&name).and_then(|found| found.peel_to_commit());
        if now.map(|commit| commit.id()).ok() != Some(oid(step.old)?) {
            return Ok(Advanced::Moved);
        }
        if let Some(what) = first()? {
            return Ok(Obstacle::of(what));
        }
        let who = author(&repository)?;
        transaction.set_target(&name, oid(step.new)?, Some(&who), "orch: landed")?;
        transaction.commit()?;
        Ok(Advanced::Done)
    }

    /// Returns what is under way that ends by moving `branch`, wherever it was begun.
    fn rebase_of(&self, branch: &str) -> Option<String> {
        let linked = fs::read_dir(self.common_dir().join("worktrees"));
        let linked = linked.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut all = std::iter::once(self.common_dir().to_owned()).chain(linked);
        let name = format!("{HEADS}{branch}");
        let is_rebased = |git_dir: &PathBuf| {
            ["rebase-merge", "rebase-apply"].iter().any(|folder| {
                let head = fs::read_to_string(git_dir.join(folder).join("head-name"));
                head.is_ok_and(|head| head.trim() == name)
            })
        };
        all.any(|git_dir| is_rebased(&git_dir)).then(|| "a rebase is under way".to_owned())
    }

    /// Finishes what a coordinator that died had begun, or undoes it; returns the branch that was
    /// moved, where it was one.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn finish_step(
        &self,
        scratch: &Path,
        own: &[String],
    ) -> Result<Option<(String, Advanced)>, GitError> {
        let what = || "finish what a landing had begun".to_owned();
        let Ok(text) = fs::read_to_string(scratch.join(STEP)) else { return Ok(None) };
        let lines: Vec<&str> = text.lines().collect();
        let &[branch, old, new, "end"] = &lines[..] else {
            clear(scratch).map_err(|source| GitError::file(what(), source))?;
            return Ok(None);
        };
        for (git_dir, _) in self.checkouts() {
            let lock = git_dir.join("index.lock");
            if fs::read(&lock).is_ok_and(|words| LOCK_WORDS.starts_with(&words[..])) {
                fs::remove_file(&lock).map_err(|source| GitError::file(what(), source))?;
            }
        }
        let (old, new) = (CommitId(old.to_owned()), CommitId(new.to_owned()));
        let busy = |_: &Path| None;
        let step = Step { branch, old: &old, new: &new, scratch, own, busy: &busy };
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
        clear(scratch).map_err(|source| GitError::file(what(), source))?;
        Ok(Some((branch.to_owned(), advanced)))
    }
}

/// Returns what is under way in a checkout.
fn under_way(repository: &Repository) -> Option<&'static str> {
    Some(match repository.state() {
        RepositoryState::Clean | RepositoryState::Bisect => return None,
        RepositoryState::Merge => "a merge",
        RepositoryState::Revert | RepositoryState::RevertSequence => "a revert",
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "a cherry-pick",
        RepositoryState::Rebase
        | RepositoryState::RebaseInteractive
        | RepositoryState::RebaseMerge => "a rebase",
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
            "a series of patches"
        }
    })
}

/// Opens a copy of an index, to be put in its place when it is complete.
fn open_copy(index: &Path, scratch: &Path) -> Result<Index, Error> {
    let copy = scratch.join("index");
    match fs::copy(index, &copy) {
        Ok(_) => {}
        // A checkout in which nothing was ever staged.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(of_io(index, &error)),
    }
    Index::open(&copy)
}

fn restage(index: &mut Index, moves: &[Move], top: &Path) -> Result<(), Error> {
    for one in moves {
        match one.new {
            Some(new) => {
                index.add(&staged(one, new, top))?;
            }
            None if index.get_path(&one.path, 0).is_some() => index.remove(&one.path, 0)?,
            None => {}
        }
    }
    Ok(())
}

/// Says whether a branch is checked out there.
fn is_at(git_dir: &Path, branch: &str) -> bool {
    let head = fs::read_to_string(git_dir.join("HEAD"));
    head.is_ok_and(|head| head.trim() == format!("ref: {HEADS}{branch}"))
}

fn tree_of(repository: &Repository, commit: &CommitId) -> Result<Oid, Error> {
    Ok(repository.find_commit(oid(commit)?)?.tree_id())
}

fn is_locked(error: &Error) -> bool {
    error.code() == ErrorCode::Locked
        || (error.class() == ErrorClass::Os && error.message().contains(".lock"))
}

fn of_io(path: &Path, error: &std::io::Error) -> Error {
    Error::from_str(&format!("{}: {error}", path.display()))
}

/// Empties the scratch folder.
fn clear(scratch: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes down what is about to be done.
fn note(step: &Step<'_>) -> std::io::Result<()> {
    fs::create_dir_all(step.scratch)?;
    let text = format!("{}\n{}\n{}\nend\n", step.branch, step.old, step.new);
    fs::write(step.scratch.join(STEP), text)
}
