//! All that the scheduler can ask for, in the order in which it must be carried out.

use std::{sync::Arc, time::Duration};

use crate::domain::model::{
    attempt::{Ending, GateRecord, Outcome},
    config::{LevelGate, Policy, Role},
    id::{AttemptId, TaskId},
    task::{Isolation, TaskSpec},
    time::Timestamp,
};

/// Something to do. Records must be on disk before the next effect is carried out; everything
/// else is started, and its end comes back as an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write the record of an attempt that is about to start.
    RecordStart(Arc<Assignment>),
    /// Ask for a task at the place that all coordinators see: whose it is comes back as an event.
    Claim(TaskId),
    /// Make the worktree of an attempt whose record is on disk, or take up the one that is there.
    PrepareWorktree(Arc<Assignment>),
    /// Start the worker of an attempt whose record is on disk, and whose worktree is there.
    StartWorker(Arc<Assignment>),
    /// Commit what the worker of an attempt left, and merge what landed meanwhile into it.
    Merge {
        /// Whose.
        attempt: AttemptId,
    },
    /// Merge the verified work of several attempts with what landed meanwhile, and with each other, in
    /// a place of its own.
    Combine {
        /// Whose; the first has the turn to land.
        attempts: Vec<AttemptId>,
    },
    /// Land what was verified, in one commit with the records of the attempts.
    Land {
        /// Whose, and what the record says then.
        works: Vec<(AttemptId, Box<Ending>)>,
    },
    /// Give up landing, where it waits.
    StopLanding {
        /// Whose.
        attempt: AttemptId,
    },
    /// Remove the worktree of an attempt whose work has landed.
    RemoveWorktree {
        /// Whose.
        attempt: AttemptId,
    },
    /// Stop the worker, and whatever it started.
    StopWorker {
        /// Whose.
        attempt: AttemptId,
        /// How.
        force: Force,
    },
    /// Run the verify commands of an attempt, one after the other, up to the first that fails.
    StartVerify {
        /// Whose.
        attempt: AttemptId,
    },
    /// Run the verify commands of several attempts on their combined work, each of them once, up to the
    /// first that fails.
    VerifyBatch {
        /// Whose; they belong to the first.
        attempts: Vec<AttemptId>,
    },
    /// Stop the verify commands of an attempt, or those that belong to it.
    StopVerify {
        /// Whose.
        attempt: AttemptId,
        /// How.
        force: Force,
    },
    /// Complete the record of an attempt.
    RecordEnd {
        /// Whose.
        attempt: AttemptId,
        /// How it ended.
        ending: Box<Ending>,
    },
    /// Write the record of a gate, before or after it ran.
    RecordGate(Box<GateRecord>),
    /// Run the commands of a level's gate.
    StartGate {
        /// The level whose tasks ended.
        level: u32,
        /// Which run of the gate.
        number: u32,
        /// What to run.
        gate: LevelGate,
    },
    /// Stop the commands of the gate that runs.
    StopGate {
        /// How.
        force: Force,
    },
    /// Tell whoever looks on.
    Announce(Notice),
}

/// How hard something is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// Ask: SIGTERM to the group.
    Ask,
    /// Kill: SIGKILL to the group.
    Kill,
}

/// An attempt with everything that decides how it is carried out, as it was when it started.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The task as it was then.
    pub spec: Arc<TaskSpec>,
    /// Its role as it was then.
    pub role: Option<Role>,
    /// What follows from task, role and config.
    pub policy: Policy,
    /// Where it is carried out.
    pub isolation: Isolation,
    /// The attempt whose work it only lands, without a worker.
    pub lands: Option<u32>,
    /// The attempt before, where there was one.
    pub previous: Option<Previous>,
}

/// What the next attempt is told about the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Which attempt.
    pub number: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// What a person who asked for the retry wrote.
    pub note: Option<String>,
    /// The end of what its failed verify command printed, where that is still known.
    pub check_tail: String,
}

/// What a task may use up before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uses {
    /// Attempts that fail.
    Attempts,
    /// Workers that crash.
    Crashes,
    /// Iterations whose checks do not hold.
    Iterations,
}

impl Uses {
    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Crashes => "crashes",
            Self::Iterations => "iterations",
        }
    }
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An attempt is being started.
    Started {
        /// Which.
        attempt: AttemptId,
        /// The title of its task.
        title: String,
    },
    /// The worker claims success; its verify commands run.
    Verifying {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The branch went on meanwhile: the work is merged and verified again.
    MovedOn {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The branch went on meanwhile: the work of several attempts is verified together.
    Combined {
        /// Which.
        attempts: Vec<AttemptId>,
    },
    /// The work of several attempts does not hold together: fewer are tried, or one.
    Split {
        /// Which.
        attempts: Vec<AttemptId>,
        /// What does not hold, in words.
        reason: String,
    },
    /// A worker is being stopped.
    Stopping {
        /// Which attempt.
        attempt: AttemptId,
        /// Why, as a phrase.
        why: String,
        /// How hard.
        force: Force,
    },
    /// An attempt ended.
    Ended {
        /// Which.
        attempt: AttemptId,
        /// How.
        outcome: Outcome,
        /// Why, in words.
        reason: String,
        /// How long it took.
        took: Duration,
        /// When it is tried again, where it is.
        retry_in: Option<Duration>,
        /// How many processes its worker left running; they were killed.
        n_leaked: u32,
    },
    /// A task is out of attempts; these tasks can no longer start.
    GaveUp {
        /// The task.
        task: TaskId,
        /// How many attempts failed, or what else there is a limit of.
        n_failed: u32,
        /// Of what there were so many.
        of: Uses,
        /// The tasks that wait for it, directly or not.
        n_blocked: usize,
    },
    /// A worker gives no sign of life.
    Silent {
        /// Which attempt.
        attempt: AttemptId,
        /// Since how long.
        silent_for: Duration,
        /// How much longer it may.
        stopped_in: Duration,
    },
    /// The limit of a provider was reached; its tasks wait.
    LimitReached {
        /// Whose limit.
        provider: String,
        /// Until when.
        until: Timestamp,
        /// What the worker said.
        words: String,
    },
    /// Many workers died at once; nothing is started for a while.
    BreakerOpened {
        /// How many.
        n_crashes: u32,
        /// Within which time.
        within: Duration,
        /// For how long.
        pause: Duration,
    },
    /// Tasks are started again after many workers had died.
    BreakerClosed,
    /// The machine is short of something: nothing is started for a while, then one task is tried.
    ShortageBegan {
        /// Of what, as a phrase.
        cause: String,
    },
    /// A worker could be started again.
    ShortageEnded,
    /// A budget is spent; nothing that it is for is started any more.
    BudgetSpent {
        /// The task whose own budget it is.
        task: Option<TaskId>,
        /// The milestone whose budget it is; where there is neither, it is that of the run.
        milestone: Option<String>,
        /// The figures.
        words: String,
    },
    /// The commands of a gate are being run.
    GateStarted {
        /// The level whose tasks ended.
        level: u32,
    },
    /// A gate ended.
    GateEnded {
        /// The level whose tasks ended.
        level: u32,
        /// Whether tasks of higher levels may start.
        opens: bool,
        /// Whether every command passed.
        is_passed: bool,
        /// What failed, in words; empty where nothing did.
        reason: String,
    },
    /// The run is asked to stop.
    StopAsked {
        /// How many workers run.
        n_running: usize,
        /// How hard.
        force: Force,
    },
}
