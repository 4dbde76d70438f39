//! `orch wait`: until a run has come to its end, or one task has.

use std::time::Duration;

use crate::{
    app::{repository::Repository, use_case::wait, view::wait::Waited},
    domain::model::time::parse_duration,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output::{figures::counted, json},
    },
};

/// Wait until the run that is at work has ended, or one task has
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Wait for this task only: until it is done, or cannot go on by itself
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Wait no longer than this, as in `90s` or `2h`
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let repository = Repository::open(global.folder())?;
    let waited = wait::wait(&repository, args.task.as_deref(), args.timeout)?;
    if args.json.json {
        terminal.line(&json::pretty(&waited));
    } else {
        terminal.line(&text(&waited));
    }
    Ok(waited.exit_code)
}

fn text(waited: &Waited) -> String {
    let Waited { n_done, n_stuck, n_left, .. } = waited;
    if let Some(task) = &waited.task {
        let id = &task.task;
        let follows = match (task.state, waited.is_live) {
            ("done" | "cancelled" | "gone", _) => String::new(),
            ("failed" | "review" | "blocked", _) => format!(": `orch explain {id}` says why"),
            (_, true) => String::new(),
            (_, false) => ", and no coordinator is at work: `orch run` starts one".to_owned(),
        };
        return format!("task `{id}` is {}{follows}", task.state);
    }
    let mut parts = vec![format!("{n_done} of {} done", counted(waited.n_tasks, "task"))];
    if *n_stuck > 0 {
        parts.push(format!("{n_stuck} failed, blocked or in review (`orch status` says which)"));
    }
    if *n_left > 0 {
        parts.push(format!("{n_left} left, and no coordinator is at work: `orch run` goes on"));
    }
    format!("{}: {}", waited.verdict, parts.join(" · "))
}
