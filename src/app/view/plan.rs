//! What `orch run` would do now.

use serde::Serialize;

/// What would be carried out, in which order, and until when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanView {
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Tasks that are done.
    pub n_done: usize,
    /// Tasks that would be carried out.
    pub n_to_run: usize,
    /// Most workers side by side.
    pub max_workers: u32,
    /// Most workers that are ever busy at once: other limits may leave some idle.
    pub n_workers_used: usize,
    /// The tasks by the earliest moment at which they can start.
    pub waves: Vec<Wave>,
    /// The longest chain of tasks that would be carried out, first to last.
    pub critical_path: Vec<String>,
    /// How long that chain takes: no number of workers is faster.
    pub critical_path_seconds: f64,
    /// Time to the end with `max_workers` workers.
    pub end_seconds: f64,
    /// Time to the end with one worker.
    pub end_seconds_one_worker: f64,
    /// What the durations are judged by.
    pub durations: Durations,
    /// Tasks that are not done and would not be carried out.
    pub not_run: Vec<NotRun>,
}

/// Tasks that can start once all earlier waves have ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wave {
    /// Which one, from 1.
    pub number: usize,
    /// Its tasks, in the order in which they start.
    pub tasks: Vec<PlannedTask>,
}

/// One task that would be carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTask {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state now.
    pub state: &'static str,
    /// Time from now to its start.
    pub start_seconds: f64,
    /// Time from now to its end.
    pub end_seconds: f64,
    /// Which worker would carry it out, from 1.
    pub worker: usize,
    /// Whether it lies on the critical path.
    pub is_critical: bool,
}

/// What the durations are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    /// What estimates are multiplied with.
    pub factor: f64,
    /// How many tasks with a recorded success that is judged by.
    pub n_recorded: usize,
    /// How many of the tasks to run have no estimate of their own (size M is assumed).
    pub n_without_estimate: usize,
}

/// A task that would not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Why: reads on from the id.
    pub why: String,
}
