//! What a range of commits does to the plan.

use serde::Serialize;

use super::{
    change::{FaultView, FieldChange, ItemChange},
    graph::GraphEdge,
};

/// Two moments of a plan, and what is different between them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DiffView {
    /// The earlier moment.
    pub from: End,
    /// The later one.
    pub to: End,
    /// Whether anything is different that a plan consists of.
    pub is_changed: bool,
    /// What decides which programs are started, and what is around them: told here and, where a
    /// key was changed, in its place below, too.
    pub executed: Vec<ExecutedChange>,
    /// Tasks, in the order of their ids.
    pub tasks: Vec<ItemChange>,
    /// Roles, in the order of their names.
    pub roles: Vec<ItemChange>,
    /// Settings.
    pub settings: Vec<FieldChange>,
    /// Dependencies that came, tasks by the ids that they have now.
    pub edges_added: Vec<GraphEdge>,
    /// Dependencies that went.
    pub edges_removed: Vec<GraphEdge>,
    /// Tasks whose state is another one, or that were worked on.
    pub moves: Vec<StateMove>,
    /// What all attempts in between took together.
    pub spent: Spent,
    /// How the plan stands at the earlier moment; `None` where nothing was looked at, as the files
    /// are the same.
    pub before: Option<Outlook>,
    /// How it stands at the later one.
    pub after: Option<Outlook>,
    /// Errors and warnings that came up, in the order of their files.
    pub faults_new: Vec<FaultView>,
    /// Errors and warnings that are gone.
    pub faults_gone: Vec<FaultView>,
    /// What is different in the graph, and what is next to it.
    pub graph: ChangedGraph,
}

/// One of two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct End {
    /// `commit`, `tree` or `working-tree`.
    pub kind: &'static str,
    /// What it was called: the revision as it was typed, or as it was found.
    pub name: String,
    /// Its commit.
    pub commit: Option<String>,
    /// Whether it is the last commit that `name` shares with the other moment.
    pub is_merge_base: bool,
}

/// A change of what would be executed, in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecutedChange {
    /// `settings`, `role` or `task`.
    pub what: &'static str,
    /// The task or role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `added`, `removed`, `renamed` or `changed`.
    pub change: &'static str,
    /// The file; where it was removed, the one there was.
    pub path: String,
    /// What is different.
    pub fields: Vec<FieldChange>,
}

/// A task that is in another state, or that was worked on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateMove {
    /// Its id at the later moment, or the one that it had.
    pub id: String,
    /// Its title, where it has one beside its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its state before; `None` where it was not there.
    pub from: Option<&'static str>,
    /// Its state after; `None` where it is gone.
    pub to: Option<&'static str>,
    /// What its attempts in between took.
    pub spent: Spent,
}

/// What attempts took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// How many ended or began.
    pub n_attempts: usize,
    /// How long those that ended took together.
    pub seconds: f64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// Money in US dollars.
    pub cost_usd: f64,
}

/// How a plan stands, and what is thought to come.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outlook {
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Tasks that are done.
    pub n_done: usize,
    /// Tasks that a run would carry out.
    pub n_to_run: usize,
    /// Errors in its files.
    pub n_errors: usize,
    /// Warnings.
    pub n_warnings: usize,
    /// The longest chain of tasks that would be carried out, first to last.
    pub critical_path: Vec<String>,
    /// How long that chain takes.
    pub critical_path_seconds: f64,
    /// Time to the end of a run.
    pub end_seconds: f64,
}

/// The part of the graph that is different.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChangedGraph {
    /// Tasks that are different, and those next to them, by id.
    pub tasks: Vec<ChangedTask>,
    /// Edges that start or end at one that is different.
    pub edges: Vec<ChangedEdge>,
    /// Tasks that are different and are left out, as the picture would be too large.
    pub n_hidden: usize,
}

/// A task in a [`ChangedGraph`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedTask {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `added`, `removed`, `renamed`, `changed` or `same`.
    pub change: &'static str,
}

/// An edge in a [`ChangedGraph`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChangedEdge {
    /// The task that waits.
    pub task: String,
    /// The task that it waits for.
    pub depends_on: String,
    /// `added`, `removed` or `same`.
    pub change: &'static str,
}
