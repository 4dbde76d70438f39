//! Taking up the workers that an earlier coordinator started: those that run on go on, those that
//! ended meanwhile are judged by how they really ended, and what nobody sees to any more is
//! stopped and lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use crate::{
    app::{error::AppError, files::Files, supervised::ledgers, view::run::Happened},
    domain::{
        model::{
            attempt::AttemptRecord,
            id::AttemptId,
            time::{Now, Tick},
        },
        scheduler::history::{Recorded, Taken},
    },
    io::{
        process::{
            ProcessIdentity, cgroup,
            leftovers::{Leftover, NONCE_VARIABLE, Stopped, stop_leftovers, workers_of},
        },
        store::{Lock, LockError, Store},
        supervisor::{
            Line,
            ledger::{Ledger, Supervised},
            wire::VERSION,
        },
    },
};

/// What an earlier coordinator left.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    /// Attempts whose workers run, or have ended and were not judged.
    pub adopted: Vec<Adopted>,
    /// What became of the other attempts without an ending.
    pub causes: BTreeMap<AttemptId, String>,
    /// Those of them whose workers were never started.
    pub unstarted: BTreeSet<AttemptId>,
    /// Ledgers of supervisors that are still at work.
    pub followed: Vec<Ledger>,
    /// Ledgers of supervisors that are not, to be removed once all endings are on record.
    pub read: Vec<Read>,
    /// What is to be told.
    pub happened: Vec<Happened>,
}

/// The ledger of a supervisor that is gone.
#[derive(Debug)]
pub(super) struct Read {
    pub name: String,
    /// The control group of that supervisor: as long as it is there, so is the ledger.
    pub cgroup: Option<PathBuf>,
}

/// A worker that is taken up.
#[derive(Debug)]
pub(super) struct Adopted {
    pub record: AttemptRecord,
    /// The name of its supervisor's ledger.
    pub supervisor: String,
    /// When it was started.
    pub started: Now,
    /// Its process, as long as it runs.
    pub identity: Option<ProcessIdentity>,
    /// What its supervisor told of its end.
    pub end: Option<Line>,
}

impl Adopted {
    /// Returns what the scheduler is to know of it.
    pub(super) fn taken(&self) -> Taken {
        let ended = match &self.end {
            Some(Line::Exited { end, .. }) => Some(end.at()),
            Some(_) => Some(self.started),
            None => None,
        };
        Taken { ended, ..Taken::running(self.started) }
    }
}

/// Finds out what became of the attempts without an ending, and stops what nobody sees to.
///
/// # Errors
/// [`AppError::Usage`] where a supervisor of a later version is at work; [`AppError::Process`].
pub(super) async fn take_stock(
    store: &Store,
    unsettled: Vec<AttemptRecord>,
    is_known: impl Fn(&AttemptRecord) -> bool,
    grace: Duration,
) -> Result<Inherited, AppError> {
    let mut inherited = Inherited::default();
    let mut told = inherited.read_ledgers(store).await?;
    let mut left = Vec::new();
    for record in unsettled {
        let stands = told.workers.remove(&record.nonce);
        let is_unstarted = stands.is_none() && told.is_complete;
        if is_unstarted {
            inherited.unstarted.insert(record.attempt.clone());
        }
        let identity = match &stands {
            Some((_, Supervised::Started { identity, .. }, _)) => Some(identity.clone()),
            Some(_) | None => None,
        };
        let judged = match stands {
            None if is_unstarted => Err("the coordinator ended before its worker was started"),
            None => Err("its supervisor was killed before it told whether it was started"),
            Some(stands) => judge(&record, stands, is_known(&record)),
        };
        match judged {
            Ok(adopted) => {
                // What runs beside an ended worker are verify commands, to be run again.
                if adopted.end.is_some() {
                    left.push((record.nonce.clone(), None));
                }
                inherited.adopted.push(Adopted { record, ..adopted });
            }
            Err(cause) => {
                left.push((record.nonce.clone(), identity));
                inherited.causes.insert(record.attempt, cause.to_owned());
            }
        }
    }
    left.retain(|(nonce, _)| !nonce.is_empty());
    if !left.is_empty() || !told.groups.is_empty() {
        let stopped = end_leftovers(&left, &told.groups, grace).await;
        if stopped.n_stopped > 0 || !stopped.survivors.is_empty() {
            inherited.happened.push(Happened::LeftoversStopped {
                n_processes: stopped.n_stopped,
                survivors: stopped.survivors,
            });
        }
    }
    inherited.tell();
    Ok(inherited)
}

/// Refuses to begin where workers are at work that no record names: they would be started again
/// beside themselves. Looked for only where all that is local was taken away.
///
/// # Errors
/// [`LockError::Strangers`].
pub(super) fn require_no_strangers(
    store: &Store,
    lock: &Lock,
    files: &Files,
) -> Result<(), LockError> {
    if !lock.is_new() {
        return Ok(());
    }
    let known: BTreeSet<&str> = files.attempts().map(|record| record.nonce.as_str()).collect();
    let own = std::env::var(NONCE_VARIABLE).unwrap_or_default();
    let is_stranger =
        |found: &Leftover| !known.contains(found.nonce.as_str()) && found.nonce != own;
    let strangers: Vec<u32> =
        workers_of(store.root()).into_iter().filter(is_stranger).map(|found| found.pid).collect();
    if strangers.is_empty() { Ok(()) } else { Err(LockError::Strangers(strangers)) }
}

/// Stops what is left of the attempts `left`, politely, and then by force everything in the control
/// groups of their supervisors, which are gone.
pub(super) async fn end_leftovers(
    left: &[(String, Option<ProcessIdentity>)],
    groups: &[PathBuf],
    grace: Duration,
) -> Stopped {
    let mut all = match left {
        [] => Stopped::default(),
        left => stop_leftovers(left, grace).await,
    };
    for group in groups {
        let Stopped { n_stopped, survivors } = cgroup::end(group).await;
        all.n_stopped += n_stopped;
        all.survivors.extend(survivors);
    }
    all.survivors.sort_unstable();
    all.survivors.dedup();
    all
}

/// What the ledgers say.
struct ToldByLedgers {
    /// What became of workers, by their nonces: in which ledger that stands, too.
    workers: BTreeMap<String, (String, Supervised, Situation)>,
    /// Control groups of supervisors that are gone.
    groups: Vec<PathBuf>,
    /// Whether a worker that they do not name was never started: one that was killed may have
    /// started a worker and not got as far as to write that down.
    is_complete: bool,
}

impl Inherited {
    /// Says what became of attempts without an ending; `stopping` are those that were asked to stop,
    /// by their nonces.
    pub(super) fn tell_to(&mut self, recorded: &mut Recorded, stopping: &BTreeMap<String, Tick>) {
        let taken = |one: &Adopted| Taken {
            stop_asked: stopping.get(&one.record.nonce).copied(),
            ..one.taken()
        };
        let adopted = self.adopted.iter();
        recorded.running = adopted.map(|one| (one.record.attempt.clone(), taken(one))).collect();
        recorded.causes = std::mem::take(&mut self.causes);
        recorded.unstarted = std::mem::take(&mut self.unstarted);
    }

    /// Reads what supervisors wrote, and ends those that do nothing any more.
    async fn read_ledgers(&mut self, store: &Store) -> Result<ToldByLedgers, AppError> {
        let (mut workers, mut groups, mut is_complete) = (BTreeMap::new(), Vec::new(), true);
        for mut ledger in ledgers(store)? {
            require_version(&ledger)?;
            let has_settled = ledger.settle().await?;
            let situation = match (has_settled, ledger.is_alive(), ledger.is_of_another_boot()) {
                (_, false, true) => Situation::Rebooted,
                (true, true, _) => Situation::Alive,
                (false, true, _) => Situation::Stuck,
                (_, false, false) => Situation::Dead,
            };
            for (nonce, worker) in &ledger.workers {
                workers.insert(nonce.clone(), (ledger.name.clone(), worker.clone(), situation));
            }
            // One that never came to write its first line has started nothing.
            is_complete &= ledger.is_orphaned || ledger.identity.is_none();
            if situation == Situation::Alive {
                self.followed.push(ledger);
                continue;
            }
            if situation == Situation::Stuck {
                self.happened.push(Happened::SupervisorKilled);
                ledger.kill();
            }
            groups.extend(ledger.cgroup.clone());
            self.read.push(Read { name: ledger.name, cgroup: ledger.cgroup });
        }
        Ok(ToldByLedgers { workers, groups, is_complete })
    }

    fn tell(&mut self) {
        let names = |ended: bool| {
            let those = self.adopted.iter().filter(|a| a.end.is_some() == ended);
            those.map(|a| a.record.attempt.to_string()).collect::<Vec<_>>()
        };
        let (running, ended) = (names(false), names(true));
        let lost: Vec<String> = self.causes.keys().map(ToString::to_string).collect();
        if !(running.is_empty() && ended.is_empty() && lost.is_empty()) {
            self.happened.insert(0, Happened::TakenUp { running, ended, lost });
        }
    }
}

/// How a supervisor was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    /// At work, and without orders that it has not carried out.
    Alive,
    /// Alive, but it does nothing.
    Stuck,
    /// Gone.
    Dead,
    /// Gone with the machine that it ran on.
    Rebooted,
}

/// Returns the worker of `record` to be taken up, or what became of it.
fn judge(
    record: &AttemptRecord,
    (supervisor, worker, situation): (String, Supervised, Situation),
    is_known: bool,
) -> Result<Adopted, &'static str> {
    if !is_known {
        return Err("its task was removed while no coordinator was at work");
    }
    let adopted = |started, identity, end| Adopted {
        record: record.clone(),
        supervisor,
        started,
        identity,
        end,
    };
    let nonce = record.nonce.clone();
    match (worker, situation) {
        (Supervised::Ended { at, end }, _) => {
            Ok(adopted(at, None, Some(Line::Exited { nonce, end })))
        }
        (Supervised::NotStarted { cause, is_passing }, _) => {
            let now = crate::io::clock::Clock::new().now();
            Ok(adopted(now, None, Some(Line::NotStarted { nonce, cause, is_passing })))
        }
        (Supervised::Started { identity, at }, Situation::Alive) => {
            Ok(adopted(at, Some(identity), None))
        }
        (Supervised::Started { .. }, Situation::Rebooted) => {
            Err("the machine was started again while it ran")
        }
        (Supervised::Started { .. }, Situation::Dead | Situation::Stuck) => {
            Err("its supervisor was killed while it ran")
        }
    }
}

fn require_version(ledger: &Ledger) -> Result<(), AppError> {
    if ledger.version <= VERSION || !ledger.is_alive() {
        return Ok(());
    }
    Err(AppError::usage(
        "workers of a newer `orch` are still at work here",
        "look on (`orch watch --no-run`, `orch status`), use that version, or wait until they have \
         ended",
    ))
}
