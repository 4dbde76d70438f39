//! `orch stop`: the running coordinator is told to stop, or what it left.

use crate::{
    app::{
        repository::Repository,
        use_case::stop::{self, Manner},
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output::{escape::clean_line, json},
    },
};

/// Tell the running coordinator to stop; without one, stop the workers that it left
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kill the workers instead of asking them to stop
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let manner = if args.now { Manner::Now } else { Manner::Polite };
    let stopped = stop::stop(&Repository::open(global.folder())?, manner)?;
    if args.json.json {
        terminal.line(&json::pretty(&stopped));
        return Ok(0);
    }
    let line = match &stopped.coordinator {
        None if stopped.attempts.is_empty() => "no coordinator is at work here".to_owned(),
        None => format!(
            "no coordinator is at work here; the workers that it left were stopped: {}",
            stopped.attempts.join(", ")
        ),
        Some(one) if one.has_ended => format!("the coordinator, process {}, has ended", one.pid),
        Some(one) => {
            let follows = match manner {
                Manner::Polite => "it starts nothing more and asks its workers to stop",
                Manner::Now => "it kills its workers",
            };
            let since = clean_line(&one.started);
            format!(
                "the coordinator, process {} since {since}, is told to stop: {follows}",
                one.pid
            )
        }
    };
    terminal.line(&line);
    Ok(0)
}
