//! Starts one process: its own group, its own environment, its output in a file or a pipe.
//!
//! No code between fork and exec: that would make every start copy this whole process.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, PipeReader},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use rustix::{fs::OFlags, io::Errno};
use tokio::process::Child;

use super::{ProcessError, ProcessIdentity, program, unix};
use crate::{
    domain::model::attempt::Exit,
    io::{beneath, shortage},
};

/// All there is to say about a process that is to be started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where what it writes is appended, both streams in order.
    pub output: PathBuf,
}

impl Launch {
    /// Returns the word that names the program; empty where there is none.
    fn word(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

/// What a process reads on its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing.
    Null,
    /// A file.
    File(PathBuf),
}

/// A process that was started. Dropping it leaves the process running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Its number, and at the same time that of its group.
    pub pid: u32,
}

impl Running {
    /// Returns what tells it from every other process, as long as it was not waited for.
    pub fn identity(&self) -> ProcessIdentity {
        unix::identity(self.pid)
    }

    /// Waits until the process ends; its children may live on. Can be called again after it was
    /// cancelled.
    ///
    /// # Errors
    /// [`ProcessError::Wait`] where the system does not tell how it ended.
    pub async fn wait(&mut self) -> Result<Exit, ProcessError> {
        match self.child.wait().await {
            Ok(status) => Ok(exit_of(status)),
            Err(source) => Err(ProcessError::Wait { pid: self.pid, source }),
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(status.into_raw()),
    }
}

/// Starts a process that appends what it writes to its log, in a tokio runtime with its IO
/// enabled.
///
/// # Errors
/// [`ProcessError::Exhausted`] where it may work later, [`ProcessError::Start`] otherwise.
pub fn start(launch: &Launch) -> Result<Running, ProcessError> {
    let fail = |error: io::Error| cannot_open(launch, "its log", &launch.output, &error);
    let output = open_output(&launch.output).map_err(fail)?;
    let errors = output.try_clone().map_err(fail)?;
    let (command, file) = command(launch, output.into(), errors.into())?;
    let child = tokio::process::Command::from(command)
        .spawn()
        .map_err(|error| failure(launch.word(), explain(&error, &file), &error))?;
    // A child that nobody waited for yet keeps its number.
    let pid = child.id().unwrap_or_default();
    Ok(Running { child, pid })
}

/// Starts a process whose output comes out of the returned pipe, and returns its number. The
/// caller waits for it, and writes its log.
///
/// # Errors
/// As [`start`].
pub fn start_piped(launch: &Launch) -> Result<(u32, PipeReader), ProcessError> {
    let fail = |error: io::Error| {
        failure(launch.word(), format!("there is no pipe for its output: {error}"), &error)
    };
    let (reader, writer) = io::pipe().map_err(fail)?;
    let errors = writer.try_clone().map_err(fail)?;
    let (mut command, file) = command(launch, writer.into(), errors.into())?;
    let child =
        command.spawn().map_err(|error| failure(launch.word(), explain(&error, &file), &error))?;
    Ok((child.id(), reader))
}

/// Returns what is to be started, and the file of its program.
fn command(
    launch: &Launch,
    output: Stdio,
    errors: Stdio,
) -> Result<(Command, PathBuf), ProcessError> {
    let word = launch.word();
    let stdin = match &launch.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::File(path) => beneath::open(path)
            .map_err(|error| cannot_open(launch, "its input", path, &error))?
            .into(),
    };
    if !launch.folder.is_dir() {
        let reason = format!("its folder {} does not exist", launch.folder.display());
        return Err(ProcessError::Start { program: word.to_owned(), reason });
    }
    let file = program::find(OsStr::new(word), &launch.folder, &launch.env)
        .map_err(|reason| ProcessError::Start { program: word.to_owned(), reason })?;
    let mut command = Command::new(&file);
    command
        .arg0(word)
        .args(launch.argv.iter().skip(1))
        .current_dir(&launch.folder)
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(stdin)
        .stdout(output)
        .stderr(errors)
        .process_group(0);
    Ok((command, file))
}

fn cannot_open(launch: &Launch, what: &str, path: &Path, error: &io::Error) -> ProcessError {
    failure(launch.word(), format!("cannot open {what} {}: {error}", path.display()), error)
}

/// Tells what may work later from what never will.
fn failure(program: &str, reason: String, error: &io::Error) -> ProcessError {
    let program = program.to_owned();
    if shortage::is_passing(error) {
        return ProcessError::Exhausted { program, reason };
    }
    ProcessError::Start { program, reason }
}

fn explain(error: &io::Error, file: &Path) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::NOEXEC) => {
            format!("{} is neither a program nor starts with a `#!` line", file.display())
        }
        Some(Errno::NOENT) => {
            format!("the interpreter that {} names does not exist", file.display())
        }
        Some(Errno::TOOBIG) => "its arguments and environment are too long".to_owned(),
        _ => error.to_string(),
    }
}

/// Opens a log for appending; only its owner may read it, because it may hold secrets. Its folder
/// is made where it is missing, and the one above that, but no more: what it belongs to may have
/// been taken away.
pub(crate) fn open_output(path: &Path) -> io::Result<File> {
    let open =
        || beneath::open_to_write(path, OFlags::RDWR.union(OFlags::APPEND).union(OFlags::CREATE));
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
            beneath::make_folder(folder)?;
            open()
        }
        (result, _) => result,
    }
}
