//! What a worker printed.

use serde::Serialize;

/// One line of a log, as one line of `orch logs --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// What was printed, without its line feed; bytes that are not UTF-8 are replaced.
    pub line: String,
}
