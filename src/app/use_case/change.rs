//! What the commands share that change a task: finding it, editing its file, writing an event.

use crate::{
    app::{
        error::AppError,
        repository::{Repository, find_task},
        snapshot::Snapshot,
    },
    domain::{
        format::{edit, event_file, task_file::Reading},
        model::{
            attempt::Outcome,
            id::TaskId,
            outside::{EventKind, OutsideEvent},
            task::{AuthorStatus, TaskSpec},
        },
        plan::TaskIndex,
        scheduler::{Scheduler, phase::TaskState},
    },
    io::{clock::Clock, git, store::read::ReadFault},
};

/// Who asks for a change, and why.
#[derive(Debug, Clone, Copy, Default)]
pub struct Author<'a> {
    /// The login name, for where git knows no name.
    pub login: Option<&'a str>,
    /// A few words.
    pub note: Option<&'a str>,
}

/// The plan and where each task stands.
pub(super) struct Standing {
    pub(super) snapshot: Snapshot,
    pub(super) scheduler: Scheduler,
    states: Vec<TaskState>,
}

impl Standing {
    /// Reads the plan as it is now.
    pub(super) fn read(repository: &Repository) -> Result<Self, AppError> {
        let snapshot = repository.read(Reading::Head)?;
        let scheduler = snapshot.scheduler(Clock::new().now());
        let states = scheduler.states();
        Ok(Self { snapshot, scheduler, states })
    }

    /// Returns where each task will stand once nothing runs any more.
    pub(super) fn at_rest(mut self) -> Self {
        self.snapshot.coordinator = None;
        self.snapshot.running.clear();
        self.scheduler = self.snapshot.scheduler(Clock::new().now());
        self.states = self.scheduler.states();
        self
    }

    /// Finds the tasks that a user named, each once.
    pub(super) fn find_all(&self, ids: &[String]) -> Result<Vec<TaskIndex>, AppError> {
        let mut found = Vec::new();
        for id in ids {
            let task = find_task(&self.snapshot, id)?;
            if !found.contains(&task) {
                found.push(task);
            }
        }
        Ok(found)
    }

    pub(super) fn spec(&self, task: TaskIndex) -> &TaskSpec {
        self.snapshot.plan.spec(task)
    }

    pub(super) fn state(&self, task: TaskIndex) -> TaskState {
        self.states.get(task.position()).copied().unwrap_or(TaskState::Waiting)
    }

    /// Returns the state of the task with this id; it may have left the plan.
    pub(super) fn state_of(&self, id: &TaskId) -> &'static str {
        let task = self.snapshot.plan.find(id.as_str());
        task.map_or("gone", |task| self.state(task).as_str())
    }

    /// Returns the last attempt of a task; 0 where there was none.
    pub(super) fn last_attempt(&self, id: &TaskId) -> u32 {
        self.scheduler.history(id).map_or(0, |history| history.last)
    }

    /// Says whether the last attempt of a task settled it well, whatever its author says.
    pub(super) fn is_done_by_record(&self, id: &TaskId) -> bool {
        let outside = &self.snapshot.outside;
        let Some(history) = self.scheduler.history(id) else { return false };
        match history.outcome(outside.retried_after(id, history.last)) {
            Some(Outcome::Succeeded) => true,
            Some(Outcome::Review) => outside.accepted(id) == history.last,
            Some(
                Outcome::Failed
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
            | None => false,
        }
    }

    /// Says whether the last attempt of a task held, and waits for a person to approve it.
    pub(super) fn is_held_for_review(&self, id: &TaskId) -> bool {
        let after = self.snapshot.outside.retried_after(id, self.last_attempt(id));
        let history = self.scheduler.history(id);
        history.and_then(|history| history.outcome(after)) == Some(Outcome::Review)
    }

    /// Says whether a worker is at work on a task.
    pub(super) fn is_running(&self, task: TaskIndex) -> bool {
        matches!(self.state(task), TaskState::Running | TaskState::Verifying | TaskState::Landing)
    }

    /// Says whether a coordinator is at work.
    pub(super) fn is_live(&self) -> bool {
        self.snapshot.coordinator.is_some()
    }
}

/// Sets `status` in the file of a task and changes nothing else in it.
pub(super) fn set_status(
    repository: &Repository,
    spec: &TaskSpec,
    status: AuthorStatus,
) -> Result<(), AppError> {
    let edited = edited(repository, spec, status)?;
    repository.store().replace(&spec.path, edited.as_bytes())?;
    Ok(())
}

/// Returns the file of a task with another `status`.
pub(super) fn edited(
    repository: &Repository,
    spec: &TaskSpec,
    status: AuthorStatus,
) -> Result<String, AppError> {
    let failed = |reason: String| AppError::Edit { path: spec.path.to_string(), reason };
    let by_hand = |fault: &dyn std::fmt::Display| {
        failed(format!("{fault}; write `status: {}` by hand", status.as_str()))
    };
    let bytes = repository.store().read_file(&spec.path).map_err(|fault: ReadFault| {
        let path = &spec.path;
        failed(format!("`{path}` {fault}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| by_hand(&"the file is not UTF-8"))?;
    edit::set_key(&text, "status", status.as_str()).map_err(|fault| by_hand(&fault))
}

/// Writes an event file, in the place of what an earlier word on the same matter left.
pub(super) fn write_event(
    repository: &Repository,
    path: &str,
    kind: EventKind,
    author: Author<'_>,
) -> Result<(), AppError> {
    let store = repository.store();
    let event = OutsideEvent {
        kind,
        by: git::user_name(repository.root()).or(author.login.map(str::to_owned)),
        at: Some(Clock::new().now().wall),
        note: author.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty()),
    };
    store.replace(path, event_file::render(&event).as_bytes())?;
    store.sync_all(&[path])?;
    Ok(())
}
