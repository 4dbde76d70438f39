//! JSON Schemas of the file formats, generated from the structs that read them.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::{
    config_file::RawConfig, event_file::RawEvent, role_file::RawRole, run_record::RawRun,
    status_file::RawStatus, task_file::RawTask,
};

/// The formats that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// Front matter of a task file.
    Task,
    /// Front matter of a role file.
    Role,
    /// The settings.
    Config,
    /// The record of an attempt.
    Run,
    /// Front matter of a status file.
    Status,
    /// An outside fact.
    Event,
}

impl SchemaKind {
    /// All formats with their names.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("task", Self::Task),
        ("role", Self::Role),
        ("config", Self::Config),
        ("run", Self::Run),
        ("status", Self::Status),
        ("event", Self::Event),
    ];
}

/// Returns the JSON Schema (draft 2020-12) of a format.
pub fn schema(kind: SchemaKind) -> Value {
    match kind {
        SchemaKind::Task => of::<RawTask>(),
        SchemaKind::Role => of::<RawRole>(),
        SchemaKind::Config => of::<RawConfig>(),
        SchemaKind::Run => of::<RawRun>(),
        SchemaKind::Status => of::<RawStatus>(),
        SchemaKind::Event => of::<RawEvent>(),
    }
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_a_task_is_known() {
        let text = serde_json::to_string_pretty(&schema(SchemaKind::Task)).unwrap();
        expect_test::expect_file!["../../../fixtures/format/task.schema.json"]
            .assert_eq(&format!("{text}\n"));
    }

    #[test]
    fn every_key_is_described() {
        for (name, kind) in SchemaKind::NAMED {
            let schema = schema(kind);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
            assert!(schema.get("required").is_none(), "{name}");
            for (key, property) in schema["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{name}.{key}: {property}");
            }
        }
    }
}
