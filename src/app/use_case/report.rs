//! A worker's report on its own attempt, written into its status file.

use std::path::Path;

use crate::{
    app::{
        error::AppError,
        repository::{Repository, find_task},
        view::write::Reported,
    },
    domain::{
        format::{
            layout::{self, FileKind},
            run_record,
            status_edit::{self, StatusChange},
            task_file::Reading,
        },
        model::{
            attempt::{AttemptRecord, StatusReport},
            id::AttemptId,
            secret::mask,
        },
    },
    io::{
        clock::Clock,
        store::{Store, read::ReadFault},
    },
};

/// What a worker finds in its environment.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ORCH_STATUS_FILE`.
    pub status_file: Option<String>,
    /// `ORCH_TASK_ID`.
    pub task: Option<String>,
    /// `ORCH_ATTEMPT`.
    pub attempt: Option<String>,
    /// Values of the variables that `ORCH_SECRETS` names.
    pub secrets: Vec<String>,
}

/// The attempt that is reported on.
#[derive(Debug, Clone)]
pub struct Target {
    store: Store,
    attempt: AttemptId,
}

impl Target {
    /// Finds the attempt whose worker this process belongs to.
    ///
    /// # Errors
    /// [`AppError::Usage`] outside of a worker, and where the attempt is over.
    pub fn from_surroundings(surroundings: &Surroundings) -> Result<Self, AppError> {
        let Some(file) = surroundings.status_file.as_deref().filter(|file| !file.is_empty()) else {
            return Err(AppError::usage(
                "this is not the worker of an attempt: `ORCH_STATUS_FILE` is not set",
                "call it from a worker that `orch run` started, or name the attempt: `--task ID --attempt N`",
            ));
        };
        let odd = |why: &str| {
            let message = format!("`ORCH_STATUS_FILE` is `{file}`, {why}");
            AppError::usage(message, "leave the variables `ORCH_…` as the worker was given them")
        };
        let in_status = || {
            let path = Path::new(file);
            let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
            let root =
                folder.ancestors().nth(2).filter(|_| folder.ends_with(layout::STATUS_DIR))?;
            match layout::classify(&format!("{}/{name}", layout::STATUS_DIR)) {
                FileKind::Status(attempt) if path.is_absolute() => Some((root, attempt)),
                _ => None,
            }
        };
        let (root, attempt) =
            in_status().ok_or_else(|| odd("which is not the path of a status file"))?;
        let is_same =
            |named: &Option<String>, own: &str| named.as_deref().is_none_or(|named| named == own);
        if !is_same(&surroundings.task, attempt.task.as_str())
            || !is_same(&surroundings.attempt, &attempt.number.to_string())
        {
            return Err(odd("but `ORCH_TASK_ID` and `ORCH_ATTEMPT` name another attempt"));
        }
        let store = Store::at(root);
        let path = layout::run_path(&attempt);
        let record = store.read_file(&path).ok();
        let record = record.and_then(|bytes| run_record::parse(&path, &bytes).0);
        require_open(&attempt, record.as_ref())?;
        Ok(Self { store, attempt })
    }

    /// Finds an attempt that a user named; without a `number`, the last one of the task.
    ///
    /// # Errors
    /// [`AppError::Usage`] where there is no such attempt, or it is over.
    pub fn named(repository: &Repository, id: &str, number: Option<u32>) -> Result<Self, AppError> {
        let snapshot = repository.read(Reading::Head)?;
        let task = find_task(&snapshot, id)?;
        let id = snapshot.plan.id(task);
        let last = snapshot.attempts_of(id).next_back();
        let Some(last) = last else {
            let message = format!("no attempt of task `{id}` was started yet");
            return Err(AppError::usage(message, format!("`orch explain {id}` says why")));
        };
        let number = number.unwrap_or(last.attempt.number);
        let attempt = AttemptId::new(id.clone(), number);
        let Some(record) = snapshot.attempts.get(&attempt) else {
            let message = format!("there is no attempt {number} of task `{id}`");
            let help = format!("its last one has number {}", last.attempt.number);
            return Err(AppError::usage(message, help));
        };
        require_open(&attempt, Some(record))?;
        Ok(Self { store: repository.store().clone(), attempt })
    }
}

/// Refuses an attempt that is over: a report that comes later has no say.
fn require_open(attempt: &AttemptId, record: Option<&AttemptRecord>) -> Result<(), AppError> {
    let Some(ending) = record.and_then(|record| record.ending.as_ref()) else { return Ok(()) };
    let AttemptId { task, number } = attempt;
    let message = format!("attempt {number} of task `{task}` is over: {}", ending.outcome.as_str());
    let help = format!("what is said of it now has no say; `orch show {task}` tells how it stands");
    Err(AppError::usage(message, help))
}

/// Writes what a worker has to say into the status file of its attempt. Secrets are masked.
///
/// # Errors
/// [`AppError::Usage`] where the file would be too large, [`AppError::Store`].
pub fn report(
    target: &Target,
    what: StatusChange,
    secrets: &[String],
) -> Result<Reported, AppError> {
    let Target { store, attempt } = target;
    let path = layout::status_path(attempt);
    let masked = |text: Option<String>| text.map(|text| mask(&text, secrets));
    let what = StatusChange { message: masked(what.message), note: masked(what.note), ..what };
    let guard = store.guard(layout::STATUS_DIR)?;
    let (old, is_readable) = match store.read_file(&path) {
        Ok(bytes) => (Some(bytes), true),
        Err(ReadFault::Missing) => (None, true),
        Err(_) => (None, false),
    };
    let now = Clock::new().now().wall;
    let changed = status_edit::change(&path, attempt, old.as_deref(), &what, now)
        .map_err(|fault| AppError::usage(fault.to_string(), "say it in fewer words"))?;
    let set_aside = if changed.is_anew || !is_readable { store.set_aside(&path)? } else { None };
    store.replace(&path, changed.text.as_bytes())?;
    drop(guard);
    Ok(view(changed.report, path, set_aside))
}

fn view(report: StatusReport, path: String, set_aside: Option<String>) -> Reported {
    let usage = report.usage;
    Reported {
        task: report.attempt.task.to_string(),
        attempt: report.attempt.number,
        path,
        state: report.state.as_str(),
        progress: report.progress,
        message: report.message,
        waiting_for: report.waiting_for.map(|gate| gate.0),
        category: report.category,
        updated: report.updated.map(|updated| updated.to_string()).unwrap_or_default(),
        tokens: usage.tokens(),
        cost_usd: usage.cost_usd,
        set_aside,
    }
}
