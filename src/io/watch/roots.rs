//! Folders that are watched: also when they come up later, or are replaced.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::WatchError;

/// How far below a folder is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What lies in it.
    Flat,
    /// What lies in it and in all folders below it.
    Deep,
}

/// A folder that is to be watched.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    depth: Depth,
    /// Device and inode of the folder that is watched.
    watched: Option<(u64, u64)>,
}

impl Root {
    pub(super) fn new(path: PathBuf, depth: Depth) -> Self {
        Self { path, depth, watched: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Watches the folder no longer.
    pub(super) fn forget(&mut self, watcher: &mut RecommendedWatcher) {
        if self.watched.take().is_some()
            && let Err(error) = watcher.unwatch(&self.path)
        {
            tracing::debug!(%error, "the watch went with its folder");
        }
    }

    /// Watches the folder that is there now; says whether it is another one than before.
    pub(super) fn renew(&mut self, watcher: &mut RecommendedWatcher) -> Result<bool, WatchError> {
        let there = fs::symlink_metadata(&self.path).ok().filter(fs::Metadata::is_dir);
        let there = there.map(|about| (about.dev(), about.ino()));
        if there == self.watched {
            return Ok(false);
        }
        self.forget(watcher);
        let Some(there) = there else { return Ok(false) };
        let mode = match self.depth {
            Depth::Flat => RecursiveMode::NonRecursive,
            Depth::Deep => RecursiveMode::Recursive,
        };
        match watcher.watch(&self.path, mode) {
            Ok(()) => self.watched = Some(there),
            // Gone again: the next time.
            Err(error) if is_missing(&error) => return Ok(false),
            Err(source) => return Err(WatchError::Folder { path: self.path.clone(), source }),
        }
        Ok(true)
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}
