//! The look of task states: a color and a sign for each.

use anstyle::{AnsiColor, Style as Look};

use super::Style;
use crate::domain::scheduler::phase::TaskState;

/// Returns the state that is called `word`.
fn named(word: &str) -> Option<TaskState> {
    TaskState::ALL.into_iter().find(|state| state.as_str() == word)
}

/// Returns the color of the state that is called `word`.
pub fn look(word: &str) -> Look {
    match named(word) {
        Some(TaskState::Running | TaskState::Verifying | TaskState::Landing) => {
            AnsiColor::Cyan.on_default().bold()
        }
        Some(TaskState::Ready) => AnsiColor::Blue.on_default().bold(),
        Some(TaskState::BackingOff | TaskState::Review) => AnsiColor::Yellow.on_default(),
        Some(TaskState::Blocked) => AnsiColor::Magenta.on_default(),
        Some(TaskState::Failed) | None => AnsiColor::Red.on_default().bold(),
        Some(TaskState::Done) => AnsiColor::Green.on_default(),
        Some(TaskState::Draft | TaskState::Hold | TaskState::Waiting | TaskState::Cancelled) => {
            Look::new().dimmed()
        }
    }
}

/// Returns a sign for the state that is called `word`, one column wide.
pub fn sign(word: &str) -> &'static str {
    match named(word) {
        Some(TaskState::Running) => "▶",
        Some(TaskState::Verifying) => "◎",
        Some(TaskState::Landing) => "⇣",
        Some(TaskState::Ready) => "○",
        Some(TaskState::BackingOff) => "↻",
        Some(TaskState::Waiting) => "·",
        Some(TaskState::Review) => "?",
        Some(TaskState::Blocked) => "■",
        Some(TaskState::Failed) => "✗",
        Some(TaskState::Hold) => "‖",
        Some(TaskState::Draft) => "~",
        Some(TaskState::Done) => "✓",
        Some(TaskState::Cancelled) => "–",
        None => "!",
    }
}

/// Returns the word in its color.
pub fn painted(word: &str, style: Style) -> String {
    style.paint(look(word), word)
}

/// Returns sign and word in their color.
pub fn signed(word: &str, style: Style) -> String {
    style.paint(look(word), &format!("{} {word}", sign(word)))
}
