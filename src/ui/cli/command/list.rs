//! `orch list`: tasks, one per line.

use clap::ValueEnum;

use crate::{
    app::{
        error::AppError,
        use_case::list::{self, Filter, Sort},
    },
    domain::{format::task_file::Reading, scheduler::phase::TaskState},
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

/// List tasks, one per line
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tasks in these states (running, ready, blocked, …)
    #[arg(long, value_name = "STATE", value_delimiter = ',', conflicts_with = "ready")]
    state: Vec<String>,
    /// Only ready tasks, in the order in which they would start
    #[arg(long)]
    ready: bool,
    /// Only tasks of this role
    #[arg(long)]
    role: Option<String>,
    /// Only tasks of this milestone
    #[arg(long)]
    milestone: Option<String>,
    /// Only tasks of this workstream
    #[arg(long)]
    workstream: Option<String>,
    /// Only tasks of this level
    #[arg(long)]
    level: Option<u32>,
    /// Only tasks with this tag
    #[arg(long)]
    tag: Option<String>,
    /// The order (default: state; with --ready: priority)
    #[arg(long, value_enum)]
    sort: Option<Order>,
    /// Print bare ids, for scripts
    #[arg(long, conflicts_with = "json")]
    ids: bool,
    #[command(flatten)]
    json: Json,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    /// By state, what runs first
    State,
    /// As they would start: priority, longest remaining path, id
    Priority,
    /// By id
    Id,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let (filter, sort) = (filter(args)?, sort(args));
    let standing = stand(global, terminal, Reading::Head)?;
    let tasks = list::select(&standing, &filter, sort)?;
    if args.ids {
        let ids = tasks.iter().flat_map(|task| [standing.plan().id(*task).as_str(), "\n"]);
        terminal.out(&ids.collect::<String>());
        return Ok(0);
    }
    let rows = list::rows(&standing, &tasks);
    if args.json.json {
        terminal.line(&output::json::pretty(&rows));
    } else if !rows.is_empty() {
        terminal.out(&output::list::render(&rows, shown_width(terminal), terminal.style()));
    } else if standing.plan().n_tasks() == 0 {
        terminal.err_line("no tasks in .orch/tasks yet: `orch new \"Title\"` makes one");
    } else {
        terminal.err_line("no task is like that");
    }
    Ok(0)
}

fn filter(args: &Args) -> Result<Filter, AppError> {
    let states: Result<Vec<TaskState>, AppError> =
        args.state.iter().map(|word| list::parse_state(word.trim())).collect();
    Ok(Filter {
        states: if args.ready { vec![TaskState::Ready] } else { states? },
        role: args.role.clone(),
        milestone: args.milestone.clone(),
        workstream: args.workstream.clone(),
        level: args.level,
        tag: args.tag.clone(),
    })
}

fn sort(args: &Args) -> Sort {
    match args.sort {
        Some(Order::State) => Sort::State,
        Some(Order::Priority) => Sort::Priority,
        Some(Order::Id) => Sort::Id,
        None if args.ready => Sort::Priority,
        None => Sort::State,
    }
}
