//! Standard output and standard error: the one place that prints.

use std::{
    cell::Cell,
    io::{IsTerminal as _, Write as _},
};

use anstream::AutoStream;
use clap::ColorChoice;

use crate::ui::{live, output::Style};

/// Where text goes, and what it may look like there.
#[derive(Debug)]
pub struct Terminal {
    choice: ColorChoice,
    /// Whether the reader of standard output went away (`orch list | head`).
    is_closed: Cell<bool>,
    /// Whether standard output failed in another way, a full disk for example.
    has_failed: Cell<bool>,
}

/// Columns where the width is not known.
const WIDTH_DEFAULT: usize = 100;

impl Terminal {
    /// Looks at both streams.
    pub fn new(choice: ColorChoice) -> Self {
        Self { choice, is_closed: Cell::new(false), has_failed: Cell::new(false) }
    }

    /// Prints text as it is.
    pub fn out(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Says whether anybody takes what is printed.
    pub fn is_open(&self) -> bool {
        !self.is_closed.get() && !self.has_failed.get()
    }

    /// Prints bytes as they are.
    pub fn bytes(&self, bytes: &[u8]) {
        if !self.is_open() {
            return;
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                self.is_closed.set(true);
            }
            Err(error) => {
                self.has_failed.set(true);
                self.err_line(&format!("error: failed to write to standard output: {error}"));
            }
        }
    }

    /// Prints one line.
    pub fn line(&self, line: &str) {
        self.out(&format!("{line}\n"));
    }

    /// Prints text to standard error.
    pub fn err(&self, text: &str) {
        // There is nowhere left to complain.
        drop(std::io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Prints one line to standard error.
    pub fn err_line(&self, line: &str) {
        self.err(&format!("{line}\n"));
    }

    /// Returns how text on standard output is to look.
    pub fn style(&self) -> Style {
        Style { is_colored: self.wants_color(AutoStream::choice(&std::io::stdout())) }
    }

    /// Returns how text on standard error is to look.
    pub fn err_style(&self) -> Style {
        Style { is_colored: self.wants_color(AutoStream::choice(&std::io::stderr())) }
    }

    /// Says whether a person looks at standard output.
    pub fn is_interactive(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        std::io::stdout().is_terminal() && !is_dumb
    }

    /// Says whether a person can be asked something.
    pub fn can_ask(&self) -> bool {
        self.is_interactive() && std::io::stdin().is_terminal()
    }

    /// Asks a person, and returns the line that is written, without spaces around it; `None` where
    /// there is none.
    pub fn ask(&self, question: &str) -> Option<String> {
        self.err(question);
        let mut line = String::new();
        let n_read = std::io::stdin().read_line(&mut line).ok()?;
        (n_read > 0).then(|| line.trim().to_owned())
    }

    /// Returns the columns of standard output.
    pub fn width(&self) -> usize {
        columns().unwrap_or(WIDTH_DEFAULT)
    }

    /// Returns the exit code after everything was printed: 3 where it could not be.
    pub fn finish(&self, code: u8) -> u8 {
        if self.has_failed.get() && code == 0 { 3 } else { code }
    }

    fn wants_color(&self, detected: anstream::ColorChoice) -> bool {
        match self.choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => detected != anstream::ColorChoice::Never,
        }
    }
}

/// Returns the width of the terminal, where standard output is one.
fn columns() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    live::columns()
}
