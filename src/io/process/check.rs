//! Runs one verify or gate command to its end.

use std::time::{Duration, Instant};

use tokio::{sync::watch, time};

use super::{How, Launch, ProcessError, Running, kill_group_leftovers, log, start, stop_process};
use crate::domain::model::{
    attempt::{CheckResult, Exit},
    limits::FAILURE_TAIL_BYTES,
    time::render_duration,
};

/// How long a check may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckTimes {
    /// Until it is stopped.
    pub timeout: Duration,
    /// From the polite stop to the kill.
    pub grace: Duration,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It ran, or could not be started, or ran out of time.
    Ended(CheckResult),
    /// It was stopped on request: that says nothing about what it checks.
    Cancelled,
}

/// Runs a check, shown as `command`, until it ends, its time is up, or `stop` asks for its end.
///
/// `stop` may ask twice, politely and then at once; when its sender is gone, nobody will ask.
/// Whatever the command leaves running in its group is killed.
///
/// # Errors
/// [`ProcessError::Exhausted`] where it may be started later, [`ProcessError::Wait`].
pub async fn run_check(
    command: &str,
    launch: &Launch,
    times: CheckTimes,
    mut stop: watch::Receiver<Option<How>>,
) -> Result<Checked, ProcessError> {
    let started = Instant::now();
    let offset = log::length(&launch.output);
    let result = |exit, fault| CheckResult {
        command: command.to_owned(),
        exit,
        fault,
        duration: started.elapsed(),
        output_tail: output_tail(launch, offset, exit),
    };
    let mut running = match start(launch) {
        Ok(running) => running,
        Err(ProcessError::Start { reason, .. }) => {
            return Ok(Checked::Ended(result(None, Some(reason))));
        }
        Err(error) => return Err(error),
    };
    let ended = tokio::select! {
        exit = running.wait() => Ended::Exit(exit?),
        () = time::sleep(times.timeout) => Ended::TimedOut,
        how = asked(&mut stop, None) => Ended::Stopped(how),
    };
    if !matches!(ended, Ended::Exit(_)) {
        let how = if let Ended::Stopped(how) = ended { how } else { How::Polite };
        bring_to_end(&mut running, how, times.grace, &mut stop).await?;
    }
    kill_group_leftovers(running.pid);
    Ok(match ended {
        Ended::Exit(exit) => Checked::Ended(result(Some(exit), None)),
        Ended::TimedOut => {
            let fault = format!("timed out after {}", render_duration(times.timeout));
            Checked::Ended(result(None, Some(fault)))
        }
        Ended::Stopped(_) => Checked::Cancelled,
    })
}

enum Ended {
    Exit(Exit),
    TimedOut,
    Stopped(How),
}

/// Stops the process group and waits for its end: politely at first where `how` says so, and at
/// once when the grace is over or `stop` asks for it.
async fn bring_to_end(
    running: &mut Running,
    how: How,
    grace: Duration,
    stop: &mut watch::Receiver<Option<How>>,
) -> Result<(), ProcessError> {
    if how == How::Polite {
        tell(running, How::Polite)?;
        tokio::select! {
            exit = running.wait() => return exit.map(drop),
            () = time::sleep(grace) => {}
            _ = asked(stop, Some(How::Polite)) => {}
        }
    }
    tell(running, How::Kill)?;
    running.wait().await.map(drop)
}

fn tell(running: &Running, how: How) -> Result<(), ProcessError> {
    stop_process(running.pid, running.identity().start_ticks, how)
}

/// Waits until `stop` asks for something else than `known`.
async fn asked(stop: &mut watch::Receiver<Option<How>>, known: Option<How>) -> How {
    let is_news = |asked: &Option<How>| asked.is_some() && *asked != known;
    match stop.wait_for(is_news).await.ok().and_then(|asked| *asked) {
        Some(how) => how,
        None => std::future::pending().await,
    }
}

/// Returns the end of what the command wrote, where it did not succeed.
fn output_tail(launch: &Launch, offset: u64, exit: Option<Exit>) -> String {
    if exit.is_some_and(Exit::is_success) {
        return String::new();
    }
    log::tail(&launch.output, offset, FAILURE_TAIL_BYTES).unwrap_or_else(|error| error.to_string())
}
