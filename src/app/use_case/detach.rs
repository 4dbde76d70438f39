//! Starts a run in the background, of which nobody needs to see the output.

use std::{
    ffi::OsString,
    fs,
    time::{Duration, Instant},
};

use crate::{
    app::{error::AppError, repository::Repository, view::write::Detached},
    domain::format::layout,
    io::{
        process::background::{Background, start},
        store::lock::{self, LockError},
    },
};

/// How long it may take until the run has begun.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// What stands in the first line of a run, behind the time.
const BEGUN: &[u8] = b" run: ";

/// Starts `orch` with `arguments` in the root of the repository, in a session of its own, and waits
/// until it carries the plan out, or has ended already.
///
/// # Errors
/// [`AppError::Lock`] where another coordinator is at work; [`AppError::Process`] where it cannot
/// be started; [`AppError::Store`] where its output has no
/// place.
pub fn detach(repository: &Repository, arguments: &[OsString]) -> Result<Detached, AppError> {
    let store = repository.store();
    // What another one prints is not to be wiped out.
    if let Some(holder) = lock::holder(store)? {
        return Err(LockError::Held(Some(holder)).into());
    }
    store.write_scratch(layout::RUN_LOG_PATH, b"")?;
    let output = store.path(layout::RUN_LOG_PATH);
    let mut run: Background = start(arguments, repository.root(), &output)?;
    let deadline = Instant::now() + PATIENCE;
    let (mut printed, mut exit_code) = (Vec::new(), None);
    while exit_code.is_none() && !has_begun(&printed) && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
        exit_code = run.exit_code();
        // Read last: of one that has ended, all is read.
        printed = fs::read(&output).unwrap_or_default();
    }
    Ok(Detached {
        pid: run.pid(),
        output: layout::RUN_LOG_PATH.to_owned(),
        exit_code,
        printed: String::from_utf8_lossy(&printed).into_owned(),
    })
}

/// Says whether a run that printed this carries the plan out: the first of its lines says so. One
/// whose plan has errors tells those instead, and ends.
fn has_begun(printed: &[u8]) -> bool {
    printed.windows(BEGUN.len()).any(|part| part == BEGUN)
}
