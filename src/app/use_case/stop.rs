//! Tells the coordinator that is at work here to stop; stops what one that is gone left at work.

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        running::{Run, RunOptions, StopMode, WhenIdle},
        view::write::{Stopped, StoppedCoordinator},
    },
    domain::format::task_file::Reading,
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

/// Tells the living coordinator to stop, and does not wait until it has. Where none is at work,
/// stops the workers that an earlier one left, and records that.
///
/// # Errors
/// [`AppError::Usage`] where it runs on another machine; [`AppError::Process`] where it may not be
/// signalled; whatever keeps a run from being started and ended.
pub fn stop(repository: &Repository, manner: Manner) -> Result<Stopped, AppError> {
    let store = repository.store();
    let Some(info) = lock::holder(store)? else { return stop_left(repository, manner) };
    if !info.is_here() {
        let message = format!("the coordinator cannot be reached from here: {info}");
        return Err(AppError::usage(message, "stop it where it runs"));
    }
    // The lock dies with its process: who still holds it has kept its number.
    let is_same = || lock::holder(store).is_ok_and(|now| now.as_ref() == Some(&info));
    if !lock::is_open_in(store, info.pid) && is_same() {
        let message = format!("the lock names process {}, which does not hold it", info.pid);
        let help =
            "somebody wrote into .orch/local/lock: `fuser .orch/local/lock` tells who holds it";
        return Err(AppError::usage(message, help));
    }
    let asks = match manner {
        Manner::Polite => &[Ask::Interrupt][..],
        Manner::Now => &[Ask::Quit],
    };
    let mut is_alive = true;
    for what in asks {
        is_alive = is_alive && ask(info.pid, *what, is_same)?;
    }
    Ok(Stopped { coordinator: Some(told(info, !is_alive)), attempts: Vec::new() })
}

/// Stops what nobody carries out any more: by a run that takes it up, and starts nothing.
fn stop_left(repository: &Repository, manner: Manner) -> Result<Stopped, AppError> {
    let snapshot = repository.read(Reading::Head)?;
    let attempts = snapshot.running.keys().map(ToString::to_string).collect::<Vec<_>>();
    if !attempts.is_empty() {
        let mode = match manner {
            Manner::Polite => StopMode::Polite,
            Manner::Now => StopMode::Now,
        };
        let (when_idle, stop_first) = (WhenIdle::Stay, Some(mode));
        let options = RunOptions { when_idle, stop_first, ..RunOptions::default() };
        Run::start(repository, options)?.wait()?;
    }
    Ok(Stopped { coordinator: None, attempts })
}

fn told(info: LockInfo, has_ended: bool) -> StoppedCoordinator {
    let LockInfo { pid, host, started, .. } = info;
    StoppedCoordinator { pid, host, started, has_ended }
}
