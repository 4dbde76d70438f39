//! What an earlier coordinator left: records without an ending, and perhaps their processes.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    app::{error::AppError, files::Files, view::run::Happened},
    domain::{
        format::{layout, run_record},
        model::attempt::AttemptRecord,
    },
    io::{
        process::{ProcessIdentity, leftovers::stop_leftovers},
        store::{
            Store, StoreError,
            journal::{Journal, JournalLine},
        },
    },
};

/// Opens the journal, and puts the records that it holds back where a power cut took them.
///
/// # Errors
/// [`StoreError`].
pub(super) fn replay(store: &Store) -> Result<(Journal, Vec<JournalLine>), StoreError> {
    let (journal, lines) = Journal::open(store)?;
    let mut newest: BTreeMap<&str, &str> = BTreeMap::new();
    for line in &lines {
        if let JournalLine::Record { path, text } = line {
            newest.insert(path, text);
        }
    }
    for (path, text) in newest {
        let on_disk = store.read_file(path).unwrap_or_default();
        if on_disk != text.as_bytes() && !is_settled(path, &on_disk) {
            store.replace(path, text.as_bytes())?;
        }
    }
    Ok((journal, lines))
}

/// Says whether a record on disk is whole and has its ending: then nothing is newer.
fn is_settled(path: &str, bytes: &[u8]) -> bool {
    run_record::parse(path, bytes).0.is_some_and(|record| record.ending.is_some())
}

/// Returns the attempts that have no ending.
pub(super) fn unsettled(files: &Files) -> Vec<AttemptRecord> {
    files.attempts().filter(|record| record.ending.is_none()).cloned().collect()
}

/// Stops what is left of the attempts that have no ending. Nobody watches over them any more, so
/// they are started again.
pub(super) async fn stop_what_was_left(
    unsettled: &[AttemptRecord],
    lines: &[JournalLine],
    grace: Duration,
) -> Option<Happened> {
    if unsettled.is_empty() {
        return None;
    }
    let mut identities: BTreeMap<&str, ProcessIdentity> = BTreeMap::new();
    for line in lines {
        if let JournalLine::Process { nonce, pid, start_ticks, boot_id, .. } = line {
            let identity =
                ProcessIdentity { pid: *pid, start_ticks: *start_ticks, boot_id: boot_id.clone() };
            identities.insert(nonce, identity);
        }
    }
    let attempts: Vec<_> = unsettled
        .iter()
        .filter(|record| !record.nonce.is_empty())
        .map(|record| (record.nonce.clone(), identities.get(record.nonce.as_str()).cloned()))
        .collect();
    let stopped = stop_leftovers(&attempts, grace).await;
    Some(Happened::LeftoversStopped {
        attempts: unsettled.iter().map(|record| record.attempt.to_string()).collect(),
        n_processes: stopped.n_stopped,
        survivors: stopped.survivors,
    })
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
    for folder in [layout::RUNS_DIR, layout::STATUS_DIR, layout::EVENTS_DIR] {
        store.sweep_temp_files(folder)?;
    }
    Ok(())
}
