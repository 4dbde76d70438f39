//! The history of a plan, or of one task, as commits tell it.

use std::path::Path;

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        standing::Standing,
        view::{
            attempt::NamedAttempt,
            log::{EditKind, EntryKind, LogEntry, LogView, LoggedAttempt, LoggedEdit, LoggedEvent},
        },
    },
    domain::{
        format::{
            event_file,
            layout::{self, FileKind},
            milestone, run_record,
            task_file::{self, Reading},
        },
        model::{
            id::{AttemptId, TaskId},
            outside::{EventKind, OutsideEvent},
            time::Timestamp,
        },
    },
    io::git::{ChangedFile, History, Revision},
};

/// Tells what the newest `most` commits say of the task `id`, or of the whole plan; all of them
/// where `most` is 0.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task, or no git; [`AppError::Store`] where there is
/// no plan; [`AppError::Git`].
pub fn log(from: &Path, id: Option<&str>, most: usize) -> Result<LogView, AppError> {
    let opened = Repository::open(from);
    let root = opened.as_ref().ok().map(Repository::root);
    let Some(mut history) = History::open(from, root)? else {
        opened?;
        let help = "`git init` makes one; what is committed there has a history";
        return Err(AppError::usage("the plan lies in no git repository", help));
    };
    let task = id.map(known_id).transpose()?;
    let wanted = task.as_ref();
    let mut view = LogView { task: id.map(str::to_owned), ..LogView::default() };
    while let Some(revision) = history.next(&|message| !landed(message).is_empty())? {
        let Some(entry) = entry(&history, &revision, wanted) else { continue };
        if most > 0 && view.entries.len() == most {
            view.has_more = true;
            break;
        }
        view.entries.push(entry);
    }
    if let Some(id) = wanted.filter(|_| view.entries.is_empty()) {
        require_known(opened, id)?;
    }
    Ok(view)
}

fn known_id(id: &str) -> Result<TaskId, AppError> {
    let help = "`orch list` shows all tasks";
    TaskId::parse(id).map_err(|_| AppError::usage(format!("no task has the id `{id}`"), help))
}

/// Refuses a task that neither a commit nor the plan knows.
fn require_known(opened: Result<Repository, AppError>, id: &TaskId) -> Result<(), AppError> {
    match opened {
        Ok(repository) => Standing::read(repository, Reading::Head)?.find(id.as_str()).map(drop),
        Err(_) => {
            let help = "`orch log` shows all that commits tell";
            Err(AppError::usage(format!("no commit is about a task `{id}`"), help))
        }
    }
}

/// Returns what a commit says; `None` where that is nothing that is wanted.
fn entry(history: &History, revision: &Revision, wanted: Option<&TaskId>) -> Option<LogEntry> {
    let is_wanted = |task: &TaskId| wanted.is_none_or(|wanted| wanted == task);
    let landings: Vec<AttemptId> =
        landed(&revision.message).into_iter().filter(|attempt| is_wanted(&attempt.task)).collect();
    let (mut attempts, mut events) = (Vec::new(), Vec::new());
    for file in &revision.files {
        match layout::classify(&file.path) {
            FileKind::Run(attempt) if is_wanted(&attempt.task) => {
                attempts.extend(logged_attempt(history, file, &attempt));
            }
            kind @ (FileKind::Event | FileKind::GateRun { .. } | FileKind::Milestone) => {
                events.extend(logged_event(history, file, &kind, wanted));
            }
            _ => {}
        }
    }
    let edits = logged_edits(history, &revision.files, wanted);
    if landings.is_empty() && attempts.is_empty() && events.is_empty() && edits.is_empty() {
        return None;
    }
    let kind = match (&landings[..], &edits[..]) {
        ([_, ..], _) => EntryKind::Landing,
        ([], []) => EntryKind::State,
        ([], _) => EntryKind::Edit,
    };
    Some(LogEntry {
        commit: revision.id.0.clone(),
        at: Timestamp(revision.seconds.saturating_mul(1000)).to_string(),
        author: revision.author.clone(),
        kind,
        subject: revision.message.lines().next().unwrap_or_default().to_owned(),
        landed: landings.iter().map(NamedAttempt::of).collect(),
        attempts,
        edits,
        events,
    })
}

/// Returns the attempts whose work landed with a commit, by the trailers of its message.
fn landed(message: &str) -> Vec<AttemptId> {
    let trailers = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let values = |key: &'static str| {
        let lines = trailers.lines();
        lines.filter_map(move |line| Some(line.strip_prefix(key)?.strip_prefix(": ")?.trim()))
    };
    let pairs = values("Orch-Task").zip(values("Orch-Attempt"));
    let attempts = pairs.filter_map(|(task, number)| {
        Some(AttemptId::new(TaskId::parse(task).ok()?, number.parse().ok()?))
    });
    attempts.collect()
}

fn logged_attempt(
    history: &History,
    file: &ChangedFile,
    attempt: &AttemptId,
) -> Option<LoggedAttempt> {
    let record = run_record::parse(&file.path, &history.read(file.new?)?).0?;
    let ending = record.ending;
    Some(LoggedAttempt {
        task: attempt.task.to_string(),
        attempt: attempt.number,
        outcome: ending.as_ref().map(|ending| ending.outcome.as_str()),
        reason: ending.map(|ending| ending.reason).filter(|reason| !reason.is_empty()),
    })
}

/// Returns the task files that a commit changed; a file that is gone here and new there was moved.
fn logged_edits(
    history: &History,
    files: &[ChangedFile],
    wanted: Option<&TaskId>,
) -> Vec<LoggedEdit> {
    let mut edits: Vec<LoggedEdit> = Vec::new();
    for file in files.iter().filter(|file| layout::classify(&file.path) == FileKind::Task) {
        let Some(task) = task_of(history, file, wanted) else { continue };
        let change = match (file.old, file.new) {
            (None, _) => EditKind::Added,
            (_, None) => EditKind::Removed,
            _ => EditKind::Changed,
        };
        let is_counterpart = |known: &&mut LoggedEdit| {
            let pair = [known.change, change];
            known.task == task
                && (pair == [EditKind::Added, EditKind::Removed]
                    || pair == [EditKind::Removed, EditKind::Added])
        };
        if let Some(known) = edits.iter_mut().find(is_counterpart) {
            known.change = EditKind::Moved;
            if change == EditKind::Added {
                known.path.clone_from(&file.path);
            }
        } else {
            edits.push(LoggedEdit { task, path: file.path.clone(), change });
        }
    }
    edits
}

/// Returns the id of the task in a file; `None` where it is not the one that is wanted.
fn task_of(history: &History, file: &ChangedFile, wanted: Option<&TaskId>) -> Option<String> {
    let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".md"))?;
    let bytes = history.read(file.new.or(file.old)?)?;
    if let Some(wanted) = wanted {
        // Most files need not be understood to know that they are about another task.
        let is_named = name == wanted.as_str();
        let text = wanted.as_str().as_bytes();
        if !is_named && !bytes.windows(text.len()).any(|window| window == text) {
            return None;
        }
    }
    let spec = task_file::parse(&file.path, &bytes, Reading::Head).spec;
    // One that cannot be read is known by its name.
    let id = spec.map_or_else(|| name.to_owned(), |spec| spec.id.value.to_string());
    Some(id).filter(|id| wanted.is_none_or(|wanted| wanted.as_str() == id))
}

fn logged_event(
    history: &History,
    file: &ChangedFile,
    kind: &FileKind,
    wanted: Option<&TaskId>,
) -> Option<LoggedEvent> {
    let bytes = history.read(file.new?)?;
    let of_plan = |what: String| LoggedEvent { task: None, what, by: None, note: None };
    let event = match kind {
        FileKind::Event => event_words(event_file::parse(&file.path, &bytes).0?),
        FileKind::GateRun { level, .. } => {
            let record = run_record::parse_gate(&file.path, &bytes).0?;
            let how = if record.is_passed { "passed" } else { "failed" };
            record.ended.map(|_| of_plan(format!("the gate after level {level} {how}")))?
        }
        FileKind::Milestone => {
            let record = milestone::parse(&file.path, &bytes).0?;
            of_plan(format!("the milestone `{}` is reached", record.name))
        }
        _ => return None,
    };
    let is_it = wanted.is_none_or(|wanted| event.task.as_deref() == Some(wanted.as_str()));
    Some(event).filter(|_| is_it)
}

fn event_words(event: OutsideEvent) -> LoggedEvent {
    let (task, what) = match event.kind {
        EventKind::Gate { gate, task, is_open } => {
            let how = if is_open { "is open" } else { "has failed" };
            (task, format!("the gate `{gate}` {how}"))
        }
        EventKind::Retry { task, after } => (Some(task), format!("a retry after attempt {after}")),
        EventKind::Accept { task, attempt } => {
            (Some(task), format!("attempt {attempt} is accepted"))
        }
        EventKind::Cancel(attempt) => {
            (Some(attempt.task), format!("attempt {} is to be stopped", attempt.number))
        }
    };
    LoggedEvent { task: task.map(|task| task.to_string()), what, by: event.by, note: event.note }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landings_are_known_by_their_trailers() {
        let table = [
            ("T: x\n\nOrch-Task: T\nOrch-Attempt: 2\n", "T.2"),
            ("T: x\n\nwhy\n\nSigned-off-by: A\nOrch-Attempt: 12\nOrch-Task: T.x\n", "T.x.12"),
            (
                "T and U\n\nT: x\nU: y\n\nOrch-Task: T\nOrch-Attempt: 1\nOrch-Task: U\n\
                 Orch-Attempt: 3\n",
                "T.1 U.3",
            ),
            ("T: x\n\nOrch-Task: T\n", ""),
            ("T: x\n\nOrch-Task: ..\nOrch-Attempt: 2\n", ""),
            ("T: x\n\nOrch-Task: T\nOrch-Attempt: 2\n\nbut not at the end\n", ""),
            ("Orch-Task: T", ""),
            ("", ""),
        ];
        for (message, expected) in table {
            let found: Vec<String> = landed(message).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{message:?}");
        }
    }
}
