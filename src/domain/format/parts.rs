//! The parts that task, role, config and status files share, as they are written.
//!
//! Each struct is the single source for the keys of a format: for decoding and for its schema,
//! whose descriptions are the doc comments.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    choice::LoopUntil,
    command::Command,
    field::{Field, List, Table},
    number::{Attempts, Beat, Count, Money, Time, Tokens},
    sandbox::RawSandbox,
    value::{EnvName, Executor, Flag, ModelName, Word},
};
use crate::domain::model::{
    agent::Agent,
    attempt::{Usage, UsageLimit},
    task::{Budget, Completion, HeartbeatFrom, Isolation, LoopSpec, RetrySpec, WorkerSpec},
    time::Timestamp,
};

/// How the work is done.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `command`")]
#[schemars(rename = "Worker")]
pub struct RawWorker {
    /// What is started: a text (run directly where it holds only words, by `sh -c` otherwise) or a
    /// list of program and arguments.
    pub command: Field<Command>,
    /// The coding agent that works on it: it is started as it needs to be without a person, and
    /// its output is read for what it used and for limits. `command` goes before how it is started.
    pub agent: Field<Agent>,
    /// The model that the agent is told to use, as the agent names it.
    pub model: Field<ModelName>,
    /// How long one attempt may take.
    pub timeout: Field<Time>,
    /// How often a worker must give a sign of life; after as long a silence it is warned of.
    pub heartbeat: Field<Beat>,
    /// After how long a silence the worker is stopped; default: three times `heartbeat`.
    pub heartbeat_limit: Field<Beat>,
    /// What counts as a sign of life: a written status file (`status`), or growing output, too
    /// (`output`).
    pub heartbeat_from: Field<HeartbeatFrom>,
    /// Whose usage limits it shares with other workers, as in `anthropic`.
    pub provider: Field<Word>,
    /// Time between the polite stop and the kill.
    pub grace: Field<Time>,
    /// Further environment variables.
    pub env: Field<Table<EnvName, Word>>,
    /// Where it runs: `worktree` (a git worktree of its own), `sandbox` (the same, with nothing else
    /// to write to) or `none` (the repository root).
    pub isolation: Field<Isolation>,
    /// What it may do where it runs in a sandbox.
    pub sandbox: Field<RawSandbox>,
    /// The kind of executor.
    pub executor: Field<Executor>,
}

impl RawWorker {
    /// Returns what it means.
    pub fn spec(self) -> WorkerSpec {
        WorkerSpec {
            command: self.command.value.map(|command| command.0),
            agent: self.agent.value,
            model: self.model.value.map(|model| model.0),
            timeout: self.timeout.value.map(|time| time.0),
            heartbeat: self.heartbeat.value.map(|time| time.0),
            heartbeat_limit: self.heartbeat_limit.value.map(|time| time.0),
            heartbeat_from: self.heartbeat_from.value,
            provider: self.provider.value.map(|word| word.0).filter(|word| !word.is_empty()),
            grace: self.grace.value.map(|time| time.0),
            env: self.env.value.map_or_else(BTreeMap::new, environment),
            isolation: self.isolation.value,
            sandbox: self.sandbox.value.map(RawSandbox::spec).unwrap_or_default(),
        }
    }
}

/// Returns the variables of a table; one without a value is empty.
fn environment(table: Table<EnvName, Word>) -> BTreeMap<String, String> {
    let entries = table.0.into_iter().filter(|(_, value)| !value.is_faulty());
    entries
        .filter_map(|(name, value)| Some((name.value?.0, value.value.unwrap_or_default().0)))
        .collect()
}

/// When the work counts as done, beside exit code 0 of the worker.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `verify`")]
#[schemars(rename = "Completion")]
pub struct RawCompletion {
    /// Commands that must all exit 0 after the worker did.
    pub verify: Field<List<Command>>,
    /// Text that must appear in the worker's output.
    pub signal: Field<Word>,
    /// How long one verify command may take.
    pub timeout: Field<Time>,
    /// Whether a person must approve what passed.
    pub review: Field<Flag>,
}

impl RawCompletion {
    /// Returns what it means.
    pub fn spec(self) -> Completion {
        let verify = self.verify.value.map(|list| list.values().map(|command| command.0));
        Completion {
            verify: verify.into_iter().flatten().collect(),
            signal: self.signal.value.map(|word| word.0).filter(|word| !word.is_empty()),
            timeout: self.timeout.value.map(|time| time.0),
            review: self.review.value.is_some_and(|flag| flag.0),
        }
    }
}

/// What happens after a failed attempt.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `max_attempts`")]
#[schemars(rename = "Retry")]
pub struct RawRetry {
    /// How many attempts may fail before the task failed.
    pub max_attempts: Field<Attempts>,
    /// Wait before the second attempt; doubled for each further one.
    pub backoff: Field<Time>,
    /// How many workers may crash (end by a signal, or get lost) before the task failed.
    pub max_crashes: Field<Attempts>,
    /// Whether an attempt gets a new worktree (`true`), or goes on in that of the one before.
    pub clean: Field<Flag>,
}

impl RawRetry {
    /// Returns what it means.
    pub fn spec(&self) -> RetrySpec {
        RetrySpec {
            max_attempts: self.max_attempts.value.map(|n| n.0),
            backoff: self.backoff.value.map(|time| time.0),
            max_crashes: self.max_crashes.value.map(|n| n.0),
            clean: self.clean.value.map(|flag| flag.0),
        }
    }
}

/// The persistent loop: the worker is started again, with what failed, until the checks hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `until`")]
#[schemars(rename = "Loop")]
pub struct RawLoop {
    /// What ends it: `verify`, when all that `completion` asks for holds.
    pub until: Field<LoopUntil>,
    /// How many iterations there may be before the task failed; default: 20.
    pub max_iterations: Field<Attempts>,
}

impl RawLoop {
    /// Returns what it means.
    pub fn spec(&self) -> LoopSpec {
        LoopSpec { max_iterations: self.max_iterations.value.map(|n| n.0) }
    }
}

/// What a task, the tasks of a milestone, or a run may use up.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `tokens`")]
#[schemars(rename = "Budget")]
pub struct RawBudget {
    /// Tokens of all kinds together: `200000`, `200k`, `1.5M`.
    pub tokens: Field<Tokens>,
    /// Money in US dollars.
    pub cost_usd: Field<Money>,
    /// Time of its workers together; of a run: time since its start.
    pub time: Field<Time>,
    /// Attempts, however they end.
    pub attempts: Field<Attempts>,
}

impl RawBudget {
    /// Returns what it means.
    pub fn spec(&self) -> Budget {
        Budget {
            tokens: self.tokens.value.map(|n| n.0),
            cost_usd: self.cost_usd.value.map(|amount| amount.0),
            time: self.time.value.map(|time| time.0),
            attempts: self.attempts.value.map(|n| n.0),
        }
    }
}

/// A limit of a provider that an attempt ran into.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `provider`")]
#[schemars(rename = "Limit")]
pub struct RawLimit {
    /// Whose limit.
    pub provider: Field<Word>,
    /// When it is lifted, where that was told.
    pub resets: Field<Timestamp>,
    /// What the agent said.
    pub words: Field<Word>,
}

impl RawLimit {
    /// Returns what it means.
    pub fn limit(self) -> UsageLimit {
        let word = |field: Field<Word>| field.value.map(|word| word.0).unwrap_or_default();
        UsageLimit {
            provider: word(self.provider),
            resets: self.resets.value,
            words: word(self.words),
        }
    }
}

/// What an attempt used.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `input_tokens`")]
#[schemars(rename = "Usage")]
pub struct RawUsage {
    /// Tokens sent.
    pub input_tokens: Field<Count>,
    /// Tokens received.
    pub output_tokens: Field<Count>,
    /// Tokens read from a cache.
    pub cache_read_tokens: Field<Count>,
    /// Tokens written to a cache.
    pub cache_creation_tokens: Field<Count>,
    /// Money in US dollars.
    pub cost_usd: Field<Money>,
}

impl RawUsage {
    /// Returns what it means.
    pub fn usage(&self) -> Usage {
        let count = |field: &Field<Count>| field.value.map_or(0, |count| count.0);
        Usage {
            input_tokens: count(&self.input_tokens),
            output_tokens: count(&self.output_tokens),
            cache_read_tokens: count(&self.cache_read_tokens),
            cache_creation_tokens: count(&self.cache_creation_tokens),
            cost_usd: self.cost_usd.value.map_or(0.0, |amount| amount.0),
        }
    }
}
