//! Which version of a program is installed.

use std::{
    ffi::OsString,
    io::{ErrorKind, Read as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long a program may take to tell its version: some start a whole runtime for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Most of its output that is looked at.
const OUTPUT_BYTES_MAX: u64 = 4096;

/// Returns the first line that `program --version` prints in `folder` with the environment `env`;
/// `None` where it prints nothing, fails, or does not come to an end.
pub fn of(program: &Path, folder: &Path, env: &[(OsString, OsString)]) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").current_dir(folder).env_clear().envs(env.iter().cloned());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().ok()?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK_EVERY),
            Ok(None) => break None,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break None,
        }
    };
    let Some(status) = status else {
        super::stop_group(child.id(), super::How::Kill).ok()?;
        return child.wait().ok().and(None);
    };
    // What it left behind would hold its output open.
    super::kill_group_leftovers(child.id());
    let mut output = Vec::new();
    child.stdout.take()?.take(OUTPUT_BYTES_MAX).read_to_end(&mut output).ok()?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let plain: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
    status.success().then_some(plain)
}
