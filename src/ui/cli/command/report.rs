//! `orch report`: a worker tells how its attempt goes.

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        use_case::report::{self, Surroundings, Target},
        view::write::Reported,
    },
    domain::{
        format::{
            status_edit::{StatusChange, UsageChange},
            value::FromText as _,
        },
        model::{attempt::ReportedState, id::GateName},
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

/// Tell how the attempt goes that this is called from
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How it goes: working, done, failed, blocked, review or escalate
    #[arg(long, value_parser = state)]
    state: Option<ReportedState>,
    /// How much is done, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    progress: Option<u8>,
    /// What you do now, on one line
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// The gate that must open before it can go on (with state `blocked`)
    #[arg(long, value_name = "GATE", value_parser = gate)]
    waiting_for: Option<GateName>,
    /// What kind of decision you ask for, as in `security` (with state `escalate`)
    #[arg(long, value_name = "WORD")]
    category: Option<String>,
    /// What was used so far, as in `input=1200,output=300,cache_read=0,cost=0.02`
    #[arg(long, value_name = "FIGURES", value_parser = UsageChange::parse)]
    usage: Option<UsageChange>,
    /// What was used since, added to what was reported before
    #[arg(long, value_name = "FIGURES", value_parser = UsageChange::parse)]
    add_usage: Option<UsageChange>,
    /// A paragraph for the reviewer and for the next attempt, added to the others
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Only say that it is still at work
    #[arg(long, conflicts_with_all = ["state", "progress", "message", "waiting_for", "category", "usage", "add_usage", "note"])]
    heartbeat: bool,
    /// The task, where this is not called from its worker
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Which attempt of that task [default: the last]
    #[arg(long, value_name = "N", requires = "task")]
    attempt: Option<u32>,
    #[command(flatten)]
    json: Json,
}

fn state(text: &str) -> Result<ReportedState, String> {
    ReportedState::from_text(text).map_err(|fault| fault.help.unwrap_or(fault.message))
}

fn gate(text: &str) -> Result<GateName, String> {
    GateName::from_text(text).map_err(|fault| fault.help.unwrap_or(fault.message))
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let change = change(args)?;
    let surroundings = surroundings();
    let target = match &args.task {
        Some(id) => Target::named(&Repository::open(global.folder())?, id, args.attempt)?,
        None => Target::from_surroundings(&surroundings)?,
    };
    let reported = report::report(&target, change, &surroundings.secrets)?;
    if let Some(path) = &reported.set_aside {
        let text = "warning: the status file could not be read; what stood in it is in";
        terminal.err_line(&format!("{text} {}", clean_line(path)));
    }
    if args.json.json {
        terminal.line(&json::pretty(&reported));
    } else if !args.heartbeat {
        terminal.line(&text(&reported));
    }
    Ok(0)
}

/// Returns what was said, and refuses what makes no sense together.
fn change(args: &Args) -> Result<StatusChange, AppError> {
    let state = match (args.state, &args.waiting_for) {
        (None, Some(_)) => Some(ReportedState::Blocked),
        (Some(state), Some(_)) if state != ReportedState::Blocked => {
            let message = format!("`--waiting-for` makes no sense with state `{}`", state.as_str());
            return Err(AppError::usage(message, "say `--state blocked`, or leave it away"));
        }
        (state, _) => state,
    };
    let state = match (state, &args.category) {
        (None, Some(_)) => Some(ReportedState::Escalate),
        (Some(state), Some(_)) if state != ReportedState::Escalate => {
            let message = format!("`--category` makes no sense with state `{}`", state.as_str());
            return Err(AppError::usage(message, "say `--state escalate`, or leave it away"));
        }
        (state, _) => state,
    };
    let change = StatusChange {
        state,
        progress: args.progress,
        message: args.message.clone(),
        waiting_for: args.waiting_for.clone(),
        category: args.category.clone(),
        usage: args.usage.unwrap_or_default(),
        add_usage: args.add_usage.unwrap_or_default(),
        note: args.note.clone(),
    };
    if change == StatusChange::default() && !args.heartbeat {
        let help = "say how it goes, as in `orch report --progress 40 --message \"…\"`, or only \
                    that it goes on: `orch report --heartbeat`";
        return Err(AppError::usage("there is nothing to report", help));
    }
    Ok(change)
}

/// Returns what the environment says.
fn surroundings() -> Surroundings {
    let variable = |name: &str| std::env::var(name).ok();
    let names = variable("ORCH_SECRETS").unwrap_or_default();
    Surroundings {
        status_file: variable("ORCH_STATUS_FILE"),
        task: variable("ORCH_TASK_ID"),
        attempt: variable("ORCH_ATTEMPT"),
        secrets: names.split(',').filter_map(|name| variable(name.trim())).collect(),
    }
}

fn text(reported: &Reported) -> String {
    let percent = reported.progress.map_or_else(String::new, |percent| format!(" {percent}%"));
    let gate = reported.waiting_for.as_ref().map(|gate| format!(" until `{gate}` opens"));
    let said = reported.message.as_ref().map(|said| format!(": {}", clean_line(said)));
    format!(
        "reported: {} #{} is {}{percent}{}{}",
        reported.task,
        reported.attempt,
        reported.state,
        gate.unwrap_or_default(),
        said.unwrap_or_default()
    )
}
