//! `orch log`: the history of a task, or of the plan.

use crate::{
    app::use_case::log,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            reading::shown_width,
            terminal::Terminal,
        },
        output,
    },
};

/// Show the history of a task, or of the plan, as commits tell it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task; without one, the whole plan
    id: Option<String>,
    /// Show the newest N commits; 0 shows all
    #[arg(short = 'n', value_name = "N", default_value_t = 50)]
    most: usize,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let found = log::log(&global.folder(), args.id.as_deref(), args.most)?;
    if args.json.json {
        terminal.line(&output::json::pretty(&found));
    } else {
        terminal.out(&output::history::render(&found, shown_width(terminal), terminal.style()));
    }
    Ok(0)
}
