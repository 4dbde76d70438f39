//! Lets several processes change files of one folder one after the other.
//!
//! The lock is on the open folder itself, so it leaves nothing behind and dies with its process.

use std::{
    fs::{File, TryLockError},
    io, thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{AtFlags, RenameFlags, renameat_with, statat},
    io::Errno,
};

use super::{
    Store, StoreError,
    folder::{self, Missing},
};

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(2);

/// How long others are waited for: each of them needs a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most files of one name that are set aside.
const ASIDE_MAX: u32 = 1000;

/// Keeps other processes from changing files of a folder, as far as they ask, too.
#[derive(Debug)]
pub struct FolderGuard {
    /// Closing it gives the lock back.
    _folder: File,
}

impl Store {
    /// Waits until nobody else guards the folder `path`, made where it is missing, and guards it.
    ///
    /// # Errors
    /// [`StoreError::Lock`] where others hold it for too long.
    pub fn guard(&self, path: &str) -> Result<FolderGuard, StoreError> {
        let failed = |source| StoreError::Lock { path: path.to_owned(), source };
        let folder = folder::open(self, path, Missing::Create).map_err(failed)?;
        let folder = File::from(folder);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(FolderGuard { _folder: folder }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let reason = "other processes hold it for too long";
                    return Err(failed(io::Error::new(io::ErrorKind::TimedOut, reason)));
                }
                // This file system has no such locks: each write is whole all the same.
                Err(TryLockError::Error(error)) => {
                    tracing::debug!(%error, path, "the folder cannot be locked");
                    return Ok(FolderGuard { _folder: folder });
                }
            }
        }
    }

    /// Gives what is at `path`, whatever it is, another name beside it, and returns that; `None`
    /// where nothing is there.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn set_aside(&self, path: &str) -> Result<Option<String>, StoreError> {
        let rename = || {
            let (folder, name) = self.open_for(path)?;
            for n in 1..=ASIDE_MAX {
                let aside = format!("{name}.broken-{n}");
                match renameat_with(&folder, name, &folder, &*aside, RenameFlags::NOREPLACE) {
                    Ok(()) => return Ok(Some(format!("{path}.broken-{n}"))),
                    Err(Errno::EXIST) => {}
                    Err(Errno::NOENT) => return Ok(None),
                    Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                        if statat(&folder, &*aside, AtFlags::SYMLINK_NOFOLLOW).is_err() {
                            rustix::fs::renameat(&folder, name, &folder, &*aside)?;
                            return Ok(Some(format!("{path}.broken-{n}")));
                        }
                    }
                    Err(errno) => return Err(errno.into()),
                }
            }
            Err(io::Error::other(format!("{ASIDE_MAX} broken ones lie beside it already")))
        };
        rename().map_err(|source: io::Error| StoreError::Write { path: path.to_owned(), source })
    }
}
