//! What of a change decides which programs are started, and with what around them.

use std::sync::Arc;

use super::{Fate, FieldDiff, ItemDiff, PlanDiff, differences, facts};
use crate::domain::{
    model::{
        config::{Config, LevelGate, Role},
        id::RoleName,
        task::{Completion, RetrySpec, TaskSpec, WorkerSpec},
    },
    plan::Plan,
};

/// A change of what would be executed, in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutedDiff {
    /// Whose file it is.
    pub subject: Subject,
    /// The id of the task, the name of the role; empty for the settings.
    pub id: String,
    /// The file; `None` for the settings.
    pub path: Option<Arc<str>>,
    /// What became of the task or role as a whole.
    pub fate: Fate,
    /// What is different; never empty.
    pub fields: Vec<FieldDiff>,
}

/// Who says what is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The settings.
    Settings,
    /// A role.
    Role,
    /// A task.
    Task,
}

/// Says whether a key decides what is executed, or what is around it.
fn is_executed(key: &str) -> bool {
    const KEYS: [&str; 13] = [
        // Another role has other commands.
        "role",
        "worker.command",
        "worker.agent",
        "worker.model",
        "worker.env",
        "worker.isolation",
        "worker.sandbox.network",
        "worker.sandbox.write",
        "worker.sandbox.hide",
        facts::VERIFY,
        "env.pass",
        "env.secret",
        "milestones.run",
    ];
    KEYS.contains(&key)
        || key.starts_with("hooks.")
        || (key.starts_with("levels.") && key.ends_with(".gate"))
}

/// Picks out of `diff` what decides about execution, and tells it of what is new or gone, too:
/// the settings first, then roles, then tasks.
pub fn executed(diff: &PlanDiff, before: &Plan, after: &Plan) -> Vec<ExecutedDiff> {
    let mut fields = picked(&diff.settings);
    fields.extend(gates(before.config(), after.config()));
    let settings = ExecutedDiff {
        subject: Subject::Settings,
        id: String::new(),
        path: None,
        fate: Fate::Changed,
        fields,
    };
    let roles = diff.roles.iter().map(|item| {
        let of = |plan: &Plan| plan.roles().get(&RoleName(item.id.clone())).cloned();
        let bare = blank_role(&item.id);
        let fields =
            |old: &Role, new: &Role| differences(&facts::of_role(old), &facts::of_role(new));
        let fields = match item.fate {
            Fate::Added => fields(&bare, &of(after).unwrap_or_else(|| bare.clone())),
            Fate::Removed => fields(&of(before).unwrap_or_else(|| bare.clone()), &bare),
            Fate::Renamed { .. } | Fate::Changed => item.fields.clone(),
        };
        told(Subject::Role, item, &fields)
    });
    let tasks = diff.tasks.iter().map(|item| {
        let of = |plan: &Plan| plan.find(&item.id).map(|task| plan.spec(task).clone());
        let own = |spec: Option<TaskSpec>, is_new: bool| {
            let Some(spec) = spec else { return Vec::new() };
            let bare = TaskSpec::new(spec.id.value.clone(), &*spec.path);
            // Its role is nothing new: what that starts is started for others, too.
            let spec = TaskSpec { role: None, ..spec };
            let (own, none) = (facts::of_task(&spec), facts::of_task(&bare));
            if is_new { differences(&none, &own) } else { differences(&own, &none) }
        };
        let fields = match item.fate {
            Fate::Added => own(of(after), true),
            Fate::Removed => own(of(before), false),
            Fate::Renamed { .. } | Fate::Changed => item.fields.clone(),
        };
        told(Subject::Task, item, &fields)
    });
    let all = std::iter::once(settings).chain(roles).chain(tasks);
    all.filter(|told| !told.fields.is_empty()).collect()
}

fn told(subject: Subject, item: &ItemDiff, fields: &[FieldDiff]) -> ExecutedDiff {
    ExecutedDiff {
        subject,
        id: item.id.clone(),
        path: Some(Arc::clone(&item.path)),
        fate: item.fate.clone(),
        fields: picked(fields),
    }
}

fn picked(fields: &[FieldDiff]) -> Vec<FieldDiff> {
    fields.iter().filter(|field| is_executed(&field.field)).cloned().collect()
}

/// Returns the commands of gates that only one of both settings has.
fn gates(before: &Config, after: &Config) -> Vec<FieldDiff> {
    let only = |one: &Config, other: &Config| -> Vec<(u32, LevelGate)> {
        let levels = one.levels.iter().filter(|(level, _)| !other.levels.contains_key(level));
        levels.map(|(level, gate)| (*level, gate.clone())).collect()
    };
    let told = |level: u32, gate: &LevelGate, is_new: bool| {
        let none = LevelGate { run: Vec::new(), ..gate.clone() };
        let (own, none) = (facts::of_level(level, gate), facts::of_level(level, &none));
        if is_new { differences(&none, &own) } else { differences(&own, &none) }
    };
    let gone = only(before, after);
    let gone = gone.iter().flat_map(|(level, gate)| told(*level, gate, false));
    let new = only(after, before);
    let new = new.iter().flat_map(|(level, gate)| told(*level, gate, true));
    gone.chain(new).collect()
}

/// Returns a role that says nothing.
fn blank_role(name: &str) -> Role {
    Role {
        name: RoleName(name.to_owned()),
        path: Arc::default(),
        max_workers: None,
        worker: WorkerSpec::default(),
        retry: RetrySpec::default(),
        completion: Completion::default(),
        repeat: None,
        persona: String::new(),
        digest: Arc::default(),
    }
}
