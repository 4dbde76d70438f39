//! Follows a program that runs: its lines with their moments, and times of many events.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::program::Failure;

/// No reaction takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the time since 1970, which is the same in all programs of this machine.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Times of one kind, one for each event.
#[derive(Default)]
pub(crate) struct Times(pub(crate) Vec<Duration>);

impl Times {
    /// Returns the time that `percent` of all do not exceed.
    pub(crate) fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(place).copied().unwrap_or_default()
    }
}

/// A child that does not outlive what it is measured for.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Lines as they come in, each with its moment.
pub(crate) type Lines = mpsc::Receiver<(Duration, String)>;

/// Returns the lines that a child writes; its output must be a pipe.
pub(crate) fn lines_of(child: &mut Child) -> Result<Lines, Failure> {
    let out = child.stdout.take().ok_or("no output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send((now(), line)).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// Waits for an event, and returns when it was told, and its line.
pub(crate) fn wait_for(lines: &Lines, event: &str) -> Result<(Duration, String), Failure> {
    let wanted = format!("\"event\":\"{event}\"");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let (at, line) = lines.recv_timeout(left).map_err(|_| format!("`{event}` never came"))?;
        if line.contains(&wanted) {
            return Ok((at, line));
        }
    }
}
