//! What an earlier coordinator left in the files: a journal, and records without an ending.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    app::{error::AppError, files::Files},
    domain::{
        format::{layout, run_record},
        model::{attempt::AttemptRecord, time::Tick},
    },
    io::store::{
        Store, StoreError,
        journal::{Journal, JournalLine},
    },
};

/// Makes the folders, and opens the journal with what an earlier coordinator left in it.
///
/// # Errors
/// [`AppError::Store`].
pub(super) fn open(store: &Store) -> Result<(Journal, Vec<JournalLine>), AppError> {
    prepare_folders(store)?;
    Ok(replay(store)?)
}

/// Opens the journal, and puts the records that it holds back where a power cut took them.
///
/// # Errors
/// [`StoreError`].
fn replay(store: &Store) -> Result<(Journal, Vec<JournalLine>), StoreError> {
    let (journal, lines) = Journal::open(store)?;
    let mut newest: BTreeMap<&str, &str> = BTreeMap::new();
    for line in &lines {
        if let JournalLine::Record { path, text } = line {
            newest.insert(path, text);
        }
    }
    for (path, text) in newest {
        complete(store, path, text)?;
    }
    Ok((journal, lines))
}

/// Writes the record `text` to `path`, unless what is there is newer.
///
/// # Errors
/// [`StoreError`].
pub(super) fn complete(store: &Store, path: &str, text: &str) -> Result<(), StoreError> {
    let on_disk = store.read_file(path).unwrap_or_default();
    if on_disk == text.as_bytes() || is_settled(path, &on_disk) {
        return Ok(());
    }
    store.replace(path, text.as_bytes())
}

/// Forgets all that the journal says but for who was asked to stop; records are on the disk before.
///
/// # Errors
/// [`StoreError`].
pub(super) fn forget_records(
    store: &Store,
    journal: &mut Journal,
    lines: &[JournalLine],
) -> Result<(), StoreError> {
    if lines.iter().any(|line| matches!(line, JournalLine::Record { .. })) {
        store.sync_file_system()?;
    }
    journal.reset()?;
    for line in lines.iter().filter(|line| matches!(line, JournalLine::Stopping { .. })) {
        journal.append(line);
    }
    Ok(())
}

/// Returns the workers that were asked to stop with their run, by their nonces, and when.
pub(super) fn stopping(lines: &[JournalLine]) -> BTreeMap<String, Tick> {
    let asked = lines.iter().filter_map(|line| match line {
        JournalLine::Stopping { nonce, tick_us } => {
            Some((nonce.clone(), Tick(Duration::from_micros(*tick_us))))
        }
        JournalLine::Record { .. } => None,
    });
    asked.collect()
}

/// Says whether a record on disk is whole and has its ending: then nothing is newer.
fn is_settled(path: &str, bytes: &[u8]) -> bool {
    run_record::parse(path, bytes).0.is_some_and(|record| record.ending.is_some())
}

/// Returns the attempts that have no ending.
pub(super) fn unsettled(files: &Files) -> Vec<AttemptRecord> {
    files.attempts().filter(|record| record.ending.is_none()).cloned().collect()
}

/// Makes the folders that workers write into, keeps `local` out of git, and removes what writers
/// that died left half-written.
///
/// # Errors
/// [`AppError::Store`].
pub(super) fn prepare_folders(store: &Store) -> Result<(), AppError> {
    store.ignore_local()?;
    store.make_folder(layout::STATUS_DIR)?;
    store.make_folder(layout::PROMPTS_DIR)?;
    store.make_folder(layout::SUPERVISORS_DIR)?;
    // Git works there by full paths: a link in their place would lead it elsewhere.
    for folder in [layout::WORKTREES_DIR, layout::LANDING_DIR] {
        store.has_folder(folder)?;
    }
    for folder in [layout::RUNS_DIR, layout::STATUS_DIR, layout::EVENTS_DIR] {
        store.sweep_temp_files(folder)?;
    }
    Ok(())
}
