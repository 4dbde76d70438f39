//! Where signs of changed files come from: the system's notices where they arrive, a look from
//! time to time where they do not.

use std::{path::Path, time::Duration};

use crate::{
    domain::{
        format::layout::{self, FileKind},
        model::time::Tick,
        settle::Sign,
    },
    io::{
        clock::Clock,
        git::checkout::Checkout,
        store::Store,
        watch::{Depth, Signs, WatchError, Watcher},
    },
};

use super::{Scope, Watching};
use crate::app::notices::{OTHER_DISK, PROBE_DIR, PROBE_PATIENCE, folders, help_for, roots, told};

/// Time between two looks where nothing tells of changes: at least this.
const POLL_MIN: Duration = Duration::from_secs(1);

/// Looking takes at most one part in this many of one processor.
const POLL_SHARE: u32 = 250;

/// The source of signs.
pub(super) struct Feed {
    watcher: Option<Watcher>,
    /// Until when the notice of the probe is waited for.
    probe: Option<Tick>,
    /// How long the last look at everything took.
    look_took: Duration,
    /// Why there are no notices, as long as that was not told.
    untold: Option<Watching>,
}

impl Feed {
    /// Starts to listen, and to find out whether notices arrive.
    pub(super) fn start(
        store: &Store,
        checkout: Option<&Checkout>,
        scope: Scope,
        clock: Clock,
    ) -> Self {
        let mut feed = Self { watcher: None, probe: None, look_took: Duration::ZERO, untold: None };
        match listen(store, checkout, scope, clock) {
            Ok(watcher) => {
                feed.watcher = Some(watcher);
                feed.start_probe(store, clock.now().tick);
            }
            Err(error) => feed.poll(&told(&error), help_for(&error)),
        }
        feed
    }

    /// Writes the probe. Where that is not possible, notices are taken to arrive.
    fn start_probe(&mut self, store: &Store, now: Tick) {
        let Some(watcher) = &mut self.watcher else { return };
        let probe = || {
            store.ignore_local()?;
            store.make_folder(PROBE_DIR)
        };
        if let Err(error) = probe() {
            tracing::debug!(%error, "the watch is not probed");
            return;
        }
        let path = store.path(PROBE_DIR);
        if let Err(error) = watcher.add(path, Depth::Flat) {
            return self.poll(&told(&error), help_for(&error));
        }
        match store.write_scratch(&format!("{PROBE_DIR}/probe"), b"") {
            Ok(()) => self.probe = Some(now.plus(PROBE_PATIENCE)),
            Err(error) => tracing::debug!(%error, "the watch is not probed"),
        }
    }

    /// Listens no longer, and looks from time to time.
    pub(super) fn poll(&mut self, reason: &str, help: &'static str) {
        self.watcher = None;
        self.probe = None;
        let period = Some(self.period(POLL_MIN));
        self.untold = Some(Watching { reason: reason.to_owned(), help, period });
    }

    /// Waits for signs; for ever where none will come.
    pub(super) async fn news(&self) {
        match &self.watcher {
            Some(watcher) => watcher.news().await,
            None => std::future::pending().await,
        }
    }

    /// Returns the moment at which the probe is given up.
    pub(super) fn deadline(&self) -> Option<Tick> {
        self.probe
    }

    /// Returns the signs that came in; judges the probe.
    pub(super) fn take(&mut self, store: &Store, now: Tick) -> Signs {
        let Some(watcher) = &mut self.watcher else { return Signs::default() };
        let mut signs = watcher.take();
        let Some(deadline) = self.probe else { return signs };
        let folder = store.path(PROBE_DIR);
        let has_arrived =
            signs.paths.keys().any(|path| path.starts_with(&folder)) || signs.everything.is_some();
        signs.paths.retain(|path, _| !path.starts_with(&folder));
        if has_arrived {
            watcher.remove(&folder);
            self.probe = None;
            remove_probe(store);
        } else if now >= deadline {
            remove_probe(store);
            self.poll("the file system does not tell of changes", OTHER_DISK);
        }
        signs
    }

    /// Watches folders that came up or were replaced; says whether there were any.
    pub(super) fn renew(&mut self) -> bool {
        let renewed = self.watcher.as_mut().map(Watcher::renew);
        match renewed {
            None => false,
            Some(Ok(is_any)) => is_any,
            Some(Err(error)) => {
                self.poll(&told(&error), help_for(&error));
                true
            }
        }
    }

    /// Listens anew to everything: something was not told.
    pub(super) fn restart(&mut self) {
        let restarted = self.watcher.as_mut().map(Watcher::restart);
        if let Some(Err(error)) = restarted {
            self.poll(&told(&error), help_for(&error));
        }
    }

    /// Returns the time between two looks at everything, which is `rescan` where notices arrive.
    pub(super) fn period(&self, rescan: Duration) -> Duration {
        if self.watcher.is_some() {
            return rescan;
        }
        rescan.min(POLL_MIN).max(self.look_took.saturating_mul(POLL_SHARE))
    }

    /// Says whether notices arrive, as far as that is known.
    pub(super) fn has_notices(&self) -> bool {
        self.watcher.is_some()
    }

    /// Notes how long a look at everything took.
    pub(super) fn looked(&mut self, took: Duration) {
        self.look_took = took;
    }

    /// Returns what is to be told of how changes are noticed, once.
    pub(super) fn untold(&mut self) -> Option<Watching> {
        self.untold.take()
    }
}

fn listen(
    store: &Store,
    checkout: Option<&Checkout>,
    scope: Scope,
    clock: Clock,
) -> Result<Watcher, WatchError> {
    let root = store.root().to_owned();
    let git = checkout.cloned();
    let meaning = move |path: &Path, sign: Sign| meaning(&root, git.as_ref(), scope, path, sign);
    let mut watcher = Watcher::start(meaning, move || clock.now().tick)?;
    for (path, depth) in roots(store, checkout, scope) {
        watcher.add(path, depth)?;
    }
    Ok(watcher)
}

/// Returns what a sign of `path` means; `None` where it is of no interest.
fn meaning(
    root: &Path,
    checkout: Option<&Checkout>,
    scope: Scope,
    path: &Path,
    sign: Sign,
) -> Option<Sign> {
    if checkout.is_some_and(|checkout| checkout.is_told_by(path)) {
        return Some(sign);
    }
    let below = path.strip_prefix(root).ok()?.to_str()?;
    if below.starts_with(PROBE_DIR) {
        return Some(sign);
    }
    match layout::classify(below) {
        FileKind::Task
        | FileKind::Role(_)
        | FileKind::Config
        | FileKind::Event
        | FileKind::Status(_) => Some(exchanged(path, sign)),
        FileKind::Run(_) | FileKind::GateRun { .. } | FileKind::Milestone => {
            (scope == Scope::All).then(|| exchanged(path, sign))
        }
        FileKind::Template => None,
        FileKind::Ignored => {
            let is_ours = folders(scope).iter().any(|folder| below.starts_with(folder));
            let is_passed_over = below.split('/').skip(1).any(layout::is_passed_over);
            let is_folder = match sign {
                Sign::Folder => true,
                // Told without a word on what it is.
                Sign::MovedIn => path.is_dir(),
                Sign::MovedAway => path.extension().is_none(),
                Sign::Begun | Sign::Saved | Sign::Touched | Sign::Gone => false,
            };
            (is_ours && !is_passed_over && is_folder).then_some(Sign::Folder)
        }
    }
}

/// Tells a file that was moved away from one that changed places with another.
fn exchanged(path: &Path, sign: Sign) -> Sign {
    if sign == Sign::MovedAway && path.exists() { Sign::MovedIn } else { sign }
}

fn remove_probe(store: &Store) {
    let removed = store.remove_folder(PROBE_DIR);
    if let Err(error) = removed {
        tracing::debug!(%error, "the probe stays");
    }
}
