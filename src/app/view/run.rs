//! What a run tells while it goes on, and when it has ended.

use serde::Serialize;

use super::{
    attempt::NamedAttempt,
    change::{FaultView, PlanChange},
    hook::{HookFailure, ReachedMilestone},
    sandbox::SandboxView,
    trust::{Approved, Unapproved},
    watching::Watching,
};
pub use super::{
    live::{Live, LiveWorker},
    summary::{Summary, Unfinished},
};
use crate::domain::model::time::Timestamp;

/// One thing that happened, as one line of `orch run --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEvent {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
}

/// What happened. The JSON has it in the key `event`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Happened {
    /// The run began.
    RunStarted {
        /// The tasks of the plan.
        n_tasks: usize,
        /// Those that are not done yet.
        n_open: usize,
        /// Most workers side by side.
        max_workers: u32,
    },
    /// Somebody looks at the plan and does not carry it out.
    LookStarted {
        /// The tasks of the plan.
        n_tasks: usize,
        /// Those that are not done yet.
        n_open: usize,
        /// Who carries it out; `None` where nobody does.
        coordinator: Option<String>,
    },
    /// The workers of an earlier coordinator are taken up.
    TakenUp {
        /// Attempts whose workers run.
        running: Vec<String>,
        /// Attempts whose workers ended meanwhile.
        ended: Vec<String>,
        /// Attempts that nobody sees to any more: they are tried again.
        lost: Vec<String>,
    },
    /// A supervisor of an earlier coordinator did nothing any more, and was killed.
    SupervisorKilled,
    /// What a worker writes cannot be put into its log now, so it waits.
    LogWaits {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// Why.
        cause: String,
    },
    /// What nobody sees to any more was stopped.
    LeftoversStopped {
        /// Processes that were stopped.
        n_processes: usize,
        /// Processes that could not be stopped.
        survivors: Vec<u32>,
    },
    /// An attempt is being started.
    Started {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// The title of the task.
        title: String,
    },
    /// The worker of an attempt reported.
    Progress {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// How it goes: `working`, `done`, `failed`, `blocked`, `review`, `escalate`.
        state: String,
        /// Percent.
        progress: Option<u8>,
        /// What it does.
        message: Option<String>,
    },
    /// The verify commands of an attempt run.
    Verifying {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
    },
    /// The branch went on while an attempt was verified: its work is merged and verified again.
    MovedOn {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
    },
    /// The branch went on while attempts were verified: their work is merged and verified together.
    Combined {
        /// Which.
        attempts: Vec<NamedAttempt>,
    },
    /// The work of attempts does not hold together: fewer are tried, or one.
    Split {
        /// Which.
        attempts: Vec<NamedAttempt>,
        /// What does not hold.
        reason: String,
    },
    /// What was verified cannot land now, as something of the user is in the way; it is tried again
    /// until that is gone.
    LandingWaits {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// What is in the way.
        what: String,
        /// The files that have local changes, relative to the top folder of the checkout.
        files: Vec<String>,
    },
    /// The work of an attempt landed.
    Landed {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// The branch.
        branch: String,
        /// The commit.
        commit: String,
    },
    /// Settings or hooks of git were changed while workers ran: they would run with the next command
    /// of the user.
    GitChanged {
        /// The tasks that were worked on.
        tasks: Vec<String>,
        /// What was changed, in words.
        changes: Vec<String>,
    },
    /// Somebody else had written the record of an attempt before it was started: it counts for nothing.
    RecordForged {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// Where what they wrote lies now.
        aside: String,
        /// The tasks that were worked on meanwhile.
        tasks: Vec<String>,
    },
    /// What an attempt left is kept under a name of its own, as its worktree is made anew.
    Rescued {
        /// The task.
        task: String,
        /// The name of the ref.
        name: String,
    },
    /// Tasks are worked on in the repository itself, as they cannot have worktrees of their own.
    NotApart {
        /// Why.
        reason: String,
    },
    /// Tasks that are to run in a sandbox are started by now, or not.
    Sandbox(SandboxView),
    /// State cannot be committed; it stays in the files, and is tried again.
    StateNotCommitted {
        /// Why.
        reason: String,
    },
    /// A worker is being stopped.
    Stopping {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
        /// Whether it is killed.
        is_kill: bool,
    },
    /// An attempt ended.
    Ended {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// How: the words of the run record.
        outcome: String,
        /// Why, in words.
        reason: String,
        /// How long it took.
        seconds: f64,
        /// Seconds until the next attempt, where there will be one.
        retry_in: Option<f64>,
        /// How many processes its worker left running; they were killed.
        n_leaked: u32,
    },
    /// A task is out of attempts.
    GaveUp {
        /// The task.
        task: String,
        /// How many attempts failed, or what else there is a limit of.
        n_failed: u32,
        /// Of what there were so many: `attempts`, `crashes` or `iterations`.
        of: &'static str,
        /// How many tasks wait for it, directly or not.
        n_blocked: usize,
    },
    /// A worker gives no sign of life.
    Silent {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// Since how many seconds.
        seconds: f64,
        /// In how many seconds it is stopped.
        stopped_in: f64,
    },
    /// The limit of a provider was reached: its tasks wait, and go on by themselves.
    LimitReached {
        /// Whose limit.
        provider: String,
        /// Until when, RFC 3339 in UTC.
        until: String,
        /// What the worker said.
        words: String,
    },
    /// Another coordinator has claimed a task: it is left to that one.
    Claimed {
        /// The task.
        task: String,
        /// Who has it.
        by: String,
    },
    /// The process of a worker stands still; it keeps its slot.
    StandsStill {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// `stopped` (by a signal), `traced` (a debugger holds it) or `unkillable` (no signal ends
        /// it).
        how: &'static str,
        /// Its process.
        pid: u32,
    },
    /// The process of a worker that stood still goes on, or has ended.
    MovesAgain {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
    },
    /// Many workers died at once: nothing is started for a while.
    BreakerOpened {
        /// How many.
        n_crashes: u32,
        /// Within how many seconds.
        within: f64,
        /// For how many seconds nothing is started.
        pause: f64,
    },
    /// Tasks are started again after many workers had died.
    BreakerClosed,
    /// A budget is spent: nothing that it is for is started any more.
    BudgetSpent {
        /// The task whose own budget it is: it waits for a person.
        task: Option<String>,
        /// The milestone whose budget it is; where there is neither, it is that of the run.
        milestone: Option<String>,
        /// The figures.
        words: String,
    },
    /// The gate after a level is being run.
    GateStarted {
        /// The level.
        level: u32,
    },
    /// The gate after a level was run.
    GateEnded {
        /// The level.
        level: u32,
        /// Whether higher levels may start.
        opens: bool,
        /// Whether every command passed.
        is_passed: bool,
        /// What failed.
        reason: String,
    },
    /// The run is being stopped.
    StopAsked {
        /// How many workers run.
        n_running: usize,
        /// Whether they are killed at once.
        is_kill: bool,
    },
    /// Task files, roles or settings changed and were read again.
    PlanChanged(PlanChange),
    /// Faults came up in files, or are gone; what is broken stays as it was.
    FaultsChanged {
        /// Faults that were not there before.
        new: Vec<FaultView>,
        /// Faults that were repaired.
        gone: Vec<FaultView>,
        /// Errors that there are now.
        n_errors: usize,
    },
    /// The file of a task is gone, and its attempt still runs: somebody should say whether it
    /// shall.
    RemovedWhileRunning {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
    },
    /// The file or role of a task changed after it was done.
    BecameStale {
        /// The task.
        task: String,
        /// Whether it runs again for that.
        runs_again: bool,
    },
    /// A change of the settings has no effect before the next start.
    NotApplied {
        /// The setting.
        setting: String,
        /// What to do.
        help: String,
    },
    /// What changed is not executed before a person approves it.
    WaitsForApproval(Unapproved),
    /// What waited for approval may be executed.
    Approved(Approved),
    /// How changes of files are noticed, where that is not as it should be.
    Watching(Watching),
    /// Git moved the checkout to another branch or commit.
    HeadMoved {
        /// The branch, or the commit.
        to: String,
    },
    /// Nothing is started for now: a person paused it, or git is at work.
    Held {
        /// Why.
        reason: String,
        /// What to do; empty where it passes by itself.
        help: String,
    },
    /// Ready tasks are started again.
    Released,
    /// A milestone was reached: told once in its life.
    MilestoneReached(ReachedMilestone),
    /// A hook failed; told once until it works again.
    HookFailed(HookFailure),
    /// Commands of hooks were not run, because the run ended or too many waited.
    HooksSkipped {
        /// How many.
        n_commands: usize,
    },
    /// The run was left: its workers go on without it.
    Left {
        /// How many workers run.
        n_running: usize,
    },
    /// The coordinator that another process runs came or went (told to those who only look).
    CoordinatorChanged {
        /// Who it is; `None` where nobody dispatches.
        coordinator: Option<String>,
    },
    /// The run ended.
    RunEnded(Summary),
}

impl RunEvent {
    /// Returns what happened at `at`.
    pub fn new(at: Timestamp, happened: Happened) -> Self {
        Self { at: at.to_string(), happened }
    }
}
