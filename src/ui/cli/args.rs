//! The command line as it is typed; its help texts are the doc comments.

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser};

use super::command::Command;

/// Run a plan of markdown tasks: checked, side by side, and on record
#[derive(Debug, Parser)]
#[command(name = "orch", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Use colors: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorChoice,
    /// Tell what is being done (-vv: everything)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl Global {
    /// Returns the folder to work in.
    pub fn folder(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(|| PathBuf::from("."))
    }
}

/// The choice between text for people and JSON for programs.
#[derive(Debug, Clone, Copy, Args)]
pub struct Json {
    /// Print JSON (its keys are only ever added to)
    #[arg(long)]
    pub json: bool,
}

/// Returns the login name of the person at the keyboard.
pub fn login() -> Option<String> {
    let names = ["USER", "LOGNAME", "USERNAME"];
    names.iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.trim().is_empty())
}
