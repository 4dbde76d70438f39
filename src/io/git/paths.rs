//! Trees side by side: which paths differ, and trees with other files in them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Component, Path, PathBuf},
};

use git2::{Error, FileMode, ObjectType, Oid, Repository, Tree};

/// The mode of a folder in a tree.
const FOLDER: i32 = 0o040_000;

/// What a tree says of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: Oid,
    /// What kind of file it is.
    pub mode: i32,
}

impl Entry {
    pub(super) fn is_folder(self) -> bool {
        self.mode == FOLDER
    }
}

/// A path that two trees do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub path: PathBuf,
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}

/// What a tree holds, by name.
pub(super) type Listing = BTreeMap<Vec<u8>, Entry>;

/// Returns what the tree `id` holds; nothing where there is none.
pub(super) fn listing(repository: &Repository, id: Option<Oid>) -> Result<Listing, Error> {
    let Some(id) = id else { return Ok(Listing::new()) };
    let tree = repository.find_tree(id)?;
    let entries = tree.iter().map(|entry| {
        let known = Entry { id: entry.id(), mode: entry.filemode_raw() };
        (entry.name_bytes().to_vec(), known)
    });
    Ok(entries.collect())
}

/// Returns the files that differ between two trees, by path. Folders that are the same in both are
/// not read.
pub(super) fn changes(
    repository: &Repository,
    old: Option<Oid>,
    new: Option<Oid>,
) -> Result<Vec<Change>, Error> {
    let mut found = Vec::new();
    compare(repository, Path::new(""), (old, new), &mut found)?;
    Ok(found)
}

fn compare(
    repository: &Repository,
    folder: &Path,
    (old, new): (Option<Oid>, Option<Oid>),
    found: &mut Vec<Change>,
) -> Result<(), Error> {
    if old == new {
        return Ok(());
    }
    let mut names: BTreeMap<Vec<u8>, [Option<Entry>; 2]> = BTreeMap::new();
    for (name, entry) in listing(repository, old)? {
        names.insert(name, [Some(entry), None]);
    }
    for (name, entry) in listing(repository, new)? {
        match names.get_mut(&name) {
            Some([_, known]) => *known = Some(entry),
            None => drop(names.insert(name, [None, Some(entry)])),
        }
    }
    for (name, [old, new]) in names.into_iter().filter(|(_, [old, new])| old != new) {
        let path = folder.join(OsString::from_vec(name));
        let below = |entry: Option<Entry>| entry.filter(|e| e.is_folder()).map(|e| e.id);
        let file = |entry: Option<Entry>| entry.filter(|entry| !entry.is_folder());
        if file(old).is_some() || file(new).is_some() {
            found.push(Change { path: path.clone(), old: file(old), new: file(new) });
        }
        compare(repository, &path, (below(old), below(new)), found)?;
    }
    Ok(())
}

/// Returns the entry of `path` in a tree; `None` where it is not there.
pub(super) fn entry_at(tree: &Tree<'_>, path: &Path) -> Option<Entry> {
    let entry = tree.get_path(path).ok()?;
    Some(Entry { id: entry.id(), mode: entry.filemode_raw() })
}

/// Returns a tree that is as `tree`, with `entry` at `path`, or with nothing there.
pub(super) fn with_entry(
    repository: &Repository,
    tree: Option<Oid>,
    path: &Path,
    entry: Option<Entry>,
) -> Result<Option<Oid>, Error> {
    let mut parts = path.components();
    let Some(Component::Normal(name)) = parts.next() else {
        return Ok(entry.map(|entry| entry.id).or(tree));
    };
    let rest = parts.as_path();
    let base = tree.map(|id| repository.find_tree(id)).transpose()?;
    let mut builder = repository.treebuilder(base.as_ref())?;
    let known = builder.get(name)?;
    let below = known
        .as_ref()
        .filter(|entry| entry.kind() == Some(ObjectType::Tree))
        .map(git2::TreeEntry::id);
    let is_known = known.is_some();
    drop(known);
    let entry = match rest.as_os_str().is_empty() {
        true => entry,
        false => with_entry(repository, below, rest, entry)?.map(|id| Entry { id, mode: FOLDER }),
    };
    match entry {
        Some(Entry { id, mode }) => drop(builder.insert(name, id, mode)?),
        None if is_known => builder.remove(name)?,
        None => {}
    }
    // Git knows no empty folders.
    if builder.is_empty() { Ok(None) } else { builder.write().map(Some) }
}

/// Returns a tree that is as `tree`, with these folders as they are in the tree `other`.
pub(super) fn with_folders_of(
    repository: &Repository,
    tree: Oid,
    other: Oid,
    folders: &[PathBuf],
) -> Result<Oid, Error> {
    let other = repository.find_tree(other)?;
    folders.iter().try_fold(tree, |tree, folder| {
        // Where nothing is there, nothing is to be there.
        let with = with_entry(repository, Some(tree), folder, entry_at(&other, folder))?;
        Ok(with.unwrap_or(tree))
    })
}

/// Returns a tree that is as `tree`, with files in it or out of it.
pub(super) fn with_files(
    repository: &Repository,
    tree: Oid,
    files: &[(PathBuf, Option<&[u8]>)],
) -> Result<Oid, Error> {
    let base = repository.find_tree(tree)?;
    let mut update = git2::build::TreeUpdateBuilder::new();
    for (path, bytes) in files {
        match bytes {
            Some(bytes) => {
                update.upsert(path.as_path(), repository.blob(bytes)?, FileMode::Blob);
            }
            None if base.get_path(path).is_ok() => {
                update.remove(path.as_path());
            }
            None => {}
        }
    }
    update.create_updated(repository, &base)
}
