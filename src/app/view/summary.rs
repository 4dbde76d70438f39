//! How a run ended.

use serde::Serialize;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// `done`, `finished` (with tasks that are not done), `stopped`, `left` (its workers go on) or
    /// `looked` (nothing was carried out).
    pub verdict: String,
    /// The exit code of `orch run`.
    pub exit_code: u8,
    /// Tasks that are done, those of earlier runs included.
    pub n_done: usize,
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Tasks that this run brought to their end.
    pub n_done_now: usize,
    /// Attempts that this run started.
    pub n_attempts: usize,
    /// Tasks that are out of attempts.
    pub failed: Vec<Unfinished>,
    /// Tasks that a person must look at.
    pub review: Vec<Unfinished>,
    /// Tasks that cannot start before somebody acts.
    pub blocked: Vec<Unfinished>,
    /// Tasks that their author keeps back: drafts and those on hold.
    pub kept_back: usize,
    /// Tasks that could go on but did not, because the run was stopped.
    pub left: usize,
    /// Workers that go on without it.
    pub n_running: usize,
    /// How long the run took.
    pub seconds: f64,
    /// Tokens that workers of this run reported.
    pub tokens: u64,
    /// Money that workers of this run reported, in US dollars.
    pub cost_usd: f64,
}

/// A task that is not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The task.
    pub task: String,
    /// Why, in words.
    pub why: String,
    /// What to do about it.
    pub help: String,
}
