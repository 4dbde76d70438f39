//! Hooks, as they stand in the settings: a command, a list of commands, or both with a timeout.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{
    command::Command,
    field::{Field, List},
    number::Time,
};
use crate::domain::model::{
    hook::{Hook, HookEvent, Hooks},
    limits::HOOK_TIMEOUT_DEFAULT,
};

/// Commands that are run when something happens, beside the run and without a say in it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `done`")]
#[schemars(rename = "Hooks")]
pub struct RawHooks {
    /// An attempt started.
    pub started: Field<RawHook>,
    /// A task is done.
    pub done: Field<RawHook>,
    /// A task is out of attempts.
    pub failed: Field<RawHook>,
    /// A task cannot start before somebody acts.
    pub blocked: Field<RawHook>,
    /// A person must look at what a task left.
    pub review: Field<RawHook>,
    /// All tasks of a level are done, and its gate is open.
    pub level_done: Field<RawHook>,
    /// A milestone was reached.
    pub milestone: Field<RawHook>,
    /// Nothing runs any more, and nothing can start by itself.
    pub plan_finished: Field<RawHook>,
}

/// What is run: a command, a list of commands, or a mapping.
#[derive(Debug, Clone, Default)]
pub struct RawHook(LongHook);

/// A hook with all its keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, rename = "$orch::short", expecting = "a command, or a mapping with `run`")]
#[schemars(rename = "Hook")]
struct LongHook {
    /// Commands, run one after the other in the repository root.
    run: Field<List<Command>>,
    /// How long one command may take.
    timeout: Field<Time>,
}

impl<'de> Deserialize<'de> for RawHook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LongHook::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for RawHook {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ShortHook".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let short = generator.subschema_for::<List<Command>>();
        let long = generator.subschema_for::<LongHook>();
        json_schema!({ "anyOf": [short, long] })
    }
}

/// Returns what `run` and `timeout` mean.
pub(super) fn hook(run: Field<List<Command>>, timeout: &Field<Time>) -> Hook {
    let run = run.value.map(List::values).into_iter().flatten().map(|command| command.0);
    let timeout = timeout.value.map_or(HOOK_TIMEOUT_DEFAULT, |time| time.0);
    Hook { run: run.collect(), timeout }
}

impl RawHooks {
    /// Returns what it means.
    pub fn hooks(self) -> Hooks {
        let all = [
            (HookEvent::Started, self.started),
            (HookEvent::Done, self.done),
            (HookEvent::Failed, self.failed),
            (HookEvent::Blocked, self.blocked),
            (HookEvent::Review, self.review),
            (HookEvent::LevelDone, self.level_done),
            (HookEvent::Milestone, self.milestone),
            (HookEvent::PlanFinished, self.plan_finished),
        ];
        let all = all.into_iter().filter_map(|(event, raw)| Some((event, raw.value?.0)));
        all.map(|(event, raw)| (event, hook(raw.run, &raw.timeout)))
            .filter(|(_, hook)| !hook.run.is_empty())
            .collect()
    }
}
