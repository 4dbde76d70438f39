//! Waits until a run that somebody else carries out has come to its end, or one task has.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        standing::Standing,
        view::wait::{Waited, WaitedTask},
    },
    domain::{
        format::{layout, task_file::Reading},
        model::time::render_duration,
        scheduler::{Verdict, phase::TaskState},
    },
    io::store::{StoreError, lock},
};

/// Time between two looks at who is at work.
const PAUSE: Duration = Duration::from_millis(200);

/// A look at all files is paid for with this many times its own length of rest.
const REST_PER_LOOK: u32 = 10;

/// Longest time between two looks at all files.
const REST_MAX: Duration = Duration::from_secs(5);

/// Looks in a row that must find the same: the coordinator may be between two steps.
const LOOKS_ALIKE: u32 = 2;

/// How long the plan may be away: whoever moves it may put it back.
const AWAY_MAX: Duration = Duration::from_secs(60);

/// Waits until no coordinator is at work or nothing can go on by itself; with a `task` until that
/// one is settled or cannot go on.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task, [`AppError::TimedOut`], [`AppError::Store`] where
/// the plan is gone.
pub fn wait(
    repository: &Repository,
    task: Option<&str>,
    timeout: Option<Duration>,
) -> Result<Waited, AppError> {
    let began = Instant::now();
    let mut n_alike = 0;
    if let Some(id) = task {
        Standing::read(repository.clone(), Reading::Head)?.find(id)?;
    }
    let (mut next_look, mut there_at) = (began, began);
    loop {
        let is_live = lock::holder(repository.store())?.is_some();
        let now = Instant::now();
        // Where the plan was taken away, and nobody knows whether for good, nothing has ended.
        let is_there = repository.store().has_folder(layout::TASKS_DIR).unwrap_or(false);
        if is_there {
            there_at = now;
        } else if now >= there_at + AWAY_MAX {
            let from = repository.root().to_owned();
            return Err(StoreError::NoStore { from }.into());
        }
        if is_there && (!is_live || now >= next_look) {
            let standing = Standing::read(repository.clone(), Reading::Head)?;
            n_alike = if is_over(&standing, task) { n_alike + 1 } else { 0 };
            if n_alike >= LOOKS_ALIKE || standing.snapshot.coordinator.is_none() {
                return Ok(waited(&standing, task, began.elapsed()));
            }
            let rest = (now.elapsed() * REST_PER_LOOK).clamp(PAUSE, REST_MAX);
            next_look = Instant::now() + if n_alike > 0 { PAUSE } else { rest };
        }
        if let Some(timeout) = timeout.filter(|timeout| began.elapsed() >= *timeout) {
            let what = task.map_or_else(|| "the run".to_owned(), |id| format!("task `{id}`"));
            let message = format!("{what} has not ended after {}", render_duration(timeout));
            return Err(AppError::TimedOut { message });
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
        thread::sleep(left.map_or(PAUSE, |left| left.min(PAUSE)));
    }
}

/// Says whether nothing will change by itself, as far as that is asked for.
fn is_over(standing: &Standing, task: Option<&str>) -> bool {
    match task {
        Some(id) => match standing.plan().find(id) {
            None => true,
            Some(task) => matches!(
                standing.state(task),
                TaskState::Done
                    | TaskState::Cancelled
                    | TaskState::Failed
                    | TaskState::Review
                    | TaskState::Blocked
            ),
        },
        None => {
            let has_gate = standing.snapshot.gates.iter().any(|gate| gate.ended.is_none());
            !has_gate && standing.scheduler.verdict() == Some(Verdict::Finished)
        }
    }
}

fn waited(standing: &Standing, task: Option<&str>, took: Duration) -> Waited {
    let count =
        |wanted: TaskState| standing.states.iter().filter(|state| **state == wanted).count();
    let n_tasks = standing.states.len() - count(TaskState::Cancelled);
    let n_stuck = count(TaskState::Failed) + count(TaskState::Review) + count(TaskState::Blocked);
    let is_held = |state: &&TaskState| matches!(state, TaskState::Draft | TaskState::Hold);
    let n_held = standing.states.iter().filter(is_held).count();
    let n_left = n_tasks - count(TaskState::Done) - n_stuck - n_held;
    let of_task = task.map(|id| WaitedTask {
        task: id.to_owned(),
        state: standing.plan().find(id).map_or("gone", |task| standing.state(task).as_str()),
    });
    let is_done = match &of_task {
        Some(task) => task.state == TaskState::Done.as_str(),
        None => n_stuck + n_left == 0,
    };
    Waited {
        verdict: if is_done { "done" } else { "finished" },
        exit_code: u8::from(!is_done),
        task: of_task,
        n_done: count(TaskState::Done),
        n_tasks,
        n_stuck,
        n_left,
        is_live: standing.snapshot.coordinator.is_some(),
        seconds: took.as_secs_f64(),
    }
}
