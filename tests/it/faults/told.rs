//! A run whose lines are read as they come.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Instant,
};

use super::{Field, PATIENCE};
use crate::own::AtEase as _;

/// A run whose lines can be waited for.
pub(super) struct Told {
    pub(super) child: Child,
    lines: mpsc::Receiver<String>,
    pub(super) seen: Vec<String>,
}

impl Told {
    pub(super) fn start(script: &str, field: &Field) -> Self {
        let mut child = Command::new("sh")
            .at_ease()
            .args(["-c", script])
            .current_dir(field.sandbox.root())
            .env("EFFECTS", field.effects())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pipe = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in pipe.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line with this text; says whether it came before the end.
    pub(super) fn waits_for(&mut self, text: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let is_it = line.contains(text);
                    self.seen.push(line);
                    if is_it {
                        return true;
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    self.child.kill().unwrap();
                    panic!("never told: {text}\n{}", self.seen.join("\n"));
                }
            }
        }
    }

    /// Waits for the end; returns the exit code and all that was told.
    pub(super) fn end(mut self) -> (Option<i32>, String) {
        self.waits_for("\u{0}");
        (self.child.wait().unwrap().code(), self.seen.join("\n"))
    }
}
