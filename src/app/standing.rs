//! Where every task stands, by what is on disk: what all reading commands start from.

use super::{
    error::AppError,
    repository::{self, Repository},
    snapshot::Snapshot,
};
use crate::{
    domain::{
        format::task_file::Reading,
        model::{
            diagnostic::{self, Severity},
            time::Now,
        },
        plan::{Plan, TaskIndex},
        scheduler::{Scheduler, phase::TaskState},
    },
    io::clock::Clock,
};

/// A repository at one moment, and what follows from it for every task.
#[derive(Debug)]
pub struct Standing {
    /// Where it was read from.
    pub repository: Repository,
    /// What was on disk.
    pub snapshot: Snapshot,
    /// Stands where the files say.
    pub scheduler: Scheduler,
    /// The state of every task, by index.
    pub states: Vec<TaskState>,
    /// The moment.
    pub now: Now,
}

impl Standing {
    /// Reads everything below `.orch` and derives the state of every task.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub fn read(repository: Repository, reading: Reading) -> Result<Self, AppError> {
        let snapshot = repository.read(reading)?;
        let now = Clock::new().now();
        let scheduler = snapshot.scheduler(now);
        let mut states = scheduler.states();
        for attempt in snapshot.landings.keys() {
            let task = snapshot.plan.find(attempt.task.as_str());
            let state = task.and_then(|task| states.get_mut(task.position()));
            state.into_iter().for_each(|state| *state = TaskState::Landing);
        }
        Ok(Self { repository, snapshot, scheduler, states, now })
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.snapshot.plan
    }

    /// Returns the state of a task.
    pub fn state(&self, task: TaskIndex) -> TaskState {
        self.states.get(task.position()).copied().unwrap_or(TaskState::Waiting)
    }

    /// Finds the task that a user named.
    ///
    /// # Errors
    /// [`AppError::Usage`] with the nearest id.
    pub fn find(&self, id: &str) -> Result<TaskIndex, AppError> {
        repository::find_task(&self.snapshot, id)
    }

    /// Returns the number of errors in the files of the plan.
    pub fn n_errors(&self) -> usize {
        diagnostic::count(&self.snapshot.diagnostics, Severity::Error)
    }
}
