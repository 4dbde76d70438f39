//! Hints that files may have changed. The disk is the truth: a lost hint costs time, nothing else.

use std::path::{Path, PathBuf};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// Hints that may wait to be taken; beyond them, one [`Hint::Everything`] stands for all.
const HINTS_WAITING_MAX: usize = 1024;

/// Something may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// These files or folders, as absolute paths.
    Paths(Vec<PathBuf>),
    /// Anything: hints were lost.
    Everything,
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system gives no watcher.
    #[error("failed to start watching {}", path.display())]
    Start {
        /// The root of what was to be watched.
        path: PathBuf,
        /// Why.
        source: notify::Error,
    },
    /// One folder cannot be watched.
    #[error("failed to watch {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why; the limit on watches is one reason.
        source: notify::Error,
    },
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    inner: RecommendedWatcher,
    missing: Vec<PathBuf>,
}

impl Watcher {
    /// Tries again to watch the folders that did not exist; returns whether any does now.
    ///
    /// # Errors
    /// [`WatchError::Folder`].
    pub fn watch_missing(&mut self) -> Result<bool, WatchError> {
        let mut found = false;
        for path in std::mem::take(&mut self.missing) {
            if path.is_dir() {
                self.inner
                    .watch(&path, RecursiveMode::Recursive)
                    .map_err(|source| WatchError::Folder { path, source })?;
                found = true;
            } else {
                self.missing.push(path);
            }
        }
        Ok(found)
    }
}

/// Watches the folders `dirs`, relative to `root`, with all that is in them.
///
/// A folder that does not exist is kept for [`Watcher::watch_missing`].
///
/// # Errors
/// Where the system gives no watcher, or refuses one of the folders.
pub fn watch(root: &Path, dirs: &[&str]) -> Result<(Watcher, mpsc::Receiver<Hint>), WatchError> {
    let (sender, receiver) = mpsc::channel(HINTS_WAITING_MAX);
    let inner = notify::recommended_watcher(move |event| forward(&sender, event))
        .map_err(|source| WatchError::Start { path: root.to_owned(), source })?;
    let missing = dirs.iter().map(|dir| root.join(dir)).collect();
    let mut watcher = Watcher { inner, missing };
    watcher.watch_missing()?;
    Ok((watcher, receiver))
}

/// Puts the hint that `event` gives into the channel, from the watcher's one thread.
fn forward(sender: &mpsc::Sender<Hint>, event: notify::Result<Event>) {
    let hint = match event {
        Ok(event) if event.need_rescan() => Hint::Everything,
        Ok(Event { kind: EventKind::Access(_), .. }) => return,
        Ok(event) => Hint::Paths(event.paths),
        Err(error) => {
            tracing::debug!(%error, "the watcher reports an error");
            Hint::Everything
        }
    };
    // The last place is taken by `Everything`; whatever comes while the channel is full happened
    // before that one is taken out, so it may be dropped.
    let hint = if sender.capacity() <= 1 { Hint::Everything } else { hint };
    if let Err(mpsc::error::TrySendError::Closed(_)) = sender.try_send(hint) {
        tracing::debug!("nobody listens to the watcher");
    }
}
