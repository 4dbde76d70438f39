//! Trees side by side: which paths differ, and trees with other files in them.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Component, Path, PathBuf},
};

use git2::{Error, FileMode, ObjectType, Oid, Repository, Tree, TreeEntry};

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
    fn of(entry: &TreeEntry<'_>) -> Self {
        Self { id: entry.id(), mode: entry.filemode_raw() }
    }

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
    let entries = tree.iter().map(|entry| (entry.name_bytes().to_vec(), Entry::of(&entry)));
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
    let tree_of = |id: Option<Oid>| id.map(|id| repository.find_tree(id)).transpose();
    for (name, [old, new]) in differing(tree_of(old)?.as_ref(), tree_of(new)?.as_ref()) {
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

/// What two trees say of a name.
type Pair = [Option<Entry>; 2];

/// Returns the names of which two trees do not say the same, with what each says. Trees are sorted, so
/// one pass over both is enough; there may be many thousand files in a folder.
fn differing(old: Option<&Tree<'_>>, new: Option<&Tree<'_>>) -> Vec<(Vec<u8>, Pair)> {
    let [mut olds, mut news] =
        [old, new].map(|tree| tree.into_iter().flat_map(Tree::iter).peekable());
    let mut found = Vec::new();
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => in_tree(old, new),
        };
        let old = if order.is_le() { olds.next() } else { None };
        let new = if order.is_ge() { news.next() } else { None };
        let pair = [&old, &new].map(|side| side.as_ref().map(Entry::of));
        if let Some(named) = old.or(new).filter(|_| pair[0] != pair[1]) {
            found.push((named.name_bytes().to_vec(), pair));
        }
    }
}

/// Compares entries as they are sorted in a tree: a folder as if its name ended with a slash.
fn in_tree(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
    let end = |entry: &TreeEntry<'_>| {
        let is_folder = entry.filemode_raw() == FOLDER;
        is_folder.then_some(b'/')
    };
    let (name, other_name) = (one.name_bytes(), other.name_bytes());
    let common = name.len().min(other_name.len());
    let (head, rest) = name.split_at(common);
    let (other_head, other_rest) = other_name.split_at(common);
    head.cmp(other_head).then_with(|| {
        let next = rest.first().copied().or_else(|| end(one));
        next.cmp(&other_rest.first().copied().or_else(|| end(other)))
    })
}

/// Returns the entry of `path` in a tree; `None` where it is not there.
pub(super) fn entry_at(tree: &Tree<'_>, path: &Path) -> Option<Entry> {
    let entry = tree.get_path(path).ok()?;
    Some(Entry::of(&entry))
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
    let below =
        known.as_ref().filter(|entry| entry.kind() == Some(ObjectType::Tree)).map(TreeEntry::id);
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
