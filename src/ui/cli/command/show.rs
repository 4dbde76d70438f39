//! `orch show`: everything about one task.

use crate::{
    app::use_case::show,
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

/// Show everything about one task
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    id: String,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let task = show::show(&standing, &args.id)?;
    if args.json.json {
        terminal.line(&output::json::pretty(&task));
    } else {
        terminal.out(&output::show::render(&task, terminal.style()));
    }
    Ok(0)
}
