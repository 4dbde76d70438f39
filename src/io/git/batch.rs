//! The work of several tasks together, in a worktree of its own: on no branch of theirs, so that what
//! does not hold together is nowhere in the work of one of them.
//!
//! The worktree stays for the next batch, and what git ignores in it: a build there need not begin
//! from nothing.

use std::path::Path;

use git2::{Error, Oid, build::CheckoutBuilder};

use super::{
    GitError, Ground,
    ground::{name_of, oid},
    landing::CommitRange,
    merge::{Merged, merge_commits},
    work::commit,
    worktree::remove_folder_if_there,
};
use crate::domain::model::commit::CommitId;

/// What the worktree is called: no task can be.
const PLACE: &str = "@batch";

/// Holds what is in it.
const HELD: &str = "refs/orch/held/@batch";

/// The work of several tasks together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// The last commit of the branch, on top of which it is.
    pub base: CommitId,
    /// The commit in which it is together.
    pub head: CommitId,
    /// Which of it is in there, by its place in what was asked for: the rest does not merge with that.
    pub included: Vec<usize>,
}

impl Ground {
    /// Merges work with the last commit of a branch and with each other, as far as it merges, and
    /// checks it out in the worktree `folder`.
    ///
    /// # Errors
    /// [`GitError`]; [`GitError::Refused`] where the first does not merge with the branch.
    pub fn combine(
        &self,
        onto: &str,
        works: &[CommitRange],
        folder: &Path,
    ) -> Result<Combined, GitError> {
        let failed = |source| GitError::failed("combine the work of several tasks", source);
        let Some(base) = self.tip(onto)? else {
            return Err(GitError::Refused(format!("the branch {onto} is gone")));
        };
        let (head, included) = self.make(|| self.join(&base, works)).map_err(failed)?;
        if included.first() != Some(&0) {
            return Err(GitError::Refused(format!("it does not merge with {onto}")));
        }
        self.hold(HELD, head).map_err(failed)?;
        self.check_batch_out(folder, head)?;
        Ok(Combined { base, head: name_of(head), included })
    }

    /// Merges work upon a commit, one after the other; what does not merge is left out.
    fn join(&self, base: &CommitId, works: &[CommitRange]) -> Result<(Oid, Vec<usize>), Error> {
        let repository = self.shared()?;
        let tip = oid(base)?;
        let (mut joined, mut included) = (tip, Vec::new());
        for (at, work) in works.iter().enumerate() {
            // What somebody took out of the branch must not come back with it.
            let from = oid(&work.base)?;
            if from != tip && !repository.graph_descendant_of(tip, from)? {
                continue;
            }
            let head = oid(&work.head)?;
            if let Merged::Tree(tree) = merge_commits(&repository, joined, head)? {
                joined = commit(&repository, tree, &[joined, head], "orch: combined work\n")?;
                included.push(at);
            }
        }
        Ok((joined, included))
    }

    fn check_batch_out(&self, folder: &Path, head: Oid) -> Result<(), GitError> {
        let failed = |source| GitError::failed("check combined work out", source);
        let is_there = self.folder_of(PLACE).is_some_and(|known| known == folder)
            && folder.join(".git").symlink_metadata().is_ok();
        if !is_there {
            self.remove_batch(folder)?;
            self.link_worktree(PLACE, folder, &head.to_string())
                .map_err(|source| GitError::file("make a worktree for combined work", source))?;
        }
        let check_out = || {
            let repository = self.open_worktree(PLACE)?;
            let mut checkout = CheckoutBuilder::new();
            // What commands left there before is no part of this; what git ignores may stay.
            checkout.force().remove_untracked(true);
            repository.checkout_tree(&repository.find_object(head, None)?, Some(&mut checkout))?;
            repository.set_head_detached(head)
        };
        check_out().map_err(failed)
    }

    /// Removes the worktree `folder` in which work is combined; one that is not there is fine.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn remove_batch(&self, folder: &Path) -> Result<(), GitError> {
        let is_known = self.admin(PLACE).symlink_metadata().is_ok();
        if !is_known && folder.symlink_metadata().is_err() {
            return Ok(());
        }
        // Of another plan in this repository: it is at work there.
        if self.folder_of(PLACE).is_some_and(|other| other != folder && other.exists()) {
            let words = "another plan in this repository combines work just now";
            return Err(GitError::Refused(words.to_owned()));
        }
        self.remove_worktree(PLACE, folder)?;
        remove_folder_if_there(folder)
            .map_err(|source| GitError::file("remove the worktree for combined work", source))?;
        self.release(HELD);
        Ok(())
    }
}
