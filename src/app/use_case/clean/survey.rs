//! What there is in git of tasks, and what is to become of each of it.

mod worktrees;

use std::{collections::BTreeSet, path::PathBuf, slice};

use super::{Also, is_at_work, task_of_folder};
use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::clean::{CleanThing, Fate, ThingKind},
    },
    domain::{
        format::layout,
        model::{commit::CommitId, id::TaskId, time::Timestamp},
        scheduler::phase::TaskState,
    },
    io::git::{GitError, Ground, Rescue, TaskWorktree},
};

/// Something that a task left, with what it takes to remove it.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// What is told of it.
    pub told: CleanThing,
    /// The commit that it stands for, where it is a name of work.
    pub commit: Option<CommitId>,
}

impl Thing {
    fn goes(&mut self, why: impl Into<String>) {
        self.told.fate = Fate::Removable;
        self.told.why = why.into();
    }

    fn stays(&mut self, why: impl Into<String>) {
        self.told.why = why.into();
    }
}

/// Everything at one moment.
pub(super) struct Survey<'a> {
    standing: &'a Standing,
    ground: &'a Ground,
    branch: &'a str,
    /// The last commit of the branch of the plan.
    tip: CommitId,
    also: Also,
    has_coordinator: bool,
    /// Work that is kept apart, each with whether its task has gone on since.
    rescues: Vec<(Rescue, bool)>,
    /// All worktrees of tasks, also those of other plans in the repository.
    known: Vec<TaskWorktree>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(
        standing: &'a Standing,
        ground: &'a Ground,
        branch: &'a str,
        also: Also,
        has_coordinator: bool,
    ) -> Result<Self, AppError> {
        let gone = || GitError::Refused(format!("the branch {branch} is gone"));
        let tip = ground.tip(branch)?.ok_or_else(gone)?;
        let (rescues, known) = (Vec::new(), ground.task_worktrees());
        let mut survey =
            Self { standing, ground, branch, tip, also, has_coordinator, rescues, known };
        for rescue in ground.rescues()? {
            let is_old = survey.is_old(&rescue);
            survey.rescues.push((rescue, is_old));
        }
        Ok(survey)
    }

    /// Returns the commits that stay: what is reachable from one of them is not lost.
    pub(super) fn keepers(&self) -> Vec<CommitId> {
        let kept = self.rescues.iter().filter(|(_, is_old)| !(*is_old && self.also.rescued));
        let kept = kept.map(|(rescue, _)| rescue.commit.clone());
        std::iter::once(self.tip.clone()).chain(kept).collect()
    }

    /// Returns all that was found, in the order in which it is removed.
    pub(super) fn things(&self) -> Result<Vec<Thing>, AppError> {
        let own = self.own_worktrees();
        let (whole, broken): (Vec<_>, Vec<_>) = own.into_iter().partition(|(id, found)| {
            found.is_complete && self.place(id).symlink_metadata().is_ok()
        });
        let mut things = self.worktrees(&whole)?;
        things.extend(self.half_made(&broken));
        things.extend(self.branches()?);
        things.extend(self.folders()?);
        things.extend(self.kept_apart()?);
        Ok(things)
    }

    /// Returns the worktrees below this plan: those of others in the repository are theirs.
    fn own_worktrees(&self) -> Vec<(TaskId, TaskWorktree)> {
        let all = self.known.iter().cloned();
        let with_id = all.filter_map(|found| Some((TaskId::parse(&found.task).ok()?, found)));
        let is_own = |(id, found): &(TaskId, TaskWorktree)| {
            let place = self.place(id);
            let elsewhere = found.folder.as_ref().filter(|folder| **folder != place);
            elsewhere.is_none_or(|other| {
                other.symlink_metadata().is_err() && place.symlink_metadata().is_ok()
            })
        };
        with_id.filter(is_own).collect()
    }

    fn place(&self, id: &TaskId) -> PathBuf {
        self.standing.repository.store().path(&layout::worktree_path(id))
    }

    fn state(&self, id: &TaskId) -> Option<TaskState> {
        self.standing.plan().find(id.as_str()).map(|task| self.standing.state(task))
    }

    fn is_at_work(&self, id: &TaskId) -> bool {
        is_at_work(self.standing.repository.store(), id.as_str())
    }

    fn is_on_branch(&self, commit: &CommitId) -> Result<bool, GitError> {
        self.ground.is_kept_by(commit, slice::from_ref(&self.tip))
    }

    /// Says whether nothing is to be done for a task any more.
    fn is_over(&self, id: &TaskId) -> bool {
        match self.state(id) {
            None => !self.standing.snapshot.has_errors(),
            Some(state) => matches!(state, TaskState::Done | TaskState::Cancelled),
        }
    }

    /// Returns when the last attempt of a task ended, or began.
    fn last_seen(&self, id: &TaskId) -> Option<Timestamp> {
        let last = self.standing.snapshot.attempts_of(id).next_back()?;
        Some(last.ending.as_ref().map_or(last.started, |ending| ending.ended))
    }

    /// Tells of worktrees of which a part is missing.
    fn half_made(&self, broken: &[(TaskId, TaskWorktree)]) -> Vec<Thing> {
        let tell = |(id, found): &(TaskId, TaskWorktree)| {
            let mut thing = self.thing(ThingKind::HalfMade, &layout::worktree_path(id), id);
            let what = match found.is_complete {
                true => "its folder is gone",
                false => "it was made or removed only in part",
            };
            match self.has_coordinator || self.is_at_work(id) {
                true => thing.stays(format!("{what}, but may be made just now")),
                false => thing.goes(format!("{what}; a branch with work in it stays")),
            }
            thing
        };
        broken.iter().map(tell).collect()
    }

    /// Tells of branches without a worktree.
    fn branches(&self) -> Result<Vec<Thing>, AppError> {
        let mut things = Vec::new();
        for found in self.ground.task_branches()? {
            let Ok(id) = TaskId::parse(&found.task) else { continue };
            if self.known.iter().any(|known| known.task == found.task) {
                continue;
            }
            let name = Ground::task_branch(&found.task);
            let mut thing = self.thing(ThingKind::Branch, &name, &id);
            let may_start = self.has_coordinator && !self.is_over(&id);
            if let Some(place) = self.ground.checked_out_at(&name) {
                let place = place.display().to_string();
                thing.stays(format!("it is checked out in {}", place.trim_end_matches('/')));
            } else if may_start || self.is_at_work(&id) {
                thing.stays("an attempt may need it just now");
            } else if self.is_on_branch(&found.tip)? {
                thing.goes(format!("all of its work is on {}", self.branch));
            } else if self.is_over(&id) && self.ground.is_kept_by(&found.tip, &self.keepers())? {
                thing.goes("its work is kept apart already");
            } else {
                thing.stays(format!("it holds work that is not on {}", self.branch));
            }
            things.push(thing);
        }
        Ok(things)
    }

    /// Tells of folders among the worktrees that git knows nothing of.
    fn folders(&self) -> Result<Vec<Thing>, AppError> {
        let store = self.standing.repository.store();
        let mut things = Vec::new();
        for name in store.list(layout::WORKTREES_DIR)? {
            let Some((id, is_aside)) = task_of_folder(&name) else { continue };
            if !is_aside && self.known.iter().any(|known| known.task == id.as_str()) {
                continue;
            }
            let path = format!("{}/{name}", layout::WORKTREES_DIR);
            let mut thing = self.thing(ThingKind::SetAside, &path, &id);
            let what = match is_aside {
                true => "it was in the way of a worktree",
                false => "git knows nothing of it",
            };
            if !is_aside && (self.has_coordinator || self.is_at_work(&id)) {
                thing.stays("it may become a worktree just now");
            } else if self.also.set_aside {
                thing.goes(format!("{what}; what is in it is in no commit, and is lost"));
            } else {
                let words = "what is in it is in no commit: `--set-aside` removes it";
                thing.stays(format!("{what}; {words}"));
            }
            things.push(thing);
        }
        Ok(things)
    }

    /// Tells of work that is kept apart.
    fn kept_apart(&self) -> Result<Vec<Thing>, AppError> {
        let mut things = Vec::new();
        for (rescue, is_old) in &self.rescues {
            let Ok(id) = TaskId::parse(&rescue.task) else { continue };
            let mut thing = self.thing(ThingKind::Rescue, &rescue.name, &id);
            thing.commit = Some(rescue.commit.clone());
            let where_else = match self.is_on_branch(&rescue.commit)? {
                true => format!("its work is on {}, too", self.branch),
                false => "its work is nowhere else".to_owned(),
            };
            match (is_old, self.also.rescued) {
                (false, _) => {
                    thing.stays(format!("newer than all that its task did; {where_else}"));
                }
                (true, true) => thing.goes(format!("its task has gone on since; {where_else}")),
                (true, false) => thing.stays(format!(
                    "its task has gone on since: `--rescued` removes it; {where_else}"
                )),
            }
            things.push(thing);
        }
        Ok(things)
    }

    /// Says whether a task has gone on since work of it was kept apart. One without any attempt on
    /// record is no more.
    fn is_old(&self, rescue: &Rescue) -> bool {
        let Ok(id) = TaskId::parse(&rescue.task) else { return false };
        let Some(seen) = self.last_seen(&id) else { return true };
        // Commits know no fractions of a second.
        rescue.seconds < seen.0.div_euclid(1000)
    }

    /// Returns the next names under which work of a task would be kept.
    fn free_names(&self, task: &str, n: usize) -> Vec<String> {
        let taken: BTreeSet<&str> = self.rescues.iter().map(|(r, _)| r.name.as_str()).collect();
        let names = (1_u32..).map(|number| Ground::rescue_name(task, number));
        names.filter(|name| !taken.contains(name.as_str())).take(n).collect()
    }

    /// Returns a thing that stays for now.
    fn thing(&self, kind: ThingKind, name: &str, id: &TaskId) -> Thing {
        let store = self.standing.repository.store();
        let bytes = match kind {
            ThingKind::Worktree | ThingKind::HalfMade | ThingKind::SetAside => {
                store.room_below(name)
            }
            ThingKind::Branch | ThingKind::Rescue => 0,
        };
        let (name, task, why) = (name.to_owned(), id.to_string(), String::new());
        let (fate, rescued) = (Fate::Kept, Vec::new());
        Thing { told: CleanThing { kind, name, task, bytes, fate, why, rescued }, commit: None }
    }
}
