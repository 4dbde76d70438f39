//! How a supervisor tells what happens.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    time::Duration,
};

use tokio::{
    net::unix::pipe,
    time::{Instant, sleep_until},
};

use super::wire::Line;
use crate::io::process::start::open_output;

/// How long the coordinator may wait for what it does not wait for.
const PATIENCE: Duration = Duration::from_millis(5);

/// Tells what happens: the ledger first, then the coordinator, as long as it listens.
#[derive(Debug)]
pub(super) struct Teller {
    ledger: File,
    /// Bytes that the ledger could not take yet.
    unwritten: Vec<u8>,
    listener: Option<pipe::Sender>,
    /// Bytes that the coordinator did not take yet.
    unsent: Vec<u8>,
    /// Until when these bytes may wait for others, where they may.
    due: Option<Instant>,
}

impl Teller {
    pub(super) fn new(ledger: &Path) -> io::Result<Self> {
        let stdout: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
        let ledger = open_output(ledger)?;
        let listener = Some(pipe::Sender::from_owned_fd(stdout)?);
        Ok(Self { ledger, unwritten: Vec::new(), listener, unsent: Vec::new(), due: None })
    }

    /// Tells `line` at once.
    pub(super) fn tell(&mut self, line: &Line) {
        self.note(line);
        self.send();
    }

    /// Tells `line`, the coordinator a little later: with what comes next, where that is soon. So
    /// it is woken once for a short worker, not twice.
    pub(super) fn tell_soon(&mut self, line: &Line) {
        let is_first = self.unsent.is_empty();
        self.note(line);
        if is_first {
            self.due = Some(Instant::now() + PATIENCE);
        }
    }

    fn note(&mut self, line: &Line) {
        let bytes = line.render();
        self.unwritten.extend_from_slice(&bytes);
        self.write();
        if self.listener.is_some() {
            self.unsent.extend_from_slice(&bytes);
        }
    }

    /// Writes what the ledger lacks; where the disk is full it waits for the next time.
    pub(super) fn write(&mut self) {
        while !self.unwritten.is_empty() {
            match self.ledger.write(&self.unwritten) {
                Ok(n) => drop(self.unwritten.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }

    /// Sends what the coordinator lacks, as far as it takes it.
    pub(super) fn send(&mut self) {
        self.due = None;
        while let (Some(listener), false) = (&self.listener, self.unsent.is_empty()) {
            match listener.try_write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.listener = None,
            }
        }
    }

    /// Waits until the coordinator is to be sent what it lacks, and can take more of it.
    pub(super) async fn can_send(&self) {
        match (&self.listener, self.due) {
            (Some(_), Some(due)) => sleep_until(due).await,
            (Some(listener), None) if !self.unsent.is_empty() => drop(listener.writable().await),
            _ => std::future::pending().await,
        }
    }
}
