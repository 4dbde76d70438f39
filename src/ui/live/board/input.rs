//! What the view is told, and what it asks for.

use crate::app::{
    running::Request,
    view::run::{Live, RunEvent},
};

/// A key, as far as the view knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A letter, digit or sign.
    Char(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    /// Ctrl-C: in raw mode it is no signal.
    Interrupt,
}

/// Something that the view is told.
#[derive(Debug)]
pub(super) enum Input {
    /// A key was pressed.
    Key(Key),
    /// The terminal has so many columns and lines now.
    Resized(u16, u16),
    /// The state of things changed.
    Live(Box<Live>),
    /// Something happened.
    Happened(Vec<RunEvent>),
    /// Everything about a task was read.
    Details { id: String, text: Result<String, String> },
    /// The log of a task was opened: this is its name and its end.
    LogOpened { id: String, text: Result<String, String> },
    /// The log that is open has grown.
    LogGrew(String),
    /// What was asked for was done, or not.
    Answered(Result<String, String>),
    /// The run has ended.
    Ended,
}

/// Something that the view asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Write a person's approval down.
    Approve(String),
    /// Have a task tried again.
    Retry(String),
    /// Drop a task.
    Cancel(String),
    /// Keep a task from starting.
    Hold(String),
    /// Let a task start again.
    Release(String),
    /// Ask something of the run.
    Ask(Request),
    /// Read everything about a task.
    LoadDetails(String),
    /// Open the log of the last attempt of a task.
    OpenLog(String),
    /// Look no longer at the log that is open.
    CloseLog,
}
