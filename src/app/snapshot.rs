//! Everything below `.orch` at one moment, read without writing anything.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    approval::{self, Noted},
    error::AppError,
    files::{Files, Record, Usage},
    sandbox, standing_claims,
    standing_landings::{self, Waits},
    supervised,
    view::explain::UnreadableReport,
};
use crate::{
    domain::{
        format::{layout, task_file::Reading},
        model::{
            attempt::{AttemptRecord, GateRecord, Outcome, StatusReport},
            diagnostic::Diagnostic,
            id::{AttemptId, TaskId},
            milestone::MilestoneRecord,
            outside::OutsideFacts,
            sandbox::Lack,
            time::Now,
        },
        plan::{
            Plan, TaskIndex,
            rules::{self, Progress},
        },
        scheduler::{
            Scheduler,
            claims::Claims,
            history::{Recorded, Taken},
        },
        standstill::Standstill,
    },
    io::{
        store::{
            Store,
            lock::{self, LockInfo},
        },
        supervisor::ledger::Ledger,
    },
};

/// What was on disk.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The plan built from everything that could be read.
    pub plan: Arc<Plan>,
    /// Faults in files, those that span several files included, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// Every attempt on record.
    pub attempts: BTreeMap<AttemptId, AttemptRecord>,
    /// Every run of a gate on record.
    pub gates: Vec<GateRecord>,
    /// Every milestone that was reached.
    pub milestones: Vec<MilestoneRecord>,
    /// What workers reported, by attempt.
    pub reports: BTreeMap<AttemptId, StatusReport>,
    /// What people, scripts and CI said.
    pub outside: OutsideFacts,
    /// The coordinator that is at work now.
    pub coordinator: Option<LockInfo>,
    /// Attempts that the next coordinator will take up.
    pub running: BTreeMap<AttemptId, Taken>,
    /// Whose tasks are, where coordinators share the plan.
    pub claims: Claims,
    /// What is in the way of work that is to land, as the coordinator at work says.
    pub landings: Waits,
    /// Why no task can run in a sandbox that asks for one.
    pub no_sandbox: Option<Lack>,
    /// Attempts whose status files cannot be read.
    pub unreadable_reports: BTreeMap<AttemptId, UnreadableReport>,
    /// Attempts whose processes stand still.
    pub standstills: BTreeMap<AttemptId, Standstill>,
    /// What of the plan may be executed.
    pub approval: Noted,
}

impl Snapshot {
    /// Returns the scheduler that stands where the files say.
    pub fn scheduler(&self, now: Now) -> Scheduler {
        Scheduler::recover(Arc::clone(&self.plan), self.recorded(), now)
    }

    /// Returns what the records say.
    pub fn recorded(&self) -> Recorded {
        let recorded = Recorded {
            outside: self.outside.clone(),
            is_live: self.coordinator.is_some(),
            running: self.running.clone(),
            claims: self.claims.clone(),
            unapproved: self.approval.unapproved.clone(),
            no_sandbox: self.no_sandbox.clone(),
            ..Recorded::default()
        };
        recorded
            .with_attempts(self.attempts.values().cloned())
            .with_gates(self.gates.iter().cloned())
    }

    /// Returns the attempts of a task, first to last.
    pub fn attempts_of(&self, id: &TaskId) -> impl DoubleEndedIterator<Item = &AttemptRecord> {
        let first = AttemptId::new(id.clone(), 0);
        let last = AttemptId::new(id.clone(), u32::MAX);
        self.attempts.range(first..=last).map(|(_, record)| record)
    }

    /// Returns what the worker of the last attempt of a task reported.
    pub fn last_report(&self, id: &TaskId) -> Option<&StatusReport> {
        let last = self.attempts_of(id).next_back()?;
        self.reports.get(&last.attempt)
    }

    /// Says whether the plan has errors.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity.is_error())
    }
}

/// Reads everything below `.orch`.
///
/// # Errors
/// [`AppError::Store`] where a folder cannot be listed.
pub fn read(store: &Store, reading: Reading) -> Result<Snapshot, AppError> {
    let around = Around::look(store)?;
    let files = Files::read(store, reading)?;
    Ok(around.snapshot(store, files))
}

/// Who is at work on a plan, looked at before its files are read.
pub(super) struct Around {
    coordinator: Option<LockInfo>,
    ledgers: Vec<Ledger>,
}

impl Around {
    /// Looks who is at work.
    ///
    /// # Errors
    /// [`AppError::Store`] where the lock cannot be read.
    pub(super) fn look(store: &Store) -> Result<Self, AppError> {
        // The lock first: a coordinator that ends while the records are read has ended in them.
        let coordinator = lock::holder(store)?;
        // A folder that cannot be read says nothing.
        Ok(Self { coordinator, ledgers: supervised::ledgers(store).unwrap_or_default() })
    }

    /// Puts it together with the files that were read after it.
    pub(super) fn snapshot(self, store: &Store, files: Files) -> Snapshot {
        let Self { coordinator, ledgers } = self;
        let unreadable_reports = files.unreadable_reports().map(|(attempt, path, why)| {
            let (path, why) = (path.to_owned(), why.to_owned());
            let since = store.modified(&path).map(|since| since.to_string());
            (attempt, UnreadableReport { path, since, why })
        });
        let unreadable_reports = unreadable_reports.collect();
        let mut snapshot = Snapshot { unreadable_reports, ..assemble(files, coordinator) };
        // A living coordinator sees to all of them.
        if snapshot.coordinator.is_none() {
            snapshot.running = supervised::running(&ledgers, snapshot.attempts.values());
        }
        if snapshot.plan.config().claim_remote.is_some() {
            let known = store.read_file(layout::CLAIMS_PATH).unwrap_or_default();
            snapshot.claims = standing_claims::parse(&known);
        }
        if let Some(coordinator) = &snapshot.coordinator {
            let known = store.read_file(layout::WAITING_PATH).unwrap_or_default();
            snapshot.landings = standing_landings::parse(coordinator.pid, &known);
            let is_open = |record: &AttemptRecord| record.ending.is_none();
            let attempts = &snapshot.attempts;
            snapshot.landings.retain(|attempt, _| attempts.get(attempt).is_some_and(is_open));
        }
        snapshot.approval = approval::noted(store.root());
        snapshot.no_sandbox = sandbox::lack(store, &snapshot.plan);
        snapshot.standstills = supervised::standstills(&ledgers, snapshot.attempts.values());
        snapshot
    }
}

/// Puts together what files say that nobody is at work on.
pub(super) fn assemble(files: Files, coordinator: Option<LockInfo>) -> Snapshot {
    let plan = Arc::new(files.plan(Usage::AsWritten));
    let outside = files.outside();
    let unreadable = files.unreadable(Usage::AsWritten);
    let mut diagnostics: Vec<Diagnostic> = files.diagnostics().cloned().collect();
    diagnostics.extend(files.wider(&plan));
    let (records, all_reports) = files.into_records();
    let (mut attempts, mut gates) = (BTreeMap::new(), Vec::new());
    let mut milestones = Vec::new();
    for record in records {
        match record {
            Record::Attempt(record) => drop(attempts.insert(record.attempt.clone(), *record)),
            Record::Gate(record) => gates.push(record),
            Record::Milestone(record) => milestones.push(record),
        }
    }
    let reports = all_reports.map(|report| (report.attempt.clone(), report)).collect();
    let recorded = |task: TaskIndex| recorded_progress(&plan, &attempts, &outside, task);
    let input = rules::Input { plan: &plan, unreadable: &unreadable, recorded: &recorded };
    diagnostics.extend(rules::check_all(&input));
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let (running, standstills) = (BTreeMap::new(), BTreeMap::new());
    let (unreadable_reports, claims) = (BTreeMap::new(), Claims::default());
    Snapshot {
        plan,
        diagnostics,
        attempts,
        gates,
        milestones,
        reports,
        outside,
        coordinator,
        running,
        claims,
        landings: Waits::new(),
        no_sandbox: None,
        unreadable_reports,
        standstills,
        approval: Noted::default(),
    }
}

/// Returns what the last record of a task says of it, for the rules.
fn recorded_progress(
    plan: &Plan,
    attempts: &BTreeMap<AttemptId, AttemptRecord>,
    outside: &OutsideFacts,
    task: TaskIndex,
) -> Progress {
    let id = plan.id(task);
    let first = AttemptId::new(id.clone(), 0);
    let last = AttemptId::new(id.clone(), u32::MAX);
    match attempts.range(first..=last).next_back() {
        None => Progress::Open,
        Some((attempt, record)) => {
            let outcome = record.ending.as_ref().map(|ending| ending.outcome);
            progress(id, attempt.number, outcome, outside)
        }
    }
}

/// Returns what is known of a task whose last attempt has number `last` and ended like this.
pub(super) fn progress(
    id: &TaskId,
    last: u32,
    outcome: Option<Outcome>,
    outside: &OutsideFacts,
) -> Progress {
    if last <= outside.retried_after(id, last) {
        return Progress::Open;
    }
    match outcome {
        Some(Outcome::Succeeded) => Progress::Done,
        Some(Outcome::Review) if outside.accepted(id) == last => Progress::Done,
        Some(
            Outcome::Review
            | Outcome::Failed
            | Outcome::Stalled
            | Outcome::Crashed
            | Outcome::Limited
            | Outcome::Blocked
            | Outcome::OverBudget
            | Outcome::Unfinished
            | Outcome::NotStarted
            | Outcome::Cancelled
            | Outcome::Interrupted
            | Outcome::Conflict
            | Outcome::Unlanded
            | Outcome::Lost,
        )
        | None => Progress::Open,
    }
}
