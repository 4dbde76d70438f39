//! One file per command: its arguments (the help is the doc comment) and how it runs.

mod check;
mod demo;
mod explain;
mod graph;
mod list;
mod logs;
mod plan;
mod run;
mod show;
mod status;

use clap::Subcommand;

use super::{Outcome, args::Cli, terminal::Terminal};

/// The commands, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report all faults of the plan, each with its place
    Check(check::Args),
    /// List tasks, one per line
    List(list::Args),
    /// Show everything about one task
    Show(show::Args),
    /// Show the graph of dependencies
    Graph(graph::Args),
    /// Show what `orch run` would do now, and when all would be done
    Plan(plan::Args),
    /// Show how the plan stands, what runs and what needs a person
    Status(status::Args),
    /// Say why a task is not running, and what to do about it
    Explain(explain::Args),
    /// Print what the worker of a task printed
    Logs(logs::Args),
    /// Carry the plan out: start what is ready, check it, record it
    Run(run::Args),
    /// Carry out a small plan in a temporary repository, to see how it looks
    Demo(demo::Args),
}

/// Runs the command that was typed.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: &Cli, terminal: &Terminal) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Check(args) => check::run(args, global, terminal),
        Command::List(args) => list::run(args, global, terminal),
        Command::Show(args) => show::run(args, global, terminal),
        Command::Graph(args) => graph::run(args, global, terminal),
        Command::Plan(args) => plan::run(args, global, terminal),
        Command::Status(args) => status::run(args, global, terminal),
        Command::Explain(args) => explain::run(args, global, terminal),
        Command::Logs(args) => logs::run(args, global, terminal),
        Command::Run(args) => run::run(args, global, terminal),
        Command::Demo(args) => demo::run(args, terminal),
    }
}
