//! Why a task is where it is.

use serde::Serialize;

/// Why a task is not running, or what it does where it runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Every reason, the weightiest first.
    pub reasons: Vec<Why>,
    /// What is at the bottom of it: the tasks upstream that keep it waiting.
    pub causes: Vec<Cause>,
    /// Causes beyond those that are listed.
    pub n_more_causes: usize,
    /// How many tasks wait for this one, directly or not.
    pub n_downstream: usize,
    /// What its worker does, where one runs.
    pub running: Option<Running>,
    /// Whether a coordinator is at work; without one nothing starts.
    pub has_coordinator: bool,
}

/// One reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What is so: reads on from the id of the task ("waits for `B`, which failed").
    pub sentence: String,
    /// What to do about it; empty where nothing needs to be done.
    pub help: String,
    /// The other task that this is about, where it is about one.
    pub task: Option<String>,
}

/// A task upstream that keeps another one waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The task at the bottom.
    pub id: String,
    /// Its state.
    pub state: &'static str,
    /// The tasks between, nearest first, this one left out.
    pub through: Vec<String>,
    /// Why that task is not done.
    pub why: Why,
}

/// A status file that cannot be read: half written, or no status file at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadableReport {
    /// Where it is, below the repository root.
    pub path: String,
    /// When it became so, RFC 3339 in UTC: when it was written last.
    pub since: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

/// What is in the way of work that is verified and is to land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LandingWait {
    /// What it is, as a phrase.
    pub what: String,
    /// The files that have local changes, relative to the top folder of the checkout.
    pub files: Vec<String>,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

/// An attempt that is being carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Running {
    /// The task.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `running`, or `landing` where its work is verified and waits to land.
    pub state: &'static str,
    /// What is in the way of its landing.
    pub waits: Option<LandingWait>,
    /// Where its process stands still: `stopped` or `traced`.
    pub standstill: Option<&'static str>,
    /// Which attempt.
    pub attempt: u32,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// For how long it has been running.
    pub elapsed_seconds: f64,
    /// Percent, as its worker reported.
    pub progress: Option<u8>,
    /// What it does, as its worker reported.
    pub message: Option<String>,
    /// Its status file, where that cannot be read.
    pub unreadable_report: Option<UnreadableReport>,
    /// Where its output goes, below the repository root.
    pub log: String,
}
