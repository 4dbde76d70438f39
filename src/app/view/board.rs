//! Every task at one moment, for a view that shows them all.

use std::time::Duration;

use super::change::FaultView;
use crate::domain::scheduler::phase::TaskState;

/// Every task at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Board {
    /// One row for each task, in the order of the ids.
    pub rows: Vec<Row>,
    /// What is wrong with the files now.
    pub faults: Vec<FaultView>,
    /// How the board is kept up to date.
    pub mode: Mode,
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: TaskState,
    /// Its file, below the repository root.
    pub path: String,
    /// Its role.
    pub role: Option<String>,
    /// Number of its last attempt; 0 where there was none.
    pub attempt: u32,
    /// Time since the attempt that runs started, when the board was drawn.
    pub elapsed: Option<Duration>,
    /// Percent, as its worker reported.
    pub progress: Option<u8>,
    /// What its worker does.
    pub message: Option<String>,
    /// What a person should know beside the state.
    pub badges: Vec<Badge>,
}

/// What a person should know of a task beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Badge {
    /// Its file is broken: the last version that could be read counts.
    LastGood,
    /// Its file or role changed since the attempt that runs was started.
    Edited,
    /// Its file is gone, and its attempt still runs: a person should say whether it shall.
    Removed,
    /// It is done, and its file or role changed since.
    Stale,
}

impl Badge {
    /// Returns the words that are shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LastGood => "broken file",
            Self::Edited => "edited since start",
            Self::Removed => "removed",
            Self::Stale => "stale",
        }
    }
}

/// How a board is kept up to date, and what it does about ready tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mode {
    /// Whether ready tasks are started; otherwise it only looks.
    pub is_dispatching: bool,
    /// Whether nothing is started until a person lets it go on: they paused it, many workers died
    /// at once, or the budget of the run is spent.
    pub is_paused: bool,
    /// Why nothing is started for now, in words, where no person paused it; for example that git
    /// is at work.
    pub held: Option<String>,
    /// Time between two looks, where the system does not tell of changes.
    pub polling: Option<Duration>,
    /// The coordinator that starts tasks, where this one only looks.
    pub coordinator: Option<String>,
    /// The branch that is checked out, or the commit; none outside of git.
    pub branch: Option<String>,
}
