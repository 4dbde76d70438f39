//! Merges that nobody has asked for yet: would they hold?
//!
//! Nothing is written, neither files nor objects.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use git2::{Error, ErrorCode, Oid, Repository};

use super::{
    GitError, Ground,
    ground::oid,
    merge::conflicts,
    paths::{Change, changes},
};
use crate::domain::{format::layout, model::commit::CommitId};

/// Ranks before every other place for objects, so that what a merge makes stays in memory.
const FIRST: i32 = 1000;

/// Tries merges of commits of one repository.
pub struct Merges {
    repository: Repository,
    /// Folders whose files never meet in a merge: only the coordinator writes them on a branch.
    own: [PathBuf; 2],
}

impl Ground {
    /// Opens the repository for merges in memory.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn merges(&self) -> Result<Merges, GitError> {
        let open = || {
            let repository = self.shared()?;
            repository.odb()?.add_new_mempack_backend(FIRST)?;
            Ok(repository)
        };
        let own = [layout::STATUS_DIR, layout::RUNS_DIR].map(|folder| self.prefix().join(folder));
        let repository =
            open().map_err(|source: Error| GitError::failed("open the git repository", source))?;
        Ok(Merges { repository, own })
    }
}

impl Merges {
    /// Returns the files that keep two commits from being merged; none where nothing does.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn conflicts(&self, ours: &CommitId, theirs: &CommitId) -> Result<Vec<String>, GitError> {
        let try_it = || self.between(oid(ours)?, oid(theirs)?);
        try_it().map_err(|source| GitError::failed("try a merge", source))
    }

    fn between(&self, ours: Oid, theirs: Oid) -> Result<Vec<String>, Error> {
        let mut files = BTreeSet::new();
        match self.repository.merge_base(ours, theirs) {
            Ok(base) => {
                let (ours, theirs) = (self.changed(base, ours)?, self.changed(base, theirs)?);
                if !may_meet(&ours, &theirs) {
                    return Ok(Vec::new());
                }
                // The merge itself lets these pass where they come from renames.
                files.extend(files_for_folders(&ours, &theirs));
                files.extend(files_for_folders(&theirs, &ours));
            }
            Err(error) if error.code() == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
        let find = |id| self.repository.find_commit(id);
        let index = self.repository.merge_commits(&find(ours)?, &find(theirs)?, None)?;
        files.extend(conflicts(&index)?);
        let is_own = |file: &String| self.own.iter().any(|own| Path::new(file).starts_with(own));
        Ok(files.into_iter().filter(|file| !is_own(file)).collect())
    }

    /// Returns what a commit changed since `base`.
    fn changed(&self, base: Oid, commit: Oid) -> Result<Vec<Change>, Error> {
        let tree = |id| self.repository.find_commit(id).map(|commit| commit.tree_id());
        let all = changes(&self.repository, Some(tree(base)?), Some(tree(commit)?))?;
        let is_own = |change: &Change| self.own.iter().any(|own| change.path.starts_with(own));
        Ok(all.into_iter().filter(|change| !is_own(change)).collect())
    }
}

/// Says whether two lists of changes have a path in common that they do not agree on, or one that
/// is a file here and a folder there. Others need no merge to be known to go together.
fn may_meet(ours: &[Change], theirs: &[Change]) -> bool {
    let paths = |all: &[Change]| all.iter().map(|c| c.path.clone()).collect::<BTreeSet<_>>();
    let known = paths(ours);
    let meets = |change: &Change| {
        if known.contains(&change.path) {
            return !ours.contains(change);
        }
        let above = change.path.ancestors().skip(1);
        let mut below = known.range(change.path.clone()..);
        above.filter(|path| !path.as_os_str().is_empty()).any(|path| known.contains(path))
            || below.next().is_some_and(|path| path.starts_with(&change.path))
    };
    theirs.iter().any(meets)
}

/// Returns the files of one side that are folders on the other one.
fn files_for_folders(files: &[Change], folders: &[Change]) -> Vec<String> {
    let there = |all: &[Change]| {
        let there = all.iter().filter(|change| change.new.is_some());
        there.map(|change| change.path.clone()).collect::<BTreeSet<_>>()
    };
    let below = there(folders);
    let is_folder = |path: &PathBuf| {
        let mut next = below.range(path.clone()..);
        next.find(|other| *other != path).is_some_and(|other| other.starts_with(path))
    };
    let found = there(files).into_iter().filter(is_folder);
    found.map(|path| path.to_string_lossy().into_owned()).collect()
}
