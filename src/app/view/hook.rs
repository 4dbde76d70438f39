//! What became of milestones and hooks.

use serde::Serialize;

/// A milestone that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReachedMilestone {
    /// Its name.
    pub milestone: String,
    /// What it was reached by: `all`, `80%`, `first-failure`.
    pub trigger: String,
    /// Its tasks that are done.
    pub n_done: usize,
    /// Its tasks, cancelled ones left out.
    pub n_tasks: usize,
}

/// A hook that failed, which changes nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookFailure {
    /// What it is for: `started`, `done`, `failed`, `blocked`, `review`, `level_done`, `milestone`
    /// or `plan_finished`.
    pub hook: &'static str,
    /// The task, level or milestone; empty for the whole plan.
    pub about: String,
    /// The command; empty where none was run.
    pub command: String,
    /// Why.
    pub reason: String,
}
