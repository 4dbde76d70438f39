//! What is configured for the whole plan, and for a role.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    agent::Agent,
    ceiling::{Ceiling, Edits},
    hook::Hooks,
    id::RoleName,
    landing::GitSpec,
    limits,
    milestone::MilestoneSpec,
    sandbox::SandboxSpec,
    task::{
        Budget, CommandLine, Completion, Estimate, HeartbeatFrom, Isolation, RetrySpec, Size,
        TaskSpec, WorkerSpec,
    },
};

/// `.orch/config.yaml`, with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Most workers side by side.
    pub max_workers: u32,
    /// For tasks and roles that do not say.
    pub worker: WorkerSpec,
    /// For tasks and roles that do not say.
    pub retry: RetrySpec,
    /// For tasks that do not say.
    pub budget: Budget,
    /// What one run may use up.
    pub run_budget: Budget,
    /// When so many workers die that nothing is started for a while.
    pub breaker: BreakerSpec,
    /// The remote at which tasks are claimed; `None` where no other coordinator works on them.
    pub claim_remote: Option<String>,
    /// Names of environment variables that workers get beside the built-in ones.
    pub env_pass: Vec<String>,
    /// Names of environment variables whose values are kept out of logs and status files.
    pub env_secret: Vec<String>,
    /// Most bytes of one log, its older half included.
    pub log_bytes_max: u64,
    /// What the sizes mean.
    pub sizes: BTreeMap<Size, Duration>,
    /// Gates after levels, by level.
    pub levels: BTreeMap<u32, LevelGate>,
    /// What a record must survive before the work it speaks of starts.
    pub durability: Durability,
    /// What becomes of a done task whose file or role changed since.
    pub on_change: OnChange,
    /// How work comes to the branch that is checked out.
    pub git: GitSpec,
    /// How changes of files are noticed.
    pub watch: WatchSpec,
    /// What is run when something happens.
    pub hooks: Hooks,
    /// What is to happen at milestones, by name.
    pub milestones: BTreeMap<String, MilestoneSpec>,
    /// What becomes of changes that people make in the files, where the plan is to be stricter than
    /// its user.
    pub edits: Option<Edits>,
    /// What its user lets any plan do at most.
    pub ceiling: Ceiling,
    /// What the file says, where that is wider than the user allows, or could be.
    pub written: Option<Box<Self>>,
}

impl Default for Config {
    fn default() -> Self {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        Self {
            max_workers: limits::WORKERS_DEFAULT,
            worker: WorkerSpec::default(),
            retry: RetrySpec::default(),
            budget: Budget::default(),
            run_budget: Budget::default(),
            breaker: BreakerSpec::default(),
            claim_remote: None,
            env_pass: Vec::new(),
            env_secret: Vec::new(),
            log_bytes_max: limits::LOG_BYTES_DEFAULT,
            sizes: BTreeMap::from([
                (Size::S, hours(1)),
                (Size::M, hours(3)),
                (Size::L, hours(8)),
                (Size::Xl, hours(24)),
            ]),
            levels: BTreeMap::new(),
            durability: Durability::default(),
            on_change: OnChange::default(),
            git: GitSpec::default(),
            watch: WatchSpec::default(),
            hooks: Hooks::new(),
            milestones: BTreeMap::new(),
            edits: None,
            ceiling: Ceiling::default(),
            written: None,
        }
    }
}

/// When so many workers die that nothing is started for a while: the fault is hardly theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSpec {
    /// How many crashes, with no success between them.
    pub crashes: u32,
    /// Within which time.
    pub within: Duration,
    /// For how long nothing is started then.
    pub pause: Duration,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        Self {
            crashes: limits::BREAKER_CRASHES_DEFAULT,
            within: limits::BREAKER_WITHIN_DEFAULT,
            pause: limits::BREAKER_PAUSE_DEFAULT,
        }
    }
}

/// What a record must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of the coordinator at any instant: the record is in the page cache.
    #[default]
    Process,
    /// A power cut: the record is on the disk (one grouped fsync per turn).
    Power,
}

/// What becomes of a done task whose file or role changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnChange {
    /// It stays done, and is shown as stale.
    #[default]
    Keep,
    /// It runs again.
    Rerun,
}

impl OnChange {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 2] = [("keep", Self::Keep), ("rerun", Self::Rerun)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rerun => "rerun",
        }
    }
}

/// How changes of files are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchSpec {
    /// Time between two looks at all files, whatever the system told.
    pub rescan: Duration,
    /// Who tells of changes.
    pub mode: WatchMode,
}

impl Default for WatchSpec {
    fn default() -> Self {
        Self { rescan: limits::RESCAN_DEFAULT, mode: WatchMode::default() }
    }
}

/// Who tells of changes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// The system where it can, else a look at all files every now and then.
    #[default]
    Auto,
    /// A look at all files every now and then: for file systems that tell nothing.
    Poll,
}

impl WatchMode {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 2] = [("auto", Self::Auto), ("poll", Self::Poll)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Poll => "poll",
        }
    }
}

/// What must hold before tasks of a higher level start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelGate {
    /// Commands, run one after the other in the repository root; all must exit 0.
    pub run: Vec<CommandLine>,
    /// A gate that is not required warns and opens.
    pub is_required: bool,
    /// How long one command may take.
    pub timeout: Duration,
}

/// `.orch/roles/<name>.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// The file name without `.md`.
    pub name: RoleName,
    /// The file, relative to the repository root, with `/`.
    pub path: Arc<str>,
    /// Most workers of this role side by side.
    pub max_workers: Option<u32>,
    /// For tasks that do not say.
    pub worker: WorkerSpec,
    /// For tasks that do not say.
    pub retry: RetrySpec,
    /// For tasks that name no verify commands.
    pub completion: Completion,
    /// For tasks that do not say.
    pub repeat: Option<super::task::LoopSpec>,
    /// The body: who the worker is, for the prompt.
    pub persona: String,
    /// Digest of the whole file (its git blob id); empty where it was not asked for.
    pub digest: Arc<str>,
}

/// How one task is carried out, after task, role and config have spoken (in this order).
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What is started; `None` means the agent, or that nobody said.
    pub command: Option<CommandLine>,
    /// The coding agent: how its output is read, and what is started where there is no command.
    pub agent: Option<Agent>,
    /// The model that the agent is told to use.
    pub model: Option<String>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Time between the polite stop and the kill.
    pub grace: Duration,
    /// Environment variables of task, role and config together.
    pub env: BTreeMap<String, String>,
    /// When the task counts as done.
    pub completion: Completion,
    /// How long one verify command may take.
    pub verify_timeout: Duration,
    /// How many attempts may fail before the task failed.
    pub max_attempts: u32,
    /// Wait before the second attempt.
    pub backoff: Duration,
    /// How many workers may crash before the task failed.
    pub max_crashes: u32,
    /// Signs of life that the worker must give.
    pub heartbeat: Option<Heartbeat>,
    /// Whose limits it shares with others.
    pub provider: Option<String>,
    /// What the task may use up.
    pub budget: Budget,
    /// How many iterations there may be until the checks hold; `None` where there is no loop.
    pub max_iterations: Option<u32>,
    /// Where the worker works, where somebody says so.
    pub isolation: Option<Isolation>,
    /// What it may do where it runs in a sandbox: task, role and settings together.
    pub sandbox: SandboxSpec,
    /// Whether an attempt gets a new worktree, not that of the one before.
    pub is_clean: bool,
}

/// Signs of life that a worker must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// How often. After as long a silence it is warned.
    pub every: Duration,
    /// After so long a silence the worker is stopped.
    pub limit: Duration,
    /// What counts as one.
    pub from: HeartbeatFrom,
}

impl Heartbeat {
    /// Returns what `workers` say, the first that does wins.
    fn of(workers: &[&WorkerSpec]) -> Option<Self> {
        let every = workers.iter().find_map(|w| w.heartbeat)?;
        let limit = workers.iter().find_map(|w| w.heartbeat_limit);
        let limit = limit.unwrap_or(every.saturating_mul(limits::HEARTBEAT_LIMIT_FACTOR));
        let from = workers.iter().find_map(|w| w.heartbeat_from).unwrap_or_default();
        Some(Self { every, limit: limit.max(every), from })
    }
}

impl Policy {
    /// Returns what holds for `task` of `role` under `config`, and no more than its user allows.
    pub fn of(task: &TaskSpec, role: Option<&Role>, config: &Config) -> Self {
        let mut policy = Self::written(task, role, config);
        config.ceiling.lower(&mut policy);
        policy
    }

    /// Returns what `task`, `role` and `config` say.
    pub(super) fn written(task: &TaskSpec, role: Option<&Role>, config: &Config) -> Self {
        let workers: Vec<&WorkerSpec> =
            [Some(&task.worker), role.map(|r| &r.worker), Some(&config.worker)]
                .into_iter()
                .flatten()
                .collect();
        let retries: Vec<RetrySpec> = [Some(task.retry), role.map(|r| r.retry), Some(config.retry)]
            .into_iter()
            .flatten()
            .collect();
        let count = |said: fn(&RetrySpec) -> Option<u32>| retries.iter().find_map(said);
        let mut env = BTreeMap::new();
        for worker in workers.iter().rev() {
            env.extend(worker.env.clone());
        }
        let mut completion = task.completion.clone();
        if let Some(role) = role {
            if completion.verify.is_empty() {
                completion.verify.clone_from(&role.completion.verify);
            }
            completion.signal = completion.signal.or_else(|| role.completion.signal.clone());
            completion.timeout = completion.timeout.or(role.completion.timeout);
            completion.review |= role.completion.review;
        }
        Self {
            command: nearest_command(&workers),
            agent: workers.iter().find_map(|w| w.agent),
            model: nearest_model(&workers),
            timeout: workers.iter().find_map(|w| w.timeout),
            grace: workers.iter().find_map(|w| w.grace).unwrap_or(limits::GRACE_DEFAULT),
            env,
            verify_timeout: completion.timeout.unwrap_or(limits::CHECK_TIMEOUT_DEFAULT),
            completion,
            heartbeat: Heartbeat::of(&workers),
            provider: Self::provider_of(task, role, config).map(Cow::into_owned),
            budget: task.budget.or(config.budget),
            max_iterations: task
                .repeat
                .or_else(|| role.and_then(|role| role.repeat))
                .map(|repeat| repeat.max_iterations.unwrap_or(limits::ITERATIONS_DEFAULT)),
            isolation: workers.iter().find_map(|w| w.isolation),
            sandbox: SandboxSpec::of(workers.iter().map(|w| &w.sandbox)),
            is_clean: retries.iter().find_map(|r| r.clean).unwrap_or(false),
            max_crashes: count(|r| r.max_crashes).unwrap_or(limits::CRASHES_DEFAULT),
            max_attempts: count(|r| r.max_attempts).unwrap_or(limits::ATTEMPTS_DEFAULT),
            backoff: retries.iter().find_map(|r| r.backoff).unwrap_or(limits::BACKOFF_DEFAULT),
        }
    }

    /// Returns whose limits the worker of `task` shares with others, without the rest of a policy.
    pub fn provider_of<'a>(
        task: &'a TaskSpec,
        role: Option<&'a Role>,
        config: &'a Config,
    ) -> Option<Cow<'a, str>> {
        let workers = [Some(&task.worker), role.map(|role| &role.worker), Some(&config.worker)];
        let named = workers.iter().flatten().find_map(|worker| worker.provider.as_deref());
        named.map(Cow::Borrowed).or_else(|| {
            let agent = workers.iter().flatten().find_map(|worker| worker.agent)?;
            let workers: Vec<&WorkerSpec> = workers.iter().flatten().copied().collect();
            Some(Cow::Owned(agent.provider(nearest_model(&workers).as_deref())))
        })
    }
}

impl Policy {
    /// Says what is started, as the record names it; `None` where nobody says it.
    pub fn started(&self) -> Option<String> {
        let command = self.command.as_ref().map(ToString::to_string);
        command.or_else(|| self.agent.map(|agent| format!("agent {}", agent.as_str())))
    }
}

/// Returns the command of the nearest one that says what is started, where that is a command: an
/// agent of a role goes before a command of the settings.
fn nearest_command(workers: &[&WorkerSpec]) -> Option<CommandLine> {
    let nearest = workers.iter().find(|worker| worker.is_startable())?;
    nearest.command.clone()
}

/// Returns the model that goes with the agent: a model that is said further out than the agent is
/// meant for another one.
fn nearest_model(workers: &[&WorkerSpec]) -> Option<String> {
    let n_near = workers.iter().position(|worker| worker.agent.is_some());
    let n_near = n_near.map_or(workers.len(), |at| at + 1);
    workers.iter().take(n_near).find_map(|worker| worker.model.clone())
}

impl Config {
    /// Returns the length of time that `estimate` stands for.
    pub fn length_of(&self, estimate: Estimate) -> Duration {
        match estimate {
            Estimate::Time(time) => time,
            Estimate::Size(size) => self.sizes.get(&size).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::id::TaskId;

    /// Makes a worker of `command agent model`, each `-` where it is not said.
    fn worker(words: &str) -> WorkerSpec {
        let [command, agent, model] = words.split(' ').collect::<Vec<_>>()[..] else {
            panic!("three words: {words}");
        };
        let said = |word: &str| (word != "-").then(|| word.to_owned());
        let named = |name: &str| Agent::NAMED.iter().find(|(known, _)| *known == name);
        WorkerSpec {
            command: said(command).map(CommandLine::Text),
            agent: named(agent).map(|(_, agent)| *agent),
            model: said(model),
            ..WorkerSpec::default()
        }
    }

    #[test]
    fn the_nearest_word_says_what_is_started_and_with_which_model() {
        let table = [
            // Task, role, settings: what is started, how it is read, with which model.
            ["- - -", "- - -", "- - -", "- - -"],
            ["- claude -", "- - -", "work - -", "- claude -"],
            ["- - -", "- codex -", "work - -", "- codex -"],
            ["work - -", "- codex gpt", "- - -", "work codex gpt"],
            ["work claude -", "- codex gpt", "- - -", "work claude -"],
            ["- codex -", "- - -", "- claude opus", "- codex -"],
            ["- - haiku", "- - -", "- claude opus", "- claude haiku"],
            ["- - -", "- - sonnet", "- claude opus", "- claude sonnet"],
            ["- - -", "work - -", "- claude opus", "work claude opus"],
        ];
        for [task, role, settings, expected] in table {
            let mut spec = TaskSpec::new(TaskId::parse("a").unwrap(), "a.md");
            spec.worker = worker(task);
            let role = Role {
                name: RoleName("r".to_owned()),
                path: Arc::from("r.md"),
                max_workers: None,
                worker: worker(role),
                retry: RetrySpec::default(),
                completion: Completion::default(),
                persona: String::new(),
                digest: Arc::default(),
                repeat: None,
            };
            let config = Config { worker: worker(settings), ..Config::default() };
            let policy = Policy::of(&spec, Some(&role), &config);
            let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            let told = [
                shown(policy.command.as_ref().map(ToString::to_string)),
                shown(policy.agent.map(|agent| agent.as_str().to_owned())),
                shown(policy.model.clone()),
            ];
            assert_eq!(told.join(" "), expected, "{task} / {settings}");
        }
    }
}
