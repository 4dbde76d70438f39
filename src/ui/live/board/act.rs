//! Carries out what the view asks for, and tells it what became of that.

use super::input::{Action, Input};
use crate::{
    app::{
        error::AppError,
        repository::Repository,
        running::Remote,
        standing::Standing,
        use_case::{
            approve::{self, Decision},
            cancel,
            change::Author,
            hold,
            logs::{self, Log},
            retry, show,
        },
        view::write::{Approved, CancelledTask, Held, Retried},
    },
    domain::format::task_file::Reading,
    ui::output::{Style, escape::clean, log::LogText, show as page},
};

/// Lines of a log that are shown when it is opened.
const LOG_LINES: usize = 2_000;

/// Most pieces of a log that are read at once: a worker that prints without end blocks nobody.
const LOG_PIECES_MAX: usize = 16;

/// Reads and writes for the view.
pub(super) struct Hands<'a> {
    pub(super) repository: &'a Repository,
    pub(super) remote: Remote,
    /// The name of the person, for the record.
    pub(super) login: Option<&'a str>,
    /// The log that is looked at.
    pub(super) log: Option<(Log, LogText)>,
}

impl Hands<'_> {
    /// Carries one thing out and returns what the view is to be told of it.
    pub(super) fn carry_out(&mut self, action: Action) -> Option<Input> {
        let author = Author { login: self.login, note: None };
        let repository = self.repository;
        let answer = match action {
            Action::Ask(request) => {
                self.remote.ask(request);
                return None;
            }
            Action::CloseLog => {
                self.log = None;
                return None;
            }
            Action::LoadDetails(id) => {
                let text = self.details(&id).map_err(|error| fault_text(&error));
                return Some(Input::Details { id, text });
            }
            Action::OpenLog(id) => {
                let text = self.open_log(&id).map_err(|error| fault_text(&error));
                return Some(Input::LogOpened { id, text });
            }
            Action::Approve(id) => {
                approve::approve(repository, &[id], None, Decision::Approve, author)
                    .map(|done| done.iter().map(approved_text).collect::<Vec<_>>())
            }
            Action::Retry(id) => retry::retry(repository, &[id], author, false)
                .map(|done| done.iter().map(retried_text).collect()),
            Action::Cancel(id) => cancel::cancel(repository, &[id], author)
                .map(|done| done.tasks.iter().map(cancelled_text).collect()),
            Action::Hold(id) => {
                hold::hold(repository, &[id]).map(|done| done.iter().map(held_text).collect())
            }
            Action::Release(id) => {
                hold::release(repository, &[id]).map(|done| done.iter().map(held_text).collect())
            }
        };
        let answer = answer.map(|lines| clean(&lines.join("\n")).into_owned());
        Some(Input::Answered(answer.map_err(|error| fault_text(&error))))
    }

    fn details(&self, id: &str) -> Result<String, AppError> {
        let standing = Standing::read(self.repository.clone(), Reading::Head)?;
        Ok(page::render(&show::show(&standing, id)?, Style::default()))
    }

    fn open_log(&mut self, id: &str) -> Result<String, AppError> {
        self.log = None;
        let standing = Standing::read(self.repository.clone(), Reading::Head)?;
        let mut log = logs::open(&standing, id, None)?;
        log.skip_to_last(LOG_LINES)?;
        self.log = Some((log, LogText::default()));
        Ok(self.read_log().unwrap_or_default())
    }

    /// Returns what was added to the log that is open; `None` where nothing was.
    pub(super) fn read_log(&mut self) -> Option<String> {
        let (log, shown) = self.log.as_mut()?;
        let mut text = String::new();
        for _ in 0..LOG_PIECES_MAX {
            match log.read() {
                Ok(bytes) if bytes.is_empty() => break,
                Ok(bytes) => text.push_str(&shown.push(&bytes)),
                Err(error) => {
                    tracing::debug!(%error, "the log is gone");
                    break;
                }
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Says why something was not done, and what to do about it.
fn fault_text(error: &AppError) -> String {
    let mut lines = vec![error.to_string()];
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    lines.extend(causes.map(|cause| format!("caused by: {cause}")));
    lines.extend(error.help().map(|help| format!("help: {help}")));
    clean(&lines.join("\n")).into_owned()
}

fn approved_text(approved: &Approved) -> String {
    let Approved { task, state, event, is_open, .. } = approved;
    match is_open {
        true => format!("`{task}` is approved; it is {state} (wrote {event})"),
        false => format!("`{task}` stays shut: another event file says `fail` (wrote {event})"),
    }
}

fn retried_text(retried: &Retried) -> String {
    let Retried { task, event, edited, state, .. } = retried;
    let wrote = event.as_ref().map(|path| format!("wrote {path}"));
    let edited = edited.as_ref().map(|path| format!("set `status: todo` in {path}"));
    let what = [wrote, edited].into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("`{task}` is tried again; it is {state} ({what})")
}

fn cancelled_text(cancelled: &CancelledTask) -> String {
    let CancelledTask { task, edited, is_running, attempt, event } = cancelled;
    if let (Some(attempt), Some(event)) = (attempt, event) {
        return format!("attempt {attempt} of `{task}` is being stopped (wrote {event})");
    }
    let Some(path) = edited else { return format!("`{task}` was cancelled before") };
    let stops = if *is_running { "; its worker is being stopped" } else { "" };
    format!("`{task}` is cancelled{stops} (set `status: cancelled` in {path})")
}

fn held_text(held: &Held) -> String {
    let Held { task, edited, is_running, state, .. } = held;
    let Some(path) = edited else { return format!("`{task}` stood so before; it is {state}") };
    let goes_on = if *is_running { "; its worker goes on" } else { "" };
    format!("`{task}` is {state}{goes_on} (set `status` in {path})")
}
