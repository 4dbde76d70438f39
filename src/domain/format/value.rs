//! The single values that people write, each with its rule and its words.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Unexpected, Visitor},
};

use super::fault::{did_you_mean, plain, shown};
use super::number::{DURATION_PATTERN, whole_number};
use crate::domain::model::{
    attempt::{Outcome, ReportedState},
    config::Durability,
    glob::Glob,
    id::{GateName, RoleName, TaskId},
    limits::PRIORITY_MAX,
    task::{AuthorStatus, Estimate, Isolation, Priority, Size},
    time::{Timestamp, parse_duration},
};

/// Why a value does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// The rule.
    pub code: &'static str,
    /// What is.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Separates the parts of a fault on its way through `serde`; escaped in user text.
const SEPARATOR: char = '\u{1}';

/// All rules for values.
const CODES: [&str; 13] = [
    "bad-duration",
    "bad-priority",
    "bad-estimate",
    "bad-glob",
    "bad-id",
    "bad-role",
    "bad-status",
    "bad-gate",
    "bad-env-name",
    "bad-number",
    "bad-word",
    "empty-command",
    "unknown-executor",
];

impl ValueFault {
    /// Returns a fault without help.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Stands for "something else is expected"; the words come from the type.
    pub(super) fn wrong_type() -> Self {
        Self::new("wrong-type", "")
    }

    /// Takes apart what its `Display` put together, as `serde` carries nothing but text.
    pub(super) fn from_wire(text: &str) -> Self {
        let mut parts = text.split(SEPARATOR);
        let (code, message, help) = (parts.next(), parts.next(), parts.next());
        let known = CODES.into_iter().find(|known| code == Some(known));
        match (known, message) {
            (Some(code), Some(message)) => {
                let help = help.filter(|help| !help.is_empty()).map(str::to_owned);
                Self { code, message: message.to_owned(), help }
            }
            _ => Self::new("bad-word", plain(text)),
        }
    }
}

impl fmt::Display for ValueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let help = self.help.as_deref().unwrap_or_default();
        write!(f, "{}{SEPARATOR}{}{SEPARATOR}{help}", self.code, self.message)
    }
}

/// A value that stands in a file as one scalar.
pub trait FromText: Sized {
    /// What is expected, with article.
    const EXPECTED: &'static str;

    /// Reads the value.
    ///
    /// # Errors
    /// What is wrong with it.
    fn from_text(text: &str) -> Result<Self, ValueFault>;

    /// Returns the JSON Schema of the value.
    fn schema() -> Schema;
}

/// Hands the text of a scalar to its type.
pub(super) struct TextVisitor<T>(pub(super) PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(|fault| match fault.code {
            "wrong-type" => E::invalid_type(Unexpected::Str(text), &self),
            _ => E::custom(fault),
        })
    }
}

macro_rules! text_values {
    ($($type:ident),* $(,)?) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor::<Self>(PhantomData))
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                <Self as FromText>::schema()
            }
        }
    )* };
}

pub(super) use text_values;

text_values!(
    Word,
    Flag,
    EnvName,
    Executor,
    TaskId,
    RoleName,
    GateName,
    Glob,
    Priority,
    Estimate,
    Size,
    AuthorStatus,
    Isolation,
    Durability,
    ReportedState,
    Outcome,
    Timestamp,
    EventWord,
    EventState,
);

/// Any scalar, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word(pub String);

impl FromText for Word {
    const EXPECTED: &'static str = "text";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl FromText for Flag {
    const EXPECTED: &'static str = "`true` or `false`";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        match text {
            "true" | "True" | "TRUE" => Ok(Self(true)),
            "false" | "False" | "FALSE" => Ok(Self(false)),
            _ => Err(ValueFault::wrong_type()),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvName(pub String);

impl FromText for EnvName {
    const EXPECTED: &'static str = "the name of an environment variable";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.is_empty()
            || text.starts_with(|c: char| c.is_ascii_digit())
            || !text.chars().all(is_name)
        {
            let message = format!("{} is not a name of an environment variable", shown(text));
            return Err(ValueFault::new("bad-env-name", message)
                .with_help("use letters, digits and `_`, with no digit first"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}

/// A way to start workers; `local` is the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executor;

impl FromText for Executor {
    const EXPECTED: &'static str = "the name of an executor";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        match text {
            "local" => Ok(Self),
            _ => Err(ValueFault::new(
                "unknown-executor",
                format!("unknown executor {}", shown(text)),
            )
            .with_help("write `local`, the only one there is")),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "enum": ["local"] })
    }
}

impl FromText for TaskId {
    const EXPECTED: &'static str = "a task id";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        Self::parse(text).map_err(|fault| {
            ValueFault::new("bad-id", format!("task id {} {fault}", shown(text)))
                .with_help("use letters, digits, `.`, `_` and `-`, starting with a letter or digit")
        })
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" })
    }
}

impl FromText for RoleName {
    const EXPECTED: &'static str = "the name of a role";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        match TaskId::parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(fault) => {
                Err(ValueFault::new("bad-role", format!("role name {} {fault}", shown(text)))
                    .with_help("write the name of a file in `.orch/roles` without `.md`"))
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" })
    }
}

impl FromText for GateName {
    const EXPECTED: &'static str = "the name of a gate";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        if Self::is_valid(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ValueFault::new("bad-gate", format!("{} is not a gate name", shown(text)))
            .with_help("write it as `approval` or `ci/build`: letters, digits, `.`, `_`, `-`, parts joined by `/`"))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$" })
    }
}

impl FromText for Glob {
    const EXPECTED: &'static str = "a path pattern";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        Self::parse(text).map_err(|why| {
            ValueFault::new(
                "bad-glob",
                format!("the pattern {} does not hold: {}", shown(text), plain(&why)),
            )
            .with_help("write a path below the repository root, such as `src/limit/**`")
        })
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

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
    Isolation "bad-word" "an isolation" [("none", Self::None), ("worktree", Self::Worktree)];
    EventWord "bad-word" "a kind of event" [("gate", Self::Gate), ("retry", Self::Retry)];
    EventState "bad-word" "a state of a gate" [("pass", Self::Pass), ("fail", Self::Fail)];
    Durability "bad-word" "a durability" [("process", Self::Process), ("power", Self::Power)];
}

/// What an event file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventWord {
    /// A gate.
    #[default]
    Gate,
    /// Another try at a task.
    Retry,
}

/// What an event file says of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// It is open.
    Pass,
    /// It failed.
    Fail,
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
