//! What each kind of file is made into.

use std::sync::Arc;

use super::room::Content;
use crate::{
    domain::{
        format::{
            config_file, event_file,
            layout::{self, FileKind},
            milestone, role_file, run_record, status_file,
            task_file::{self, Reading},
        },
        model::{
            attempt::{AttemptRecord, GateRecord, StatusReport},
            config::{Config, Role},
            diagnostic::{Diagnostic, Label, Severity},
            milestone::MilestoneRecord,
            outside::OutsideEvent,
            place::Span,
            task::TaskSpec,
        },
    },
    io::{git, store::ReadFault},
};

/// What somebody wrote: its value, what is wrong with it, and its last version without errors.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    /// What could be made of it; faulty parts are as if they were missing.
    pub value: Option<T>,
    pub diagnostics: Vec<Diagnostic>,
    /// What it was before it had errors; only where it has some now.
    pub last_good: Option<T>,
}

impl<T: Clone> Written<T> {
    fn new((value, diagnostics): (Option<T>, Vec<Diagnostic>)) -> Self {
        Self { value, diagnostics, last_good: None }
    }

    /// Says whether it cannot be used as it is.
    pub(super) fn is_broken(&self) -> bool {
        self.diagnostics.iter().any(|found| found.severity.is_error())
    }

    /// Returns what is to be used: a broken file counts as it was before.
    pub(super) fn usable(&self) -> Option<&T> {
        if self.is_broken() { self.last_good.as_ref() } else { self.value.as_ref() }
    }

    /// Returns the version that is meant.
    pub(super) fn get(&self, usage: Usage) -> Option<&T> {
        match usage {
            Usage::Usable => self.usable(),
            Usage::AsWritten => self.value.as_ref(),
        }
    }

    fn keep_good(&mut self, before: Self) {
        if self.is_broken() {
            self.last_good = if before.is_broken() { before.last_good } else { before.value };
        }
    }
}

/// Which version of a broken file is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Usage {
    /// The last without errors: what is to be carried out.
    Usable,
    /// The present one, faulty parts left out.
    AsWritten,
}

/// A task, a role, the settings, an event.
pub(super) type Tasks = Written<Arc<TaskSpec>>;
pub(super) type Roles = Written<Role>;
pub(super) type Settings = Written<Config>;
pub(super) type Events = Written<OutsideEvent>;
pub(super) type Reports = Written<StatusReport>;
pub(super) type Records = Written<Record>;

/// A record of the coordinator.
#[derive(Debug, Clone)]
pub(in crate::app) enum Record {
    /// An attempt.
    Attempt(Box<AttemptRecord>),
    /// A run of a gate.
    Gate(GateRecord),
    /// A milestone that was reached.
    Milestone(MilestoneRecord),
}

impl Content for Tasks {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, reading: Reading) -> Self {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(fault) => return Self::new((None, vec![unreadable(path, fault)])),
        };
        let mut file = task_file::parse(path, bytes, reading);
        if let (Reading::Whole, Some(spec)) = (reading, &mut file.spec) {
            spec.digest = git::blob_id(bytes).into();
        }
        Self::new((file.spec.map(Arc::new), file.diagnostics))
    }

    fn is_doubtful(&self) -> bool {
        self.value.is_none() || self.is_broken()
    }

    fn succeed(&mut self, before: Self) {
        self.keep_good(before);
    }
}

impl Content for Roles {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, _: Reading) -> Self {
        let (mut role, found) = parsed(path, bytes, role_file::parse);
        if let (Some(role), Ok(bytes)) = (&mut role, bytes) {
            role.digest = git::blob_id(bytes).into();
        }
        Self::new((role, found))
    }

    fn is_doubtful(&self) -> bool {
        self.value.is_none() || self.is_broken()
    }

    fn succeed(&mut self, before: Self) {
        self.keep_good(before);
    }
}

impl Content for Settings {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, _: Reading) -> Self {
        let settings = |path: &str, bytes: &[u8]| {
            let (config, diagnostics) = config_file::parse(path, bytes);
            (Some(config), diagnostics)
        };
        Self::new(parsed(path, bytes, settings))
    }

    fn is_doubtful(&self) -> bool {
        self.is_broken()
    }

    fn succeed(&mut self, before: Self) {
        self.keep_good(before);
    }
}

impl Content for Events {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, _: Reading) -> Self {
        Self::new(parsed(path, bytes, event_file::parse))
    }

    fn is_doubtful(&self) -> bool {
        self.value.is_none()
    }
}

impl Content for Reports {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, _: Reading) -> Self {
        let (report, found) = parsed(path, bytes, status_file::parse);
        // A worker's slip in its own status file must not keep the plan from being run.
        let as_warning = |found: Diagnostic| Diagnostic {
            severity: found.severity.max(Severity::Warning),
            ..found
        };
        Self::new((report, found.into_iter().map(as_warning).collect()))
    }

    fn is_doubtful(&self) -> bool {
        self.value.is_none()
    }

    fn succeed(&mut self, before: Self) {
        if self.value.is_none() {
            self.last_good = before.value.or(before.last_good);
        }
    }
}

impl Content for Records {
    fn parse(path: &str, bytes: Result<&[u8], &ReadFault>, _: Reading) -> Self {
        let record = |path: &str, bytes: &[u8]| match layout::classify(path) {
            FileKind::Run(_) => {
                let (record, found) = run_record::parse(path, bytes);
                (record.map(|record| Record::Attempt(Box::new(record))), found)
            }
            FileKind::GateRun { .. } => {
                let (record, found) = run_record::parse_gate(path, bytes);
                (record.map(Record::Gate), found)
            }
            FileKind::Milestone => {
                let (record, found) = milestone::parse(path, bytes);
                (record.map(Record::Milestone), found)
            }
            _ => (None, Vec::new()),
        };
        Self::new(parsed(path, bytes, record))
    }

    fn is_doubtful(&self) -> bool {
        self.value.is_none()
    }
}

fn parsed<T>(
    path: &str,
    bytes: Result<&[u8], &ReadFault>,
    parse: impl FnOnce(&str, &[u8]) -> (Option<T>, Vec<Diagnostic>),
) -> (Option<T>, Vec<Diagnostic>) {
    match bytes {
        Ok(bytes) => parse(path, bytes),
        Err(fault) => (None, vec![unreadable(path, fault)]),
    }
}

fn unreadable(path: &str, fault: &ReadFault) -> Diagnostic {
    let label = Label::new(path, Span::default(), "");
    let help = match fault {
        ReadFault::Unreadable(_) => "see why the system does not let it be read, then try again",
        ReadFault::NoFolder => "put a folder in its place",
        _ => "put a regular file in its place, or move it out of `.orch`",
    };
    Diagnostic::error("unreadable-file", format!("`{path}` {fault}"), label).with_help(help)
}
