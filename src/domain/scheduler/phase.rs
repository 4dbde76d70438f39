//! Where a task is: what is stored, and what is derived from it.

use std::{sync::Arc, time::Duration};

use super::{
    budget::{Figure, Scope},
    effect::Assignment,
    event::StopMode,
    pulse::Pulse,
};
use crate::domain::model::{
    attempt::{Digests, Ending, StatusReport, Usage, UsageLimit, WorkerEnd},
    time::{Now, Tick, render_duration},
};

/// Where a task is, as far as the scheduler must remember it.
///
/// Waiting, ready and blocked are derived from [`Phase::Open`], never stored.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// No attempt runs and none has settled the task.
    Open,
    /// The last attempt failed and the next may not start before `until`.
    BackingOff {
        /// When the wait is over.
        until: Tick,
    },
    /// An attempt is being carried out: its record is on disk, without an ending.
    Running(Box<Live>),
    /// Done: by a recorded success, an approval, or the author's word.
    Done,
    /// An attempt held, and a person must approve it.
    Review,
    /// Its own budget is spent, and a person must grant more.
    OverBudget,
    /// Out of attempts.
    Failed,
    /// The author dropped it.
    Cancelled,
}

/// An attempt that is being carried out.
#[derive(Debug, Clone)]
pub struct Live {
    /// What was asked for.
    pub assignment: Arc<Assignment>,
    /// When it started.
    pub started: Now,
    /// How far it is.
    pub stage: Stage,
    /// The last that its worker reported.
    pub report: Option<StatusReport>,
    /// How its process ended, once it did.
    pub end: Option<WorkerEnd>,
    /// What its output says that it used, as long as it runs.
    pub seen: Usage,
    /// When its process ended, where that is known before how it ended.
    pub over: Option<Tick>,
    /// When it was first asked to stop.
    pub stop_asked: Option<Tick>,
    /// The limit that it waits for, by its output.
    pub limit: Option<UsageLimit>,
    /// When its worker was last seen alive; `None` where nobody asks.
    pub pulse: Option<Pulse>,
    /// The files that it is made from, as they are in what is to land.
    pub merged: Option<Digests>,
    /// What its record is to say once its work has landed.
    pub held: Option<Box<Ending>>,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Recorded; its worktree is being made.
    Preparing,
    /// The process is being started or runs.
    Working,
    /// The process ended well; its work is being merged with what landed meanwhile.
    Merging,
    /// Verify commands run.
    Verifying,
    /// What was verified is to land; others are before it.
    Queued,
    /// What was verified lands.
    Landing,
    /// Being stopped.
    Stopping {
        /// Why.
        why: StopReason,
        /// What it was at.
        at: Activity,
        /// When it is killed; `None` once it was.
        kill_at: Option<Tick>,
    },
}

/// What an attempt was at when it was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Its worktree was being made: that ends by itself.
    Preparing,
    /// Its worker was at work.
    Working,
    /// Its work was being merged: that ends by itself.
    Merging,
    /// Its verify commands were running.
    Verifying,
    /// Its work was to land.
    Landing,
}

/// Why an attempt is being stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopReason {
    /// It took longer than this.
    TimedOut(Duration),
    /// It was silent for so long.
    Stalled(Duration),
    /// A budget is spent.
    OverBudget(Scope, Figure),
    /// It waits for the limit of its provider to be lifted.
    Limited,
    /// Its task was cancelled.
    Cancelled,
    /// The run is being stopped.
    Interrupted,
}

impl StopReason {
    /// Says whether a person asked for it.
    pub(super) fn is_asked_for(self) -> bool {
        matches!(self, Self::Cancelled | Self::Interrupted)
    }

    /// Says why, as a phrase.
    pub(super) fn phrase(self) -> String {
        match self {
            Self::TimedOut(limit) => format!("timed out after {}", render_duration(limit)),
            Self::Stalled(silent_for) => {
                format!("no sign of life for {}", render_duration(silent_for))
            }
            Self::OverBudget(scope, figure) => {
                let whose = if scope == Scope::Run { "the" } else { "its" };
                let (scope, figure) = (scope.as_str(), figure.words());
                format!("the budget of {whose} {scope} is spent: {figure}")
            }
            Self::Limited => "it waits for a limit of its provider".to_owned(),
            Self::Cancelled => "the task was cancelled".to_owned(),
            Self::Interrupted => "the run was stopped".to_owned(),
        }
    }
}

/// Whether and how the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Starts whatever may start.
    Running,
    /// Starts nothing more.
    Stopping(StopMode),
}

/// Where a task is, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// The author is not finished with it.
    Draft,
    /// The author holds it back.
    Hold,
    /// Waits for tasks that can still be done.
    Waiting,
    /// Cannot start before a person or something outside acts.
    Blocked,
    /// May start; at most a limit is in the way.
    Ready,
    /// Waits for its next attempt.
    BackingOff,
    /// A worker works on it.
    Running,
    /// Its verify commands run.
    Verifying,
    /// Its work is verified, and lands.
    Landing,
    /// A person must approve it.
    Review,
    /// Done.
    Done,
    /// Out of attempts.
    Failed,
    /// Not to be done.
    Cancelled,
}

impl TaskState {
    /// All states in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Running,
        Self::Verifying,
        Self::Landing,
        Self::Ready,
        Self::BackingOff,
        Self::Waiting,
        Self::Review,
        Self::Blocked,
        Self::Failed,
        Self::Hold,
        Self::Draft,
        Self::Done,
        Self::Cancelled,
    ];

    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Hold => "hold",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Ready => "ready",
            Self::BackingOff => "backing-off",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Landing => "landing",
            Self::Review => "review",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Says whether nothing more will happen to the task by itself, and dependents may go on.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}
