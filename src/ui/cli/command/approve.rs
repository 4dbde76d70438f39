//! `orch approve`: a person's word on a gate, or on what an attempt left.

use crate::{
    app::{
        repository::Repository,
        use_case::{
            approve::{self, Decision},
            change::Author,
        },
        view::write::Approved,
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json, login},
            terminal::Terminal,
        },
        output::json,
    },
};

/// Open the gate that a task waits for, or accept what it left for review
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// The gate [default: what is in review, else `approval`]
    #[arg(long, value_name = "NAME")]
    gate: Option<String>,
    /// A few words for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Say no: the gate fails
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let login = login();
    let author = Author { login: login.as_deref(), note: args.note.as_deref() };
    let decision = if args.reject { Decision::Reject } else { Decision::Approve };
    let repository = Repository::open(global.folder())?;
    let approved =
        approve::approve(&repository, &args.ids, args.gate.as_deref(), decision, author)?;
    if args.json.json {
        terminal.line(&json::pretty(&approved));
        return Ok(0);
    }
    for task in &approved {
        terminal.line(&text(task, decision));
    }
    Ok(0)
}

fn text(approved: &Approved, decision: Decision) -> String {
    let Approved { task, state, event, .. } = approved;
    let what = match (&approved.gate, approved.attempt) {
        (Some(gate), _) => match (decision, approved.is_open) {
            (Decision::Approve, true) => format!("gate `{gate}` of `{task}` is open"),
            (Decision::Approve, false) => {
                format!("gate `{gate}` of `{task}` stays shut: another event file says `fail`")
            }
            (Decision::Reject, _) => format!("gate `{gate}` of `{task}` has failed"),
        },
        (None, Some(attempt)) => format!("attempt {attempt} of `{task}` is accepted"),
        (None, None) => format!("`{task}`"),
    };
    let follows = match (*state, approved.is_live) {
        ("ready", true) => "; the running coordinator starts it when there is room",
        ("ready", false) => "; `orch run` starts it",
        _ => "",
    };
    format!("{what}; the task is {state}{follows}\n  wrote {event}")
}
