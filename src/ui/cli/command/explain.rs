//! `orch explain`: why a task is not running, and what to do about it.

use crate::{
    app::use_case::explain,
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

/// Say why a task is not running, and what to do about it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    id: String,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let told = explain::explain(&standing, &args.id)?;
    if args.json.json {
        terminal.line(&output::json::pretty(&told));
    } else {
        terminal.out(&output::explain::render(&told, terminal.style()));
    }
    Ok(0)
}
