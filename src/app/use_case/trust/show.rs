//! What would be executed, for people and programs to read.

use super::Consent;
use crate::{
    app::{
        own_settings,
        view::trust::{PartView, TrustView},
    },
    domain::{
        agent,
        format::{layout, place},
        model::{
            agent::Agent,
            command::argv,
            config::Policy,
            task::{CommandLine, Isolation, WorkerSpec},
        },
        plan::TaskIndex,
        trust::{Part, PartName},
    },
    io::git,
};

/// What a prompt is called before there is one.
const PROMPT_FILE: &str = "$ORCH_PROMPT_FILE";

/// Shows a plan.
pub(super) fn view(consent: &Consent, is_all: bool) -> TrustView {
    let root = consent.repository.root();
    let has_git = git::repository_root(root).is_some();
    let shown = consent.parts.iter().filter(|part| is_all || consent.is_waiting(part));
    let n_waiting = consent.waiting().count();
    TrustView {
        root: root.display().to_string(),
        is_known: consent.approval.book().is_known(),
        approved_folder: own_settings::approve_folder(consent.approval.own(), root)
            .map(str::to_owned),
        kept_in: consent.approval.path().map(|path| path.display().to_string()),
        hash: consent.hash(),
        n_waiting,
        n_approved: consent.parts.len() - n_waiting,
        parts: shown.map(|part| part_view(consent, part, has_git)).collect(),
    }
}

fn part_view(consent: &Consent, part: &Part, has_git: bool) -> PartView {
    let why = consent.approval.waits(&part.name).filter(|_| consent.is_waiting(part));
    let bare = PartView {
        name: part.name.to_string(),
        waits: why.map(|why| why.phrase().to_owned()),
        is_open: part.is_open,
        hash: part.fingerprint.to_string(),
        path: layout::CONFIG_PATH.to_owned(),
        facts: part.lines.clone(),
        approved_facts: consent.approval.book().words(&part.name).map(<[String]>::to_vec),
        ..PartView::default()
    };
    let config = consent.plan.config();
    let root = || Some(consent.repository.root().display().to_string());
    let commands = |run: &[CommandLine]| run.iter().map(argv).collect::<Vec<_>>();
    match &part.name {
        PartName::Settings | PartName::Defaults => bare,
        PartName::Role(_) => {
            let path = part.sources.first().map(ToString::to_string).unwrap_or_default();
            PartView { path, ..bare }
        }
        PartName::Hook(event) => {
            let hook = config.hooks.get(event);
            let argv = commands(hook.map_or(&[], |hook| &hook.run));
            placed(consent, PartView { argv, folder: root(), ..bare }, &["hooks", event.as_str()])
        }
        PartName::Milestone(name) => {
            let milestone = config.milestones.get(name);
            let argv = commands(milestone.map_or(&[], |milestone| &milestone.hook.run));
            placed(consent, PartView { argv, folder: root(), ..bare }, &["milestones", name])
        }
        PartName::Gate(level) => {
            let gate = config.levels.get(level);
            let argv = commands(gate.map_or(&[], |gate| &gate.run));
            let level = level.to_string();
            placed(consent, PartView { argv, folder: root(), ..bare }, &["levels", &level])
        }
        PartName::Task(id) => match consent.plan.find(id.as_str()) {
            Some(task) => task_view(consent, task, bare, has_git),
            None => bare,
        },
    }
}

/// Adds the line of what `keys` lead to.
fn placed(consent: &Consent, view: PartView, keys: &[&str]) -> PartView {
    let bytes = consent.repository.store().read_file(&view.path).unwrap_or_default();
    PartView { line: place::line_of(&view.path, &bytes, keys), ..view }
}

fn task_view(consent: &Consent, task: TaskIndex, bare: PartView, has_git: bool) -> PartView {
    let (plan, repository) = (&consent.plan, &consent.repository);
    let (spec, role) = (plan.spec(task), plan.role(task));
    let policy = Policy::of(spec, role, plan.config());
    let started = agent::started(&policy, PROMPT_FILE);
    let isolation = policy.isolation.unwrap_or(Isolation::Worktree);
    let isolation = if has_git { isolation } else { Isolation::None };
    let folder = match isolation {
        Isolation::None => repository.root().display().to_string(),
        Isolation::Worktree | Isolation::Sandbox => {
            format!("{}/{}", layout::WORKTREES_DIR, spec.id.value)
        }
    };
    let mut environment = plan.config().env_pass.clone();
    let of_agent = policy.agent.map(Agent::variables).unwrap_or_default();
    environment.extend(of_agent.into_iter().map(str::to_owned));
    environment.extend(policy.env.keys().cloned());
    environment.sort();
    environment.dedup();
    let (path, keys) = source(&spec.worker, &spec.path)
        .or_else(|| role.and_then(|role| source(&role.worker, &role.path)))
        .or_else(|| source(&plan.config().worker, layout::CONFIG_PATH))
        .unwrap_or((spec.path.to_string(), &["id"]));
    let view = PartView {
        argv: started.into_iter().chain(policy.completion.verify.iter().map(argv)).collect(),
        folder: Some(folder),
        environment,
        isolation: Some(isolation.as_str().to_owned()),
        path,
        ..bare
    };
    placed(consent, view, keys)
}

/// Returns where it stands what is started, where `worker` says that.
fn source(worker: &WorkerSpec, path: &str) -> Option<(String, &'static [&'static str])> {
    let keys: &[&str] = match (&worker.command, worker.agent) {
        (Some(_), _) => &["worker", "command"],
        (None, Some(_)) => &["worker", "agent"],
        (None, None) => return None,
    };
    Some((path.to_owned(), keys))
}
