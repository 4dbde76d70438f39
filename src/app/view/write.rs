//! What the commands that write files did.

use serde::Serialize;

/// What `orch init` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Initialized {
    /// The folder that holds `.orch` now.
    pub root: String,
    /// The files, in the order in which they were looked at.
    pub files: Vec<InitFile>,
    /// The folder above that holds an `.orch` of its own.
    pub outer: Option<String>,
    /// What is left to do by hand.
    pub note: Option<String>,
}

/// A file of a new `.orch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InitFile {
    /// Below the root, with `/`.
    pub path: String,
    /// Whether it was written; otherwise there was something, and it was kept.
    pub is_new: bool,
}

/// The task that `orch new` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// Its title, as it stands in the file.
    pub title: String,
    /// Its file, below the root, with `/`.
    pub path: String,
}

/// What `orch retry` did for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// The task.
    pub task: String,
    /// Attempts up to this one no longer count; 0 where there was none.
    pub after: u32,
    /// The event file that was written.
    pub event: Option<String>,
    /// The task file in which `status` was set to `todo`.
    pub edited: Option<String>,
    /// The state that followed.
    pub state: &'static str,
    /// Whether a coordinator is at work, and will see it.
    pub is_live: bool,
}

/// What `orch cancel` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cancelled {
    /// The tasks.
    pub tasks: Vec<CancelledTask>,
    /// Ids of the tasks that are blocked by it and were not before.
    pub blocked: Vec<String>,
}

/// What `orch cancel` did for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelledTask {
    /// The task.
    pub task: String,
    /// The file in which `status` was set; `None` where it was cancelled before.
    pub edited: Option<String>,
    /// Whether a worker of a living coordinator is at work on it.
    pub is_running: bool,
    /// The attempt that is being stopped, where the file of the task is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The event file that was written for it; `None` where it was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// What holding or releasing did for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The task.
    pub task: String,
    /// The file in which `status` was set; `None` where it stood there before.
    pub edited: Option<String>,
    /// Whether a worker of a living coordinator is at work on it; it goes on, and only a further
    /// attempt is kept back.
    pub is_running: bool,
    /// The state that followed.
    pub state: &'static str,
    /// Whether a coordinator is at work, and will see it.
    pub is_live: bool,
}

/// What `orch approve` did for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// The task.
    pub task: String,
    /// The gate, where it was about one.
    pub gate: Option<String>,
    /// The attempt in review that was accepted, where it was about one.
    pub attempt: Option<u32>,
    /// The event file that was written.
    pub event: String,
    /// Whether the gate is open; another event file may still say `fail`.
    pub is_open: bool,
    /// The state that followed.
    pub state: &'static str,
    /// Whether a coordinator is at work, and will see it.
    pub is_live: bool,
}

/// What `orch stop` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The coordinator that was told to stop; `None` where none is at work.
    pub coordinator: Option<StoppedCoordinator>,
    /// Attempts whose workers a coordinator had left at work, and that were stopped.
    pub attempts: Vec<String>,
}

/// The coordinator that `orch stop` spoke to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoppedCoordinator {
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Whether it had ended when this was written.
    pub has_ended: bool,
}

/// What `orch report` wrote, as it stands in the status file now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reported {
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// The status file, below the root that it lies in, with `/`.
    pub path: String,
    /// How it goes: `working`, `done`, `failed`, `blocked`, `review`, `escalate`.
    pub state: &'static str,
    /// Percent.
    pub progress: Option<u8>,
    /// What it does.
    pub message: Option<String>,
    /// The gate that it waits for.
    pub waiting_for: Option<String>,
    /// What kind of decision it asks for.
    pub category: Option<String>,
    /// When this was written, RFC 3339 in UTC.
    pub updated: String,
    /// Tokens of all kinds that were used so far.
    pub tokens: u64,
    /// Money that was used so far, in US dollars.
    pub cost_usd: f64,
    /// Where the file is that was there before, where nobody could read it.
    pub set_aside: Option<String>,
}

/// A run that was started in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detached {
    /// Its process.
    pub pid: u32,
    /// Where what it prints goes, relative to the repository root.
    pub output: String,
    /// Its exit code, where it has ended already.
    pub exit_code: Option<i32>,
    /// What it printed, where it has ended already.
    #[serde(skip)]
    pub printed: String,
}
