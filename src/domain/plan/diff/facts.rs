//! What a task, a role and the settings say, as a list of keys and values.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use crate::domain::model::{
    agent::Agent,
    ceiling::Edits,
    config::{Config, Durability, LevelGate, Role},
    glob::Glob,
    hook::HookEvent,
    landing::LandingMode,
    sandbox::Network,
    task::{
        Budget, CommandLine, Completion, Estimate, HeartbeatFrom, Isolation, LoopSpec, RetrySpec,
        Size, TaskSpec, WorkerSpec,
    },
    time::Exact,
};

/// A key with dots where it is nested, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact<'a> {
    pub(super) key: Cow<'static, str>,
    pub(super) value: Value<'a>,
}

/// What a key says, in the form in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    /// One word, or nothing.
    One(Option<Cow<'a, str>>),
    /// A list whose order means nothing.
    Set(Vec<Cow<'a, str>>),
    /// A list whose order counts.
    Sequence(Vec<Cow<'a, str>>),
    /// Environment variables; their values are not told, as they may be secret.
    Names(&'a BTreeMap<String, String>),
}

/// A list of facts under construction; the order is that in which the keys are documented.
#[derive(Default)]
struct Facts<'a> {
    list: Vec<Fact<'a>>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, key: impl Into<Cow<'static, str>>, value: Value<'a>) {
        self.list.push(Fact { key: key.into(), value });
    }

    fn text(&mut self, key: &'static str, text: Option<&'a str>) {
        self.add(key, Value::One(text.map(Cow::Borrowed)));
    }

    fn shown(&mut self, key: &'static str, value: Option<impl ToString>) {
        self.add(key, Value::One(value.map(|value| Cow::Owned(value.to_string()))));
    }

    fn time(&mut self, key: &'static str, time: Option<Duration>) {
        self.shown(key, time.map(Exact));
    }

    fn set(&mut self, key: &'static str, items: impl Iterator<Item = &'a str>) {
        self.add(key, Value::Set(items.map(Cow::Borrowed).collect()));
    }

    fn worker(&mut self, worker: &'a WorkerSpec) {
        self.add("worker.command", Value::One(worker.command.as_ref().map(command)));
        self.text("worker.agent", worker.agent.map(Agent::as_str));
        self.text("worker.model", worker.model.as_deref());
        self.time("worker.timeout", worker.timeout);
        self.time("worker.heartbeat", worker.heartbeat);
        self.time("worker.heartbeat_limit", worker.heartbeat_limit);
        self.text("worker.heartbeat_from", worker.heartbeat_from.map(HeartbeatFrom::as_str));
        self.text("worker.provider", worker.provider.as_deref());
        self.time("worker.grace", worker.grace);
        self.add("worker.env", Value::Names(&worker.env));
        self.text("worker.isolation", worker.isolation.map(Isolation::as_str));
        let sandbox = &worker.sandbox;
        self.text("worker.sandbox.network", sandbox.network.map(Network::as_str));
        self.set("worker.sandbox.write", sandbox.write.iter().map(String::as_str));
        self.set("worker.sandbox.hide", sandbox.hide.iter().map(String::as_str));
    }

    fn completion(&mut self, completion: &'a Completion) {
        let verify = completion.verify.iter().map(command).collect();
        self.add(VERIFY, Value::Sequence(verify));
        self.text("completion.signal", completion.signal.as_deref());
        self.time("completion.timeout", completion.timeout);
        self.text("completion.review", Some(flag(completion.review)));
    }

    fn retry(&mut self, retry: RetrySpec) {
        self.shown("retry.max_attempts", retry.max_attempts);
        self.time("retry.backoff", retry.backoff);
        self.shown("retry.max_crashes", retry.max_crashes);
        self.text("retry.clean", retry.clean.map(flag));
    }

    /// Adds a budget; `of` is what its key starts with.
    fn budget(&mut self, of: &str, budget: Budget) {
        for (part, value) in budget_parts(budget) {
            self.add(format!("{of}budget.{part}"), Value::One(value.map(Cow::Owned)));
        }
    }

    fn repeat(&mut self, repeat: Option<LoopSpec>) {
        self.text("loop.until", repeat.map(|_| "verify"));
        self.shown("loop.max_iterations", repeat.and_then(|repeat| repeat.max_iterations));
    }
}

/// The key that the body may speak for, too.
pub(super) const VERIFY: &str = "completion.verify";

/// Returns the title of a task; one that repeats the id is none.
pub(super) fn own_title(task: &TaskSpec) -> Option<&str> {
    Some(&*task.title).filter(|title| *title != task.id.value.as_str())
}

/// Returns what a task says but for its id, its file and its body.
pub(super) fn of_task(task: &TaskSpec) -> Vec<Fact<'_>> {
    let mut facts = Facts { list: Vec::with_capacity(41) };
    facts.text("title", own_title(task));
    facts.set("depends_on", task.depends_on.iter().map(|id| id.value.as_str()));
    facts.text("role", task.role.as_ref().map(|role| role.value.0.as_str()));
    facts.shown("priority", Some(task.priority));
    facts.shown("estimate", task.estimate.map(estimate));
    facts.text("milestone", task.milestone.as_deref());
    facts.text("phase", task.phase.as_deref());
    facts.text("workstream", task.workstream.as_deref());
    facts.set("tags", task.tags.iter().map(String::as_str));
    facts.shown("level", task.level.as_ref().map(|level| level.value));
    facts.set("files", task.files.iter().map(Glob::as_str));
    facts.worker(&task.worker);
    facts.completion(&task.completion);
    facts.retry(task.retry);
    facts.budget("", task.budget);
    facts.repeat(task.repeat);
    facts.set("waits_for", task.waits_for.iter().map(|gate| gate.value.0.as_str()));
    facts.text("status", Some(task.status.value.as_str()));
    facts.list
}

/// Returns what a role says but for its name, its file and its body.
pub(super) fn of_role(role: &Role) -> Vec<Fact<'_>> {
    let mut facts = Facts::default();
    facts.shown("max_workers", role.max_workers);
    facts.worker(&role.worker);
    facts.retry(role.retry);
    facts.completion(&role.completion);
    facts.repeat(role.repeat);
    facts.list
}

/// Returns what the settings say but for each level; see [`of_level`].
pub(super) fn of_config(config: &Config) -> Vec<Fact<'_>> {
    let mut facts = Facts::default();
    facts.shown("max_workers", Some(config.max_workers));
    facts.worker(&config.worker);
    facts.retry(config.retry);
    facts.budget("", config.budget);
    facts.budget("run.", config.run_budget);
    let milestones = config.milestones.iter().map(|(name, milestone)| {
        let parts = budget_parts(milestone.budget).into_iter();
        let parts = parts.filter_map(|(part, value)| Some(format!("{part}: {}", value?)));
        Cow::Owned(format!("{name} ({})", parts.collect::<Vec<_>>().join(", ")))
    });
    facts.add("milestones", Value::Set(milestones.collect()));
    let triggers = config.milestones.iter().filter_map(|(name, milestone)| {
        Some(Cow::Owned(format!("{name}: {}", milestone.trigger?)))
    });
    facts.add("milestones.trigger", Value::Set(triggers.collect()));
    let runs = config.milestones.iter().flat_map(|(name, milestone)| {
        let commands = milestone.hook.run.iter();
        commands.map(move |run| Cow::Owned(format!("{name}: {}", command(run))))
    });
    facts.add("milestones.run", Value::Sequence(runs.collect()));
    for event in HookEvent::ALL {
        let commands = config.hooks.get(&event).into_iter().flat_map(|hook| &hook.run);
        let commands = commands.map(command).collect();
        facts.add(format!("hooks.{}", event.as_str()), Value::Sequence(commands));
    }
    facts.shown("claims.remote", config.claim_remote.as_ref());
    facts.shown("breaker.crashes", Some(config.breaker.crashes));
    facts.time("breaker.within", Some(config.breaker.within));
    facts.time("breaker.pause", Some(config.breaker.pause));
    facts.set("env.pass", config.env_pass.iter().map(String::as_str));
    facts.set("env.secret", config.env_secret.iter().map(String::as_str));
    facts.shown("log.max_size", Some(config.log_bytes_max));
    let sizes = Size::NAMED.map(|(name, size)| (name, config.sizes.get(&size)));
    for (name, time) in sizes {
        let time = time.map(|time| Cow::Owned(Exact(*time).to_string()));
        facts.add(format!("estimates.{name}"), Value::One(time));
    }
    let levels = config.levels.keys().map(|level| Cow::Owned(level.to_string()));
    facts.add("levels", Value::Set(levels.collect()));
    let durability = match config.durability {
        Durability::Process => "process",
        Durability::Power => "power",
    };
    facts.text("durability", Some(durability));
    let landing = LandingMode::NAMED.iter().find(|(_, mode)| *mode == config.git.landing);
    facts.text("git.landing", landing.map(|(name, _)| *name));
    facts.shown("git.batch", Some(config.git.batch));
    facts.shown("git.keep.worktrees", Some(config.git.keep.worktrees));
    facts.shown("git.keep.size", config.git.keep.bytes);
    facts.text("git.commit_state", Some(flag(config.git.commits_state)));
    facts.set("git.protect", config.git.protect.iter().map(String::as_str));
    facts.text("git.remote", Some(config.git.remote.name.as_str()));
    facts.shown("git.push_url", config.git.remote.push_url.as_ref());
    facts.text("git.host", Some(config.git.remote.host.as_str()));
    facts.text("on_change", Some(config.on_change.as_str()));
    facts.time("watch.rescan", Some(config.watch.rescan));
    facts.text("watch.mode", Some(config.watch.mode.as_str()));
    facts.text("trust.edits", config.edits.map(Edits::as_str));
    facts.list
}

impl Value<'_> {
    /// Returns it as one text; of environment variables only the names.
    pub(super) fn text(&self) -> String {
        match self {
            Self::One(text) => text.as_deref().unwrap_or_default().to_owned(),
            Self::Set(items) | Self::Sequence(items) => items.join(", "),
            Self::Names(variables) => variables.keys().cloned().collect::<Vec<_>>().join(", "),
        }
    }
}

/// Returns what the settings say of the gate after a level.
pub(super) fn of_level(level: u32, gate: &LevelGate) -> Vec<Fact<'_>> {
    let mut facts = Facts::default();
    let commands = gate.run.iter().map(command).collect();
    facts.add(format!("levels.{level}.gate"), Value::Sequence(commands));
    let required = Cow::Borrowed(flag(gate.is_required));
    facts.add(format!("levels.{level}.required"), Value::One(Some(required)));
    let timeout = Cow::Owned(Exact(gate.timeout).to_string());
    facts.add(format!("levels.{level}.timeout"), Value::One(Some(timeout)));
    facts.list
}

/// Returns the parts of a budget, each as it would be written.
fn budget_parts(budget: Budget) -> [(&'static str, Option<String>); 4] {
    [
        ("tokens", budget.tokens.map(|n| n.to_string())),
        ("cost_usd", budget.cost_usd.map(|amount| amount.to_string())),
        ("time", budget.time.map(|time| Exact(time).to_string())),
        ("attempts", budget.attempts.map(|n| n.to_string())),
    ]
}

/// Returns a command so that a text and a list of words never look the same.
fn command(command: &CommandLine) -> Cow<'_, str> {
    match command {
        CommandLine::Text(text) => Cow::Borrowed(text),
        CommandLine::Words(words) => Cow::Owned(format!("{words:?}")),
    }
}

fn estimate(estimate: Estimate) -> String {
    match estimate {
        Estimate::Size(size) => {
            let named = Size::NAMED.iter().find(|(_, known)| *known == size);
            named.map_or_else(String::new, |(name, _)| (*name).to_owned())
        }
        Estimate::Time(time) => Exact(time).to_string(),
    }
}

fn flag(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}
