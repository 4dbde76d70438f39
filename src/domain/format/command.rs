//! Commands as people write them: a text, or a list of words.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::value::{FromText as _, ValueFault, Word};
use crate::domain::model::task::CommandLine;

/// A command: a text, or a list of words. A type of our own, as the model knows no `serde`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(pub CommandLine);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CommandVisitor)
    }
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Command, E> {
        match text.trim() {
            "" => Err(E::custom(empty_command())),
            text => Ok(Command(CommandLine::Text(text.to_owned()))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Command, A::Error> {
        let mut words = Vec::new();
        while let Some(Word(word)) = seq.next_element()? {
            words.push(word);
        }
        match words.first().map(String::as_str) {
            None | Some("") => Err(A::Error::custom(empty_command())),
            Some(_) => Ok(Command(CommandLine::Words(words))),
        }
    }
}

fn empty_command() -> ValueFault {
    ValueFault::new("empty-command", "a command is empty")
        .with_help("write a command, or remove the key")
}

impl JsonSchema for Command {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "minLength": 1 },
            { "type": "array", "items": Word::schema(), "minItems": 1 },
        ] })
    }
}
