//! `orch logs`: what the worker of an attempt printed.

use std::{thread, time::Duration};

use crate::{
    app::{use_case::logs, view::logs::LogLine},
    domain::{format::task_file::Reading, model::id::AttemptId},
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            reading::stand,
            terminal::Terminal,
        },
        output::{json, log::LogText},
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
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// How it is printed: one JSON object a line of the log
    #[command(flatten)]
    json: Json,
}

/// What becomes of the bytes of a log.
enum Sink {
    /// They are printed as they are.
    Raw,
    /// They are made harmless.
    Text(LogText),
    /// Whole lines become objects; the rest waits for its line feed.
    Json(Vec<u8>),
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let mut log = logs::open(&standing, &args.id, args.attempt)?;
    drop(standing);
    if let Some(n_lines) = args.lines {
        log.skip_to_last(n_lines)?;
    }
    let mut sink = match (args.raw, args.json.json) {
        (true, _) => Sink::Raw,
        (false, true) => Sink::Json(Vec::new()),
        (false, false) => Sink::Text(LogText::default()),
    };
    loop {
        // Asked before reading: what is written up to the end of the attempt is read, too.
        let is_last = !args.follow || log.has_ended()?;
        while terminal.is_open() {
            let bytes = log.read()?;
            if bytes.is_empty() {
                break;
            }
            print(&mut sink, &bytes, &log.attempt, terminal);
        }
        if is_last || !terminal.is_open() {
            break;
        }
        thread::sleep(POLL);
    }
    match sink {
        Sink::Raw => {}
        Sink::Text(mut text) => terminal.out(&text.finish()),
        Sink::Json(rest) if rest.is_empty() => {}
        Sink::Json(rest) => terminal.line(&object(&rest, &log.attempt)),
    }
    Ok(0)
}

/// Prints what was read.
fn print(sink: &mut Sink, bytes: &[u8], attempt: &AttemptId, terminal: &Terminal) {
    match sink {
        Sink::Raw => terminal.bytes(bytes),
        Sink::Text(text) => terminal.out(&text.push(bytes)),
        Sink::Json(rest) => {
            rest.extend_from_slice(bytes);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                terminal.line(&object(line.strip_suffix(b"\r").unwrap_or(line), attempt));
            }
        }
    }
}

/// Returns a line of a log as JSON.
fn object(line: &[u8], attempt: &AttemptId) -> String {
    json::line(&LogLine {
        task: attempt.task.to_string(),
        attempt: attempt.number,
        line: String::from_utf8_lossy(line).into_owned(),
    })
}
