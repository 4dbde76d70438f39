//! How a supervisor tells what happens.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    net::unix::pipe,
    time::{Instant, sleep_until},
};

use super::{place::put_back, wire::Line};
use crate::io::process::start::open_output;

/// How long the coordinator may wait for what it does not wait for.
const PATIENCE: Duration = Duration::from_millis(5);

/// How many folders below the root of the repository a ledger is: `.orch/local/supervisors`.
const LEDGER_DEPTH: usize = 4;

/// Tells what happens: the ledger first, then the coordinator, as long as it listens.
#[derive(Debug)]
pub(super) struct Teller {
    ledger: File,
    path: PathBuf,
    /// Whether someone may want to read it: else it was removed on purpose, if it was.
    is_wanted: bool,
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
        let (path, is_wanted) = (ledger.to_owned(), true);
        let ledger = open_output(ledger)?;
        let listener = Some(pipe::Sender::from_owned_fd(stdout)?);
        Ok(Self {
            ledger,
            path,
            is_wanted,
            unwritten: Vec::new(),
            listener,
            unsent: Vec::new(),
            due: None,
        })
    }

    /// Tells `line` at once.
    pub(super) fn tell(&mut self, line: &Line) {
        self.note(line);
        self.send();
    }

    /// Tells that no more orders can come; `has_workers` says whether any worker runs.
    pub(super) fn tell_orphaned(&mut self, has_workers: bool) {
        self.is_wanted = has_workers;
        self.tell(&Line::Orphaned);
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

    /// Writes what the ledger lacks; where the disk is full it waits for the next time. A ledger
    /// that was taken away is put back as soon as its folder is there.
    pub(super) fn write(&mut self) {
        if !self.unwritten.is_empty()
            && self.is_wanted
            && let Err(error) = self.put_back()
        {
            tracing::debug!(%error, "the ledger is not in its place");
        }
        while !self.unwritten.is_empty() {
            match self.ledger.write(&self.unwritten) {
                Ok(n) => drop(self.unwritten.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }

    /// Puts the ledger back where it was taken away; says whether that is not possible as long as
    /// its folder is not back, and the repository is still there.
    pub(super) fn is_away(&mut self) -> bool {
        let is_away = self.put_back().is_err();
        is_away && self.path.ancestors().nth(LEDGER_DEPTH).is_some_and(Path::is_dir)
    }

    fn put_back(&mut self) -> io::Result<()> {
        // Only a coordinator makes the folder that its own is in.
        match self.path.ancestors().nth(2) {
            Some(local) if local.is_dir() => put_back(&mut self.ledger, &self.path),
            _ => Err(io::ErrorKind::NotFound.into()),
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
