//! A run at one moment.

use std::{sync::Arc, time::Duration};

use super::board::Board;
use crate::domain::model::attempt::Usage;

/// The run at one moment, for a live view.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// What runs, in the order of the tasks.
    pub running: Vec<LiveWorker>,
    /// How many tasks are in each state, in the order in which states are shown.
    pub counts: Vec<(&'static str, usize)>,
    /// Done tasks.
    pub n_done: usize,
    /// Tasks of the plan, cancelled ones left out.
    pub n_tasks: usize,
    /// Time since the run began.
    pub elapsed: Duration,
    /// Time until the forecast end.
    pub remaining: Option<Duration>,
    /// Tokens reported so far.
    pub usage: Usage,
    /// The level whose gate is being run.
    pub gate: Option<u32>,
    /// Whether the run is being stopped.
    pub is_stopping: bool,
    /// Every task, where [`Picture::Board`](crate::Picture::Board) asks for it.
    pub board: Arc<Board>,
}

/// One running worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveWorker {
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// The title of the task.
    pub title: String,
    /// `running`, `verifying` or `stopping`; where its process stands still, `stopped`, `traced`
    /// or `unkillable`.
    pub stage: &'static str,
    /// Time since it started.
    pub elapsed: Duration,
    /// Percent.
    pub progress: Option<u8>,
    /// What it does.
    pub message: Option<String>,
    /// Since when its status file cannot be read, RFC 3339 in UTC: progress and message are older.
    pub unreadable_since: Option<String>,
}
