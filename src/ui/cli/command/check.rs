//! `orch check`: all faults of the plan at once.

use clap::ValueEnum;

use crate::{
    app::{repository::Repository, use_case::check},
    domain::plan::rules::RULES,
    ui::{
        cli::{Outcome, args::Global, terminal::Terminal},
        output::{diagnostic, diagnostic_json, github, json, sarif},
    },
};

/// Report all faults of the plan, each with its place
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,
}

/// How faults are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// Annotations of a GitHub workflow
    Github,
    /// SARIF 2.1.0
    Sarif,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let found = check::check(&Repository::open(global.folder())?)?;
    let format = if args.json { Format::Json } else { args.format };
    match format {
        Format::Text => {
            let text = diagnostic::render(&found.diagnostics, terminal.style());
            terminal.out(&text);
            if !text.is_empty() {
                terminal.line("");
            }
            terminal.line(&diagnostic::summary(&found.diagnostics, found.n_tasks));
        }
        Format::Json => {
            let report = diagnostic_json::report(&found.diagnostics, found.n_tasks);
            terminal.line(&json::pretty(&report));
        }
        Format::Github => terminal.out(&github::render(&found.diagnostics)),
        Format::Sarif => {
            let rules: Vec<sarif::RuleText<'_>> = RULES
                .iter()
                .map(|rule| sarif::RuleText {
                    code: rule.code,
                    severity: rule.severity,
                    summary: rule.summary,
                })
                .collect();
            terminal.line(&json::pretty(&sarif::log(&found.diagnostics, &rules)));
        }
    }
    let fails = found.n_errors() > 0 || (args.strict && found.n_warnings() > 0);
    Ok(u8::from(fails))
}
