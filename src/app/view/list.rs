//! Tasks in a list.

use serde::Serialize;

/// One task of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedTask {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Its file, below the repository root.
    pub path: String,
    /// Its role.
    pub role: Option<String>,
    /// Its priority: a name, or a whole number as text.
    pub priority: String,
    /// Its milestone.
    pub milestone: Option<String>,
    /// Its workstream.
    pub workstream: Option<String>,
    /// Its level.
    pub level: Option<u32>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The tasks that it depends on, as written.
    pub depends_on: Vec<String>,
    /// How many attempts there were.
    pub n_attempts: u32,
    /// Percent, as the worker of the running attempt reported.
    pub progress: Option<u8>,
    /// What the worker of the running attempt does.
    pub message: Option<String>,
    /// The first reason why it is not done and does not run: reads on from the id.
    pub why: Option<String>,
}
