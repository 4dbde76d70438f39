//! `orch cancel`: tasks are dropped from the plan.

use crate::{
    app::{
        repository::Repository,
        use_case::{cancel, change::Author},
        view::write::{Cancelled, CancelledTask},
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json, login},
            terminal::Terminal,
        },
        output::{escape::clean_line, json},
    },
};

/// Most ids that are named.
const NAMED_MAX: usize = 8;

/// Drop tasks from the plan
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let login = login();
    let author = Author { login: login.as_deref(), note: None };
    let cancelled = cancel::cancel(&Repository::open(global.folder())?, &args.ids, author)?;
    if args.json.json {
        terminal.line(&json::pretty(&cancelled));
    } else {
        terminal.out(&text(&cancelled));
    }
    Ok(0)
}

fn text(cancelled: &Cancelled) -> String {
    let mut lines: Vec<String> = cancelled.tasks.iter().map(task_text).collect();
    let blocked = &cancelled.blocked;
    if !blocked.is_empty() {
        let named: Vec<String> =
            blocked.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
        let more = match blocked.len() - named.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let named = named.join(", ");
        lines.push(format!("blocked by it: {named}{more}; take it out of their `depends_on`"));
    }
    lines.join("\n") + "\n"
}

fn task_text(cancelled: &CancelledTask) -> String {
    let CancelledTask { task, edited, is_running, attempt, event } = cancelled;
    if let Some(attempt) = attempt {
        let wrote = event.as_ref().map_or_else(String::new, |path| format!("\n  wrote {path}"));
        return format!("attempt {attempt} of `{task}` is being stopped (its file is gone){wrote}");
    }
    let Some(path) = edited else { return format!("`{task}` was cancelled before") };
    let path = clean_line(path);
    let follows = if *is_running { "; the running coordinator stops its worker" } else { "" };
    format!("`{task}` is cancelled{follows}\n  set `status: cancelled` in {path}")
}
