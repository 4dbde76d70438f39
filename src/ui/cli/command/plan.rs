//! `orch plan`: what `orch run` would do now.

use crate::{
    app::use_case::plan,
    domain::{format::task_file::Reading, model::limits::WORKERS_MAX},
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

/// Show what `orch run` would do now, and when all would be done
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Most workers side by side (default: `max_workers` of config.yaml)
    #[arg(
        short = 'w',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(WORKERS_MAX))
    )]
    workers: Option<u32>,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let plan = plan::plan(&standing, args.workers);
    if args.json.json {
        terminal.line(&output::json::pretty(&plan));
    } else {
        terminal.out(&output::plan::render(&plan, shown_width(terminal), terminal.style()));
    }
    Ok(0)
}
