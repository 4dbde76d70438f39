//! Questions before anything is written or ended: what exactly would happen.

use super::input::{Action, Key};
use crate::{
    app::{
        running::{Request, StopMode},
        view::board::{Badge, Row},
    },
    domain::{
        format::layout,
        model::id::{AttemptId, TaskId},
        scheduler::phase::TaskState,
    },
    ui::output::{escape::clean_line, figures::counted},
};

/// What becomes of workers that are left.
const LEAVING: &str = "leaving: workers go on by themselves, and how they end is written down; \
                       the next `orch run` or `orch watch` takes them up, `orch stop` stops them";

/// What becomes of workers that are stopped.
const STOPPING: &str = "stopping: workers get SIGTERM, and are killed after their grace";

/// A question that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// Yes does this; the text says what.
    Confirm { text: String, action: Action },
    /// What becomes of the workers.
    Quit { n_running: usize },
}

/// What a key says to a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Do it.
    Do(Action),
    /// Never mind.
    Drop,
    /// This key is no answer.
    Unclear,
}

impl Question {
    /// Returns the question in words, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Confirm { text, .. } => vec![format!("{text}? y/n")],
            Self::Quit { n_running } => {
                let n = counted(*n_running, "worker");
                let run = if *n_running == 1 { "runs" } else { "run" };
                let choice = format!("{n} still {run}: [l]eave running · [s]top · Esc goes back");
                vec![choice, LEAVING.to_owned(), STOPPING.to_owned()]
            }
        }
    }

    /// Takes a key as an answer.
    pub(super) fn reply(&self, key: Key) -> Reply {
        match (self, key) {
            (_, Key::Escape) | (Self::Confirm { .. }, Key::Char('n' | 'N' | 'q')) => Reply::Drop,
            (Self::Confirm { action, .. }, Key::Char('y' | 'Y')) => Reply::Do(action.clone()),
            (Self::Quit { .. }, Key::Char('l')) => Reply::Do(Action::Ask(Request::Leave)),
            (Self::Quit { .. }, Key::Char('s')) => {
                Reply::Do(Action::Ask(Request::Stop(StopMode::Polite)))
            }
            _ => Reply::Unclear,
        }
    }

    /// Asks whether to approve what a task waits with.
    pub(super) fn approve(row: &Row) -> Self {
        let id = clean_line(&row.id);
        let path = TaskId::parse(&row.id).map_or_else(
            |_| "an event file".to_owned(),
            |task| match row.state {
                TaskState::Review => layout::accept_path(&AttemptId::new(task, row.attempt)),
                _ => layout::approval_path(&task),
            },
        );
        let text = format!("approve {id}: writes {}", clean_line(&path));
        Self::Confirm { text, action: Action::Approve(row.id.clone()) }
    }

    /// Asks whether to have a task tried again.
    pub(super) fn retry(row: &Row) -> Self {
        let id = clean_line(&row.id);
        let event = TaskId::parse(&row.id).ok().filter(|_| row.attempt > 0);
        let event = event.map(|task| format!("writes {}", layout::retry_path(&task, row.attempt)));
        let is_kept =
            matches!(row.state, TaskState::Hold | TaskState::Draft | TaskState::Cancelled);
        let edit = is_kept.then(|| format!("sets `status: todo` in {}", row.path));
        let what: Vec<String> = [event, edit].into_iter().flatten().collect();
        let what = if what.is_empty() { "as if never tried".to_owned() } else { what.join(", ") };
        let text = format!("retry {id}: {}", clean_line(&what));
        Self::Confirm { text, action: Action::Retry(row.id.clone()) }
    }

    /// Asks whether to drop a task.
    pub(super) fn cancel(row: &Row) -> Self {
        let id = clean_line(&row.id);
        let stops = if row.elapsed.is_some() { " and stops its worker" } else { "" };
        let gone = row.badges.contains(&Badge::Removed);
        let attempt = TaskId::parse(&row.id).ok().filter(|_| gone);
        let event = attempt.map(|task| layout::cancel_path(&AttemptId::new(task, row.attempt)));
        let text = match event {
            // There is no file to say it in.
            Some(event) => format!("stop {id}, whose file is gone: writes {}", clean_line(&event)),
            None => {
                let path = clean_line(&row.path);
                format!("cancel {id}: sets `status: cancelled` in {path}{stops}")
            }
        };
        Self::Confirm { text, action: Action::Cancel(row.id.clone()) }
    }

    /// Asks whether to keep a task from starting, or to let it start again.
    pub(super) fn hold(row: &Row) -> Self {
        let (id, path) = (clean_line(&row.id), clean_line(&row.path));
        if row.state == TaskState::Hold {
            let text = format!("let {id} go on: sets `status: todo` in {path}");
            return Self::Confirm { text, action: Action::Release(row.id.clone()) };
        }
        let text = format!("hold {id}: sets `status: hold` in {path}");
        Self::Confirm { text, action: Action::Hold(row.id.clone()) }
    }
}
