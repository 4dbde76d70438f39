//! Starts this program once more, to go on without a terminal and without whoever started it.

use std::{
    ffi::OsString,
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{ProcessError, start::open_output};

/// A program that goes on by itself.
#[derive(Debug)]
pub struct Background {
    child: Child,
}

impl Background {
    /// Returns its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns its exit code, where it has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().ok().flatten()?;
        status.code().or_else(|| status.signal().map(|signal| 128 + signal))
    }
}

/// Starts this program with `arguments` in `folder`, in a process group of its own, so that no
/// terminal speaks to it; what it prints is appended to `output`.
///
/// # Errors
/// [`ProcessError::Start`].
pub fn start(
    arguments: &[OsString],
    folder: &Path,
    output: &Path,
) -> Result<Background, ProcessError> {
    let spawn = || -> io::Result<Child> {
        let log = open_output(output)?;
        let errors = log.try_clone()?;
        Command::new(std::env::current_exe()?)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
    };
    match spawn() {
        Ok(child) => Ok(Background { child }),
        Err(error) => {
            Err(ProcessError::Start { program: "orch".to_owned(), reason: error.to_string() })
        }
    }
}
