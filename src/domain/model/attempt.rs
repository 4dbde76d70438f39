//! What is known of one attempt: the coordinator's record and the worker's report.

use std::{fmt, time::Duration};

pub use super::{
    outcome::{Outcome, ReviewKind},
    usage::{Usage, UsageLimit},
};

use super::{
    commit::CommitId,
    config::Role,
    id::{AttemptId, GateName},
    task::TaskSpec,
    time::{Now, Timestamp},
};

/// The coordinator's record of one attempt (`.orch/runs/<id>.<n>.yaml`).
///
/// Written before the worker starts (without [`Ending`]) and again when the attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Which attempt.
    pub attempt: AttemptId,
    /// When the decision to start it was recorded.
    pub started: Timestamp,
    /// The command, as written.
    pub worker: String,
    /// The kind of executor, `local`.
    pub executor: String,
    /// A random word that the worker carries in its environment: finds what a dead coordinator
    /// left running.
    pub nonce: String,
    /// Where the output goes, relative to the repository root.
    pub log: String,
    /// The files that it was made from.
    pub digests: Digests,
    /// Where its work is, where it has a worktree of its own.
    pub work: Option<Work>,
    /// How it ended; `None` while it runs, or where the coordinator died.
    pub ending: Option<Ending>,
}

/// Where the work of an attempt is, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The branch of its worktree.
    pub branch: String,
    /// The branch that it is to land on.
    pub onto: String,
    /// The last commit of its branch: what is verified, and lands.
    pub commit: Option<CommitId>,
    /// The attempt whose work it lands, where it does nothing else.
    pub lands: Option<u32>,
}

/// Digests (git blob ids) of the files that an attempt is made from; `None` where they are not
/// known, or where there is no such file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digests {
    /// The task file.
    pub task: Option<String>,
    /// The file of its role.
    pub role: Option<String>,
}

impl Digests {
    /// Returns those of `task` and its role as they are now.
    pub fn of(task: &TaskSpec, role: Option<&Role>) -> Self {
        let known = |digest: &str| (!digest.is_empty()).then(|| digest.to_owned());
        Self { task: known(&task.digest), role: role.and_then(|role| known(&role.digest)) }
    }

    /// Says whether a file that both know is another one.
    pub fn differ(&self, other: &Self) -> bool {
        let differs = |a: &Option<String>, b: &Option<String>| {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a != b)
        };
        differs(&self.task, &other.task) || differs(&self.role, &other.role)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// When.
    pub ended: Timestamp,
    /// How.
    pub outcome: Outcome,
    /// Why, in words: for people and for the prompt of the next attempt.
    pub reason: String,
    /// How the process ended, where one ran.
    pub exit: Option<Exit>,
    /// The verify commands that ran, in order.
    pub verify: Vec<CheckResult>,
    /// The files that somebody else changed, too, so that its work could not be merged.
    pub conflicts: Vec<String>,
    /// What the worker reported to have used.
    pub usage: Usage,
    /// The files that it was made from, as they were at its end: it may have edited them itself.
    pub digests: Digests,
    /// The limit of its provider that ended it.
    pub limit: Option<UsageLimit>,
    /// The gate that it waits for.
    pub waiting_for: Option<GateName>,
    /// What kind of decision its worker asks for.
    pub category: Option<String>,
    /// What a person is asked for, where it is in review.
    pub review: Option<ReviewKind>,
    /// What its worker claimed last, where that contradicts how it ended.
    pub claimed: Option<ReportedState>,
    /// Which iteration of a loop it was, from 1.
    pub iteration: Option<u32>,
    /// How many processes its worker left running.
    pub n_leaked: u32,
    /// Whether the system killed its worker, or a part of it, as memory had run out.
    pub is_oom: bool,
}

impl Ending {
    /// Returns an ending of which nothing more is known.
    pub fn new(ended: Timestamp, outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            ended,
            outcome,
            reason: reason.into(),
            exit: None,
            verify: Vec::new(),
            conflicts: Vec::new(),
            usage: Usage::default(),
            digests: Digests::default(),
            limit: None,
            waiting_for: None,
            category: None,
            review: None,
            claimed: None,
            iteration: None,
            n_leaked: 0,
            is_oom: false,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Says whether it is exit code 0.
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

/// The signals that end processes, from number 1 on, as far as Linux and macOS agree on them.
const SIGNALS: &str = "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT - SIGFPE SIGKILL - SIGSEGV - \
                       SIGPIPE SIGALRM SIGTERM - - - - - - - - SIGXCPU SIGXFSZ SIGVTALRM SIGPROF";

fn signal_name(signal: i32) -> Option<&'static str> {
    let at = usize::try_from(signal).ok()?.checked_sub(1)?;
    SIGNALS.split(' ').nth(at).filter(|name| *name != "-")
}

/// Who killed a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killer {
    /// Its supervisor, because its time was over, and no coordinator was there to do it.
    Timeout,
    /// The system, it or a part of it, because memory had run out.
    OutOfMemory,
}

/// How a worker ended, as its supervisor saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerEnd {
    /// How its process ended.
    pub exit: Exit,
    /// Whether the completion signal stands in its output; true where none is asked for.
    pub has_signal: bool,
    /// Who killed it, where its supervisor knows.
    pub killed_by: Option<Killer>,
    /// What its output says that it used; empty where it says nothing.
    pub usage: Usage,
    /// The limit of its provider that it ran into.
    pub limit: Option<UsageLimit>,
    /// How many processes it left running; they were killed.
    pub n_leaked: u32,
    /// When, where that is known: perhaps long before it is noticed.
    pub ended: Option<Now>,
}

impl WorkerEnd {
    /// Returns the end of a worker of which nothing but its exit is known.
    pub fn of(exit: Exit) -> Self {
        let usage = Usage::default();
        Self {
            exit,
            has_signal: true,
            killed_by: None,
            usage,
            limit: None,
            n_leaked: 0,
            ended: None,
        }
    }
}

/// The result of one verify or gate command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The command, as written.
    pub command: String,
    /// How it ended; `None` where it could not be started or ran out of time.
    pub exit: Option<Exit>,
    /// Why it has no exit: "timed out after 30m", "no such program".
    pub fault: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// The end of its output where it failed, for the next prompt. Not part of the record.
    pub output_tail: String,
}

impl CheckResult {
    /// Says whether the command ended with exit code 0.
    pub fn is_success(&self) -> bool {
        self.exit.is_some_and(Exit::is_success)
    }

    /// Says in words how the command ended.
    pub fn ending(&self) -> String {
        match (&self.fault, self.exit) {
            (Some(fault), _) => fault.clone(),
            (None, Some(exit)) => exit.to_string(),
            (None, None) => "unknown ending".to_owned(),
        }
    }
}

/// The coordinator's record of one run of a level's gate (`.orch/runs/@level-<level>.<n>.<mark>.yaml`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRecord {
    /// The level whose tasks had ended.
    pub level: u32,
    /// Which run of this gate it is, from 1.
    pub number: u32,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, or where the coordinator died.
    pub ended: Option<Timestamp>,
    /// Whether every command passed.
    pub is_passed: bool,
    /// Digest of the work it judged: which tasks up to this level, at which attempt.
    pub judged: String,
    /// The commands that ran, in order.
    pub checks: Vec<CheckResult>,
}

/// What a worker says of its own attempt (`.orch/status/<id>.<n>.md`): a claim, not a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusReport {
    /// Which attempt it speaks of.
    pub attempt: AttemptId,
    /// How it goes.
    pub state: ReportedState,
    /// Percent, 0 to 100.
    pub progress: Option<u8>,
    /// What it does now, on one line.
    pub message: Option<String>,
    /// When it was written.
    pub updated: Option<Timestamp>,
    /// What it waits for, with state `blocked`.
    pub waiting_for: Option<GateName>,
    /// What kind of decision it asks for, with state `escalate`: a free word.
    pub category: Option<String>,
    /// What it used so far.
    pub usage: Usage,
    /// The body: notes for the next attempt and for the reviewer.
    pub notes: String,
}

/// How a worker says that its attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ReportedState {
    /// In the middle of it.
    #[default]
    Working,
    /// Claims success.
    Done,
    /// Gives up.
    Failed,
    /// Waits for something outside.
    Blocked,
    /// Asks a person to look at the result.
    Review,
    /// Asks a person for a decision.
    Escalate,
}

impl ReportedState {
    /// All states with their names.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("working", Self::Working),
        ("done", Self::Done),
        ("failed", Self::Failed),
        ("blocked", Self::Blocked),
        ("review", Self::Review),
        ("escalate", Self::Escalate),
    ];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Review => "review",
            Self::Escalate => "escalate",
        }
    }
}
