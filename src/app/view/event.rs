//! Gates, and what was said of them.

use serde::Serialize;

/// What `orch event` did for one task, or for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentEvent {
    /// The gate.
    pub gate: String,
    /// The task that it is meant for; `None` for all.
    pub task: Option<String>,
    /// What was said: `pass` or `fail`.
    pub word: &'static str,
    /// The event file.
    pub event: String,
    /// Whether it was written; otherwise it said this already.
    pub is_new: bool,
    /// The tasks that wait for the gate, as they stand now.
    pub tasks: Vec<GateTask>,
    /// A gate with nearly the same name that a task waits for.
    pub near: Option<String>,
    /// Whether a coordinator is at work, and will see it.
    pub is_live: bool,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// Its name.
    pub gate: String,
    /// What is said of it for all tasks: `open`, `failed`, or `shut` where nothing is said.
    pub state: &'static str,
    /// The tasks that wait for it, or did.
    pub tasks: Vec<GateTask>,
}

/// A task that waits for a gate, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateTask {
    /// The task.
    pub task: String,
    /// The gate as this task sees it: `open`, `failed` or `shut`.
    pub gate: &'static str,
    /// The state of the task.
    pub state: &'static str,
}
