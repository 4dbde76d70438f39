//! Drops tasks from the plan without removing them from it.

use super::change::{Standing, edited, set_status};
use crate::{
    app::{
        error::AppError,
        repository::Repository,
        view::write::{Cancelled, CancelledTask},
    },
    domain::{model::task::AuthorStatus, scheduler::phase::TaskState},
};

/// Sets `status: cancelled` in the files of tasks.
///
/// # Errors
/// [`AppError::Usage`] where one of them is done; then nothing was changed.
pub fn cancel(repository: &Repository, ids: &[String]) -> Result<Cancelled, AppError> {
    let before = Standing::read(repository)?;
    let tasks = before.find_all(ids)?;
    for &task in &tasks {
        let spec = before.spec(task);
        if before.state(task) == TaskState::Done {
            let message = format!("task `{}` is done", spec.id.value);
            return Err(AppError::usage(message, "there is nothing left to cancel"));
        }
        if spec.status.value != AuthorStatus::Cancelled {
            edited(repository, spec, AuthorStatus::Cancelled)?;
        }
    }
    let mut done = Vec::new();
    for &task in &tasks {
        let spec = before.spec(task);
        let is_new = spec.status.value != AuthorStatus::Cancelled;
        if is_new {
            set_status(repository, spec, AuthorStatus::Cancelled)?;
        }
        done.push(CancelledTask {
            task: spec.id.value.to_string(),
            edited: is_new.then(|| spec.path.to_string()),
            is_running: before.is_running(task),
        });
    }
    let after = Standing::read(repository)?.at_rest();
    Ok(Cancelled { tasks: done, blocked: newly_blocked(&before, &after) })
}

fn newly_blocked(before: &Standing, after: &Standing) -> Vec<String> {
    let (old, new) = (&before.snapshot.plan, &after.snapshot.plan);
    let was_blocked =
        |id: &str| old.find(id).is_some_and(|task| before.state(task) == TaskState::Blocked);
    let blocked = new.indices().filter(|task| after.state(*task) == TaskState::Blocked);
    let ids = blocked.map(|task| new.id(task).to_string());
    ids.filter(|id| !was_blocked(id)).collect()
}
