//! The index of a checkout: how it was found, and its lock.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use git2::IndexTime;

/// How a checkout was found; another one is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexStamp(Option<(u64, u64, i64, i64)>);

impl IndexStamp {
    pub(super) fn of(path: &Path) -> Self {
        let about = fs::metadata(path).ok();
        Self(about.map(|a| (a.len(), a.ino(), a.mtime(), a.mtime_nsec())))
    }

    /// Says whether it was written less than `time` ago.
    pub(super) fn is_younger_than(&self, time: Duration) -> bool {
        let Some((_, _, seconds, nanoseconds)) = self.0 else { return false };
        let seconds = u64::try_from(seconds).unwrap_or_default();
        let nanoseconds = u32::try_from(nanoseconds).unwrap_or_default();
        let written = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        written.elapsed().is_ok_and(|age| age < time)
    }

    pub(super) fn time(&self) -> IndexTime {
        let (seconds, nanoseconds) = self.0.map_or((0, 0), |(_, _, s, n)| (s, n));
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        IndexTime::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    }
}

/// What stands in an `index.lock` of ours.
const LOCK_WORDS: &[u8] = b"orch\n";

/// The `index.lock` of a checkout, held by us; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct IndexLock(PathBuf);

impl IndexLock {
    /// Takes the lock; `None` where somebody holds it.
    pub(super) fn take(git_dir: &Path) -> std::io::Result<Option<Self>> {
        let path = git_dir.join("index.lock");
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let lock = Self(path);
                file.write_all(LOCK_WORDS)?;
                Ok(Some(lock))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the lock that a process of ours left when it was killed. One without a word in it may
    /// be that of a command of git, too: it goes only where none is at work.
    pub(super) fn remove_stale(git_dir: &Path, is_free: bool) -> std::io::Result<()> {
        let path = git_dir.join("index.lock");
        match fs::read(&path) {
            Ok(words) if words.is_empty() && !is_free => Ok(()),
            Ok(words) if LOCK_WORDS.starts_with(&words) => fs::remove_file(&path),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::error!(%error, "{} stays", self.0.display());
        }
    }
}
