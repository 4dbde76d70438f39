//! All that can have happened, in one closed list.

use std::{collections::BTreeMap, sync::Arc};

use super::approval::Unapproved;
use crate::domain::{
    model::{
        attempt::{CheckResult, Digests, Exit, StatusReport, Usage, UsageLimit, WorkerEnd},
        claim::ClaimAnswer,
        id::{AttemptId, TaskId},
        outside::OutsideFacts,
        sandbox::Lack,
    },
    plan::Plan,
};

/// Something that happened outside of the scheduler.
#[derive(Debug, Clone)]
pub enum Event {
    /// Nothing but time; also the first event of every coordinator.
    TimePassed,
    /// The worktree of an attempt is there.
    WorktreeReady {
        /// Whose.
        attempt: AttemptId,
    },
    /// The work of an attempt was committed, and merged with what landed meanwhile.
    Merged {
        /// Whose.
        attempt: AttemptId,
        /// What came of it.
        answer: MergeAnswer,
    },
    /// The verified work of several attempts was merged with each other.
    Combined {
        /// Whose turn it is to land.
        attempt: AttemptId,
        /// What came of it.
        answer: CombineAnswer,
    },
    /// It was tried to land the work of attempts, in one commit.
    Landed {
        /// Whose.
        attempts: Vec<AttemptId>,
        /// What came of it.
        answer: LandAnswer,
    },
    /// The process, or the worktree, of an attempt could not be started.
    WorkerNotStarted {
        /// Whose.
        attempt: AttemptId,
        /// Why, as a phrase.
        cause: String,
        /// Whether the machine is short of something (processes, descriptors): no fault of the
        /// task, so no attempt is used up.
        is_passing: bool,
    },
    /// The process of an attempt was started. Needs to be told only while the machine is short of
    /// something: see [`super::Scheduler::is_short`].
    WorkerStarted {
        /// Whose.
        attempt: AttemptId,
    },
    /// A command cannot be started because the machine is short of something; whoever wants it
    /// goes on trying.
    ShortageSeen {
        /// Of what, as a phrase.
        cause: String,
    },
    /// The process of an attempt ended.
    WorkerExited {
        /// Whose.
        attempt: AttemptId,
        /// How.
        end: Box<WorkerEnd>,
    },
    /// Nobody sees to the process of an attempt any more, and it was stopped.
    WorkerLost {
        /// Whose.
        attempt: AttemptId,
        /// Why, as a phrase.
        cause: String,
    },
    /// A worker gave a sign of life beside its status file.
    HeartbeatSeen {
        /// Whose.
        attempt: AttemptId,
    },
    /// The output of a worker says what it used so far.
    UsageSeen {
        /// Whose.
        attempt: AttemptId,
        /// All that it used since it started.
        usage: Usage,
    },
    /// The output of a worker has said for a while that a limit of its provider is reached, and
    /// it does not end by itself.
    LimitSeen {
        /// Whose.
        attempt: AttemptId,
        /// Which limit.
        limit: UsageLimit,
    },
    /// A worker wrote its status file.
    StatusReported(StatusReport),
    /// The verify commands of an attempt ran; the list ends with the first that failed.
    VerifyFinished {
        /// Whose.
        attempt: AttemptId,
        /// What came out, in order.
        results: Vec<CheckResult>,
    },
    /// The verify commands of several attempts ran on their combined work, up to the first that failed.
    BatchVerified {
        /// Whose turn it is to land.
        attempt: AttemptId,
        /// What came out for each, in order.
        results: Vec<(AttemptId, Vec<CheckResult>)>,
    },
    /// The commands of a level's gate ran; the list ends with the first that failed.
    GateFinished {
        /// The level whose tasks had ended.
        level: u32,
        /// Which run of the gate.
        number: u32,
        /// What came out, in order.
        results: Vec<CheckResult>,
    },
    /// Task files, roles, settings or outside facts changed. Running attempts go on as they are.
    PlanChanged {
        /// The plan as it is now.
        plan: Arc<Plan>,
        /// The outside facts as they are now.
        outside: OutsideFacts,
    },
    /// Another branch is checked out than that which work lands on, or that one again: the plan is
    /// perhaps another one, and none of it that would land is started.
    Away(bool),
    /// Whether tasks can run in a sandbox: why not, where they cannot.
    SandboxSeen(Option<Lack>),
    /// Nothing more is to be started for now. What runs goes on.
    Held(Hold),
    /// One thing less keeps tasks from being started.
    Released(Hold),
    /// Somebody wants the run to end before its time.
    StopAsked(StopMode),
    /// It is known whose a task is that was asked for.
    ClaimAnswered {
        /// The task.
        task: TaskId,
        /// Whose it is.
        answer: ClaimAnswer,
    },
    /// Nobody could be asked: all that was asked for has no answer.
    ClaimsFailed {
        /// Why, in words.
        cause: String,
    },
    /// All claims of others, as they are now.
    ClaimsSeen {
        /// Tasks, with who has them.
        others: BTreeMap<TaskId, String>,
    },
    /// All that waits for a person's approval, as it is now.
    ApprovalSeen(Unapproved),
}

impl Event {
    /// Returns the event that the worker of `attempt` ended, nothing else being known of it.
    pub fn exited(attempt: AttemptId, exit: Exit) -> Self {
        Self::WorkerExited { attempt, end: Box::new(WorkerEnd::of(exit)) }
    }
}

/// What came of merging what landed meanwhile into the work of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeAnswer {
    /// It is merged; its own files (task, role) are these then: it may have edited them itself.
    Clean(Digests),
    /// The branch that it was to land on is gone.
    NoBranch,
    /// These files were changed by others, too.
    Conflict(Vec<String>),
    /// It cannot be done, as a phrase.
    Failed(String),
}

/// What came of merging the work of several attempts with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CombineAnswer {
    /// The work of these is in it, beside that of the one whose turn it is; that of others does not
    /// merge with theirs.
    Together(Vec<AttemptId>),
    /// It cannot be done, as a phrase: each lands alone.
    Failed(String),
}

/// What came of landing the work of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandAnswer {
    /// It is on the branch.
    Done,
    /// The branch went on meanwhile.
    MovedOn,
    /// Something of the user is in the way; it is tried again until it is gone.
    Waits,
    /// The branch that it was to land on is gone.
    NoBranch,
    /// It was given up, as was asked for.
    GivenUp,
    /// It cannot be done, as a phrase.
    Failed(String),
}

/// What keeps all tasks from being started, until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// A person paused it.
    Person,
    /// Git changes the checkout: what would be started now might see half of it.
    Checkout,
    /// What people write cannot be read: the plan may be another one by now.
    Files,
}

/// How a run is ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopMode {
    /// Start nothing more; ask workers to stop, kill them after their grace time.
    Polite,
    /// Kill workers at once.
    Now,
}
