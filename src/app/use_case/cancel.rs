//! Drops tasks from the plan without removing them from it, and stops what is left of removed ones.

use super::change::{Author, Standing, edited, set_status, write_event};
use crate::{
    app::{
        error::AppError,
        repository::{Repository, find_task},
        view::write::{Cancelled, CancelledTask},
    },
    domain::{
        format::layout,
        model::{
            id::{AttemptId, TaskId},
            outside::EventKind,
            task::AuthorStatus,
        },
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// What is to be cancelled.
#[derive(PartialEq)]
enum Subject {
    /// A task, in its file.
    Task(TaskIndex),
    /// What runs for a task whose file is gone.
    Attempt(AttemptId),
}

/// Sets `status: cancelled` in the files of tasks. Where a file is gone and its attempt still
/// runs, an event says that it is to be stopped.
///
/// # Errors
/// [`AppError::Usage`] where one of them is done; then nothing was changed.
pub fn cancel(
    repository: &Repository,
    ids: &[String],
    author: Author<'_>,
) -> Result<Cancelled, AppError> {
    let before = Standing::read(repository)?;
    let mut subjects = Vec::new();
    for id in ids {
        let subject = match removed(&before, id) {
            Some(attempt) => Subject::Attempt(attempt),
            None => Subject::Task(find_task(&before.snapshot, id)?),
        };
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    for subject in &subjects {
        if let Subject::Task(task) = subject {
            check(repository, &before, *task)?;
        }
    }
    let mut done = Vec::new();
    for subject in subjects {
        done.push(match subject {
            Subject::Task(task) => cancel_task(repository, &before, task)?,
            Subject::Attempt(attempt) => cancel_attempt(repository, &before, attempt, author)?,
        });
    }
    let after = Standing::read(repository)?.at_rest();
    Ok(Cancelled { tasks: done, blocked: newly_blocked(&before, &after) })
}

/// Returns the attempt that runs for a task whose file is gone.
fn removed(before: &Standing, id: &str) -> Option<AttemptId> {
    if !before.is_live() || before.snapshot.plan.find(id).is_some() {
        return None;
    }
    let id = TaskId::parse(id).ok()?;
    before.scheduler.history(&id)?.unsettled(&id)
}

/// Says whether a task can be cancelled.
fn check(repository: &Repository, before: &Standing, task: TaskIndex) -> Result<(), AppError> {
    let spec = before.spec(task);
    if before.state(task) == TaskState::Done {
        let message = format!("task `{}` is done", spec.id.value);
        return Err(AppError::usage(message, "there is nothing left to cancel"));
    }
    if spec.status.value != AuthorStatus::Cancelled {
        edited(repository, spec, AuthorStatus::Cancelled)?;
    }
    Ok(())
}

fn cancel_task(
    repository: &Repository,
    before: &Standing,
    task: TaskIndex,
) -> Result<CancelledTask, AppError> {
    let spec = before.spec(task);
    let is_new = spec.status.value != AuthorStatus::Cancelled;
    if is_new {
        set_status(repository, spec, AuthorStatus::Cancelled)?;
    }
    Ok(CancelledTask {
        task: spec.id.value.to_string(),
        edited: is_new.then(|| spec.path.to_string()),
        is_running: before.is_running(task),
        attempt: None,
        event: None,
    })
}

fn cancel_attempt(
    repository: &Repository,
    before: &Standing,
    attempt: AttemptId,
    author: Author<'_>,
) -> Result<CancelledTask, AppError> {
    let path = layout::cancel_path(&attempt);
    let (task, number) = (attempt.task.to_string(), attempt.number);
    let is_new = !before.snapshot.outside.is_cancelled(&attempt);
    if is_new {
        write_event(repository, &path, EventKind::Cancel(attempt), author)?;
    }
    Ok(CancelledTask {
        task,
        edited: None,
        is_running: true,
        attempt: Some(number),
        event: is_new.then_some(path),
    })
}

fn newly_blocked(before: &Standing, after: &Standing) -> Vec<String> {
    let (old, new) = (&before.snapshot.plan, &after.snapshot.plan);
    let was_blocked =
        |id: &str| old.find(id).is_some_and(|task| before.state(task) == TaskState::Blocked);
    let blocked = new.indices().filter(|task| after.state(*task) == TaskState::Blocked);
    let ids = blocked.map(|task| new.id(task).to_string());
    ids.filter(|id| !was_blocked(id)).collect()
}
