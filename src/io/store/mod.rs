//! The `.orch` folder on disk. Paths are relative to the repository root, with `/`.
//!
//! No symbolic link below the root is ever followed, in reading or in writing.

mod find;
mod folder;
mod guard;
pub mod journal;
pub mod lock;
mod measure;
pub mod read;
mod remove;
pub mod stamp;
pub mod write;

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

pub use self::{
    journal::{Journal, JournalLine},
    lock::{Lock, LockError, LockInfo},
    read::ReadFault,
    stamp::Stamp,
};

use crate::io::shortage;

/// The name of the folder that holds everything.
pub const FOLDER: &str = ".orch";

/// The files of one repository.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// The root, once it was opened: everything else is opened from there.
    handle: Arc<OnceLock<OwnedFd>>,
}

/// Why something in the store could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store.
    #[error("there is no .orch folder in {} or above it; `orch init` makes one", from.display())]
    NoStore {
        /// Where the search began.
        from: PathBuf,
    },
    /// The folder where the search for a store was to begin is none.
    #[error("{} is not a folder, or is not there", from.display())]
    NoFolder {
        /// Which one.
        from: PathBuf,
    },
    /// A file or folder could not be read.
    #[error("failed to read {path}")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// There are too many files.
    #[error("there are more than {max} files in {path}")]
    TooMany {
        /// Where they are.
        path: String,
        /// How many there may be.
        max: usize,
    },
    /// A file could not be written; what was there before is intact.
    #[error("failed to write {path}")]
    Write {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that was to be new is there already.
    #[error("failed to create {path}: it exists already")]
    Exists {
        /// Which one.
        path: String,
    },
    /// A file could not be removed.
    #[error("failed to remove {path}")]
    Remove {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is not sure that a file would survive a power cut.
    #[error("failed to sync {path} to the disk")]
    Sync {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file could not be locked.
    #[error("failed to lock {path}")]
    Lock {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl StoreError {
    /// Says whether the same may work later by itself: the machine is short of something, or does
    /// not let anyone write for now.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Read { source, .. }
            | Self::Write { source, .. }
            | Self::Remove { source, .. }
            | Self::Sync { source, .. }
            | Self::Lock { source, .. } => shortage::is_passing(source),
            Self::NoStore { .. }
            | Self::NoFolder { .. }
            | Self::TooMany { .. }
            | Self::Exists { .. } => false,
        }
    }
}

impl Store {
    /// Returns the store of the repository at `root`, whether it is there or not.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), handle: Arc::default() }
    }

    /// Finds the store in `from` or the nearest folder above it.
    ///
    /// # Errors
    /// [`StoreError::NoStore`], [`StoreError::NoFolder`].
    pub fn discover(from: &Path) -> Result<Self, StoreError> {
        let absolute = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        if !absolute.is_dir() {
            return Err(StoreError::NoFolder { from: absolute });
        }
        absolute
            .ancestors()
            .find(|folder| folder.join(FOLDER).is_dir())
            .map(Self::at)
            .ok_or(StoreError::NoStore { from: absolute.clone() })
    }

    /// Returns the repository root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the full path of `relative`.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}
