//! Everything about one task.

use serde::Serialize;

use super::explain::{Running, UnreadableReport, Why};

/// Everything about one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskView {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Every reason for that state, the weightiest first.
    pub reasons: Vec<Why>,
    /// Its file, below the repository root.
    pub path: String,
    /// The line on which its id stands; 1 where the file name gives the id.
    pub line: u32,
    /// What its author wrote.
    pub fields: Fields,
    /// How it is carried out, and who says so.
    pub policy: Vec<Setting>,
    /// The tasks that it depends on.
    pub depends_on: Vec<Neighbor>,
    /// The tasks that depend on it.
    pub dependents: Vec<Neighbor>,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptView>,
    /// What the worker of the last attempt reported.
    pub report: Option<ReportView>,
    /// The status file of the last attempt, where that cannot be read.
    pub unreadable_report: Option<UnreadableReport>,
    /// What its worker does, where one runs.
    pub running: Option<Running>,
    /// Attempts that count as failed.
    pub n_failed: u32,
    /// Attempts that count as crashed.
    pub n_crashed: u32,
    /// Whether the task file changed since the last attempt.
    pub is_stale: bool,
    /// Acceptance criteria in the body.
    pub n_criteria: u32,
    /// Those of them that are ticked.
    pub n_criteria_checked: u32,
    /// What follows the front matter.
    pub body: String,
}

/// What the author of a task wrote, beside id, title and dependencies.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Fields {
    /// The author's word: `draft`, `todo`, `hold`, `done` or `cancelled`.
    pub status: String,
    /// Its priority: a name, or a whole number as text.
    pub priority: String,
    /// Its role.
    pub role: Option<String>,
    /// Its estimate: a size or a duration.
    pub estimate: Option<String>,
    /// Its milestone.
    pub milestone: Option<String>,
    /// Its phase.
    pub phase: Option<String>,
    /// Its workstream.
    pub workstream: Option<String>,
    /// Its level.
    pub level: Option<u32>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it will touch.
    pub files: Vec<String>,
    /// The gates that it waits for, and whether each is open.
    pub waits_for: Vec<GateView>,
    /// Most tokens that it may use.
    pub budget_tokens: Option<u64>,
    /// Most money that it may use, in US dollars.
    pub budget_cost_usd: Option<f64>,
    /// Most time that its workers may use together.
    pub budget_seconds: Option<f64>,
    /// Most attempts that it may use.
    pub budget_attempts: Option<u32>,
}

/// A gate as a task sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// The gate.
    pub gate: String,
    /// `open`, `closed` or `failed`.
    pub state: &'static str,
}

/// One setting of how a task is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name: `command`, `timeout`, `grace`, `heartbeat`, `heartbeat_limit`, `provider`,
    /// `max_attempts`, `max_crashes`, `backoff`, `loop`, `verify`, `signal` or `review`.
    pub name: &'static str,
    /// Its value, as it would be written.
    pub value: String,
    /// Who says so: `task`, `role <name>`, `config` or `default`.
    pub from: String,
}

/// A task beside this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbor {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state; `missing` where there is no such task.
    pub state: &'static str,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttemptView {
    /// Which one, from 1.
    pub number: u32,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// How it ended, by the word of its record; `running` while it runs, `lost` where its
    /// coordinator died.
    pub outcome: &'static str,
    /// Why.
    pub reason: String,
    /// How its process ended.
    pub exit: Option<String>,
    /// What was started.
    pub worker: String,
    /// The verify commands that ran.
    pub verify: Vec<CheckView>,
    /// Tokens of all kinds that its worker reported.
    pub tokens: u64,
    /// Money that its worker reported, in US dollars.
    pub cost_usd: f64,
    /// Where its output went, below the repository root.
    pub log: String,
    /// What its worker claimed last, where that contradicts how it ended: `done` or `failed`.
    pub contradicted: Option<&'static str>,
    /// What a person is asked for, where it is in review: `review`, `escalate` or `completion`.
    pub review: Option<&'static str>,
    /// The gate that it waits for.
    pub waiting_for: Option<String>,
    /// What kind of decision its worker asks for.
    pub category: Option<String>,
    /// The limit of its provider that ended it.
    pub limit: Option<LimitView>,
    /// Which iteration of a loop it was, from 1.
    pub iteration: Option<u32>,
    /// How many processes its worker left running; they were killed.
    pub n_leaked: u32,
}

/// A limit of a provider that an attempt ran into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitView {
    /// Whose limit.
    pub provider: String,
    /// When it is lifted, RFC 3339 in UTC, where that was told.
    pub resets: Option<String>,
    /// What the worker said.
    pub words: String,
}

/// One verify command that ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckView {
    /// The command.
    pub command: String,
    /// Whether it exited with 0.
    pub is_passed: bool,
    /// How it ended.
    pub ending: String,
    /// How long it took.
    pub seconds: f64,
}

/// What a worker reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportView {
    /// Which attempt it speaks of.
    pub attempt: u32,
    /// `working`, `done`, `failed`, `blocked`, `review` or `escalate`.
    pub state: &'static str,
    /// Percent.
    pub progress: Option<u8>,
    /// What it does.
    pub message: Option<String>,
    /// When it was written, RFC 3339 in UTC.
    pub updated: Option<String>,
    /// What it waits for.
    pub waiting_for: Option<String>,
    /// Notes for the next attempt and for the reviewer.
    pub notes: String,
}
