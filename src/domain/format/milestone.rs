//! Milestones: what the settings say of them, and the record of one that was reached.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{
    choice::TriggerWord,
    command::Command,
    decode::{UnknownKeys, decode},
    document::{open_yaml, refusal},
    fault::{Fault, in_file},
    field::{Field, List},
    hook::hook,
    number::{Count, Percent, Time, Version},
    parts::RawBudget,
    render,
    value::{FromText as _, Word},
};
use crate::domain::model::{
    diagnostic::Diagnostic,
    milestone::{MilestoneRecord, MilestoneSpec, Trigger},
    place::Span,
    time::Timestamp,
};

/// The version of the record that is written.
const VERSION: u32 = 1;

/// What is to happen at a milestone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `trigger`")]
#[schemars(rename = "Milestone")]
pub struct RawMilestone {
    /// When it is reached: `all` of its tasks are done, `{percent: 80}` of them, or at the
    /// `first-failure`.
    pub trigger: Field<RawTrigger>,
    /// Commands that are run then, as a hook.
    pub run: Field<List<Command>>,
    /// How long one command may take.
    pub timeout: Field<Time>,
    /// What all attempts of its tasks together may use up.
    pub budget: Field<RawBudget>,
}

impl RawMilestone {
    /// Returns what it means.
    pub fn spec(self) -> MilestoneSpec {
        let trigger = self.trigger.value.and_then(|trigger| trigger.trigger());
        let budget = self.budget.value.map(|budget| budget.spec()).unwrap_or_default();
        MilestoneSpec { trigger, hook: hook(self.run, &self.timeout), budget }
    }
}

/// A trigger: a word, or a mapping.
#[derive(Debug, Clone, Default)]
pub struct RawTrigger(LongTrigger);

/// A trigger with all its keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, rename = "$orch::short", expecting = "`all`, `first-failure` or `{percent: …}`")]
#[schemars(rename = "Trigger")]
struct LongTrigger {
    /// `all` or `first-failure`.
    when: Field<TriggerWord>,
    /// The share of tasks that must be done.
    percent: Field<Percent>,
}

impl RawTrigger {
    fn trigger(&self) -> Option<Trigger> {
        let share = self.0.percent.value.map(|percent| Trigger::Percent(percent.0));
        share.or_else(|| self.0.when.value.map(|word| word.0))
    }
}

impl<'de> Deserialize<'de> for RawTrigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LongTrigger::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for RawTrigger {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ShortTrigger".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<LongTrigger>();
        json_schema!({ "anyOf": [TriggerWord::schema(), long] })
    }
}

/// The record of a milestone, as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a mapping with keys such as `milestone`")]
struct RawReached {
    version: Field<Version>,
    milestone: Field<Word>,
    trigger: Field<Word>,
    reached: Field<Timestamp>,
    n_done: Field<Count>,
    n_tasks: Field<Count>,
}

/// Reads the record of a milestone; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Option<MilestoneRecord>, Vec<Diagnostic>) {
    let (text, root) = match open_yaml(bytes) {
        Ok(opened) => opened,
        Err(fault) => return (None, refusal(fault, path, bytes)),
    };
    let mut faults = Vec::new();
    let raw: RawReached = decode(&root, UnknownKeys::Ignore, &mut faults);
    let is_newer = raw.version.value.is_some_and(|version| version.0 > VERSION);
    let count = |field: &Field<Count>| {
        field.value.and_then(|count| usize::try_from(count.0).ok()).unwrap_or(0)
    };
    let record = match (raw.milestone.value, raw.reached.value) {
        // A newer record says at least that it was reached.
        (Some(name), Some(reached)) => Some(MilestoneRecord {
            name: name.0,
            trigger: raw.trigger.value.map(|word| word.0).unwrap_or_default(),
            reached,
            n_done: count(&raw.n_done),
            n_tasks: count(&raw.n_tasks),
        }),
        (name, _) if faults.is_empty() && !is_newer => {
            let key = if name.is_none() { "milestone" } else { "reached" };
            let message = format!("the record does not say its `{key}`");
            let fault = Fault::error("missing-key", Span::new(1, 1, 0), message);
            faults.push(fault.with_help("remove the file, and the milestone is told once more"));
            None
        }
        _ => None,
    };
    (record, in_file(faults, path, text))
}

/// Renders the record of a milestone.
pub fn render(record: &MilestoneRecord) -> String {
    let mut out = String::with_capacity(160);
    render::bare(&mut out, "version", VERSION);
    render::key(&mut out, "milestone", &record.name);
    render::key(&mut out, "trigger", &record.trigger);
    render::bare(&mut out, "reached", record.reached);
    render::bare(&mut out, "n_done", record.n_done);
    render::bare(&mut out, "n_tasks", record.n_tasks);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_round_trip() {
        let record = MilestoneRecord {
            name: "beta: \"2\"\n".to_owned(),
            trigger: Trigger::Percent(80).to_string(),
            reached: Timestamp::parse("2026-11-20T10:15:00Z").unwrap(),
            n_done: 4,
            n_tasks: 5,
        };
        let path = ".orch/runs/@milestone-beta.yaml";
        assert_eq!(parse(path, render(&record).as_bytes()), (Some(record), Vec::new()));
    }

    #[test]
    fn broken_records_are_told() {
        let table =
            [("", "missing-key"), ("milestone: a\n", "missing-key"), ("- a\n", "wrong-type")];
        for (text, code) in table {
            let (record, told) = parse(".orch/runs/@milestone-a.yaml", text.as_bytes());
            assert_eq!((record, told.first().map(|d| d.code)), (None, Some(code)), "{text}");
        }
    }
}
