//! `orch schema`: the JSON Schema of a file format.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::{
    domain::format::schema::{SchemaKind, schema},
    ui::{
        cli::{Outcome, terminal::Terminal},
        output::json,
    },
};

/// Print the JSON Schema of a file format, for editors
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The format
    #[arg(default_value = "task", value_parser = kinds())]
    format: SchemaKind,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Outcome {
    terminal.line(&json::pretty(&schema(args.format)));
    Ok(0)
}

/// Accepts the names of the formats.
fn kinds() -> impl clap::builder::TypedValueParser<Value = SchemaKind> {
    let names = SchemaKind::NAMED.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|name| {
        let named = SchemaKind::NAMED.iter().find(|(known, _)| *known == name);
        named.map_or(SchemaKind::Task, |(_, kind)| *kind)
    })
}
