//! `orch doctor`: what `orch` finds around it.

use crate::{
    app::{repository::Repository, use_case::doctor},
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output,
    },
};

/// Look at what `orch` finds around it: watching, git, lock, workers, disk
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let found = doctor::doctor(&Repository::open(global.folder())?);
    if args.json.json {
        terminal.line(&output::json::pretty(&found));
    } else {
        terminal.out(&output::doctor::render(&found, terminal.style()));
    }
    Ok(u8::from(found.n_errors > 0))
}
