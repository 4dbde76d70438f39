//! Trees that differ a little, one after the other: each is read once, and compared as it is
//! written, without a copy of what both have in common.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use git2::{Error, Oid, Repository};

/// The mode of a folder in a tree.
const FOLDER: &[u8] = b"40000";

/// Bytes of the name of an object.
const ID_BYTES: usize = 20;

/// A file that two trees do not agree on: its path, what it was, and what it is.
pub(super) type Difference = (PathBuf, Option<Oid>, Option<Oid>);

/// Trees as they are written: those of the last comparison are kept for the next.
#[derive(Default)]
pub(super) struct Trees {
    kept: BTreeMap<Oid, Rc<[u8]>>,
    used: BTreeMap<Oid, Rc<[u8]>>,
}

impl Trees {
    /// Returns the files that differ between two trees; folders that are the same in both are not
    /// read.
    pub(super) fn differences(
        &mut self,
        repository: &Repository,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<Vec<Difference>, Error> {
        let mut found = Vec::new();
        self.compare(repository, Path::new(""), (old, new), &mut found)?;
        self.kept = std::mem::take(&mut self.used);
        Ok(found)
    }

    fn compare(
        &mut self,
        repository: &Repository,
        folder: &Path,
        (old, new): (Option<Oid>, Option<Oid>),
        found: &mut Vec<Difference>,
    ) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        let (old, new) = (self.read(repository, old)?, self.read(repository, new)?);
        let (mut olds, mut news) = (entries(&old).peekable(), entries(&new).peekable());
        loop {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.order(new),
            };
            let old = if order.is_le() { olds.next() } else { None };
            let new = if order.is_ge() { news.next() } else { None };
            let Some(entry) = old.or(new).filter(|_| old != new) else { continue };
            let path = folder.join(OsStr::from_bytes(entry.name));
            let id =
                |entry: Option<Entry<'_>>| entry.map(|entry| Oid::from_bytes(entry.id)).transpose();
            let ids = (id(old)?, id(new)?);
            match entry.is_folder() {
                true => self.compare(repository, &path, ids, found)?,
                false => found.push((path, ids.0, ids.1)),
            }
        }
    }

    /// Returns a tree as it is written; nothing where there is none.
    fn read(&mut self, repository: &Repository, id: Option<Oid>) -> Result<Rc<[u8]>, Error> {
        let Some(id) = id else { return Ok(Rc::from([])) };
        let known = self.used.get(&id).or_else(|| self.kept.get(&id)).cloned();
        let bytes = match known {
            Some(bytes) => bytes,
            None => Rc::from(repository.odb()?.read(id)?.data()),
        };
        self.used.insert(id, Rc::clone(&bytes));
        Ok(bytes)
    }
}

/// One name in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry<'a> {
    mode: &'a [u8],
    name: &'a [u8],
    id: &'a [u8],
}

impl Entry<'_> {
    fn is_folder(self) -> bool {
        self.mode == FOLDER
    }

    /// Compares as git sorts: a folder as if its name ended with `/`.
    fn order(&self, other: &Self) -> Ordering {
        let end = |entry: &Self| if entry.is_folder() { &b"/"[..] } else { &[] };
        let ours = self.name.iter().chain(end(self));
        ours.cmp(other.name.iter().chain(end(other)))
    }
}

/// Returns the entries of a tree: each a mode, a blank, a name, a zero byte and the bytes of an id.
fn entries(mut tree: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let blank = tree.iter().position(|byte| *byte == b' ')?;
        let (mode, rest) = tree.split_at_checked(blank)?;
        let rest = rest.get(1..)?;
        let zero = rest.iter().position(|byte| *byte == 0)?;
        let (name, rest) = rest.split_at_checked(zero)?;
        let (id, rest) = rest.get(1..)?.split_at_checked(ID_BYTES)?;
        tree = rest;
        Some(Entry { mode, name, id })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (tempfile::TempDir, Repository) {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        (folder, repository)
    }

    /// Writes a tree with these files, each with its own name as content but where it says `=`.
    fn tree(repository: &Repository, files: &str) -> Oid {
        let mut update = git2::build::TreeUpdateBuilder::new();
        for file in files.split_whitespace() {
            let (path, text) = file.split_once('=').unwrap_or((file, file));
            let blob = repository.blob(text.as_bytes()).unwrap();
            update.upsert(path, blob, git2::FileMode::Blob);
        }
        let empty = repository.treebuilder(None).unwrap().write().unwrap();
        update.create_updated(repository, &repository.find_tree(empty).unwrap()).unwrap()
    }

    #[test]
    fn it_finds_what_the_plain_comparison_finds() {
        let (_folder, repository) = repository();
        let mut trees = Trees::default();
        let table = [
            ("a b/c d", "a b/c d"),
            ("a b/c d", "a=2 b/c=2 d"),
            ("a b/c d", "d e/f/g"),
            ("a.b a-b ab a/x", "a.b=2 a-b ab=2 a/y"),
            ("a a.b a-b", "a/x a.b a-b=2"),
            ("", "x/y x.z"),
            ("x/y x.z", ""),
        ];
        for (old, new) in table {
            let ids = [old, new].map(|files| Some(tree(&repository, files)));
            let mut found = trees.differences(&repository, ids[0], ids[1]).unwrap();
            found.sort();
            let plain = crate::io::git::paths::changes(&repository, ids[0], ids[1]).unwrap();
            let mut plain: Vec<Difference> = plain
                .into_iter()
                .flat_map(|c| {
                    let (old, new) = (c.old.map(|e| e.id), c.new.map(|e| e.id));
                    vec![(c.path, old, new)]
                })
                .collect();
            plain.sort();
            assert_eq!(found, plain, "{old} -> {new}");
        }
    }
}
