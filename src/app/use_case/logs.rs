//! What the worker of an attempt printed.

use std::{collections::VecDeque, path::PathBuf};

use crate::{
    app::{error::AppError, standing::Standing},
    domain::{
        format::{layout, run_record},
        model::id::AttemptId,
    },
    io::{
        process::log,
        store::{Store, lock},
    },
};

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The log of one attempt, read from front to end.
#[derive(Debug)]
pub struct Log {
    /// Whose it is.
    pub attempt: AttemptId,
    path: PathBuf,
    store: Store,
    offset: u64,
}

/// Opens the log of attempt `number` of the task `id`, or of its last attempt.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task, attempt or log.
pub fn open(standing: &Standing, id: &str, number: Option<u32>) -> Result<Log, AppError> {
    let task = standing.find(id)?;
    let id = standing.plan().id(task);
    let store = standing.repository.store();
    let mut records = standing.snapshot.attempts_of(id);
    let record = match number {
        Some(number) => records.find(|record| record.attempt.number == number),
        None => records.next_back(),
    };
    let Some(record) = record else {
        let message = match number {
            Some(number) => format!("task `{id}` has no attempt {number}"),
            None => format!("task `{id}` has no attempt yet, so it has no log"),
        };
        return Err(AppError::usage(message, others(standing, id.as_str())));
    };
    // What stands in the record is not trusted as a path.
    let path = store.path(&layout::log_path(&record.attempt));
    if !path.is_file() {
        let message = format!("attempt {} of task `{id}` left no log", record.attempt.number);
        return Err(AppError::usage(message, others(standing, id.as_str())));
    }
    Ok(Log { attempt: record.attempt.clone(), path, store: store.clone(), offset: 0 })
}

/// Says which attempts have a log.
fn others(standing: &Standing, id: &str) -> String {
    let Some(task) = standing.plan().find(id) else { return String::new() };
    let store = standing.repository.store();
    let records = standing.snapshot.attempts_of(standing.plan().id(task));
    let numbers: Vec<String> = records
        .filter(|record| store.path(&layout::log_path(&record.attempt)).is_file())
        .map(|record| record.attempt.number.to_string())
        .collect();
    match numbers.as_slice() {
        [] => format!("`orch explain {id}` says where it stands; logs are not in git"),
        [one] => format!("attempt {one} has a log: `orch logs {id} --attempt {one}`"),
        many => format!("these attempts have a log: {}", many.join(", ")),
    }
}

impl Log {
    /// Goes to where the last `n_lines` lines begin that are there now.
    ///
    /// # Errors
    /// [`AppError::Process`] where the log cannot be read.
    pub fn skip_to_last(&mut self, n_lines: usize) -> Result<(), AppError> {
        let mut starts = VecDeque::from([0]);
        let mut offset = 0;
        loop {
            let (bytes, end) = log::read_from(&self.path, offset, CHUNK_BYTES)?;
            if bytes.is_empty() {
                break;
            }
            for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                starts.push_back(offset + at as u64 + 1);
                // One more than asked for: the last start may have no line yet.
                if starts.len() > n_lines.saturating_add(1) {
                    starts.pop_front();
                }
            }
            offset = end;
        }
        if starts.back() != Some(&offset) && starts.len() > n_lines {
            starts.pop_front();
        }
        self.offset = starts.front().copied().filter(|_| n_lines > 0).unwrap_or(offset);
        Ok(())
    }

    /// Returns the next bytes; none where there are no more now.
    ///
    /// # Errors
    /// [`AppError::Process`] where the log cannot be read.
    pub fn read(&mut self) -> Result<Vec<u8>, AppError> {
        let (bytes, end) = log::read_from(&self.path, self.offset, CHUNK_BYTES)?;
        self.offset = end;
        Ok(bytes)
    }

    /// Says whether nothing more will be written: the attempt has ended, or its coordinator.
    ///
    /// # Errors
    /// [`AppError::Store`] where the lock cannot be asked.
    pub fn has_ended(&self) -> Result<bool, AppError> {
        // The lock first: a coordinator that ends in between has written the ending.
        let is_live = lock::holder(&self.store)?.is_some();
        let path = layout::run_path(&self.attempt);
        let record = self.store.read_file(&path).ok();
        let record = record.and_then(|bytes| run_record::parse(&path, &bytes).0);
        Ok(!is_live || record.is_none_or(|record| record.ending.is_some()))
    }
}
