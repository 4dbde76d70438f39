//! The single values that people write, each with its rule and its words.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Unexpected, Visitor},
};

use super::fault::{plain, shown};
use crate::domain::model::{
    glob::Glob,
    id::{GateName, IdFault, RoleName, TaskId},
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
const CODES: [&str; 15] = [
    "bad-duration",
    "bad-priority",
    "bad-estimate",
    "bad-glob",
    "bad-path",
    "bad-id",
    "bad-role",
    "bad-status",
    "bad-gate",
    "bad-env-name",
    "bad-remote",
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
    Word, Flag, EnvName, RemoteName, Executor, ModelName, TaskId, RoleName, GateName, Glob
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

/// The name of a git remote, or `.`: no address, so that a plan cannot name what git would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteName(pub String);

impl FromText for RemoteName {
    const EXPECTED: &'static str = "the name of a git remote";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let is_outside = text.starts_with(['-', '/']) || text.contains("..");
        if text.is_empty() || is_outside || !text.chars().all(is_name) {
            let message = format!("{} is not the name of a git remote", shown(text));
            return Err(ValueFault::new("bad-remote", message).with_help(
                "write a name as `git remote` shows it, or `.`; `git remote add` makes one",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_.][A-Za-z0-9_./-]*$" })
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

/// The name of a model, as an agent knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName(pub String);

impl FromText for ModelName {
    const EXPECTED: &'static str = "the name of a model";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        // It becomes an argument of a program: it must not be taken for an option.
        let may_stand = |c: char| !c.is_whitespace() && !c.is_control();
        if text.is_empty() || text.starts_with('-') || !text.chars().all(may_stand) {
            let message = format!("{} is not the name of a model", shown(text));
            return Err(ValueFault::new("bad-word", message)
                .with_help("write it as the agent names it, such as `sonnet` or `openai/gpt-5`"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^\\s-]\\S*$" })
    }
}

impl FromText for TaskId {
    const EXPECTED: &'static str = "a task id";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        Self::parse(text).map_err(|fault| {
            ValueFault::new("bad-id", format!("task id {} {fault}", shown(text))).with_help(
                match fault {
                    IdFault::Empty | IdFault::BadStart(_) | IdFault::BadCharacter(_) => {
                        "use letters, digits, `.`, `_` and `-`, starting with a letter or digit"
                    }
                    IdFault::TooLong | IdFault::NotABranchName | IdFault::DeviceName => {
                        "choose another id"
                    }
                },
            )
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
