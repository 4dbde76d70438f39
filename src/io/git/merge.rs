//! Merges in memory: of trees where that is enough, of commits where it is not.

use std::{collections::BTreeSet, ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

use git2::{Error, Oid, Repository};

use super::paths::{Entry, Listing, listing};

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Merged {
    /// A tree without conflicts.
    Tree(Oid),
    /// These files were changed on both sides.
    Conflicts(Vec<String>),
}

/// Merges the commit `theirs` into `ours`; nothing but objects is written.
pub(super) fn merge_commits(
    repository: &Repository,
    ours: Oid,
    theirs: Oid,
) -> Result<Merged, Error> {
    let tree_of = |id: Oid| Ok::<_, Error>(repository.find_commit(id)?.tree_id());
    let bases = repository.merge_bases(ours, theirs);
    if let Ok(bases) = &bases
        && let [base] = bases.iter().copied().collect::<Vec<_>>()[..]
        && let Some(tree) =
            merge_trees(repository, tree_of(base)?, tree_of(ours)?, tree_of(theirs)?)?
    {
        return Ok(Merged::Tree(tree));
    }
    // Lines within a file, renames, several bases.
    let (ours, theirs) = (repository.find_commit(ours)?, repository.find_commit(theirs)?);
    merged_in(repository, repository.merge_commits(&ours, &theirs, None)?)
}

/// Merges what was changed since `base` in the trees `ours` and `theirs`, whatever their histories
/// say; nothing but objects is written.
pub(super) fn merge_changes(
    repository: &Repository,
    [base, ours, theirs]: [Oid; 3],
) -> Result<Merged, Error> {
    if let Some(tree) = merge_trees(repository, base, ours, theirs)? {
        return Ok(Merged::Tree(tree));
    }
    let [base, ours, theirs] = [base, ours, theirs].map(|tree| repository.find_tree(tree));
    merged_in(repository, repository.merge_trees(&base?, &ours?, &theirs?, None)?)
}

fn merged_in(repository: &Repository, mut index: git2::Index) -> Result<Merged, Error> {
    if !index.has_conflicts() {
        return index.write_tree_to(repository).map(Merged::Tree);
    }
    Ok(Merged::Conflicts(conflicts(&index)?))
}

/// Returns the files that are in conflict, by name.
pub(super) fn conflicts(index: &git2::Index) -> Result<Vec<String>, Error> {
    let mut names = BTreeSet::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let sides = [conflict.our, conflict.their, conflict.ancestor];
        if let Some(side) = sides.into_iter().flatten().next() {
            names.insert(PathBuf::from(OsString::from_vec(side.path)));
        }
    }
    Ok(names.into_iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

/// Merges trees where no file differs on both sides; `None` where one does. Folders that only one
/// side changed are taken as they are, without being read.
pub(super) fn merge_trees(
    repository: &Repository,
    base: Oid,
    ours: Oid,
    theirs: Oid,
) -> Result<Option<Oid>, Error> {
    let sides = [Some(base), Some(ours), Some(theirs)];
    Ok(match merge_folders(repository, sides)? {
        None => None,
        Some(Some(tree)) => Some(tree),
        // Everything is gone.
        Some(None) => Some(repository.treebuilder(None)?.write()?),
    })
}

/// The outer `None` stands for a conflict, the inner one for an empty folder.
type Side = Option<Option<Oid>>;

fn merge_folders(repository: &Repository, sides: [Option<Oid>; 3]) -> Result<Side, Error> {
    if let Some(same) = settled(sides) {
        return Ok(Some(same));
    }
    let [base, ours, theirs] = sides.map(|side| listing(repository, side));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let mut merged = ours.clone();
    let names: BTreeSet<&Vec<u8>> = base.keys().chain(theirs.keys()).collect();
    for name in names {
        let entries = [&base, &ours, &theirs].map(|side: &Listing| side.get(name).copied());
        let entry = match settled(entries) {
            Some(entry) => entry,
            None => match merge_entries(repository, entries)? {
                Some(entry) => entry,
                None => return Ok(None),
            },
        };
        match entry {
            Some(entry) => drop(merged.insert(name.clone(), entry)),
            None => drop(merged.remove(name)),
        }
    }
    write(repository, sides[1], &ours, &merged).map(Some)
}

/// Merges a name that both sides changed: only folders can be.
fn merge_entries(
    repository: &Repository,
    entries: [Option<Entry>; 3],
) -> Result<Option<Option<Entry>>, Error> {
    let [base, ours, theirs] = entries;
    let is_folder = |entry: Option<Entry>| entry.is_some_and(Entry::is_folder);
    let may_be_new = base.is_none() || is_folder(base);
    let Some(ours) = ours.filter(|_| may_be_new && is_folder(ours) && is_folder(theirs)) else {
        return Ok(None);
    };
    let sides = [base.map(|e| e.id), Some(ours.id), theirs.map(|e| e.id)];
    let merged = merge_folders(repository, sides)?;
    Ok(merged.map(|id| id.map(|id| Entry { id, mode: ours.mode })))
}

/// Returns what follows where at most one side changed something.
fn settled<T: PartialEq + Copy>([base, ours, theirs]: [T; 3]) -> Option<T> {
    if ours == theirs || theirs == base {
        Some(ours)
    } else if ours == base {
        Some(theirs)
    } else {
        None
    }
}

fn write(
    repository: &Repository,
    from: Option<Oid>,
    before: &Listing,
    after: &Listing,
) -> Result<Option<Oid>, Error> {
    if after.is_empty() {
        return Ok(None);
    }
    let base = from.map(|id| repository.find_tree(id)).transpose()?;
    let mut builder = repository.treebuilder(base.as_ref())?;
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        builder.remove(OsString::from_vec(name.clone()))?;
    }
    for (name, entry) in after.iter().filter(|(name, entry)| before.get(*name) != Some(*entry)) {
        builder.insert(OsString::from_vec(name.clone()), entry.id, entry.mode)?;
    }
    builder.write().map(Some)
}
