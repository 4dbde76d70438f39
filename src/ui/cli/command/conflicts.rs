//! `orch conflicts`: what will not go together.

use crate::{
    app::use_case::conflicts,
    domain::format::task_file::Reading,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            reading::stand,
            terminal::Terminal,
        },
        output,
    },
};

/// Foretell whose work will not go together, and what to do about it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let found = conflicts::conflicts(&stand(global, terminal, Reading::Head)?)?;
    if args.json.json {
        terminal.line(&output::json::pretty(&found));
    } else {
        terminal.out(&output::conflicts::render(&found, terminal.style()));
    }
    Ok(0)
}
