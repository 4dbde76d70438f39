//! Values that are one of a few words, and points in time.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{
    fault::shown,
    number::{DURATION_PATTERN, whole_number},
    value::{FromText, TextVisitor, ValueFault, text_values},
};
use crate::domain::model::{
    agent::Agent,
    attempt::{Outcome, ReportedState, ReviewKind},
    ceiling::Edits,
    config::{Durability, OnChange, WatchMode},
    landing::LandingMode,
    limits::PRIORITY_MAX,
    milestone::Trigger,
    remote::HostWord,
    sandbox::Network,
    suggest::did_you_mean,
    task::{AuthorStatus, Estimate, HeartbeatFrom, Isolation, Priority, Size},
    time::{Timestamp, parse_duration},
};

text_values!(
    Priority,
    Estimate,
    Size,
    AuthorStatus,
    Agent,
    Edits,
    Isolation,
    Network,
    HeartbeatFrom,
    LoopUntil,
    ReviewKind,
    Durability,
    OnChange,
    WatchMode,
    LandingMode,
    HostWord,
    ReportedState,
    Outcome,
    Timestamp,
    EventWord,
    EventState,
    TriggerWord,
);

impl FromText for Priority {
    const EXPECTED: &'static str = "a priority";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let named = Self::NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, priority)) = named {
            return Ok(*priority);
        }
        match whole_number(text, (-PRIORITY_MAX).into(), PRIORITY_MAX.into()) {
            Ok(number) => Ok(Self(i64::try_from(number).unwrap_or_default())),
            Err(fault) if fault.code == "wrong-type" => Err(word_fault(
                "bad-priority",
                "a priority",
                text,
                &Self::NAMED.map(|(name, _)| name),
            )),
            Err(fault) => Err(ValueFault { code: "bad-priority", ..fault }),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "enum": Self::NAMED.map(|(name, _)| name) },
            { "type": "integer", "minimum": -PRIORITY_MAX, "maximum": PRIORITY_MAX },
        ] })
    }
}

impl FromText for Size {
    const EXPECTED: &'static str = "a size";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let named = Self::NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        named.map(|(_, size)| *size).ok_or_else(|| {
            word_fault("bad-estimate", "a size", text, &Self::NAMED.map(|(name, _)| name))
        })
    }

    fn schema() -> Schema {
        json_schema!({ "enum": Self::NAMED.map(|(name, _)| name) })
    }
}

impl FromText for Estimate {
    const EXPECTED: &'static str = "a size or a duration";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        if let Ok(size) = Size::from_text(text) {
            return Ok(Self::Size(size));
        }
        parse_duration(text).map(Self::Time).map_err(|_| {
            ValueFault::new("bad-estimate", format!("{} is not an estimate", shown(text)))
                .with_help("write `S`, `M`, `L`, `XL` or a duration such as `2h`")
        })
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "enum": Size::NAMED.map(|(name, _)| name) },
            { "type": "string", "pattern": DURATION_PATTERN },
        ] })
    }
}

/// Says that `text` is none of `words`.
fn word_fault(code: &'static str, what: &str, text: &str, words: &[&str]) -> ValueFault {
    let help = match did_you_mean(text, words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if code == "bad-priority" => {
            format!("write `{}` or a whole number", words.join("`, `"))
        }
        None => format!("write one of `{}`", words.join("`, `")),
    };
    ValueFault::new(code, format!("{} is not {what}", shown(text))).with_help(help)
}

/// Reads words that stand for the values of an enum.
macro_rules! words {
    ($($type:ident $code:literal $what:literal $named:expr;)*) => { $(
        impl FromText for $type {
            const EXPECTED: &'static str = $what;

            fn from_text(text: &str) -> Result<Self, ValueFault> {
                let named = $named;
                let found = named.iter().find(|(name, _)| *name == text);
                found
                    .map(|(_, value)| *value)
                    .ok_or_else(|| word_fault($code, $what, text, &named.map(|(name, _)| name)))
            }

            fn schema() -> Schema {
                json_schema!({ "enum": $named.map(|(name, _)| name) })
            }
        }
    )* };
}

words! {
    AuthorStatus "bad-status" "a status" Self::NAMED;
    ReportedState "bad-status" "a state" Self::NAMED;
    Outcome "bad-word" "an outcome" Self::NAMED;
    Agent "bad-word" "an agent" Self::NAMED;
    Edits "bad-word" "an answer to edits" Self::NAMED;
    Isolation "bad-word" "an isolation" Self::NAMED;
    Network "bad-word" "a network" Self::NAMED;
    HeartbeatFrom "bad-word" "a sign of life" Self::NAMED;
    LoopUntil "bad-word" "an end of a loop" [("verify", Self::Verify)];
    ReviewKind "bad-word" "a kind of review" Self::NAMED;
    EventWord "bad-word" "a kind of event" [
        ("gate", Self::Gate),
        ("retry", Self::Retry),
        ("accept", Self::Accept),
        ("cancel", Self::Cancel),
    ];
    EventState "bad-word" "a state of a gate" [("pass", Self::Pass), ("fail", Self::Fail)];
    TriggerWord "bad-word" "a trigger" Self::NAMED;
    Durability "bad-word" "a durability" [("process", Self::Process), ("power", Self::Power)];
    OnChange "bad-word" "an answer to a change" Self::NAMED;
    WatchMode "bad-word" "a way to watch" Self::NAMED;
    LandingMode "bad-word" "a way to land" Self::NAMED;
    HostWord "bad-word" "a kind of host" Self::NAMED;
}

/// What ends a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopUntil {
    /// All that `completion` asks for holds.
    Verify,
}

/// What an event file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventWord {
    /// A gate.
    #[default]
    Gate,
    /// Another try at a task.
    Retry,
    /// A person accepts an attempt in review.
    Accept,
    /// A person wants an attempt stopped.
    Cancel,
}

/// What an event file says of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// It is open.
    Pass,
    /// It failed.
    Fail,
}

/// A trigger of a milestone that is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerWord(pub Trigger);

impl TriggerWord {
    const NAMED: [(&'static str, Self); 2] =
        [("all", Self(Trigger::All)), ("first-failure", Self(Trigger::FirstFailure))];
}

impl FromText for Timestamp {
    const EXPECTED: &'static str = "a point in time";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        Self::parse(text).ok_or_else(|| {
            ValueFault::new("bad-word", format!("{} is not a point in time", shown(text)))
                .with_help("write it as `2026-11-20T10:15:00Z`")
        })
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}
