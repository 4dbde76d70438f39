//! What every bench begins with: which program is measured, and how it starts itself again as a
//! floor program.

use std::{env, error::Error, process::Command};

/// Anything that keeps a bench from going on.
pub(crate) type Failure = Box<dyn Error>;

/// The program that is measured.
pub(crate) const ORCH: &str = env!("CARGO_BIN_EXE_orch");

/// Says whether cargo started this program as a bench, and not as one of its tests.
pub(crate) fn is_bench() -> bool {
    env::args().any(|argument| argument == "--bench")
}

/// Returns a command that starts this very program as the floor program `name`.
pub(crate) fn floor(name: &str) -> Result<Command, Failure> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(name);
    Ok(command)
}

/// Returns the words after `name`, where this program was started as a floor program.
pub(crate) fn floor_arguments(name: &str) -> Option<Vec<String>> {
    let mut arguments = env::args().skip(1);
    (arguments.next().as_deref() == Some(name)).then(|| arguments.collect())
}

/// Makes a folder for plans in the folder for temporary files, gone when dropped.
///
/// Not below `target/`: that lies in a git repository, and `orch` would work in it.
pub(crate) fn scratch() -> Result<tempfile::TempDir, Failure> {
    Ok(tempfile::Builder::new().prefix("orch-bench-").tempdir()?)
}
