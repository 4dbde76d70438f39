//! `orch logs`: what the worker of an attempt printed.

use std::{thread, time::Duration};

use crate::{
    app::{
        error::AppError,
        use_case::logs::{self, Log},
    },
    domain::format::task_file::Reading,
    ui::{
        cli::{Outcome, args::Global, reading::stand, terminal::Terminal},
        output::log::LogText,
    },
};

/// Time between two looks at a log that is followed.
const POLL: Duration = Duration::from_millis(200);

/// Print what the worker of a task printed
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    id: String,
    /// Which attempt (default: the last)
    #[arg(short = 'a', long, value_name = "N")]
    attempt: Option<u32>,
    /// Go on until the attempt has ended
    #[arg(short, long)]
    follow: bool,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "LINES")]
    lines: Option<usize>,
    /// Print bytes as they are, with colors and other control characters
    #[arg(long)]
    raw: bool,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let mut log = logs::open(&standing, &args.id, args.attempt)?;
    drop(standing);
    if let Some(n_lines) = args.lines {
        log.skip_to_last(n_lines)?;
    }
    let mut text = LogText::default();
    loop {
        // Asked before reading: what is written up to the end of the attempt is read, too.
        let is_last = !args.follow || log.has_ended()?;
        print(&mut log, &mut text, args.raw, terminal)?;
        if is_last || !terminal.is_open() {
            break;
        }
        thread::sleep(POLL);
    }
    terminal.out(&text.finish());
    Ok(0)
}

/// Prints what is there now.
fn print(
    log: &mut Log,
    text: &mut LogText,
    is_raw: bool,
    terminal: &Terminal,
) -> Result<(), AppError> {
    while terminal.is_open() {
        let bytes = log.read()?;
        if bytes.is_empty() {
            break;
        }
        if is_raw {
            terminal.bytes(&bytes);
        } else {
            terminal.out(&text.push(&bytes));
        }
    }
    Ok(())
}
