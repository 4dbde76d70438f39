//! Which folders are watched, how it is found out whether the system tells of changes in them, and
//! what to do where it does not.

use std::{path::PathBuf, time::Duration};

use super::files::Scope;
use crate::{
    domain::format::layout,
    io::{
        git::checkout::Checkout,
        store::Store,
        watch::{Depth, WatchError},
    },
};

/// Where the probe is written that shows whether notices arrive.
pub(super) const PROBE_DIR: &str = ".orch/local/probe";

/// A notice that takes longer does not come.
pub(super) const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// What to do where the limit of the system on watches is used up.
pub(super) const MORE_WATCHES: &str = "raise the limits: `sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`";

/// What to do where the file system tells of nothing.
pub(super) const OTHER_DISK: &str = "keep the repository on a local disk, or set `watch: {mode: poll}` \
                                     in .orch/config.yaml to have no probe";

/// Returns the folders below `.orch` that are watched with all that is in them.
pub(super) fn folders(scope: Scope) -> &'static [&'static str] {
    const ALL: [&str; 5] = [
        layout::TASKS_DIR,
        layout::ROLES_DIR,
        layout::EVENTS_DIR,
        layout::STATUS_DIR,
        layout::RUNS_DIR,
    ];
    match scope {
        Scope::All => &ALL,
        Scope::Written => ALL.split_at(4).0,
    }
}

/// Returns all that is watched.
pub(super) fn roots(
    store: &Store,
    checkout: Option<&Checkout>,
    scope: Scope,
) -> Vec<(PathBuf, Depth)> {
    let git = checkout.map(|checkout| (checkout.git_dir().to_owned(), Depth::Flat));
    let own = (store.path(layout::ORCH_DIR), Depth::Flat);
    let deep = folders(scope).iter().map(|folder| (store.path(folder), Depth::Deep));
    git.into_iter().chain([own]).chain(deep).collect()
}

/// Returns why nothing is watched, in one sentence.
pub(super) fn told(error: &WatchError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// Returns what to do about it.
pub(super) fn help_for(error: &WatchError) -> &'static str {
    if error.is_out_of_watches() { MORE_WATCHES } else { OTHER_DISK }
}
