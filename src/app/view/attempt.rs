//! An attempt, named where there are several.

use serde::Serialize;

use crate::domain::model::id::AttemptId;

/// An attempt, named where there are several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedAttempt {
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
}

impl NamedAttempt {
    /// Names an attempt.
    pub fn of(attempt: &AttemptId) -> Self {
        Self { task: attempt.task.to_string(), attempt: attempt.number }
    }
}
