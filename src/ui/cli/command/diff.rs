//! `orch diff`: what a range of commits does to the plan.

use clap::ValueEnum;

use crate::{
    app::use_case::diff,
    ui::{
        cli::{Outcome, args::Global, reading::shown_width, terminal::Terminal},
        output::{
            diff::{markdown, text},
            json,
        },
    },
};

/// Show what a branch or a range of commits does to the plan
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `A..B`, `A...B`, or `A` for all since then [default: what this branch did]
    ///
    /// As git means it: `A..B` compares two revisions, `A...B` the last commit that both share with
    /// B, and `A` alone is compared with the working tree. By default it is the last commit shared
    /// with the upstream of the branch, or else with the main branch.
    #[arg(value_name = "RANGE")]
    range: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    /// Exit with 1 where something is different
    #[arg(long)]
    exit_code: bool,
    /// The folder within the repository that holds .orch, where no checkout tells
    #[arg(long, value_name = "DIR")]
    plan: Option<String>,
}

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For a comment on a pull request, at most 65,000 bytes
    Markdown,
    /// One JSON object
    Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let found = diff::diff(&global.folder(), args.range.as_deref(), args.plan.as_deref())?;
    match if args.json { Format::Json } else { args.format } {
        Format::Text => {
            terminal.out(&text::render(&found, shown_width(terminal), terminal.style()));
        }
        Format::Markdown => terminal.out(&markdown::render(&found)),
        Format::Json => terminal.line(&json::pretty(&found)),
    }
    Ok(u8::from(args.exit_code && found.is_changed))
}
