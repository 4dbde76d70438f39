//! Everything below `.orch` as it was last read. Reading it again reads only what has changed.

mod content;
mod room;
mod sides;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use content::{Events, Records, Reports, Roles, Settings, Tasks, Written};
use room::{Content, Room, Seen};

pub(super) use content::{Record, Usage};
pub(super) use sides::{Committed, Later};

use super::own_settings;
use crate::{
    domain::{
        format::{
            layout::{self, FileKind},
            milestone, run_record,
            task_file::Reading,
        },
        model::{
            attempt::{AttemptRecord, StatusReport},
            ceiling::Own,
            diagnostic::Diagnostic,
            id::{AttemptId, TaskId},
            milestone::MilestoneRecord,
            outside::OutsideFacts,
            task::TaskSpec,
        },
        plan::{self, Plan},
        scheduler::history::Recorded,
        settle::{Extent, Sign, Trust},
    },
    io::store::{Store, StoreError},
};

/// All files that the state of the plan is derived from.
#[derive(Debug, Clone)]
pub(super) struct Files {
    tasks: Room<Tasks>,
    roles: Room<Roles>,
    /// One file, or none.
    config: Room<Settings>,
    events: Room<Events>,
    runs: Room<Records>,
    reports: Room<Reports>,
    /// The user's own settings, where the plan is theirs to carry out.
    own: Own,
}

/// Which folders a look covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// What people write.
    Written,
    /// Records and status files as well: for those who only look.
    All,
}

/// What changes as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Roles and settings.
    Settings,
    /// Outside facts.
    Events,
    /// Records and status files.
    Records,
}

/// What a look found changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Task files.
    pub tasks: BTreeSet<String>,
    /// What else.
    pub rest: BTreeSet<Part>,
    /// Files that seem gone or broken, which is not believed yet, and how they look.
    pub doubtful: BTreeMap<String, Sign>,
}

impl Changes {
    /// Says whether nothing changed.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.rest.is_empty()
    }

    /// Adds what a later look found.
    pub(super) fn extend(&mut self, later: Self) {
        self.tasks.extend(later.tasks);
        self.rest.extend(later.rest);
        self.doubtful.extend(later.doubtful);
    }

    fn note_tasks(&mut self, seen: Seen) {
        self.doubtful.extend(seen.doubtful);
        self.tasks.extend(seen.changed);
    }

    fn note(&mut self, part: Part, seen: Seen) {
        self.doubtful.extend(seen.doubtful);
        if !seen.changed.is_empty() {
            self.rest.insert(part);
        }
    }
}

/// Files that give no plan as they are, each with the id that it would probably have.
pub(super) type Unreadable = Vec<(String, Option<TaskId>)>;

impl Files {
    /// Reads everything.
    ///
    /// # Errors
    /// [`StoreError`] where a folder cannot be listed.
    pub(super) fn read(store: &Store, reading: Reading) -> Result<Self, StoreError> {
        Ok(Self {
            tasks: Room::read(store, layout::TASKS_DIR, ".md", reading)?,
            roles: Room::read(store, layout::ROLES_DIR, ".md", reading)?,
            config: Room::of_one(store, layout::CONFIG_PATH, reading)?,
            events: Room::read(store, layout::EVENTS_DIR, ".yaml", reading)?,
            runs: Room::read(store, layout::RUNS_DIR, ".yaml", reading)?,
            reports: Room::read(store, layout::STATUS_DIR, ".md", reading)?,
            // Whoever carries something out refuses where they have errors.
            own: own_settings::read().unwrap_or_default(),
        })
    }

    /// Reads again what may have changed.
    ///
    /// # Errors
    /// [`StoreError`] where a folder cannot be listed.
    pub(super) fn look(
        &mut self,
        store: &Store,
        extent: &Extent,
        trust: Trust,
        scope: Scope,
    ) -> Result<Changes, StoreError> {
        match extent {
            // A folder, perhaps: what lies in it may not have been told.
            Extent::Paths(paths)
                if paths.iter().any(|path| layout::classify(path) == FileKind::Ignored) =>
            {
                self.look_at_all(store, trust, scope)
            }
            Extent::Paths(paths) => Ok(self.look_at(store, paths, trust, scope)),
            Extent::Everything => self.look_at_all(store, trust, scope),
        }
    }

    fn look_at_all(
        &mut self,
        store: &Store,
        trust: Trust,
        scope: Scope,
    ) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        changes.note_tasks(self.tasks.look_at_all(store, trust)?);
        changes.note(Part::Settings, self.roles.look_at_all(store, trust)?);
        let config = [layout::CONFIG_PATH.to_owned()];
        changes.note(Part::Settings, self.config.look_at(store, config, trust));
        changes.note(Part::Events, self.events.look_at_all(store, trust)?);
        if scope == Scope::All {
            changes.note(Part::Records, self.runs.look_at_all(store, trust)?);
            changes.note(Part::Records, self.reports.look_at_all(store, trust)?);
        }
        Ok(changes)
    }

    fn look_at(&mut self, store: &Store, paths: &[String], trust: Trust, scope: Scope) -> Changes {
        let mut changes = Changes::default();
        for path in paths {
            let one = [path.clone()];
            match layout::classify(path) {
                FileKind::Task => changes.note_tasks(self.tasks.look_at(store, one, trust)),
                FileKind::Role(_) => {
                    changes.note(Part::Settings, self.roles.look_at(store, one, trust));
                }
                FileKind::Config => {
                    changes.note(Part::Settings, self.config.look_at(store, one, trust));
                }
                FileKind::Event => {
                    changes.note(Part::Events, self.events.look_at(store, one, trust));
                }
                FileKind::Run(_) | FileKind::GateRun { .. } | FileKind::Milestone
                    if scope == Scope::All =>
                {
                    changes.note(Part::Records, self.runs.look_at(store, one, trust));
                }
                FileKind::Status(_) if scope == Scope::All => {
                    changes.note(Part::Records, self.reports.look_at(store, one, trust));
                }
                FileKind::Run(_)
                | FileKind::GateRun { .. }
                | FileKind::Milestone
                | FileKind::Status(_)
                | FileKind::Template
                | FileKind::Ignored => {}
            }
        }
        changes
    }

    /// Reads a status file again; says whether other faults are in it than before.
    pub(super) fn look_at_report(&mut self, store: &Store, path: &str) -> bool {
        let faults = |files: &Self| {
            files.reports.get(path).map(|file| file.diagnostics.clone()).unwrap_or_default()
        };
        let before = faults(self);
        self.reports.look_at(store, [path.to_owned()], Trust::All);
        faults(self) != before
    }

    /// Returns the task in the file `path` that is to be used.
    pub(super) fn task(&self, path: &str) -> Option<&Arc<TaskSpec>> {
        self.tasks.get(path).and_then(Written::usable)
    }

    /// Returns the files of tasks that count as they were, because they are broken now.
    pub(super) fn kept_files(&self) -> impl Iterator<Item = &str> {
        let is_kept = |file: &Tasks| file.is_broken() && file.usable().is_some();
        self.tasks.iter().filter(move |(_, file)| is_kept(file)).map(|(path, _)| path)
    }

    /// Builds the plan of all files.
    pub(super) fn plan(&self, usage: Usage) -> Plan {
        let tasks = self.tasks.iter().filter_map(|(_, file)| file.get(usage)).cloned();
        let roles = self.roles.iter().filter_map(|(_, file)| file.get(usage)).cloned();
        let config = self.config.iter().find_map(|(_, file)| file.get(usage)).cloned();
        let (config, _) = self.own.ceiling.lowered(config.unwrap_or_default());
        plan::build(tasks.collect(), roles, config)
    }

    /// Tells what `plan` says that is wider than its user allows.
    pub(super) fn wider(&self, plan: &Plan) -> Vec<Diagnostic> {
        own_settings::notes(&self.own, plan, layout::CONFIG_PATH)
    }

    /// Returns the outside facts.
    pub(super) fn outside(&self) -> OutsideFacts {
        let events = self.events.iter().filter_map(|(_, file)| file.value.as_ref());
        OutsideFacts::gather(events.cloned())
    }

    /// Returns the record of an attempt.
    pub(super) fn attempt(&self, attempt: &AttemptId) -> Option<&AttemptRecord> {
        match self.runs.get(&layout::run_path(attempt))?.value.as_ref()? {
            Record::Attempt(record) => Some(record),
            Record::Gate(_) | Record::Milestone(_) => None,
        }
    }

    /// Returns the records of all attempts.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &AttemptRecord> {
        self.records().filter_map(|record| match record {
            Record::Attempt(record) => Some(&**record),
            Record::Gate(_) | Record::Milestone(_) => None,
        })
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.runs.iter().filter_map(|(_, file)| file.value.as_ref())
    }

    /// Returns the text of every record, with its path.
    pub(super) fn rendered_records(&self) -> impl Iterator<Item = (String, String)> {
        let values = self.runs.iter().filter_map(|(path, file)| Some((path, file.value.as_ref()?)));
        values.map(|(path, record)| {
            let text = match record {
                Record::Attempt(record) => run_record::render(record),
                Record::Gate(record) => run_record::render_gate(record),
                Record::Milestone(record) => milestone::render(record),
            };
            (path.to_owned(), text)
        })
    }

    /// Returns the milestones that were reached.
    pub(super) fn milestones(&self) -> impl Iterator<Item = &MilestoneRecord> {
        self.records().filter_map(|record| match record {
            Record::Milestone(record) => Some(record),
            Record::Attempt(_) | Record::Gate(_) => None,
        })
    }

    /// Returns what records and events say, for a scheduler that starts from them.
    pub(super) fn recorded(&self) -> Recorded {
        let gates = self.records().filter_map(|record| match record {
            Record::Gate(record) => Some(record.clone()),
            Record::Attempt(_) | Record::Milestone(_) => None,
        });
        let recorded = Recorded { outside: self.outside(), ..Recorded::default() };
        recorded.with_attempts(self.attempts().cloned()).with_gates(gates)
    }

    /// Returns all reports of workers; of what cannot be read now, the last that could.
    pub(super) fn reports(&self) -> impl Iterator<Item = &StatusReport> {
        self.reports.iter().filter_map(|(_, file)| file.value.as_ref().or(file.last_good.as_ref()))
    }

    /// Returns the attempts whose status files cannot be read, with the path of each and why.
    pub(super) fn unreadable_reports(&self) -> impl Iterator<Item = (AttemptId, &str, &str)> {
        self.reports.iter().filter(|(_, file)| file.value.is_none()).filter_map(|(path, file)| {
            let FileKind::Status(attempt) = layout::classify(path) else { return None };
            Some((attempt, path, file.diagnostics.first()?.message.as_str()))
        })
    }

    /// Gives away all records and reports.
    pub(super) fn into_records(
        self,
    ) -> (impl Iterator<Item = Record>, impl Iterator<Item = StatusReport>) {
        let records = self.runs.into_contents().filter_map(|file| file.value);
        let reports = self.reports.into_contents().filter_map(|file| file.value);
        (records, reports)
    }

    /// Returns the files of which nothing is in the plan.
    pub(super) fn unreadable(&self, usage: Usage) -> Unreadable {
        let lacks = |file: &Tasks| file.is_broken() && file.get(usage).is_none();
        let tasks = self.tasks.iter().filter(|(_, file)| lacks(file));
        let tasks =
            tasks.map(|(path, _)| (path.to_owned(), TaskId::parse(layout::stem(path)).ok()));
        let roles = self.roles.iter().filter(|(_, file)| file.value.is_none());
        tasks.chain(roles.map(|(path, _)| (path.to_owned(), None))).collect()
    }

    /// Says whether the plan is made of a file as it is now, so far as it is a part of it.
    pub(super) fn is_read(&self, store: &Store, path: &str) -> bool {
        match layout::classify(path) {
            FileKind::Task => is_whole(&self.tasks, store, path),
            FileKind::Role(_) => is_whole(&self.roles, store, path),
            FileKind::Config => is_whole(&self.config, store, path),
            _ => true,
        }
    }

    /// Returns what is wrong with single files, in no order.
    pub(super) fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let tasks = self.tasks.iter().flat_map(|(_, file)| &file.diagnostics);
        let roles = self.roles.iter().flat_map(|(_, file)| &file.diagnostics);
        let config = self.config.iter().flat_map(|(_, file)| &file.diagnostics);
        let events = self.events.iter().flat_map(|(_, file)| &file.diagnostics);
        let runs = self.runs.iter().flat_map(|(_, file)| &file.diagnostics);
        let reports = self.reports.iter().flat_map(|(_, file)| &file.diagnostics);
        tasks.chain(roles).chain(config).chain(events).chain(runs).chain(reports)
    }
}

/// Says whether a file is as it was read, and without errors.
fn is_whole<T: Clone>(room: &Room<Written<T>>, store: &Store, path: &str) -> bool
where
    Written<T>: Content,
{
    room.is_current(store, path) && room.get(path).is_none_or(|file| !file.is_broken())
}
