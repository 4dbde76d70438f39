//! Tells the coordinator that is at work here to stop.

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        view::write::{Stopped, StoppedCoordinator},
    },
    io::{
        process::{Ask, ask},
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

/// Tells the living coordinator to stop, and does not wait until it has.
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
    let asks = match manner {
        Manner::Polite => &[Ask::Interrupt][..],
        // Two signals of one kind that come at once count as one.
        Manner::Now => &[Ask::Interrupt, Ask::Terminate],
    };
    let mut is_alive = true;
    for what in asks {
        is_alive = is_alive && ask(info.pid, *what, is_same)?;
    }
    Ok(Stopped { coordinator: Some(told(info, !is_alive)) })
}

fn told(info: LockInfo, has_ended: bool) -> StoppedCoordinator {
    let LockInfo { pid, host, started, .. } = info;
    StoppedCoordinator { pid, host, started, has_ended }
}
