//! What waiting for a run came to.

use serde::Serialize;

/// How things stand after `orch wait`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waited {
    /// `done`, or `finished` with something that is not done.
    pub verdict: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The task that was waited for.
    pub task: Option<WaitedTask>,
    /// Tasks that are done.
    pub n_done: usize,
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Tasks that failed, are blocked or in review.
    pub n_stuck: usize,
    /// Tasks that could go on, or run.
    pub n_left: usize,
    /// Whether a coordinator is still at work.
    pub is_live: bool,
    /// How long it took.
    pub seconds: f64,
}

/// A task that was waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitedTask {
    /// Its id.
    pub task: String,
    /// Its state, or `gone` where it left the plan.
    pub state: &'static str,
}
