//! Keeps tasks from being started, and lets them start again, by the word in their files.

use super::change::{Standing, edited, set_status};
use crate::{
    app::{error::AppError, repository::Repository, view::write::Held},
    domain::{
        model::task::{AuthorStatus, TaskSpec},
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// Sets `status: hold` in the files of tasks. What runs goes on.
///
/// # Errors
/// [`AppError::Usage`] where one of them is done, cancelled or a draft; then nothing was changed.
pub fn hold(repository: &Repository, ids: &[String]) -> Result<Vec<Held>, AppError> {
    change(repository, ids, AuthorStatus::Hold)
}

/// Sets `status: todo` in the files of tasks that are on hold.
///
/// # Errors
/// [`AppError::Usage`] where one of them is done, cancelled or a draft; then nothing was changed.
pub fn release(repository: &Repository, ids: &[String]) -> Result<Vec<Held>, AppError> {
    change(repository, ids, AuthorStatus::Todo)
}

fn change(
    repository: &Repository,
    ids: &[String],
    wanted: AuthorStatus,
) -> Result<Vec<Held>, AppError> {
    let before = Standing::read(repository)?;
    let tasks = before.find_all(ids)?;
    for &task in &tasks {
        let spec = before.spec(task);
        check(spec, before.state(task), wanted)?;
        if spec.status.value != wanted {
            edited(repository, spec, wanted)?;
        }
    }
    let mut changed = Vec::new();
    for &task in &tasks {
        let spec = before.spec(task);
        let is_new = spec.status.value != wanted;
        if is_new {
            set_status(repository, spec, wanted)?;
        }
        changed.push((task, is_new.then(|| spec.path.to_string())));
    }
    let after = Standing::read(repository)?;
    let told = |(task, edited): (TaskIndex, Option<String>)| {
        let id = &before.spec(task).id.value;
        let now = after.snapshot.plan.find(id.as_str());
        Held {
            task: id.to_string(),
            edited,
            is_running: now.is_some_and(|task| after.is_running(task)),
            state: after.state_of(id),
            is_live: after.is_live(),
        }
    };
    Ok(changed.into_iter().map(told).collect())
}

/// Says whether the word of a task's author may be changed to `wanted`.
fn check(spec: &TaskSpec, state: TaskState, wanted: AuthorStatus) -> Result<(), AppError> {
    let id = &spec.id.value;
    let refusal =
        |what: &str, help: String| Err(AppError::usage(format!("task `{id}` is {what}"), help));
    match (spec.status.value, state) {
        // Whatever became of it since: the word is taken back.
        (AuthorStatus::Hold, _) if wanted == AuthorStatus::Todo => Ok(()),
        (AuthorStatus::Done, _) | (_, TaskState::Done) => {
            refusal("done", format!("to have it done once more: `orch retry {id} --force`"))
        }
        (AuthorStatus::Cancelled, _) | (_, TaskState::Cancelled) => {
            refusal("cancelled", format!("to have it done after all: `orch retry {id}`"))
        }
        (AuthorStatus::Draft, _) => refusal(
            "a draft, which keeps it from starting",
            format!("when it is ready, write `status: todo` in {}", spec.path),
        ),
        (AuthorStatus::Todo | AuthorStatus::Hold, _) => Ok(()),
    }
}
