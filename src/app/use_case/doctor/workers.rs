//! Whether the programs of the workers are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
};

use super::{Surroundings, counted};
use crate::{
    app::{
        standing::Standing,
        view::doctor::{Check, Figures},
    },
    domain::{
        model::{agent::Agent, command::argv, task::CommandLine},
        scheduler::phase::TaskState,
    },
    io::{
        environment,
        process::{find_program, version},
        store::Store,
    },
};

const AGENT_NAME: &str = "agents";

const EXECUTOR_NAME: &str = "executor";
const NAME: &str = "workers";

/// Who starts a program.
#[derive(Debug, Default)]
struct Users {
    is_settings: bool,
    roles: BTreeSet<String>,
    n_tasks: u64,
}

impl Users {
    fn told(&self) -> String {
        let settings = self.is_settings.then(|| "the settings".to_owned());
        let n_roles = self.roles.len() as u64;
        let roles = (n_roles > 0).then(|| counted(n_roles, "role"));
        let tasks = (self.n_tasks > 0).then(|| counted(self.n_tasks, "open task"));
        [settings, roles, tasks].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// What the commands of a plan start.
#[derive(Debug, Default)]
struct Started {
    /// Each program with its own `PATH`, where a worker sets one.
    programs: BTreeMap<(String, Option<String>), Users>,
    /// Texts for a shell.
    shell: BTreeSet<String>,
    /// The programs of agents, likewise.
    agents: BTreeMap<(Agent, Option<String>), Users>,
    /// Open tasks that nobody gave a command or an agent.
    n_without: u64,
}

/// Looks for the shell that the executor `local` needs.
pub(super) fn executor(surroundings: &Surroundings<'_>, _: &mut Figures) -> Vec<Check> {
    vec![match find(surroundings.store, "sh", &environment::allowed(&[])) {
        Ok(()) => Check::ok(EXECUTOR_NAME, "`local` is there: `sh` is on PATH"),
        Err(reason) => Check::error(
            EXECUTOR_NAME,
            format!("`local` cannot run texts for a shell: {reason}"),
            "put the folder of `sh` on PATH",
        ),
    }]
}

/// Looks for the program of every command.
pub(super) fn programs(surroundings: &Surroundings<'_>, _: &mut Figures) -> Vec<Check> {
    // That the plan cannot be read is told by its own check.
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let started = started(standing);
    let env = environment::allowed(&standing.plan().config().env_pass);
    let mut checks = Vec::new();
    for ((program, path), users) in &started.programs {
        let own = path.iter().map(|path| (OsString::from("PATH"), OsString::from(path)));
        // The first one counts, as where workers are started.
        let env: Vec<(OsString, OsString)> = env.iter().cloned().chain(own).collect();
        if let Err(reason) = find(surroundings.store, program, &env) {
            checks.push(Check::warning(
                NAME,
                format!("`{program}` cannot be started: {reason} ({})", users.told()),
                "install it, put it on PATH, or change `worker: {command: …}`",
            ));
        }
    }
    let n_found = (started.programs.len() - checks.len()) as u64;
    let shell = match started.shell.len() as u64 {
        0 => String::new(),
        n => format!("; {} for `sh -c`, not looked into", counted(n, "command")),
    };
    if started.n_without > 0 {
        checks.push(Check::warning(
            NAME,
            format!("{} without any command or agent", counted(started.n_without, "open task")),
            "set `worker: {agent: …}` or `worker: {command: …}` in .orch/config.yaml, in a role or in the task",
        ));
    }
    let message = format!("{} found{shell}", counted(n_found, "program"));
    checks.insert(0, Check::ok(NAME, message));
    checks
}

/// Looks for the program of every agent, and asks it for its version.
pub(super) fn agents(surroundings: &Surroundings<'_>, _: &mut Figures) -> Vec<Check> {
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let env = environment::allowed(&standing.plan().config().env_pass);
    let look = |((agent, path), users): (&(Agent, Option<String>), &Users)| {
        let own = path.iter().map(|path| (OsString::from("PATH"), OsString::from(path)));
        let env: Vec<(OsString, OsString)> = env.iter().cloned().chain(own).collect();
        let (name, program) = (agent.as_str(), agent.program());
        let root = surroundings.store.root();
        let found = find_program(OsStr::new(program), root, &env);
        // Whoever only looks must start nothing that the repository holds, even where PATH leads there.
        let is_of_plan = found.as_ref().is_ok_and(|file| file.starts_with(root));
        if let Ok(file) = &found
            && is_of_plan
            && !standing.snapshot.approval.is_all_approved()
        {
            let what = format!(
                "`{name}` is there: {}, which is not asked for its version",
                file.display()
            );
            let help = "it comes from the plan, which is not approved: `orch trust` shows it";
            return Check::warning(AGENT_NAME, format!("{what} ({})", users.told()), help);
        }
        match found.map(|file| version::of(&file, root, &env)) {
            Ok(Some(version)) => {
                Check::ok(AGENT_NAME, format!("`{name}` is there: {version} ({})", users.told()))
            }
            Ok(None) => Check::warning(
                AGENT_NAME,
                format!("`{program} --version` tells no version ({})", users.told()),
                "run it by hand to see why",
            ),
            Err(reason) => Check::warning(
                AGENT_NAME,
                format!("agent `{name}` cannot be started: {reason} ({})", users.told()),
                "install it, put it on PATH, or say with `command` how it is started",
            ),
        }
    };
    started(standing).agents.iter().map(look).collect()
}

/// Gathers the commands of settings, roles and open tasks.
fn started(standing: &Standing) -> Started {
    let plan = standing.plan();
    let mut started = Started::default();
    let path_of = |env: &BTreeMap<String, String>| env.get("PATH").cloned();
    let settings = &plan.config().worker;
    if let Some(users) =
        started.users(settings.command.as_ref(), settings.agent, path_of(&settings.env))
    {
        users.is_settings = true;
    }
    for role in plan.roles().values() {
        let worker = &role.worker;
        if let Some(users) =
            started.users(worker.command.as_ref(), worker.agent, path_of(&worker.env))
        {
            users.roles.insert(role.name.0.clone());
        }
    }
    for task in plan.indices() {
        if matches!(standing.state(task), TaskState::Done | TaskState::Cancelled) {
            continue;
        }
        let policy = plan.policy(task);
        started.n_without += u64::from(policy.started().is_none());
        if let Some(users) =
            started.users(policy.command.as_ref(), policy.agent, path_of(&policy.env))
        {
            users.n_tasks += 1;
        }
    }
    started
}

impl Started {
    /// Returns the users of the program that `command` starts, or else `agent`; `None` where a
    /// shell reads it.
    fn users(
        &mut self,
        command: Option<&CommandLine>,
        agent: Option<Agent>,
        path: Option<String>,
    ) -> Option<&mut Users> {
        let Some(command) = command else {
            return Some(self.agents.entry((agent?, path)).or_default());
        };
        let argv = argv(command);
        if let CommandLine::Text(text) = command
            && argv.first().is_some_and(|word| word == "sh")
            && argv.get(2) == Some(text)
        {
            self.shell.insert(text.clone());
            return None;
        }
        let program = argv.into_iter().next()?;
        Some(self.programs.entry((program, path)).or_default())
    }
}

/// Looks for a program as it is done where workers are started.
fn find(store: &Store, program: &str, env: &[(OsString, OsString)]) -> Result<(), String> {
    find_program(OsStr::new(program), store.root(), env).map(drop)
}
