//! From a plan to what it would execute.

use std::{borrow::Cow, sync::Arc};

use super::{Fingerprint, Part, PartName};
use crate::domain::{
    format::layout,
    model::{
        config::{Config, Heartbeat, LevelGate, Policy, Role},
        hook::Hook,
        id::TaskId,
        sandbox::{Network, SandboxSpec},
        task::{AuthorStatus, Budget, CommandLine, Completion, TaskSpec},
        time::Exact,
    },
    plan::{
        Plan, TaskIndex,
        diff::{role_as_text, settings_as_text},
    },
};

/// Facts under construction: what the digest is made from, and what a person reads.
#[derive(Default)]
struct Facts<'a> {
    /// Keys and values, one after the other.
    texts: Vec<Cow<'a, str>>,
    lines: Vec<String>,
}

impl<'a> Facts<'a> {
    fn hash(&mut self, key: &'static str, value: impl Into<Cow<'a, str>>) {
        self.texts.extend([Cow::Borrowed(key), value.into()]);
    }

    /// Adds a fact that is shown where it says anything.
    fn text(&mut self, key: &'static str, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push(format!("{key}: {value}"));
        }
        self.hash(key, value);
    }

    fn shown(&mut self, key: &'static str, value: Option<impl ToString>) {
        self.text(key, value.map(|value| value.to_string()).unwrap_or_default());
    }

    fn command(&mut self, key: &'static str, command: &'a CommandLine) {
        // A text and a list of words are started in other ways.
        let form = match command {
            CommandLine::Words(words) => {
                self.text(key, format!("{words:?}"));
                "words"
            }
            CommandLine::Text(text) => {
                self.text(key, text);
                "text"
            }
        };
        self.hash("form", form);
    }

    fn commands(&mut self, key: &'static str, commands: &'a [CommandLine]) {
        commands.iter().for_each(|command| self.command(key, command));
    }

    /// Adds a text of which only the digest is shown.
    fn digest(&mut self, key: &'static str, what: &str, value: &'a str) {
        let digits = Fingerprint::of([value]).short();
        self.lines.push(format!("{key}: {what} ({digits})"));
        self.hash(key, value);
    }

    fn part(self, name: PartName, sources: Vec<Arc<str>>, is_open: bool) -> Part {
        let title = name.to_string();
        let texts = std::iter::once(title.as_str()).chain(self.texts.iter().map(|text| &**text));
        Part { fingerprint: Fingerprint::of(texts), name, sources, lines: self.lines, is_open }
    }
}

/// Returns everything that `plan` would execute: the settings first, then hooks, milestones, gates,
/// roles and tasks. `settings` is the file that says all but what tasks and roles say.
pub fn of_plan(plan: &Plan, settings: &Arc<str>) -> Vec<Part> {
    let mut parts = vec![of_settings(plan, settings)];
    parts.extend(of_commands(plan, settings));
    parts.extend(of_roles(plan));
    parts.extend(plan.indices().map(|task| of_task(plan, task, settings)));
    parts
}

/// Returns what the settings have executed: for tasks that do not say otherwise, and beside tasks by
/// hooks, milestones and gates; see [`of_plan`].
pub fn of_commands(plan: &Plan, settings: &Arc<str>) -> Vec<Part> {
    let config = plan.config().as_written();
    let sources = || vec![Arc::clone(settings)];
    let mut parts = Vec::from_iter(of_defaults(config, settings));
    for (event, hook) in config.hooks.iter().filter(|(_, hook)| !hook.run.is_empty()) {
        parts.push(of_hook(PartName::Hook(*event), hook, sources()));
    }
    for (name, milestone) in &config.milestones {
        if !milestone.hook.run.is_empty() {
            parts.push(of_hook(PartName::Milestone(name.clone()), &milestone.hook, sources()));
        }
    }
    for (level, gate) in config.levels.iter().filter(|(_, gate)| !gate.run.is_empty()) {
        parts.push(of_gate(*level, gate, sources()));
    }
    parts
}

/// Returns the digest of all parts together.
pub fn fingerprint(parts: &[Part]) -> Fingerprint {
    let mut all: Vec<String> = parts.iter().map(|part| part.fingerprint.to_string()).collect();
    all.sort_unstable();
    Fingerprint::of(all.iter().map(String::as_str))
}

/// Returns what holds for all that is executed; see [`of_plan`].
pub fn of_settings(plan: &Plan, settings: &Arc<str>) -> Part {
    let config = plan.config().as_written();
    // All fields by name, so that a new one is thought of here.
    let Config {
        // These reach a task, a gate or a hook, and are told there.
        worker: _,
        retry: _,
        budget: _,
        levels: _,
        hooks: _,
        // Those of their commands are told there, too.
        milestones: _,
        // All others are among the texts.
        max_workers: _,
        run_budget: _,
        breaker: _,
        claim_remote: _,
        env_pass: _,
        env_secret: _,
        log_bytes_max: _,
        sizes: _,
        durability: _,
        on_change: _,
        git: _,
        watch: _,
        edits: _,
        // These are the user's own.
        ceiling: _,
        written: _,
    } = config;
    let told_elsewhere = ["worker.", "retry.", "budget.", "hooks.", "levels", "milestones.run"];
    let known = settings_as_text(&Config::default());
    let mut facts = Facts::default();
    for ((key, value), (_, default)) in settings_as_text(config).into_iter().zip(known) {
        if told_elsewhere.iter().any(|start| key.starts_with(start)) {
            continue;
        }
        if value != default {
            facts.lines.push(format!("{key}: {value}"));
        }
        facts.texts.extend([Cow::Owned(key), Cow::Owned(value)]);
    }
    facts.part(PartName::Settings, vec![Arc::clone(settings)], true)
}

/// Keys of the settings that speak for tasks.
const DEFAULTS: [&str; 3] = ["worker.", "retry.", "budget."];

/// Returns what the settings say for tasks; `None` where they say nothing.
fn of_defaults(config: &Config, settings: &Arc<str>) -> Option<Part> {
    let said = |config: &Config| -> Vec<(String, String)> {
        let all = settings_as_text(config).into_iter();
        all.filter(|(key, _)| DEFAULTS.iter().any(|start| key.starts_with(start))).collect()
    };
    if said(config) == said(&Config::default()) && config.worker.env.is_empty() {
        return None;
    }
    let policy = Policy::of(&nobody()?, None, config);
    let mut facts = Facts::default();
    of_policy(&mut facts, &policy);
    for (key, value) in said(config) {
        facts.texts.extend([Cow::Owned(key), Cow::Owned(value)]);
    }
    Some(facts.part(PartName::Defaults, vec![Arc::clone(settings)], true))
}

/// Returns what each role says, whether a task has it or not: one that gets it later must not be
/// how it comes to be executed.
pub fn of_roles(plan: &Plan) -> Vec<Part> {
    let settings = Config::default();
    let of_role = |role: &Role| {
        let policy = Policy::of(&nobody()?, Some(role), &settings);
        let mut facts = Facts::default();
        of_policy(&mut facts, &policy);
        for (key, value) in role_as_text(role).into_iter().filter(|(key, _)| key != "max_workers") {
            facts.texts.extend([Cow::Owned(key), Cow::Owned(value)]);
        }
        facts.digest("persona", &lines_in(&role.persona), &role.persona);
        Some(facts.part(PartName::Role(role.name.clone()), vec![Arc::clone(&role.path)], true))
    };
    plan.roles().values().filter_map(of_role).collect()
}

/// Returns a task that says nothing.
fn nobody() -> Option<TaskSpec> {
    Some(TaskSpec::new(TaskId::parse("task").ok()?, ""))
}

fn of_hook(name: PartName, hook: &Hook, sources: Vec<Arc<str>>) -> Part {
    let mut facts = Facts::default();
    facts.commands("run", &hook.run);
    facts.shown("timeout", Some(Exact(hook.timeout)));
    facts.part(name, sources, true)
}

fn of_gate(level: u32, gate: &LevelGate, sources: Vec<Arc<str>>) -> Part {
    let mut facts = Facts::default();
    facts.commands("run", &gate.run);
    facts.text("required", if gate.is_required { "" } else { "no" });
    facts.shown("timeout", Some(Exact(gate.timeout)));
    facts.part(PartName::Gate(level), sources, true)
}

/// Returns what would be executed for one task; see [`of_plan`].
pub fn of_task(plan: &Plan, task: TaskIndex, settings: &Arc<str>) -> Part {
    let (spec, role) = (plan.spec(task), plan.role(task));
    // Neither what the command line says nor what the user allows makes it another one.
    let policy = Policy::of(spec, role, plan.config().as_written());
    let mut facts = Facts::default();
    of_policy(&mut facts, &policy);
    for gate in &spec.waits_for {
        facts.text("waits for", gate.value.0.clone());
    }
    of_prompt(&mut facts, spec, role);
    // One that is not there is where it would be.
    let role = spec.role.as_ref().map(|name| match role {
        Some(role) => Arc::clone(&role.path),
        None => Arc::from(layout::role_path(&name.value)),
    });
    let sources = [Some(Arc::clone(&spec.path)), role, Some(Arc::clone(settings))];
    let is_open = !matches!(spec.status.value, AuthorStatus::Done | AuthorStatus::Cancelled);
    // What the facts borrow must not outlive the policy.
    facts.part(
        PartName::Task(spec.id.value.clone()),
        sources.into_iter().flatten().collect(),
        is_open,
    )
}

fn of_policy<'a>(facts: &mut Facts<'a>, policy: &'a Policy) {
    // All fields by name, so that a new one is thought of here.
    let Policy {
        command,
        agent,
        model,
        timeout,
        grace,
        env,
        completion: Completion { verify, signal, timeout: _, review },
        verify_timeout,
        max_attempts,
        backoff,
        max_crashes,
        heartbeat,
        provider,
        budget,
        max_iterations,
        isolation,
        sandbox: SandboxSpec { network, write, hide },
        is_clean,
    } = policy;
    if let Some(command) = command {
        facts.command("run", command);
    }
    facts.text("agent", agent.map_or("", |agent| agent.as_str()));
    facts.text("model", model.as_deref().unwrap_or_default());
    facts.text("isolation", isolation.map_or("", |isolation| isolation.as_str()));
    facts.text("network of the sandbox", network.map_or("", Network::as_str));
    for path in write {
        facts.text("may write", path.as_str());
    }
    for path in hide {
        facts.text("does not see", path.as_str());
    }
    for (name, value) in env {
        facts.digest("env", name, value);
        facts.hash("env name", name);
    }
    facts.commands("verify", verify);
    facts.text("signal", signal.as_deref().unwrap_or_default());
    facts.text("review", if *review { "yes" } else { "" });
    facts.shown("timeout", timeout.map(Exact));
    facts.text("provider", provider.as_deref().unwrap_or_default());
    facts.shown("iterations", *max_iterations);
    of_budget(facts, *budget);
    // How often and how long; of no interest to who reads what is executed.
    facts.hash("grace", Exact(*grace).to_string());
    facts.hash("verify timeout", Exact(*verify_timeout).to_string());
    facts.hash("attempts", format!("{max_attempts} {max_crashes} {}", Exact(*backoff)));
    facts.hash("heartbeat", heartbeat.map_or_else(String::new, beat));
    facts.hash("clean", if *is_clean { "yes" } else { "" });
}

fn beat(Heartbeat { every, limit, from }: Heartbeat) -> String {
    format!("{} {} {}", Exact(every), Exact(limit), from.as_str())
}

fn of_budget(facts: &mut Facts<'_>, Budget { tokens, cost_usd, time, attempts }: Budget) {
    facts.shown("budget in tokens", tokens);
    facts.shown("budget in USD", cost_usd);
    facts.shown("budget in time", time.map(Exact));
    facts.shown("budget in attempts", attempts);
}

/// Adds what the worker is told, and what it is told by variables.
fn of_prompt<'a>(facts: &mut Facts<'a>, spec: &'a TaskSpec, role: Option<&'a Role>) {
    facts.text("title", &*spec.title);
    facts.hash("file", &*spec.path);
    facts.digest("prompt", &lines_in(&spec.body), &spec.body);
    if let Some(role) = role {
        facts.text("role", &*role.name.0);
        facts.digest("persona", &lines_in(&role.persona), &role.persona);
    } else if let Some(role) = &spec.role {
        facts.text("role that is not there", &*role.value.0);
    }
}

fn lines_in(text: &str) -> String {
    match text.lines().count() {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    }
}
