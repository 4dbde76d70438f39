//! The command line: arguments → use case → output → exit code.

pub mod args;
pub mod command;
mod reading;
pub mod terminal;
mod trace;

use std::{borrow::Cow, ffi::OsString, process::ExitCode};

use clap::Parser as _;

use self::{args::Cli, terminal::Terminal};
use super::output::{Style, diagnostic, escape};
use crate::app::{error::AppError, running::serve_if_asked};

/// How a command ended: its exit code.
pub type Outcome = Result<u8, AppError>;

/// Runs the command that `args` name and returns the exit code of the process.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    if let Some(code) = serve_if_asked() {
        return code;
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error),
    };
    trace::start(cli.global.verbose);
    let terminal = Terminal::new(cli.global.color);
    let code = match command::run(&cli, &terminal) {
        Ok(code) => code,
        Err(error) => {
            show_error(&terminal, &error);
            error.exit_code()
        }
    };
    ExitCode::from(terminal.finish(code))
}

fn show_usage(error: &clap::Error) -> ExitCode {
    let plain = error.render().to_string();
    match escape::clean(&plain) {
        // It quotes what was typed, and that holds what a terminal would act on.
        Cow::Owned(cleaned) => Terminal::new(clap::ColorChoice::Auto).err(&cleaned),
        // Nothing can be done about a closed standard error.
        Cow::Borrowed(_) => drop(error.print()),
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Tells what went wrong, why, and what to do.
fn show_error(terminal: &Terminal, error: &AppError) {
    if let AppError::PlanHasErrors { diagnostics, n_tasks } = error {
        terminal.err(&diagnostic::render(diagnostics, terminal.err_style()));
        terminal.err_line(&diagnostic::summary(diagnostics, *n_tasks));
    }
    if let AppError::OwnSettings { diagnostics } = error {
        terminal.err(&diagnostic::render(diagnostics, terminal.err_style()));
    }
    terminal.err(&error_text(error, terminal.err_style()));
}

fn error_text(error: &AppError, style: Style) -> String {
    let label = style.paint(anstyle::AnsiColor::Red.on_default().bold(), "error");
    let mut lines = vec![format!("{label}: {}", escape::clean_line(&error.to_string()))];
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    lines.extend(
        causes.map(|cause| format!("  caused by: {}", escape::clean_line(&cause.to_string()))),
    );
    if let AppError::Refused { said, .. } = error {
        lines.extend(said.iter().map(|line| format!("  | {}", escape::clean_line(line))));
    }
    lines.extend(error.help().map(|help| format!("  = help: {}", escape::clean_line(&help))));
    lines.join("\n") + "\n"
}
