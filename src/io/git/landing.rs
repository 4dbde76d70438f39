//! The commit by which work lands: what was verified, with its record, on top of the branch.

use std::path::{Path, PathBuf};

use git2::{Error, Oid, Repository};

use super::{
    GitError, Ground,
    ground::{name_of, oid},
    merge::merge_trees,
    paths::{changes, with_files, with_folders_of},
    work::commit,
};
use crate::domain::model::{commit::CommitId, landing::LandingMode};

/// Holds a commit until its branch does.
pub(super) const HELD: &str = "refs/orch/held/@landing";

/// A file of the plan's own, to be committed: its path relative to the folder of the plan, and its
/// bytes, none where it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    /// Its path.
    pub path: String,
    /// What is in it.
    pub bytes: Option<Vec<u8>>,
}

/// The commits of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRange {
    /// The last commit of the branch of the plan that is merged into it.
    pub base: CommitId,
    /// Its last commit.
    pub head: CommitId,
}

/// Work that was verified and is to land, that of one task or of several together.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The branch that it lands on.
    pub branch: String,
    /// What was verified: the last commit of it, and the last one of that branch that is merged into it.
    pub verified: CommitRange,
    /// The work of each task in it.
    pub works: Vec<CommitRange>,
    /// The record of the attempt, and what its worker reported.
    pub files: Vec<StateFile>,
    /// Folders, relative to that of the plan, that nobody but the coordinator changes: what the work
    /// changed in them is left out.
    pub kept: Vec<String>,
    /// Folders beside these in which a change of the branch does not call for another verification.
    pub unverified: Vec<String>,
    /// What the commit says.
    pub message: String,
    /// How it lands.
    pub mode: LandingMode,
}

/// A commit that a branch may go on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Built {
    /// It is made.
    Commit {
        /// The last commit of the branch, on top of which it is.
        old: CommitId,
        /// The commit.
        new: CommitId,
    },
    /// The branch went on meanwhile: the work must be merged and verified again.
    Moved,
}

impl Ground {
    /// Makes the commit by which work lands.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn build_landing(&self, landing: &Landing) -> Result<Built, GitError> {
        let what = || format!("make the commit that lands on {}", landing.branch);
        let Some(tip) = self.tip(&landing.branch)? else {
            return Err(GitError::Refused(format!("the branch {} is gone", landing.branch)));
        };
        let build = || {
            let repository = self.shared()?;
            let tip_id = oid(&tip)?;
            let Some(tree) = self.landed_tree(&repository, landing, tip_id)? else {
                return Ok(Built::Moved);
            };
            let parents = parents(&repository, landing, tip_id)?;
            let new = commit(&repository, tree, &parents, &landing.message)?;
            Ok(Built::Commit { old: tip.clone(), new: name_of(new) })
        };
        self.held(build, |built| match built {
            Built::Commit { new, .. } => Some(new.clone()),
            Built::Moved => None,
        })
        .map_err(|source| GitError::failed(what(), source))
    }

    /// Makes a commit that its branch may go on to, and holds it until it does.
    fn held<T>(
        &self,
        build: impl FnMut() -> Result<T, Error>,
        commit: impl Fn(&T) -> Option<CommitId>,
    ) -> Result<T, Error> {
        let built = self.make(build)?;
        if let Some(commit) = commit(&built) {
            self.hold(HELD, oid(&commit)?)?;
        }
        Ok(built)
    }

    /// Returns the tree that lands: what was verified, with what is the coordinator's as it is on
    /// the branch, and the record of the attempt. `None` where the branch went on with more than
    /// state.
    fn landed_tree(
        &self,
        repository: &Repository,
        landing: &Landing,
        tip: Oid,
    ) -> Result<Option<Oid>, Error> {
        let tree_of = |id: Oid| Ok::<_, Error>(repository.find_commit(id)?.tree_id());
        let base = oid(&landing.verified.base)?;
        let (base_tree, tip_tree) = (tree_of(base)?, tree_of(tip)?);
        let mut tree = tree_of(oid(&landing.verified.head)?)?;
        let kept = self.paths_in_commit(&landing.kept);
        if tip != base {
            let unverified = self.paths_in_commit(&landing.unverified);
            let is_state =
                |path: &Path| kept.iter().chain(&unverified).any(|folder| path.starts_with(folder));
            let moved = changes(repository, Some(base_tree), Some(tip_tree))?;
            if moved.iter().any(|change| !is_state(&change.path)) {
                return Ok(None);
            }
        }
        tree = with_folders_of(repository, tree, tip_tree, &kept)?;
        if tip_tree != base_tree {
            let kept_base = with_folders_of(repository, base_tree, tip_tree, &kept)?;
            let Some(merged) = merge_trees(repository, kept_base, tree, tip_tree)? else {
                return Ok(None);
            };
            tree = merged;
        }
        with_files(repository, tree, &self.in_commit(&landing.files)).map(Some)
    }

    /// Returns files of the plan with their paths in a commit.
    fn in_commit<'a>(&self, files: &'a [StateFile]) -> Vec<(PathBuf, Option<&'a [u8]>)> {
        let path = |file: &StateFile| PathBuf::from(self.path_in_commit(&file.path));
        files.iter().map(|file| (path(file), file.bytes.as_deref())).collect()
    }

    /// Makes a commit with files of the plan's own on top of a branch; `None` where it is as it
    /// would be already.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn build_state(
        &self,
        branch: &str,
        files: &[StateFile],
        message: &str,
    ) -> Result<Option<(CommitId, CommitId)>, GitError> {
        let Some(tip) = self.tip(branch)? else {
            return Err(GitError::Refused(format!("the branch {branch} is gone")));
        };
        let build = || {
            let repository = self.shared()?;
            let old = oid(&tip)?;
            let tree = repository.find_commit(old)?.tree_id();
            let new = with_files(&repository, tree, &self.in_commit(files))?;
            if new == tree {
                return Ok(None);
            }
            commit(&repository, new, &[old], message).map(Some)
        };
        let made = self.held(build, |made: &Option<Oid>| made.map(name_of));
        let made = made.map_err(|source| {
            GitError::failed(format!("make a commit of state on {branch}"), source)
        })?;
        Ok(made.map(|new| (tip, name_of(new))))
    }
}

/// Returns the commits on top of which the commit is by which work lands on `tip`.
fn parents(repository: &Repository, landing: &Landing, tip: Oid) -> Result<Vec<Oid>, Error> {
    let mut parents = vec![tip];
    for CommitRange { base, head } in &landing.works {
        let (base, head) = (oid(base)?, oid(head)?);
        match landing.mode {
            LandingMode::Squash => {}
            // A task that did nothing has no commits to be merged.
            LandingMode::Merge if head == tip || head == base => {}
            LandingMode::Merge => parents.push(head),
            LandingMode::Rebase => {
                let below = parents.last().copied().unwrap_or(tip);
                parents = vec![replayed(repository, base, head, below)?.unwrap_or(below)];
            }
        }
    }
    Ok(parents)
}

/// Puts the commits of a worker upon `tip`, one after the other; `None` where one of them does not
/// fit there: then they land together.
fn replayed(repository: &Repository, base: Oid, head: Oid, tip: Oid) -> Result<Option<Oid>, Error> {
    let mut walk = repository.revwalk()?;
    walk.push(head)?;
    walk.hide(base)?;
    walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE)?;
    let mut below = tip;
    for id in walk {
        let original = repository.find_commit(id?)?;
        if original.parent_count() > 1 {
            continue;
        }
        let onto = repository.find_commit(below)?;
        let mut index = repository.cherrypick_commit(&original, &onto, 0, None)?;
        if index.has_conflicts() {
            return Ok(None);
        }
        let tree = index.write_tree_to(repository)?;
        if tree == onto.tree_id() {
            continue;
        }
        let message = original.message().unwrap_or_default();
        let tree = repository.find_tree(tree)?;
        let committer = super::ground::author(repository)?;
        let author = original.author();
        below = repository.commit(None, &author, &committer, message, &tree, &[&onto])?;
    }
    Ok(Some(below))
}
