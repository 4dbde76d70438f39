//! Removes what tasks left in git that nobody needs there: worktrees, branches, folders.
//!
//! Nothing is lost by it. What lies uncommitted is committed first, and work that the branch of the
//! plan does not hold is kept under `refs/orch/rescue`.

mod judge;
mod survey;

use self::survey::{Survey, Thing};
use crate::{
    app::{
        error::AppError,
        repository::Repository,
        standing::Standing,
        view::clean::{CleanView, Fate, ThingKind},
    },
    domain::{
        format::{layout, run_record, task_file::Reading},
        model::{commit::CommitId, id::TaskId},
    },
    io::{
        clock::Clock,
        git::{GitError, Ground, Head},
        process::cause_of,
        store::{Lock, Store, lock},
    },
};

/// What a user wants removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Whether it is done, not only looked at.
    pub is_done: bool,
    /// What is removed beside what nobody needs.
    pub also: Also,
}

/// What is removed only where it is asked for: with it goes what is nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Also {
    /// Folders that were set aside.
    pub set_aside: bool,
    /// Work that is kept apart, where its task has gone on since.
    pub rescued: bool,
}

/// Tells what can go, and removes it where that is wanted.
///
/// # Errors
/// [`AppError::Usage`] where no branch is checked out; [`AppError::Git`], [`AppError::Lock`],
/// [`AppError::Store`].
pub fn clean(repository: &Repository, wanted: Wanted) -> Result<CleanView, AppError> {
    let store = repository.store();
    let Some(ground) = Ground::find(store.root())? else { return Ok(CleanView::default()) };
    let branch = match ground.head()? {
        Head::Branch(branch) => branch,
        Head::Unborn => return Ok(CleanView::default()),
        Head::Detached => {
            return Err(AppError::usage(
                "no branch is checked out, so nobody can tell which work has landed",
                "`git switch` to the branch of the plan, then clean",
            ));
        }
    };
    let has_coordinator = lock::holder(store)?.is_some();
    // Nobody may begin to run in the middle of it.
    let alone = match wanted.is_done && !has_coordinator {
        true => Some(Alone::become_it(store)?),
        false => None,
    };
    let standing = Standing::read(repository.clone(), Reading::Head)?;
    let survey = Survey::new(&standing, &ground, &branch, wanted.also, has_coordinator)?;
    let mut things = survey.things()?;
    if wanted.is_done {
        let keepers = survey.keepers();
        for thing in things.iter_mut().filter(|thing| thing.told.fate == Fate::Removable) {
            carry_out(store, &ground, thing, &keepers);
        }
    }
    drop(alone);
    let told: Vec<_> = things.into_iter().map(|thing| thing.told).collect();
    let went = |fate| matches!(fate, Fate::Removable | Fate::Removed);
    Ok(CleanView {
        is_done: wanted.is_done,
        branch: Some(branch),
        has_coordinator,
        n_removed: told.iter().filter(|thing| went(thing.fate)).count(),
        n_failed: told.iter().filter(|thing| thing.fate == Fate::Failed).count(),
        bytes: told.iter().filter(|thing| went(thing.fate)).map(|thing| thing.bytes).sum(),
        things: told,
    })
}

/// Holds the lock of coordinators, so that none begins.
struct Alone<'a> {
    lock: Lock,
    store: &'a Store,
}

impl<'a> Alone<'a> {
    fn become_it(store: &'a Store) -> Result<Self, AppError> {
        Ok(Self { lock: Lock::take(store, Clock::new().now())?, store })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // A run takes a lock that is there for a sign that somebody was at work here.
        if self.lock.is_new()
            && let Err(error) = self.store.remove(lock::PATH)
        {
            tracing::debug!(error = cause_of(&error), "the lock stays");
        }
    }
}

/// Removes a thing, and says in it what came of that.
fn carry_out(store: &Store, ground: &Ground, thing: &mut Thing, keepers: &[CommitId]) {
    let removed = match thing.told.kind {
        ThingKind::Worktree => remove_worktree(store, ground, thing, keepers),
        ThingKind::HalfMade => remove_half_made(store, ground, thing, keepers),
        ThingKind::Branch => ground.drop_branch(&thing.told.task, keepers),
        ThingKind::SetAside => ground.remove_aside(&store.path(&thing.told.name)).map(|()| true),
        ThingKind::Rescue => match &thing.commit {
            Some(commit) => ground.drop_ref(&thing.told.name, commit).map(|()| true),
            None => Ok(false),
        },
    };
    match removed {
        Ok(true) => thing.told.fate = Fate::Removed,
        Ok(false) => {
            thing.told.fate = Fate::Kept;
            "somebody has just begun to work on it".clone_into(&mut thing.told.why);
        }
        Err(error) => {
            thing.told.fate = Fate::Failed;
            thing.told.why = cause_of(&error);
        }
    }
}

fn remove_worktree(
    store: &Store,
    ground: &Ground,
    thing: &mut Thing,
    keepers: &[CommitId],
) -> Result<bool, GitError> {
    let task = thing.told.task.clone();
    let folder = store.path(&thing.told.name);
    if is_at_work(store, &task) {
        return Ok(false);
    }
    thing.told.rescued = ground.secure(&task, &folder, keepers)?;
    // Its commits before it is gone: with it goes what is checked out in it.
    let mut keepers = keepers.to_vec();
    keepers.extend(ground.commits_of(&task)?);
    // A coordinator records an attempt before it looks for the worktree: whoever has begun by now
    // is seen, and whoever begins later does not find it whole.
    if !ground.take_away(&task, &folder, &|| !is_at_work(store, &task))? {
        return Ok(false);
    }
    ground.drop_branch(&task, &keepers)?;
    Ok(true)
}

fn remove_half_made(
    store: &Store,
    ground: &Ground,
    thing: &mut Thing,
    keepers: &[CommitId],
) -> Result<bool, GitError> {
    let task = thing.told.task.clone();
    let folder = store.path(&thing.told.name);
    if is_at_work(store, &task) {
        return Ok(false);
    }
    // Its branch is a keeper, as it stays where it holds work.
    let tip = ground.tip(&Ground::task_branch(&task))?;
    let with_branch: Vec<CommitId> = keepers.iter().cloned().chain(tip).collect();
    thing.told.rescued = ground.secure(&task, &folder, &with_branch)?;
    if !ground.take_away(&task, &folder, &|| !is_at_work(store, &task))? {
        return Ok(false);
    }
    ground.drop_branch(&task, keepers)?;
    Ok(true)
}

/// Says whether an attempt of a task has no ending on record, by what is on disk now. What cannot
/// be read counts as one.
fn is_at_work(store: &Store, task: &str) -> bool {
    let Ok(names) = store.list(layout::RUNS_DIR) else { return true };
    let is_its = |name: &&String| {
        let path = format!("{}/{name}", layout::RUNS_DIR);
        matches!(layout::classify(&path), layout::FileKind::Run(attempt) if attempt.task.as_str() == task)
    };
    names.iter().filter(is_its).any(|name| {
        let path = format!("{}/{name}", layout::RUNS_DIR);
        let bytes = store.read_file(&path).unwrap_or_default();
        run_record::parse(&path, &bytes).0.is_none_or(|record| record.ending.is_none())
    })
}

/// Returns the task that a folder below that of worktrees was made for, and whether it was set
/// aside.
fn task_of_folder(name: &str) -> Option<(TaskId, bool)> {
    match name.rsplit_once('~') {
        Some((task, number)) if number.parse::<u32>().is_ok() => {
            Some((TaskId::parse(task).ok()?, true))
        }
        Some(_) => None,
        None => Some((TaskId::parse(name).ok()?, false)),
    }
}
