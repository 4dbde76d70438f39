//! Whether the system tells of changed files, and how much it lets us watch.

use std::{thread, time::Duration};

use super::{Surroundings, counted, told};
use crate::{
    app::{
        files::Scope,
        notices::{self, MORE_WATCHES, OTHER_DISK, PROBE_DIR, PROBE_PATIENCE},
        view::doctor::{Check, Figures},
    },
    domain::{format::layout, model::config::WatchMode},
    io::{
        clock::Clock,
        store::{Store, StoreError},
        system,
        watch::{Depth, WatchError, Watcher},
    },
};

const NAME: &str = "watching";
const LIMITS_NAME: &str = "watch-limits";

/// Time between two looks for the notice.
const PAUSE: Duration = Duration::from_millis(2);

/// With fewer notices waiting, a large checkout overruns them.
const QUEUED_MIN: u64 = 4096;

/// Folders may become this many times as many.
const RESERVE: u64 = 2;

/// How the probe went.
enum Probed {
    /// The notice came after this time.
    Arrived(Duration),
    /// It did not come.
    Silent,
    /// Nothing can be watched.
    Unwatched(WatchError),
    /// Nothing can be written.
    Unwritten(StoreError),
}

/// Writes a file and waits for its notice.
pub(super) fn notices(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let mode = surroundings.standing.as_ref().map(|standing| standing.plan().config().watch.mode);
    if matches!(mode, Ok(WatchMode::Poll)) {
        let message = "files are looked at every second or so: the settings ask for it \
                       (`watch: {mode: poll}`)";
        return vec![Check::ok(NAME, message)];
    }
    let probed = probe(surroundings);
    figures.has_notices = match probed {
        Probed::Arrived(_) => Some(true),
        Probed::Silent | Probed::Unwatched(_) => Some(false),
        Probed::Unwritten(_) => None,
    };
    let instead = "files are looked at every second or so";
    vec![match probed {
        Probed::Arrived(took) => {
            let took = took.as_millis();
            Check::ok(NAME, format!("the system told of a changed file after {took}ms"))
        }
        Probed::Silent => {
            let message = format!("the file system does not tell of changes: {instead}");
            Check::warning(NAME, message, OTHER_DISK)
        }
        Probed::Unwatched(error) => {
            let message = format!("{}: {instead}", notices::told(&error));
            Check::warning(NAME, message, notices::help_for(&error))
        }
        Probed::Unwritten(error) => {
            let message = format!("not known, as nothing can be written: {}", told(&error));
            Check::warning(NAME, message, "make .orch/local writable: runs need it for their logs")
        }
    }]
}

/// Watches all that a run watches and a folder of our own, and writes a file into that.
fn probe(surroundings: &Surroundings<'_>) -> Probed {
    let store = surroundings.store;
    let had_local = store.is_there(layout::LOCAL_DIR);
    // One of its own, as a coordinator may probe at the same time.
    let folder = format!("{PROBE_DIR}-{}", std::process::id());
    let probed = match store.make_folder(&folder) {
        Ok(()) => listen(surroundings, &folder),
        Err(error) => Probed::Unwritten(error),
    };
    if let Err(error) = remove_probe(store, &folder, had_local) {
        tracing::debug!(%error, "the probe stays");
    }
    probed
}

fn listen(surroundings: &Surroundings<'_>, folder: &str) -> Probed {
    let store = surroundings.store;
    let clock = Clock::new();
    let path = store.path(folder);
    let below = path.clone();
    let start = || {
        let mut watcher = Watcher::start(
            move |path, sign| path.starts_with(&below).then_some(sign),
            move || clock.now().tick,
        )?;
        for (path, depth) in notices::roots(store, surroundings.checkout.as_ref(), Scope::All) {
            watcher.add(path, depth)?;
        }
        watcher.add(path, Depth::Flat)?;
        Ok(watcher)
    };
    let watcher = match start() {
        Ok(watcher) => watcher,
        Err(error) => return Probed::Unwatched(error),
    };
    let started = clock.now().tick;
    if let Err(error) = store.write_scratch(&format!("{folder}/probe"), b"") {
        return Probed::Unwritten(error);
    }
    loop {
        let took = clock.now().tick.0.saturating_sub(started.0);
        if !watcher.take().is_empty() {
            return Probed::Arrived(took);
        }
        if took >= PROBE_PATIENCE {
            return Probed::Silent;
        }
        thread::sleep(PAUSE);
    }
}

/// Leaves nothing that was not there before.
fn remove_probe(store: &Store, folder: &str, had_local: bool) -> Result<(), StoreError> {
    if store.is_there(folder) {
        store.remove_folder(folder)?;
    }
    if !had_local {
        // A coordinator may have begun to use it.
        store.remove_empty_folder(layout::LOCAL_DIR)?;
    }
    Ok(())
}

/// Compares what may be watched with what there is to watch.
pub(super) fn limits(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let roots = notices::folders(Scope::All).iter();
    let below = roots.map(|folder| surroundings.store.n_folders(folder)).sum::<u64>();
    // `.orch` and the git folder themselves.
    let n_folders = below + 1 + u64::from(surroundings.checkout.is_some());
    let limits = system::watch_limits();
    figures.n_folders = n_folders;
    figures.max_user_watches = limits.watches;
    figures.max_user_instances = limits.instances;
    figures.max_queued_events = limits.queued_events;
    vec![judge_limits(n_folders, limits)]
}

fn judge_limits(n_folders: u64, limits: system::WatchLimits) -> Check {
    let to_watch = format!("{} to watch", counted(n_folders, "folder"));
    let system::WatchLimits { watches, instances, queued_events } = limits;
    let (Some(watches), Some(queued)) = (watches, queued_events) else {
        return Check::ok(LIMITS_NAME, format!("{to_watch}; limits are not known here"));
    };
    let instances = instances.map(|n| format!(", {} at once", counted(n, "watcher")));
    let message = format!(
        "{to_watch}; the limits are {watches} watches{}, {queued} waiting notices",
        instances.unwrap_or_default()
    );
    if watches < n_folders.saturating_mul(RESERVE) {
        return Check::warning(LIMITS_NAME, message, MORE_WATCHES);
    }
    if queued < QUEUED_MIN {
        let help = "raise the limit: `sysctl fs.inotify.max_queued_events=16384`";
        return Check::warning(LIMITS_NAME, message, help);
    }
    Check::ok(LIMITS_NAME, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::view::doctor::Verdict, io::system::WatchLimits};

    #[test]
    fn limits_are_judged_by_what_there_is_to_watch() {
        let limits =
            |watches, queued_events| WatchLimits { watches, instances: Some(128), queued_events };
        let table = [
            (9, limits(Some(19), Some(4096)), Verdict::Ok),
            (10, limits(Some(19), Some(4096)), Verdict::Warning),
            (1, limits(Some(19), Some(4095)), Verdict::Warning),
            (1, limits(None, Some(1)), Verdict::Ok),
        ];
        for (n_folders, limits, expected) in table {
            let check = judge_limits(n_folders, limits);
            assert_eq!(check.verdict, expected, "{check:?}");
            assert_eq!(check.help.is_some(), expected != Verdict::Ok, "{check:?}");
        }
    }
}
