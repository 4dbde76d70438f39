//! Has a task tried again: attempts up to now no longer count.

use super::change::{Author, Standing, edited, set_status, write_event};
use crate::{
    app::{error::AppError, repository::Repository, view::write::Retried},
    domain::{
        format::layout,
        model::{outside::EventKind, task::AuthorStatus},
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// Sets the attempts of tasks aside, and their author's word where that keeps them back.
///
/// # Errors
/// [`AppError::Usage`] where one of them cannot be tried again; then nothing was changed.
pub fn retry(
    repository: &Repository,
    ids: &[String],
    author: Author<'_>,
    is_forced: bool,
) -> Result<Vec<Retried>, AppError> {
    let before = Standing::read(repository)?;
    let tasks = before.find_all(ids)?;
    for &task in &tasks {
        check(repository, &before, task, is_forced)?;
    }
    let mut done = Vec::new();
    for &task in &tasks {
        done.push(carry_out(repository, &before, task, author)?);
    }
    let after = Standing::read(repository)?;
    for (retried, task) in done.iter_mut().zip(tasks) {
        retried.state = after.state_of(&before.spec(task).id.value);
        retried.is_live = after.is_live();
    }
    Ok(done)
}

/// Says whether a task can be tried again.
fn check(
    repository: &Repository,
    before: &Standing,
    task: TaskIndex,
    is_forced: bool,
) -> Result<(), AppError> {
    let spec = before.spec(task);
    let id = &spec.id.value;
    if before.is_running(task) {
        let message = format!("task `{id}` is running");
        return Err(AppError::usage(message, format!("stop it first: `orch cancel {id}`")));
    }
    let last = before.last_attempt(id);
    let is_kept = spec.status.value != AuthorStatus::Todo;
    if before.is_done_by_record(id) && !is_forced {
        let message = format!("task `{id}` is done by attempt {last}");
        return Err(AppError::usage(message, "to have it done once more, add `--force`"));
    }
    if last == 0 && !is_kept {
        let state = before.state(task);
        let message = format!("task `{id}` was never tried: it is {}", state.as_str());
        let help = match state {
            TaskState::Ready => "`orch run` starts it".to_owned(),
            _ => format!("`orch explain {id}` says what it waits for"),
        };
        return Err(AppError::usage(message, help));
    }
    if is_kept { edited(repository, spec, AuthorStatus::Todo).map(drop) } else { Ok(()) }
}

fn carry_out(
    repository: &Repository,
    before: &Standing,
    task: TaskIndex,
    author: Author<'_>,
) -> Result<Retried, AppError> {
    let spec = before.spec(task);
    let id = spec.id.value.clone();
    let after = before.last_attempt(&id);
    // The event first: else a coordinator could take the old attempts for the new state.
    let event = match after {
        0 => None,
        after => {
            let path = layout::retry_path(&id, after);
            write_event(repository, &path, EventKind::Retry { task: id.clone(), after }, author)?;
            Some(path)
        }
    };
    let mut changed = None;
    if spec.status.value != AuthorStatus::Todo {
        set_status(repository, spec, AuthorStatus::Todo)?;
        changed = Some(spec.path.to_string());
    }
    Ok(Retried {
        task: id.to_string(),
        after,
        event,
        edited: changed,
        state: "",
        is_live: before.is_live(),
    })
}
