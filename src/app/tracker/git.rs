//! What git is doing to the checkout, and what is not done meanwhile.

use std::{path::Path, time::Duration};

use crate::{
    app::view::run::Happened,
    domain::model::time::Tick,
    io::{
        git::checkout::{Checkout, CheckoutState},
        store::Store,
    },
};

/// A lock that stays this long is told of.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// A lock that stays this long while no file of the plan changes keeps nothing from starting: it
/// is that of a commit whose message is being written, or of a command that crashed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between two looks at a lock that is there.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Follows what git does.
pub(super) struct GitWatch {
    checkout: Option<Checkout>,
    state: CheckoutState,
    locked_since: Option<Tick>,
    /// When to look again.
    next: Option<Tick>,
    /// Whether tasks are kept from starting.
    is_holding: bool,
    /// Whether a hold was told of, so that its end must be.
    has_told: bool,
    /// Where the checkout was moved to, as long as that was not told.
    moved: Option<String>,
    /// When it was looked at last.
    looked: Tick,
}

impl GitWatch {
    pub(super) fn new(store: &Store) -> Self {
        let checkout = Checkout::find(store.root());
        let state = checkout.as_ref().map(Checkout::state).unwrap_or_default();
        Self {
            checkout,
            state,
            locked_since: None,
            next: Some(Tick::default()),
            is_holding: false,
            has_told: false,
            moved: None,
            looked: Tick::default(),
        }
    }

    pub(super) fn checkout(&self) -> Option<&Checkout> {
        self.checkout.as_ref()
    }

    pub(super) fn is_told_by(&self, path: &Path) -> bool {
        self.checkout.as_ref().is_some_and(|checkout| checkout.is_told_by(path))
    }

    /// Returns the checkout as it is now.
    pub(super) fn state(&self) -> CheckoutState {
        self.checkout.as_ref().map(Checkout::state).unwrap_or_default()
    }

    pub(super) fn head(&self) -> Option<&str> {
        self.state.head.as_deref()
    }

    pub(super) fn is_locked(&self) -> bool {
        self.state.is_locked
    }

    /// Notes that git may have begun or ended something.
    pub(super) fn suspect(&mut self) {
        self.next = Some(Tick::default());
    }

    /// Returns when to look again.
    pub(super) fn deadline(&self) -> Option<Tick> {
        self.next
    }

    /// Looks, where there is reason to.
    pub(super) fn look(&mut self, now: Tick, is_dirty: bool) {
        let is_due = self.next.is_some_and(|next| next <= now);
        if !is_due && !is_dirty {
            return;
        }
        self.looked = now;
        let state = self.state();
        self.locked_since = state.is_locked.then(|| self.locked_since.unwrap_or(now));
        let is_busy = state.is_locked || state.unfinished.is_some() || self.is_holding;
        self.next = is_busy.then(|| now.plus(LOOK_AGAIN));
        // A head that is being written may be seen empty.
        let head = state.head.clone().filter(|head| !head.is_empty());
        let head = head.or_else(|| self.state.head.take());
        if head != self.state.head {
            self.moved.clone_from(&head);
        }
        self.state = state;
        self.state.head = head;
    }

    /// Returns whether tasks may not be started, where that changed.
    ///
    /// They are held while git may be in the middle of changing files, and until what it changed
    /// was read.
    pub(super) fn hold(&mut self, is_dirty: bool) -> Option<bool> {
        let is_stuck = self.is_stuck() && !is_dirty;
        let is_at_work = (self.state.is_locked && !is_stuck) || self.state.unfinished.is_some();
        let holds = is_at_work || (self.is_holding && is_dirty);
        (std::mem::replace(&mut self.is_holding, holds) != holds).then_some(holds)
    }

    fn is_stuck(&self) -> bool {
        self.locked_since.is_some_and(|since| self.looked >= since.plus(PATIENCE))
    }

    /// Returns what people should know: a hold that lasts, its end, and another branch.
    pub(super) fn told(&mut self, is_dirty: bool) -> Vec<Happened> {
        let mut told = Vec::new();
        if !self.state.is_locked {
            told.extend(self.moved.take().map(|to| Happened::HeadMoved { to }));
        }
        let lasts = self.locked_since.is_some_and(|since| self.looked >= since.plus(TOLD_AFTER));
        let is_held = (lasts && (is_dirty || !self.is_stuck())) || self.state.unfinished.is_some();
        if std::mem::replace(&mut self.has_told, is_held) == is_held {
            return told;
        }
        let (reason, help) = match (is_held, self.state.unfinished) {
            (false, _) => {
                told.push(Happened::Released);
                return told;
            }
            (true, Some(what)) => {
                (format!("{what} is under way"), "tasks are started when it has ended".to_owned())
            }
            (true, None) => ("git is at work: it holds index.lock".to_owned(), self.lock_help()),
        };
        told.push(Happened::Held { reason, help });
        told
    }

    fn lock_help(&self) -> String {
        let lock = self.checkout.as_ref().map(|checkout| checkout.git_dir().join("index.lock"));
        let lock = lock.map(|path| path.display().to_string()).unwrap_or_default();
        format!("it goes on by itself; if a git command crashed, remove {lock}")
    }
}
