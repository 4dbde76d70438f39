//! Signs that files may have changed. The disk is the truth: a lost sign costs time, nothing else.
//!
//! The thread of the watcher only notes what it hears in a set, so that no storm overruns it;
//! whoever wants to know is woken once, and takes the whole set.

mod kind;
mod roots;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use notify::{Event, RecommendedWatcher, Watcher as _};
use tokio::sync::Notify;

pub use self::roots::Depth;
use self::roots::Root;
use crate::domain::{model::time::Tick, settle::Sign};

/// Paths that are noted one by one; where more have changed, everything is looked at.
const PATHS_MAX: usize = 512;

/// What was heard since the last look, each with when it was heard last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signs {
    /// What happened to single paths, the last of it; absolute.
    pub paths: BTreeMap<PathBuf, (Sign, Tick)>,
    /// When signs were lost or were too many: anything may have changed.
    pub everything: Option<Tick>,
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system gives no watcher.
    #[error("failed to start watching files")]
    Start(#[source] notify::Error),
    /// One folder cannot be watched.
    #[error("failed to watch {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why; the limit on watches is one reason.
        source: notify::Error,
    },
}

impl WatchError {
    /// Says whether the user's limit on watches is used up.
    pub fn is_out_of_watches(&self) -> bool {
        let (Self::Start(source) | Self::Folder { source, .. }) = self;
        match &source.kind {
            notify::ErrorKind::MaxFilesWatch => true,
            notify::ErrorKind::Io(error) => {
                // EMFILE: too many inotify instances. ENOSPC: too many watches.
                matches!(error.raw_os_error(), Some(24 | 28))
            }
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    signs: Mutex<Signs>,
    news: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    inner: RecommendedWatcher,
    shared: Arc<Shared>,
    roots: Vec<Root>,
}

impl Watcher {
    /// Starts to watch nothing yet. `meaning` says what a sign of a path means; where it means
    /// nothing, it is dropped where it arises. `now` gives the time of a sign.
    ///
    /// # Errors
    /// [`WatchError::Start`] where the system gives no watcher.
    pub fn start(
        meaning: impl Fn(&Path, Sign) -> Option<Sign> + Send + 'static,
        now: impl Fn() -> Tick + Send + 'static,
    ) -> Result<Self, WatchError> {
        let shared = Arc::new(Shared::default());
        let sink = Arc::clone(&shared);
        let inner = notify::recommended_watcher(move |event| note(&sink, event, &meaning, now()))
            .map_err(WatchError::Start)?;
        Ok(Self { inner, shared, roots: Vec::new() })
    }

    /// Watches the folder `path` as well; one that does not exist as soon as it does.
    ///
    /// # Errors
    /// [`WatchError::Folder`].
    pub fn add(&mut self, path: PathBuf, depth: Depth) -> Result<(), WatchError> {
        let mut root = Root::new(path, depth);
        root.renew(&mut self.inner)?;
        self.roots.push(root);
        Ok(())
    }

    /// Watches no longer what lies below `path`.
    pub fn remove(&mut self, path: &Path) {
        self.roots.retain(|root| root.path() != path);
        if let Err(error) = self.inner.unwatch(path) {
            tracing::debug!(%error, "was not watched");
        }
    }

    /// Watches folders that came up or were replaced since; says whether there were any.
    ///
    /// # Errors
    /// [`WatchError::Folder`].
    pub fn renew(&mut self) -> Result<bool, WatchError> {
        let mut is_any = false;
        for root in &mut self.roots {
            is_any |= root.renew(&mut self.inner)?;
        }
        Ok(is_any)
    }

    /// Watches everything anew: a folder that came up unheard is not watched yet.
    ///
    /// # Errors
    /// [`WatchError::Folder`].
    pub fn restart(&mut self) -> Result<(), WatchError> {
        for root in &mut self.roots {
            root.forget(&mut self.inner);
            root.renew(&mut self.inner)?;
        }
        Ok(())
    }

    /// Waits until there is something to [`Watcher::take`].
    pub async fn news(&self) {
        self.shared.news.notified().await;
    }

    /// Returns what was heard since the last time.
    pub fn take(&self) -> Signs {
        std::mem::take(&mut *self.shared.lock())
    }
}

/// Notes what `event` tells, in the thread of the watcher.
fn note(
    shared: &Shared,
    event: notify::Result<Event>,
    meaning: &impl Fn(&Path, Sign) -> Option<Sign>,
    now: Tick,
) {
    let found = match event {
        Ok(event) if event.need_rescan() => None,
        Ok(event) => Some(kind::signs_of(event)),
        Err(error) => {
            tracing::debug!(%error, "the watcher reports an error");
            None
        }
    };
    match found {
        None => shared.lock().everything = Some(now),
        Some(found) => {
            let meant = |(path, sign): (PathBuf, Sign)| Some((meaning(&path, sign)?, path));
            let kept: Vec<(Sign, PathBuf)> = found.into_iter().filter_map(meant).collect();
            if kept.is_empty() {
                return;
            }
            let mut signs = shared.lock();
            kept.into_iter().for_each(|(sign, path)| signs.note(path, sign, now));
        }
    }
    shared.news.notify_one();
}

impl Signs {
    fn note(&mut self, path: PathBuf, sign: Sign, now: Tick) {
        if self.everything.is_some() || self.paths.len() >= PATHS_MAX {
            self.paths.clear();
            self.everything = Some(now);
            return;
        }
        let mark = self.paths.entry(path).or_insert((sign, now));
        *mark = (mark.0.then(sign), now);
    }

    /// Says whether nothing was heard.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.everything.is_none()
    }
}
