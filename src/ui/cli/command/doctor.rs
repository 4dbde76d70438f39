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
    /// Tell how each protection stands instead: whose the repository is, sandboxes, git, keys
    #[arg(long)]
    security: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let repository = Repository::open(global.folder())?;
    let (json, checks, n_errors) = if args.security {
        let found = doctor::security(&repository);
        (output::json::pretty(&found), found.checks, found.n_errors)
    } else {
        let found = doctor::doctor(&repository);
        (output::json::pretty(&found), found.checks, found.n_errors)
    };
    if args.json.json {
        terminal.line(&json);
    } else {
        terminal.out(&output::doctor::render(&checks, terminal.style()));
    }
    Ok(u8::from(n_errors > 0))
}
