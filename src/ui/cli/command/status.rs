//! `orch status`: how the plan stands, and what needs a person.

use crate::{
    app::use_case::status,
    domain::format::task_file::Reading,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            reading::{shown_width, stand},
            terminal::Terminal,
        },
        output,
    },
};

/// Show how the plan stands, what runs and what needs a person
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let status = status::status(&standing);
    if args.json.json {
        terminal.line(&output::json::pretty(&status));
    } else {
        terminal.out(&output::status::render(&status, shown_width(terminal), terminal.style()));
    }
    Ok(0)
}
