//! `orch event`: a script or CI says what is so of a gate.

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        use_case::{
            change::Author,
            event::{self, Word},
        },
        view::event::{GateTask, SentEvent},
    },
    domain::{
        format::{task_file::Reading, value::FromText as _},
        model::id::GateName,
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json, login},
            reading::{shown_width, stand},
            terminal::Terminal,
        },
        output::{gates, json},
    },
};

/// Open or fail a gate that tasks wait for, from a script or from CI
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, as in `ci/build`
    #[arg(value_name = "NAME", value_parser = gate, required_unless_present = "list")]
    gate: Option<GateName>,
    #[command(flatten)]
    saying: Saying,
    /// Only for this task (may be repeated) [default: for all]
    #[arg(long = "task", value_name = "ID")]
    tasks: Vec<String>,
    /// A few words for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Show all gates, and who waits for them
    #[arg(long, conflicts_with_all = ["gate", "pass", "fail", "tasks", "note"])]
    list: bool,
    #[command(flatten)]
    json: Json,
}

/// What is so of the gate.
#[derive(Debug, clap::Args)]
struct Saying {
    /// It is open (the default)
    #[arg(long, conflicts_with = "fail")]
    pass: bool,
    /// It has failed
    #[arg(long)]
    fail: bool,
}

fn gate(text: &str) -> Result<GateName, String> {
    GateName::from_text(text).map_err(|fault| fault.help.unwrap_or(fault.message))
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    match &args.gate {
        Some(gate) => send(args, gate, global, terminal),
        None => list(args, global, terminal),
    }
}

fn list(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let gates = event::list(&stand(global, terminal, Reading::Head)?);
    if args.json.json {
        terminal.line(&json::pretty(&gates));
    } else {
        terminal.out(&gates::render(&gates, shown_width(terminal), terminal.style()));
    }
    Ok(0)
}

fn send(args: &Args, gate: &GateName, global: &Global, terminal: &Terminal) -> Outcome {
    let login = login();
    let author = Author { login: login.as_deref(), note: args.note.as_deref() };
    let word = if args.saying.fail { Word::Fail } else { Word::Pass };
    let repository = Repository::open(global.folder())?;
    let sent: Result<_, AppError> = event::send(&repository, gate, &args.tasks, word, author);
    let sent = sent?;
    for event in sent.iter().filter(|event| event.tasks.is_empty()) {
        terminal.err(&warning(event));
    }
    if args.json.json {
        terminal.line(&json::pretty(&sent));
        return Ok(0);
    }
    for event in &sent {
        terminal.line(&text(event));
    }
    Ok(0)
}

/// Says that nobody waits for the gate: a slip, or the task comes later.
fn warning(event: &SentEvent) -> String {
    let gate = &event.gate;
    let mut text = match &event.task {
        Some(task) => format!("warning: task `{task}` does not wait for `{gate}`\n"),
        None => format!("warning: no task waits for `{gate}`\n"),
    };
    if let Some(near) = &event.near {
        text.push_str("  = help: did you mean `");
        text.push_str(near);
        text.push_str("`?\n");
    }
    text
}

fn text(event: &SentEvent) -> String {
    let SentEvent { gate, word, is_new, event: path, tasks, .. } = event;
    let of = event.task.as_ref().map_or_else(String::new, |task| format!(" of `{task}`"));
    let again = if *is_new { "" } else { " already" };
    let state = match *word {
        "pass" => format!("is open{again}"),
        _ => format!("has failed{again}"),
    };
    let follows = tasks.iter().any(|task| task.state == "ready").then_some(match event.is_live {
        true => "; the running coordinator starts what is ready",
        false => "; `orch run` starts what is ready",
    });
    let tasks: Vec<String> = tasks.iter().map(|task| task_text(task, word)).collect();
    let colon = if tasks.is_empty() { "" } else { ": " };
    let verb = if *is_new { "wrote" } else { "kept" };
    let follows = follows.unwrap_or_default();
    format!("gate `{gate}`{of} {state}{colon}{}{follows}\n  {verb} {path}", tasks.join(", "))
}

/// Says how a task stands, and where another word on the gate goes before this one.
fn task_text(task: &GateTask, word: &str) -> String {
    let id = &task.task;
    match (word, task.gate) {
        ("pass", "failed") => {
            format!("`{id}` is {} (another event file says `fail`)", task.state)
        }
        ("fail", "open") => {
            format!("`{id}` is {} (its own event file says `pass`)", task.state)
        }
        _ => format!("`{id}` is {}", task.state),
    }
}
