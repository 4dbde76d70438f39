//! Removes files and folders.

use std::io;

use rustix::fs::{AtFlags, unlinkat};
use walkdir::WalkDir;

use super::{
    Store, StoreError,
    folder::{self, Missing},
    write::is_abandoned,
};

impl Store {
    /// Removes the file `path`; a missing one is fine.
    ///
    /// # Errors
    /// [`StoreError::Remove`].
    pub fn remove(&self, path: &str) -> Result<(), StoreError> {
        let remove = || {
            let (folder, name) = folder::split(path)?;
            let folder = folder::open(self, folder, Missing::Fail)?;
            unlinkat(&folder, name, AtFlags::empty()).map_err(io::Error::from)
        };
        match remove() {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Remove { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// Removes the folder `path` with the files in it; a missing one is fine.
    ///
    /// # Errors
    /// [`StoreError::Remove`]; a folder in it is one reason.
    pub fn remove_folder(&self, path: &str) -> Result<(), StoreError> {
        for name in self.list(path)? {
            self.remove(&[path, "/", &name].concat())?;
        }
        let remove = || {
            let (above, name) = folder::split(path)?;
            let above = folder::open(self, above, Missing::Fail)?;
            unlinkat(&above, name, AtFlags::REMOVEDIR).map_err(io::Error::from)
        };
        match remove() {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Remove { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// Removes the folder `path` where nothing is in it; says whether it is gone.
    ///
    /// # Errors
    /// [`StoreError::Remove`].
    pub fn remove_empty_folder(&self, path: &str) -> Result<bool, StoreError> {
        let remove = || {
            let (above, name) = folder::split(path)?;
            let above = folder::open(self, above, Missing::Fail)?;
            unlinkat(&above, name, AtFlags::REMOVEDIR).map_err(io::Error::from)
        };
        match remove() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(source) => Err(StoreError::Remove { path: path.to_owned(), source }),
        }
    }

    /// Removes what dead processes left of unfinished writes below the folder `dir`; returns how
    /// many files it removed.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Remove`].
    pub fn sweep_temp_files(&self, dir: &str) -> Result<usize, StoreError> {
        if !self.has_folder(dir)? {
            return Ok(0);
        }
        let base = self.path(dir);
        let mut n_removed = 0;
        for entry in WalkDir::new(&base).follow_root_links(false).into_iter().flatten() {
            let name = entry.file_name().to_str().unwrap_or_default();
            if !entry.file_type().is_file() || !is_abandoned(name) {
                continue;
            }
            let below = entry.path().strip_prefix(&base).ok().and_then(|path| path.to_str());
            if let Some(below) = below {
                self.remove(&[dir, "/", below].concat())?;
                n_removed += 1;
            }
        }
        Ok(n_removed)
    }
}
