//! Tells the coordinator that is at work here to stop.

use std::{thread, time::Duration};

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        view::write::{Stopped, StoppedCoordinator},
    },
    io::{
        process,
        store::lock::{self, LockInfo},
    },
};

/// How the coordinator is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It starts nothing more and asks its workers to stop, as with Ctrl-C.
    Polite,
    /// It kills its workers, as with Ctrl-C twice.
    Now,
}

/// Two signals that come at once count as one, so a further one is sent this much later.
const PAUSE: Duration = Duration::from_millis(100);

/// How often that is done: a busy coordinator may take a moment to look.
const SIGNALS_MAX: u32 = 20;

/// Tells the living coordinator to stop. It is not waited for, except in [`Manner::Now`], and
/// there only as long as it takes to be heard.
///
/// # Errors
/// [`AppError::Usage`] where it runs on another machine; [`AppError::Process`] where it may not be
/// signalled.
pub fn stop(repository: &Repository, manner: Manner) -> Result<Stopped, AppError> {
    let store = repository.store();
    let Some(info) = lock::holder(store)? else { return Ok(Stopped { coordinator: None }) };
    if !info.is_here() {
        let message = format!("the coordinator cannot be reached from here: {info}");
        return Err(AppError::usage(message, "stop it where it runs"));
    }
    // The lock dies with its process: who still holds it has kept its number.
    let is_same = || lock::holder(store).is_ok_and(|now| now.as_ref() == Some(&info));
    let mut has_ended = !process::interrupt(info.pid, is_same)?;
    if manner == Manner::Now {
        for _ in 0..SIGNALS_MAX {
            if has_ended {
                break;
            }
            thread::sleep(PAUSE);
            has_ended = !process::interrupt(info.pid, is_same)?;
        }
    }
    Ok(Stopped { coordinator: Some(told(info, has_ended)) })
}

fn told(info: LockInfo, has_ended: bool) -> StoppedCoordinator {
    let LockInfo { pid, host, started, .. } = info;
    StoppedCoordinator { pid, host, started, has_ended }
}
