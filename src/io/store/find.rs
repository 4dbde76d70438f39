//! Finds files: which there are, and which of them cannot be read.

use std::{io, os::unix::ffi::OsStrExt as _, path::Path};

use walkdir::{DirEntry, WalkDir};

use super::{
    Store, StoreError,
    folder::{self, Missing},
    read::ReadFault,
};
use crate::{
    domain::{
        format::layout,
        model::limits::{FILES_MAX, FOLDER_DEPTH_MAX},
    },
    io::shortage,
};

impl Store {
    /// Returns the names in the folder `dir`, of files and folders, in order; hidden ones are
    /// passed over, and a missing `dir` is an empty one.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn list(&self, dir: &str) -> Result<Vec<String>, StoreError> {
        let failed = |source| StoreError::Read { path: dir.to_owned(), source };
        if !self.has_folder(dir)? {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.path(dir)).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Finds the files that [`Store::visit`] reads, in order.
    pub(super) fn find(&self, dir: &str, endings: &[&str]) -> Result<Vec<Found>, StoreError> {
        self.find_up_to(FILES_MAX, dir, endings)
    }

    /// As [`Self::find`]; more than `max` are a fault.
    fn find_up_to(
        &self,
        max: usize,
        dir: &str,
        endings: &[&str],
    ) -> Result<Vec<Found>, StoreError> {
        if !self.has_folder(dir)? {
            return Ok(Vec::new());
        }
        let base = self.path(dir);
        let is_hidden = |entry: &DirEntry| {
            entry.file_name().to_str().is_some_and(layout::is_passed_over)
                || entry.file_name().as_bytes().starts_with(b".")
        };
        let walk = WalkDir::new(&base)
            .follow_root_links(false)
            .min_depth(1)
            .max_depth(FOLDER_DEPTH_MAX)
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
        let mut found = Vec::new();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    if let Some(fault) = judge(&entry, endings) {
                        found.push(Found::new(dir, &base, entry.path(), fault));
                    }
                }
                Err(error) => found.extend(unreadable(dir, &base, error)?),
            }
            if found.len() > max {
                return Err(StoreError::TooMany { path: dir.to_owned(), max });
            }
        }
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Says whether the folder `dir` exists.
    ///
    /// # Errors
    /// [`StoreError::Read`] where a link or something else is in its place, or on the way to it.
    pub fn has_folder(&self, dir: &str) -> Result<bool, StoreError> {
        match folder::open(self, dir, Missing::Fail) {
            Ok(_) => Ok(true),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(StoreError::Read { path: dir.to_owned(), source }),
        }
    }
}

/// A file to be read, or one that is known to be unreadable.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) fault: Option<ReadFault>,
}

impl Found {
    /// Takes in `path`, which lies in the folder `dir` at `base`.
    fn new(dir: &str, base: &Path, path: &Path, fault: Option<ReadFault>) -> Self {
        let below = path.strip_prefix(base).unwrap_or(path);
        match below.to_str() {
            Some(below) => Self { path: [dir, "/", below].concat(), fault },
            None => Self {
                path: [dir, "/", &below.to_string_lossy()].concat(),
                fault: Some(ReadFault::NameNotUtf8),
            },
        }
    }
}

/// Says whether `entry` is wanted (the outer `Option`), and what is already known against it.
fn judge(entry: &DirEntry, endings: &[&str]) -> Option<Option<ReadFault>> {
    let name = entry.file_name().as_bytes();
    let is_named_so = endings.iter().any(|ending| name.ends_with(ending.as_bytes()));
    let kind = entry.file_type();
    if kind.is_file() {
        return is_named_so.then_some(None);
    }
    if kind.is_dir() {
        // A deeper file might be hidden in it without a word.
        return match entry.depth() {
            FOLDER_DEPTH_MAX => Some(Some(ReadFault::TooDeep)),
            _ => is_named_so.then_some(Some(ReadFault::Folder)),
        };
    }
    if kind.is_symlink() {
        let is_wanted = is_named_so || entry.path().is_dir();
        return is_wanted.then_some(Some(ReadFault::SymbolicLink));
    }
    // Opening it without blocking tells what it is.
    is_named_so.then_some(None)
}

/// Turns a fault of the walk into one of the folder where it happened.
fn unreadable(dir: &str, base: &Path, error: walkdir::Error) -> Result<Option<Found>, StoreError> {
    let path = error.path().unwrap_or(base).to_owned();
    let source = io::Error::from(error);
    if source.kind() == io::ErrorKind::NotFound {
        return Ok(None);
    }
    if path == base || shortage::is_own(&source) {
        return Err(StoreError::Read { path: dir.to_owned(), source });
    }
    Ok(Some(Found::new(dir, base, &path, Some(ReadFault::Unreadable(source)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_may_be_are_told_and_not_taken_in() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = folder.path().join(".orch/tasks/deep");
        std::fs::create_dir_all(&tasks).unwrap();
        let store = Store::at(folder.path());
        for n in 0..4 {
            std::fs::write(tasks.join(format!("{n}.md")), "").unwrap();
            std::fs::write(tasks.join(format!("{n}.txt")), "").unwrap();
        }
        let find = |max| store.find_up_to(max, layout::TASKS_DIR, &[".md"]);
        assert_eq!(find(4).unwrap().len(), 4);
        let told = find(3).map(|found| found.len()).unwrap_err().to_string();
        assert_eq!(told, "there are more than 3 files in .orch/tasks");
    }
}
