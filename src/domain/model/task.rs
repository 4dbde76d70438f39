//! What the author of a task wrote.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{
    agent::Agent,
    glob::Glob,
    id::{GateName, RoleName, TaskId},
    place::Located,
    sandbox::SandboxSpec,
};

/// One task file, as its author meant it; places are kept for diagnostics.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSpec {
    /// Its name; the place is that of the `id` key, or unknown where the file name gives the id.
    pub id: Located<TaskId>,
    /// The file, relative to the repository root, with `/`.
    pub path: Arc<str>,
    /// What it is about, on one line.
    pub title: String,
    /// Ids of the tasks that must be done first, as written.
    pub depends_on: Vec<Located<String>>,
    /// Which role works on it.
    pub role: Option<Located<RoleName>>,
    /// Higher runs first.
    pub priority: Priority,
    /// How long its author thinks it takes.
    pub estimate: Option<Estimate>,
    /// A named target that it belongs to.
    pub milestone: Option<String>,
    /// A free grouping.
    pub phase: Option<String>,
    /// Tasks of one workstream run one after another.
    pub workstream: Option<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// Barrier: no task of a level starts before all tasks of lower levels ended well.
    pub level: Option<Located<u32>>,
    /// What it will touch: two tasks whose globs meet never run at once.
    pub files: Vec<Glob>,
    /// How it is worked on.
    pub worker: WorkerSpec,
    /// When it counts as done.
    pub completion: Completion,
    /// What happens after a failed attempt.
    pub retry: RetrySpec,
    /// What it may use up.
    pub budget: Budget,
    /// Whether its worker is started again and again until the checks hold.
    pub repeat: Option<LoopSpec>,
    /// Outside facts that must be there before it starts.
    pub waits_for: Vec<Located<GateName>>,
    /// The author's word about its state.
    pub status: Located<AuthorStatus>,
    /// Checkboxes under *Acceptance criteria*.
    pub criteria: Criteria,
    /// What the worker is told; empty where only the front matter was read.
    pub body: Arc<str>,
    /// Digest of the whole file (its git blob id); empty where only the front matter was read.
    pub digest: Arc<str>,
}

impl TaskSpec {
    /// Returns a task of which nothing but id and file are said.
    pub fn new(id: TaskId, path: impl Into<Arc<str>>) -> Self {
        Self {
            title: id.to_string(),
            id: Located::nowhere(id),
            path: path.into(),
            depends_on: Vec::new(),
            role: None,
            priority: Priority::default(),
            estimate: None,
            milestone: None,
            phase: None,
            workstream: None,
            tags: Vec::new(),
            level: None,
            files: Vec::new(),
            worker: WorkerSpec::default(),
            completion: Completion::default(),
            retry: RetrySpec::default(),
            budget: Budget::default(),
            repeat: None,
            waits_for: Vec::new(),
            status: Located::default(),
            criteria: Criteria::default(),
            body: Arc::default(),
            digest: Arc::default(),
        }
    }
}

/// Order among ready tasks: higher runs first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(pub i64);

impl Priority {
    /// The named priorities, highest first.
    pub const NAMED: [(&'static str, Self); 4] =
        [("critical", Self(100)), ("high", Self(75)), ("medium", Self(50)), ("low", Self(25))];
}

impl Default for Priority {
    /// Returns `medium`.
    fn default() -> Self {
        Self(50)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(_, priority)| priority == self) {
            Some((name, _)) => f.pad(name),
            None => f.pad(&self.0.to_string()),
        }
    }
}

/// How long a task is thought to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// A size; what it means is configured (`estimates`).
    Size(Size),
    /// A time.
    Time(Duration),
}

/// The sizes of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// Small.
    S,
    /// Medium.
    M,
    /// Large.
    L,
    /// Extra large.
    Xl,
}

impl Size {
    /// All sizes with their names, smallest first.
    pub const NAMED: [(&'static str, Self); 4] =
        [("S", Self::S), ("M", Self::M), ("L", Self::L), ("XL", Self::Xl)];
}

/// A command as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// One text: run directly where it holds only words, by `sh -c` otherwise.
    Text(String),
    /// Program and arguments, run directly.
    Words(Vec<String>),
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Words(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// How a task is worked on. Task, role and config each may say a part; the first that does wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerSpec {
    /// What is started.
    pub command: Option<CommandLine>,
    /// The coding agent that works on it.
    pub agent: Option<Agent>,
    /// The model that the agent is told to use.
    pub model: Option<String>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How often a worker gives a sign of life.
    pub heartbeat: Option<Duration>,
    /// How long a worker may be silent before it is stopped.
    pub heartbeat_limit: Option<Duration>,
    /// What counts as a sign of life.
    pub heartbeat_from: Option<HeartbeatFrom>,
    /// Whose limits it shares with others, as in `anthropic`.
    pub provider: Option<String>,
    /// Time between the polite stop and the kill.
    pub grace: Option<Duration>,
    /// Further environment variables.
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    pub isolation: Option<Isolation>,
    /// What it may do where it runs in a sandbox.
    pub sandbox: SandboxSpec,
}

/// What counts as a sign of life of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum HeartbeatFrom {
    /// A written status file.
    #[default]
    Status,
    /// A written status file, and growing output.
    Output,
}

impl HeartbeatFrom {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 2] =
        [("status", Self::Status), ("output", Self::Output)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Output => "output",
        }
    }
}

/// The persistent loop: the worker is started again, with what failed, until the checks hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopSpec {
    /// How many iterations there may be; `None` where nobody says.
    pub max_iterations: Option<u32>,
}

impl WorkerSpec {
    /// Says whether it says what is started.
    pub fn is_startable(&self) -> bool {
        self.command.is_some() || self.agent.is_some()
    }
}

/// Where a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// In the repository root.
    None,
    /// In a git worktree of its own.
    Worktree,
    /// In a git worktree of its own, with nothing else to write to and less to see.
    Sandbox,
}

impl Isolation {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 3] =
        [("none", Self::None), ("worktree", Self::Worktree), ("sandbox", Self::Sandbox)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Worktree => "worktree",
            Self::Sandbox => "sandbox",
        }
    }

    /// Says whether it has a git worktree of its own.
    pub fn is_apart(self) -> bool {
        self != Self::None
    }
}

/// When a task counts as done, beside exit code 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// Commands that must all exit 0 after the worker did.
    pub verify: Vec<CommandLine>,
    /// Text that must appear in the worker's output.
    pub signal: Option<String>,
    /// How long one verify command may take.
    pub timeout: Option<Duration>,
    /// A person must approve what passed.
    pub review: bool,
}

/// What happens after a failed attempt; unset parts come from role and config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetrySpec {
    /// How many attempts may fail before the task failed.
    pub max_attempts: Option<u32>,
    /// Wait before the second attempt; doubled for each further one.
    pub backoff: Option<Duration>,
    /// How many workers may crash before the task failed.
    pub max_crashes: Option<u32>,
    /// Whether an attempt gets a new worktree, not that of the one before.
    pub clean: Option<bool>,
}

/// What a task, the tasks of a milestone or a run may use up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    /// Tokens of all kinds together.
    pub tokens: Option<u64>,
    /// Money in US dollars.
    pub cost_usd: Option<f64>,
    /// Time: that of its workers together, or, of a run, since its start.
    pub time: Option<Duration>,
    /// Attempts, however they end.
    pub attempts: Option<u32>,
}

impl Budget {
    /// Returns this budget, with the parts of `other` where it says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.or(other.tokens),
            cost_usd: self.cost_usd.or(other.cost_usd),
            time: self.time.or(other.time),
            attempts: self.attempts.or(other.attempts),
        }
    }

    /// Says whether it limits nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The author's word about the state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AuthorStatus {
    /// Not ready to be worked on.
    Draft,
    /// To be done.
    #[default]
    Todo,
    /// Not to be started for now.
    Hold,
    /// Done, whatever the records say.
    Done,
    /// Not to be done at all.
    Cancelled,
}

impl AuthorStatus {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("draft", Self::Draft),
        ("todo", Self::Todo),
        ("hold", Self::Hold),
        ("done", Self::Done),
        ("cancelled", Self::Cancelled),
    ];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Todo => "todo",
            Self::Hold => "hold",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Checkboxes under *Acceptance criteria*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Criteria {
    /// How many there are.
    pub total: u32,
    /// How many are ticked.
    pub checked: u32,
}
