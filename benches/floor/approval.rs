//! How a bench approves what its plan would execute: by its hash, as CI does.

use std::{error::Error, path::Path, process::Command};

/// Returns the argument by which a run of the plan in `root` approves what it would execute.
pub(crate) fn approval(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
    let output = command.args(["trust", "--print"]).current_dir(root).output()?;
    Ok(format!("--trust-hash={}", String::from_utf8(output.stdout)?.trim()))
}
