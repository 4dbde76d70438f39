//! Everything below `.orch` at one moment, read without writing anything.

use std::{collections::BTreeMap, sync::Arc};

use super::error::AppError;
use crate::{
    domain::{
        format::{
            config_file, event_file,
            layout::{self, FileKind},
            role_file, run_record, status_file,
            task_file::{self, Reading, TaskFile},
        },
        model::{
            attempt::{AttemptRecord, GateRecord, Outcome, StatusReport},
            config::{Config, Role},
            diagnostic::{Diagnostic, Label, Severity},
            id::{AttemptId, TaskId},
            outside::{OutsideEvent, OutsideFacts},
            place::Span,
            task::TaskSpec,
            time::Now,
        },
        plan::{
            self, Plan, TaskIndex,
            rules::{self, Progress},
        },
        scheduler::{Scheduler, history::Recorded},
    },
    io::{
        git,
        store::{
            Store, StoreError,
            lock::{self, LockInfo},
            read::ReadFault,
        },
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
    /// What workers reported, by attempt.
    pub reports: BTreeMap<AttemptId, StatusReport>,
    /// What people, scripts and CI said.
    pub outside: OutsideFacts,
    /// The coordinator that is at work now.
    pub coordinator: Option<LockInfo>,
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

/// What a file came to: a value, where it gave one, and what is wrong with it.
type Parsed<T> = (Option<T>, Vec<Diagnostic>);

/// What the files that people write came to.
struct Written {
    tasks: Vec<(String, TaskFile)>,
    roles: Vec<(String, Parsed<Role>)>,
    config: (Config, Vec<Diagnostic>),
    events: Vec<Parsed<OutsideEvent>>,
}

/// Reads everything below `.orch`.
///
/// # Errors
/// [`AppError::Store`] where a folder cannot be listed.
pub fn read(store: &Store, reading: Reading) -> Result<Snapshot, AppError> {
    // The lock first: a coordinator that ends while the records are read has ended in them.
    let coordinator = lock::holder(store)?;
    let written = read_written(store, reading)?;
    let mut diagnostics = Vec::new();
    let (attempts, gates) = read_records(store, &mut diagnostics)?;
    let reports = read_reports(store, &mut diagnostics)?;
    Ok(assemble(written, attempts, gates, reports, (coordinator, diagnostics)))
}

fn read_written(store: &Store, reading: Reading) -> Result<Written, StoreError> {
    let tasks = store.visit(layout::TASKS_DIR, &[".md"], |path, bytes| {
        let file = match bytes {
            Ok(bytes) => with_digest(task_file::parse(path, bytes, reading), bytes, reading),
            Err(fault) => TaskFile { spec: None, diagnostics: vec![unreadable(path, &fault)] },
        };
        (path.to_owned(), file)
    })?;
    let roles = store.visit(layout::ROLES_DIR, &[".md"], |path, bytes| {
        let parsed = match bytes {
            Ok(bytes) => role_file::parse(path, bytes),
            Err(fault) => (None, vec![unreadable(path, &fault)]),
        };
        (path.to_owned(), parsed)
    })?;
    let config = match store.read_file(layout::CONFIG_PATH) {
        Ok(bytes) => config_file::parse(layout::CONFIG_PATH, &bytes),
        Err(ReadFault::Missing) => (Config::default(), Vec::new()),
        Err(fault) => (Config::default(), vec![unreadable(layout::CONFIG_PATH, &fault)]),
    };
    Ok(Written { tasks, roles, config, events: read_events(store)? })
}

/// Adds the digest of the file where all of it was read.
fn with_digest(mut file: TaskFile, bytes: &[u8], reading: Reading) -> TaskFile {
    if let (Reading::Whole, Some(spec)) = (reading, &mut file.spec) {
        spec.digest = git::blob_id(bytes).into();
    }
    file
}

fn read_events(store: &Store) -> Result<Vec<Parsed<OutsideEvent>>, StoreError> {
    store.visit(layout::EVENTS_DIR, &[".yaml"], |path, bytes| match bytes {
        Ok(bytes) => event_file::parse(path, bytes),
        Err(fault) => (None, vec![unreadable(path, &fault)]),
    })
}

enum Record {
    Attempt(Option<AttemptRecord>, Vec<Diagnostic>),
    Gate(Option<GateRecord>, Vec<Diagnostic>),
    Unknown(Vec<Diagnostic>),
}

type Records = (BTreeMap<AttemptId, AttemptRecord>, Vec<GateRecord>);

fn read_records(store: &Store, diagnostics: &mut Vec<Diagnostic>) -> Result<Records, StoreError> {
    let records = store.visit(layout::RUNS_DIR, &[".yaml"], |path, bytes| {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(fault) => return Record::Unknown(vec![unreadable(path, &fault)]),
        };
        match layout::classify(path) {
            FileKind::Run(_) => {
                let (record, found) = run_record::parse(path, bytes);
                Record::Attempt(record, found)
            }
            FileKind::GateRun { .. } => {
                let (record, found) = run_record::parse_gate(path, bytes);
                Record::Gate(record, found)
            }
            _ => Record::Unknown(Vec::new()),
        }
    })?;
    let (mut attempts, mut gates) = (BTreeMap::new(), Vec::new());
    for record in records {
        match record {
            Record::Attempt(record, found) => {
                attempts.extend(record.map(|record| (record.attempt.clone(), record)));
                diagnostics.extend(found);
            }
            Record::Gate(record, found) => {
                gates.extend(record);
                diagnostics.extend(found);
            }
            Record::Unknown(found) => diagnostics.extend(found),
        }
    }
    Ok((attempts, gates))
}

fn read_reports(
    store: &Store,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<BTreeMap<AttemptId, StatusReport>, StoreError> {
    let reports = store.visit(layout::STATUS_DIR, &[".md"], |path, bytes| match bytes {
        Ok(bytes) => status_file::parse(path, bytes),
        Err(fault) => (None, vec![unreadable(path, &fault)]),
    })?;
    let mut by_attempt = BTreeMap::new();
    for (report, found) in reports {
        diagnostics.extend(found.into_iter().map(as_warning));
        by_attempt.extend(report.map(|report| (report.attempt.clone(), report)));
    }
    Ok(by_attempt)
}

/// A worker's slip in its own status file must not keep the plan from being run.
fn as_warning(mut found: Diagnostic) -> Diagnostic {
    found.severity = found.severity.max(Severity::Warning);
    found
}

fn unreadable(path: &str, fault: &ReadFault) -> Diagnostic {
    let label = Label::new(path, Span::default(), "");
    Diagnostic::error("unreadable-file", format!("`{path}` {fault}"), label)
        .with_help("put a regular file in its place, or move it out of `.orch`")
}

fn assemble(
    written: Written,
    attempts: BTreeMap<AttemptId, AttemptRecord>,
    gates: Vec<GateRecord>,
    reports: BTreeMap<AttemptId, StatusReport>,
    (coordinator, mut diagnostics): (Option<LockInfo>, Vec<Diagnostic>),
) -> Snapshot {
    let mut specs: Vec<Arc<TaskSpec>> = Vec::with_capacity(written.tasks.len());
    let mut unreadable = Vec::new();
    for (path, file) in written.tasks {
        let is_fault = file.diagnostics.iter().any(|found| found.severity.is_error());
        match file.spec {
            Some(spec) => specs.push(Arc::new(spec)),
            None if is_fault => {
                let id = TaskId::parse(layout::stem(&path)).ok();
                unreadable.push((path, id));
            }
            None => {}
        }
        diagnostics.extend(file.diagnostics);
    }
    let mut roles = Vec::new();
    for (path, (role, found)) in written.roles {
        match role {
            Some(role) => roles.push(role),
            None => unreadable.push((path, None)),
        }
        diagnostics.extend(found);
    }
    diagnostics.extend(written.config.1);
    let mut events = Vec::new();
    for (event, found) in written.events {
        events.extend(event);
        diagnostics.extend(found);
    }
    let plan = Arc::new(plan::build(specs, roles, written.config.0));
    let outside = OutsideFacts::gather(events);
    let recorded = |task: TaskIndex| progress(&plan, &attempts, &outside, task);
    let input = rules::Input { plan: &plan, unreadable: &unreadable, recorded: &recorded };
    diagnostics.extend(rules::check_all(&input));
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    Snapshot { plan, diagnostics, attempts, gates, reports, outside, coordinator }
}

/// Returns what the last record of a task says of it, for the rules.
fn progress(
    plan: &Plan,
    attempts: &BTreeMap<AttemptId, AttemptRecord>,
    outside: &OutsideFacts,
    task: TaskIndex,
) -> Progress {
    let id = plan.id(task);
    let first = AttemptId::new(id.clone(), 0);
    let last = AttemptId::new(id.clone(), u32::MAX);
    let Some((attempt, record)) = attempts.range(first..=last).next_back() else {
        return Progress::Open;
    };
    if attempt.number <= outside.retried_after(id) {
        return Progress::Open;
    }
    match record.ending.as_ref().map(|ending| ending.outcome) {
        Some(Outcome::Succeeded) => Progress::Done,
        Some(Outcome::Review) if outside.accepted(id) == attempt.number => Progress::Done,
        Some(
            Outcome::Review
            | Outcome::Failed
            | Outcome::Cancelled
            | Outcome::Interrupted
            | Outcome::Lost,
        )
        | None => Progress::Open,
    }
}
