//! How a supervisor tells what happens.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use tokio::net::unix::pipe;

use super::wire::Line;
use crate::io::process::start::open_output;

/// Tells what happens: the ledger first, then the coordinator, as long as it listens.
#[derive(Debug)]
pub(super) struct Teller {
    ledger: File,
    /// Bytes that the ledger could not take yet.
    unwritten: Vec<u8>,
    listener: Option<pipe::Sender>,
    /// Bytes that the coordinator did not take yet.
    unsent: Vec<u8>,
}

impl Teller {
    pub(super) fn new(ledger: &Path) -> io::Result<Self> {
        let stdout: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
        let ledger = open_output(ledger)?;
        let listener = Some(pipe::Sender::from_owned_fd(stdout)?);
        Ok(Self { ledger, unwritten: Vec::new(), listener, unsent: Vec::new() })
    }

    pub(super) fn tell(&mut self, line: &Line) {
        let bytes = line.render();
        self.unwritten.extend_from_slice(&bytes);
        self.write();
        if self.listener.is_some() {
            self.unsent.extend_from_slice(&bytes);
            self.send();
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

    pub(super) fn send(&mut self) {
        while let (Some(listener), false) = (&self.listener, self.unsent.is_empty()) {
            match listener.try_write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.listener = None,
            }
        }
    }

    /// Waits until the coordinator can take more of what it did not take yet.
    pub(super) async fn can_send(&self) {
        match &self.listener {
            Some(listener) if !self.unsent.is_empty() => drop(listener.writable().await),
            _ => std::future::pending().await,
        }
    }
}
