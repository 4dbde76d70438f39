//! What the ledgers of supervisors say: which workers run, whether or not a coordinator is there.

use std::collections::BTreeMap;

use super::error::AppError;
use crate::{
    domain::{
        format::layout,
        model::{attempt::AttemptRecord, id::AttemptId},
        scheduler::history::Taken,
        standstill::Standstill,
    },
    io::{
        store::Store,
        supervisor::ledger::{Ledger, Supervised},
    },
};

/// Reads the ledgers of all supervisors.
///
/// # Errors
/// [`AppError::Store`], [`AppError::Process`].
pub(super) fn ledgers(store: &Store) -> Result<Vec<Ledger>, AppError> {
    let mut ledgers = Vec::new();
    for file_name in store.list(layout::SUPERVISORS_DIR)? {
        let Some(name) = layout::ledger_name(&file_name) else { continue };
        let path = store.path(&layout::ledger_path(name));
        ledgers.push(Ledger::read(name.to_owned(), path)?);
    }
    Ok(ledgers)
}

/// Returns those of `attempts` that the next coordinator will take up, with the moments when they
/// were started: their workers run, or have ended and were not judged yet.
pub(super) fn running<'a>(
    ledgers: &[Ledger],
    attempts: impl Iterator<Item = &'a AttemptRecord>,
) -> BTreeMap<AttemptId, Taken> {
    if ledgers.is_empty() {
        return BTreeMap::new();
    }
    let mut started: BTreeMap<&str, Taken> = BTreeMap::new();
    for ledger in ledgers {
        let is_alive = ledger.is_alive();
        for (nonce, worker) in &ledger.workers {
            match worker {
                Supervised::Ended { at, end } => {
                    let taken = Taken { ended: Some(end.at()), ..Taken::running(*at) };
                    started.insert(nonce, taken);
                }
                Supervised::Started { at, .. } if is_alive => {
                    started.insert(nonce, Taken::running(*at));
                }
                Supervised::Started { .. } | Supervised::NotStarted { .. } => {}
            }
        }
    }
    attempts
        .filter(|record| record.ending.is_none())
        .filter_map(|record| Some((record.attempt.clone(), *started.get(record.nonce.as_str())?)))
        .collect()
}

/// Returns those of `attempts` whose processes stand still at the moment.
pub(super) fn standstills<'a>(
    ledgers: &[Ledger],
    attempts: impl Iterator<Item = &'a AttemptRecord>,
) -> BTreeMap<AttemptId, Standstill> {
    let workers = ledgers.iter().flat_map(|ledger| &ledger.workers);
    let standing: BTreeMap<&str, Standstill> = workers
        .filter_map(|(nonce, worker)| {
            let Supervised::Started { identity, .. } = worker else { return None };
            Some((nonce.as_str(), Standstill::at_a_glance(identity.state()?)?))
        })
        .collect();
    attempts
        .filter(|record| record.ending.is_none())
        .filter_map(|record| Some((record.attempt.clone(), *standing.get(record.nonce.as_str())?)))
        .collect()
}
