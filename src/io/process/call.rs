//! Calls a program and waits for its answer, for a while.

use std::{
    ffi::OsString,
    io::{Read, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use super::ProcessError;
use crate::domain::model::attempt::Exit;

/// Most of each output that is kept; the rest is read and dropped.
const OUTPUT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How often it is looked whether the program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long the end of its output is waited for after the program has ended: what it left running
/// may hold it open for ever.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(2);

/// A call of a program.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its file.
    pub program: &'a Path,
    /// What follows its name.
    pub arguments: &'a [String],
    /// Where it is started.
    pub folder: &'a Path,
    /// Variables beside those of this process; `None` takes one away.
    pub variables: &'a [(OsString, Option<OsString>)],
    /// What it reads from standard input.
    pub input: &'a str,
    /// How long it may take.
    pub timeout: Duration,
}

/// What a program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it ended; `None` where it took too long and was killed.
    pub exit: Option<Exit>,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
}

impl Call<'_> {
    /// Makes the call. The program belongs to the process group of this one: Ctrl-C ends both.
    ///
    /// # Errors
    /// [`ProcessError::Start`] where it cannot be started, [`ProcessError::Wait`].
    pub fn answer(&self) -> Result<Answer, ProcessError> {
        let deadline = Instant::now() + self.timeout;
        let mut child = self.start()?;
        let [stdout, stderr] = [reader(child.stdout.take()), reader(child.stderr.take())];
        // A program that reads nothing must not hold this one up.
        if let (Some(mut input), text) = (child.stdin.take(), self.input.to_owned()) {
            thread::spawn(move || drop(input.write_all(text.as_bytes())));
        }
        let pid = child.id();
        let wait = |source| ProcessError::Wait { pid, source };
        let status = until(&mut child, deadline).map_err(wait)?;
        if status.is_none() {
            drop(child.kill());
            drop(child.wait());
        }
        let exit = status.map(|status| match status.code() {
            Some(code) => Exit::Code(code),
            None => Exit::Signal(status.signal().unwrap_or_default()),
        });
        Ok(Answer { exit, stdout: text_of(&stdout), stderr: text_of(&stderr) })
    }

    fn start(&self) -> Result<Child, ProcessError> {
        let mut command = Command::new(self.program);
        command.args(self.arguments).current_dir(self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.spawn().map_err(|error| ProcessError::Start {
            program: self.program.display().to_string(),
            reason: error.to_string(),
        })
    }
}

/// Waits for the end of a process; `None` where it does not come in time.
fn until(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(None) if Instant::now() < deadline => thread::sleep(LOOK_EVERY),
            other => return other,
        }
    }
}

/// Reads an output in a thread of its own, so that the program never waits for that; sends it piece
/// by piece.
fn reader(source: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    if let Some(mut source) = source {
        thread::spawn(move || {
            let mut room = OUTPUT_BYTES_MAX;
            let mut piece = [0; 8192];
            while let Ok(n @ 1..) = source.read(&mut piece) {
                let kept = usize::try_from(room).unwrap_or(usize::MAX).min(n);
                room -= kept as u64;
                let bytes = piece.get(..kept).unwrap_or_default().to_vec();
                if sender.send(bytes).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// Returns what was read.
fn text_of(pieces: &Receiver<Vec<u8>>) -> String {
    let deadline = Instant::now() + OUTPUT_PATIENCE;
    let mut bytes = Vec::new();
    let left = || deadline.saturating_duration_since(Instant::now());
    while let Ok(piece) = pieces.recv_timeout(left()) {
        bytes.extend(piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
