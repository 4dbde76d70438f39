//! How changes of files are noticed.

use serde::Serialize;

/// How changes of files are noticed, where that is not as it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watching {
    /// `events` or `polling`.
    pub mode: &'static str,
    /// Seconds between two looks, where it polls.
    pub period: Option<f64>,
    /// Why.
    pub reason: String,
    /// What to do.
    pub help: String,
}
