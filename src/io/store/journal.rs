//! The journal of the coordinator: one line a fact, appended in the order in which they became
//! facts. It is a shadow of the files: once they are written, it may go.

use std::{
    fs::File,
    io::{Read as _, Write as _},
};

use rustix::fs::{Mode, OFlags, openat};

use super::{Store, StoreError};
use crate::io::beneath;

/// Where the journal is.
const PATH: &str = ".orch/local/journal.jsonl";

/// Where its folder is.
const FOLDER: &str = ".orch/local";

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JournalLine {
    /// A file must be on the disk with this text.
    Record {
        /// The file, relative to the repository root.
        path: String,
        /// All of it.
        text: String,
    },
    /// A worker was asked to stop, as the run is being stopped: how it ends then says nothing.
    Stopping {
        /// The word that stands for its attempt.
        nonce: String,
        /// When, on the clock that never jumps, in microseconds.
        tick_us: u64,
    },
}

/// The open journal. Only the owner of the [`super::Lock`] opens it.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    file: File,
    /// Whole lines that are on the way to the file.
    waiting: Vec<u8>,
    /// Bytes in the file.
    n_bytes: u64,
    /// Whether the name of the file survives a power cut.
    is_name_synced: bool,
}

impl Journal {
    /// Opens the journal and returns what an earlier coordinator left in it.
    ///
    /// A line that was cut off is dropped, from the file too; one that makes no sense is passed
    /// over.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`].
    pub fn open(store: &Store) -> Result<(Self, Vec<JournalLine>), StoreError> {
        let (folder, name) = store.open_for(PATH).map_err(failed_to_write)?;
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let file = openat(&folder, name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| failed_to_write(errno.into()))?;
        let mut file = beneath::own(file).map_err(failed_to_write)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|source| StoreError::Read { path: PATH.to_owned(), source })?;
        let n_whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if n_whole < bytes.len() {
            file.set_len(n_whole as u64).map_err(failed_to_write)?;
        }
        let lines = bytes
            .get(..n_whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .filter_map(parse)
            .collect();
        let journal = Self {
            store: store.clone(),
            file,
            waiting: Vec::new(),
            n_bytes: n_whole as u64,
            is_name_synced: false,
        };
        Ok((journal, lines))
    }

    /// Adds a line; it is in the file after the next [`Journal::flush`].
    pub fn append(&mut self, line: &JournalLine) {
        match serde_json::to_writer(&mut self.waiting, line) {
            Ok(()) => self.waiting.push(b'\n'),
            Err(error) => unreachable!("strings and numbers are always JSON: {error}"),
        }
    }

    /// Writes the lines that wait with one call: they survive the death of this process.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the lines go on waiting, and the file holds whole lines only.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.waiting) {
            // A part of a line would spoil the next one.
            if let Err(error) = self.file.set_len(self.n_bytes) {
                tracing::warn!(%error, "failed to take back a part of a line in {PATH}");
            }
            return Err(failed_to_write(error));
        }
        self.n_bytes += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Writes the lines that wait, down to the disk: they survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Write`] or [`StoreError::Sync`].
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.file
            .sync_data()
            .map_err(|source| StoreError::Sync { path: PATH.to_owned(), source })?;
        if !self.is_name_synced {
            self.store.sync_folder(FOLDER)?;
            self.is_name_synced = true;
        }
        Ok(())
    }

    /// Empties the journal: everything in it is in the files.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn reset(&mut self) -> Result<(), StoreError> {
        self.waiting.clear();
        self.file.set_len(0).map_err(failed_to_write)?;
        self.n_bytes = 0;
        Ok(())
    }

    /// Returns how many bytes are in the file.
    pub fn size(&self) -> u64 {
        self.n_bytes
    }
}

fn failed_to_write(source: std::io::Error) -> StoreError {
    StoreError::Write { path: PATH.to_owned(), source }
}

fn parse(line: &[u8]) -> Option<JournalLine> {
    match serde_json::from_slice(line) {
        Ok(line) => Some(line),
        Err(error) => {
            tracing::warn!(%error, "a line in {PATH} makes no sense");
            None
        }
    }
}
