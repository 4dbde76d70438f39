//! One file per command: its arguments (the help is the doc comment) and how it runs.

mod check;
mod run;

use clap::Subcommand;

use super::{Outcome, args::Cli, terminal::Terminal};

/// The commands, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report all faults of the plan, each with its place
    Check(check::Args),
    /// Carry the plan out: start what is ready, check it, record it
    Run(run::Args),
}

/// Runs the command that was typed.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: &Cli, terminal: &Terminal) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Check(args) => check::run(args, global, terminal),
        Command::Run(args) => run::run(args, global, terminal),
    }
}
