//! How the plan stands as a whole.

use serde::Serialize;

use super::explain::Running;

/// How the plan stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusView {
    /// The coordinator that is at work now.
    pub coordinator: Option<CoordinatorView>,
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Tasks that are done.
    pub n_done: usize,
    /// How many tasks are in each state; states without tasks are left out.
    pub states: Vec<StateCount>,
    /// Progress by role.
    pub roles: Vec<Group>,
    /// Progress by milestone.
    pub milestones: Vec<Group>,
    /// Progress by workstream.
    pub workstreams: Vec<Group>,
    /// Progress by level, lowest first.
    pub levels: Vec<LevelGroup>,
    /// What runs now.
    pub running: Vec<Running>,
    /// What waits for a person.
    pub needs: Vec<Need>,
    /// What waits for approval by `orch trust`; `null` where nothing does.
    pub approval: Option<ApprovalView>,
    /// Attempts so far.
    pub n_attempts: usize,
    /// Attempts whose worker crashed.
    pub n_crashes: usize,
    /// How long they took, one after the other.
    pub worker_seconds: f64,
    /// Tokens of all kinds that workers reported.
    pub tokens: u64,
    /// Money that workers reported, in US dollars.
    pub cost_usd: f64,
    /// Tasks that could be carried out without anybody doing anything else.
    pub n_to_run: usize,
    /// Time to the end of these, with the configured number of workers.
    pub end_seconds: f64,
    /// The configured number of workers.
    pub max_workers: u32,
}

/// A coordinator at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoordinatorView {
    /// Its process; 0 where that is not known.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// Since when, RFC 3339 in UTC.
    pub started: String,
}

/// What is not started before a person approves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ApprovalView {
    /// Whether nothing can be started at all.
    pub is_all: bool,
    /// How many tasks, gates and hooks wait, as far as that was noted.
    pub n_waiting: usize,
}

/// How many tasks are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// The state.
    pub state: &'static str,
    /// How many tasks.
    pub n_tasks: usize,
}

/// Progress of tasks that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many there are, cancelled ones left out.
    pub n_tasks: usize,
    /// How many are done.
    pub n_done: usize,
    /// How many run or are being verified.
    pub n_running: usize,
    /// How many need a person: failed, in review or blocked.
    pub n_stuck: usize,
    /// How many attempts they took so far.
    pub n_attempts: usize,
    /// How long these took together.
    pub worker_seconds: f64,
    /// Tokens of all kinds that they used.
    pub tokens: u64,
    /// Money that they used, in US dollars.
    pub cost_usd: f64,
    /// When a milestone was reached and told, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<String>,
}

/// Progress of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelGroup {
    /// The level.
    pub level: u32,
    /// How many tasks it has, cancelled ones left out.
    pub n_tasks: usize,
    /// How many are done.
    pub n_done: usize,
    /// The gate after it, where there is one: `pending`, `running`, `passed` or `failed`.
    pub gate: Option<&'static str>,
}

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The task, or `null` where it is the gate of a level.
    pub id: Option<String>,
    /// The level whose gate it is.
    pub level: Option<u32>,
    /// The title of the task.
    pub title: String,
    /// The state of the task, `failed` for a gate.
    pub state: &'static str,
    /// What is so.
    pub sentence: String,
    /// What to do about it.
    pub help: String,
    /// How many tasks wait for it, directly or not; `null` where that was not counted.
    pub n_downstream: Option<usize>,
}
