//! What a plan would execute, and what of it is approved.

use serde::Serialize;

/// What `orch trust` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrustView {
    /// The folder of the plan.
    pub root: String,
    /// Whether anything of this plan was ever approved.
    pub is_known: bool,
    /// The folder in which the user approves everything, where the plan is in one.
    pub approved_folder: Option<String>,
    /// Where approvals are kept; `null` where they are not needed.
    pub kept_in: Option<String>,
    /// The digest of all parts together, for `--trust-hash`.
    pub hash: String,
    /// How many parts wait for approval.
    pub n_waiting: usize,
    /// How many are approved.
    pub n_approved: usize,
    /// Each part: the settings first, then hooks, milestones, gates and tasks.
    pub parts: Vec<PartView>,
}

/// One thing that would be executed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PartView {
    /// What it is: `settings`, `hook EVENT`, `milestone NAME`, `gate LEVEL` or `task ID`.
    pub name: String,
    /// Why it waits for approval; `null` where it does not.
    pub waits: Option<String>,
    /// Whether its author wants it done.
    pub is_open: bool,
    /// The digest of its content.
    pub hash: String,
    /// The file that says what is started.
    pub path: String,
    /// The line there, from 1; `null` where it stands nowhere.
    pub line: Option<u32>,
    /// Program and arguments of what is started, in order: the worker and what verifies it, or the
    /// commands of a hook, a milestone or a gate.
    pub argv: Vec<Vec<String>>,
    /// The folder that they run in.
    pub folder: Option<String>,
    /// Names of the variables that they get beside those that every worker gets.
    pub environment: Vec<String>,
    /// How a worker is kept apart.
    pub isolation: Option<String>,
    /// All that decides how it is executed, in words.
    pub facts: Vec<String>,
    /// The same when it was approved last; `null` where it never was.
    pub approved_facts: Option<Vec<String>>,
}

/// What became of approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trusted {
    /// What was approved, by name.
    pub approved: Vec<String>,
    /// How many parts still wait.
    pub n_waiting: usize,
}

/// What a run does not execute before a person approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unapproved {
    /// What, as `orch trust` names it.
    pub parts: Vec<String>,
    /// Why.
    pub reason: String,
}

/// What a run may execute now, and waited to before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// What, as `orch trust` names it.
    pub parts: Vec<String>,
}
