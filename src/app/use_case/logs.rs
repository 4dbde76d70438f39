//! What the worker of an attempt printed.

use crate::{
    app::{error::AppError, standing::Standing, supervised},
    domain::{
        format::{layout, run_record},
        model::id::AttemptId,
    },
    io::{
        process::follow::Follower,
        store::{Store, lock},
    },
};

/// The log of one attempt, read from front to end.
#[derive(Debug)]
pub struct Log {
    /// Whose it is.
    pub attempt: AttemptId,
    follower: Follower,
    store: Store,
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
    // One that printed nothing has no log; its prompt tells that it was carried out here.
    let was_here = store.is_there(&layout::prompt_path(&record.attempt));
    if !path.is_file() && !was_here {
        let message = format!("attempt {} of task `{id}` left no log", record.attempt.number);
        return Err(AppError::usage(message, others(standing, id.as_str())));
    }
    let follower = Follower::open(&path)?;
    Ok(Log { attempt: record.attempt.clone(), follower, store: store.clone() })
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
        Ok(self.follower.skip_to_last(n_lines)?)
    }

    /// Returns the next bytes; none where there are no more now.
    ///
    /// # Errors
    /// [`AppError::Process`] where the log cannot be read.
    pub fn read(&mut self) -> Result<Vec<u8>, AppError> {
        Ok(self.follower.read()?)
    }

    /// Says whether nothing more will be written: the attempt has ended, or nobody sees to its
    /// worker.
    ///
    /// # Errors
    /// [`AppError::Store`] where the lock cannot be asked.
    pub fn has_ended(&self) -> Result<bool, AppError> {
        // The lock first: a coordinator that ends in between has written the ending.
        let is_live = lock::holder(&self.store)?.is_some();
        let path = layout::run_path(&self.attempt);
        let record = self.store.read_file(&path).ok();
        let record = record.and_then(|bytes| run_record::parse(&path, &bytes).0);
        let Some(record) = record.filter(|record| record.ending.is_none()) else {
            return Ok(true);
        };
        let ledgers = supervised::ledgers(&self.store).unwrap_or_default();
        Ok(!is_live && supervised::running(&ledgers, std::iter::once(&record)).is_empty())
    }
}
