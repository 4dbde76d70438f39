//! A branch that goes on while it is in no checkout.
//!
//! Whoever is just about to check it out has perhaps looked already where it is: then the checkout ends
//! on the branch with the files of where that was before, and it looks as if the user had taken back
//! what landed. So the last look whether git is at work comes right before the branch moves, and after
//! that such a checkout is brought along.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use git2::{Error, Repository};

use super::{
    Ground,
    advance::{Advanced, Final as _, Obstacle, Step, is_at, of_io, tip_id, tree_of},
    ground::oid,
    paths::changes,
    shifted::{Aside, Checkout},
    worktree::{remove_folder_if_there, remove_if_there},
};

/// How long it is waited for whoever may have looked before, and the time between two looks.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

impl Ground {
    /// Lets a branch go on that is in no checkout. What the plan has in this one of the files that go
    /// to the branch is taken away before: it would be in the way of going back there.
    pub(super) fn advance_elsewhere(&self, step: &Step<'_>) -> Result<Advanced, Error> {
        let repository = self.checkout()?;
        let (old, new) = (tree_of(&repository, step.old)?, tree_of(&repository, step.new)?);
        let own = self.paths_in_commit(step.own);
        let changed = changes(&repository, Some(old), Some(new))?;
        if let Some(what) = (step.busy)(self.top()) {
            return Ok(Obstacle::of(what));
        }
        let advanced = self.move_branch(step, || {
            let index = repository.index()?;
            let is_own = |path: &Path| own.iter().any(|folder| path.starts_with(folder));
            let is_tracked = |path: &Path| index.get_path(path, 0).is_some();
            for path in changed.iter().map(|change| change.path.as_path()) {
                if is_own(path) && !is_tracked(path) {
                    remove_if_there(&self.top().join(path)).map_err(|e| of_io(path, &e))?;
                }
            }
            // Last of all, as somebody may begin to go there at any moment.
            if self.holder(step.branch).is_some() {
                return Ok(Err("git is at work".to_owned()));
            }
            Ok((step.busy)(self.top()).map_or(Ok(()), Err))
        })?;
        Ok(match advanced {
            Advanced::Done if self.bring_along(step)? => Advanced::Done,
            Advanced::Done => Advanced::DoneElsewhere,
            other => other,
        })
    }

    /// Brings the checkout along that came to the branch while that moved; says whether one is there.
    fn bring_along(&self, step: &Step<'_>) -> Result<bool, Error> {
        let begun = Instant::now();
        loop {
            let is_busy = (step.busy)(self.top()).is_some();
            if !is_busy {
                let Some(git_dir) = self.holder(step.branch) else { return Ok(false) };
                if self.catch_up(step, &git_dir)? {
                    return Ok(true);
                }
            }
            if begun.elapsed() >= PATIENCE {
                return Ok(false);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Has a checkout go over to where its branch is by now; `false` where that is not possible now.
    fn catch_up(&self, step: &Step<'_>, git_dir: &Path) -> Result<bool, Error> {
        let repository = Repository::open(git_dir)?;
        let Some(top) = self.top_of(&repository) else { return Ok(true) };
        let (old, new) = (tree_of(&repository, step.old)?, tree_of(&repository, step.new)?);
        let changed = changes(&repository, Some(old), Some(new))?;
        let checkout = Checkout {
            repository: &repository,
            git_dir,
            top: &top,
            busy: step.busy,
            quiet: Duration::ZERO,
            placed: &self.placed,
        };
        let (own, fresh) = (self.paths_in_commit(step.own), self.paths_in_commit(step.fresh));
        let aside = Aside { scratch: step.scratch, own: &own, fresh: &fresh };
        remove_folder_if_there(step.scratch).map_err(|error| of_io(step.scratch, &error))?;
        fs::create_dir_all(step.scratch).map_err(|error| of_io(step.scratch, &error))?;
        let Ok(shift) = checkout.prepare(&changed, (old, new), &aside)? else {
            // Somebody has changed these files since, and knows.
            return Ok(true);
        };
        let new = oid(step.new)?;
        let shared = self.shared()?;
        let is_there = || is_at(git_dir, step.branch) && tip_id(&shared, step.branch) == Ok(new);
        let carried = checkout.carry_out(&shift, &aside, is_there)?;
        Ok(carried.map(super::shifted::Shifted::finish).is_ok())
    }
}
