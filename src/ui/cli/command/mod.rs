//! One file per command: its arguments (the help is the doc comment) and how it runs.

mod approve;
mod cancel;
mod check;
mod completions;
mod init;
mod new;
mod retry;
mod run;
mod schema;
mod stop;

use clap::Subcommand;

use super::{Outcome, args::Cli, terminal::Terminal};

/// The commands, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an .orch folder with settings, a role and a first task
    Init(init::Args),
    /// Make a task from a template
    New(new::Args),
    /// Report all faults of the plan, each with its place
    Check(check::Args),
    /// Carry the plan out: start what is ready, check it, record it
    Run(run::Args),
    /// Have tasks tried again that failed, were cancelled or are done
    Retry(retry::Args),
    /// Drop tasks from the plan
    Cancel(cancel::Args),
    /// Open the gate that a task waits for, or accept what it left for review
    Approve(approve::Args),
    /// Tell the running coordinator to stop
    Stop(stop::Args),
    /// Print the JSON Schema of a file format, for editors
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// Runs the command that was typed.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: &Cli, terminal: &Terminal) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Check(args) => check::run(args, global, terminal),
        Command::Init(args) => init::run(args, global, terminal),
        Command::New(args) => new::run(args, global, terminal),
        Command::Retry(args) => retry::run(args, global, terminal),
        Command::Cancel(args) => cancel::run(args, global, terminal),
        Command::Approve(args) => approve::run(args, global, terminal),
        Command::Stop(args) => stop::run(args, global, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Completions(args) => completions::run(args, terminal),
        Command::Run(args) => run::run(args, global, terminal),
    }
}
