//! Workers under their supervisor, whatever becomes of it and of coordinators.

mod deaths;
mod endings;
mod escapes;
mod flood;
mod handover;
mod status;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::cli::Sandbox;

/// Returns the supervisors at work for the repository `root`.
pub(crate) fn of(root: &Path) -> Vec<u32> {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let below = root.join(".orch/local/supervisors");
    let below = below.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("@supervise") && line.contains(below)
    })
    .collect()
}

/// Signals the supervisors of `root`; returns how many there were.
pub(crate) fn signal_all(root: &Path, signal: Signal) -> usize {
    let pids = of(root);
    for pid in &pids {
        let pid = Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
        // One that ended meanwhile needs no signal.
        kill_process(pid, signal).unwrap_or_default();
    }
    pids.len()
}

/// Makes a plan from the settings and `(id, front matter)`.
fn plan(config: &str, tasks: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(&[(".orch/config.yaml", config)]);
    for (id, keys) in tasks {
        sandbox.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{keys}\n---\nDo {id}.\n"));
    }
    sandbox
}

/// Writes a script that a worker may run.
fn script(sandbox: &Sandbox, path: &str, text: &str) {
    sandbox.write(path, text);
    fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns what stands in a file of the sandbox; nothing where there is none.
fn read(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.path(path)).unwrap_or_default()
}

/// Returns one line of the record of an attempt, without its key; empty where there is none.
fn recorded(sandbox: &Sandbox, attempt: &str, key: &str) -> String {
    let record = read(sandbox, &format!(".orch/runs/{attempt}.yaml"));
    let line = record.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
    line.unwrap_or_default().trim_matches('"').to_owned()
}

/// Starts `orch` with these arguments, in the background.
fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the end of a command that was started; returns its exit code and what it printed.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

/// Returns the processes that run in the folder of the sandbox, whatever they did to their
/// environment, group or session: whoever is started by a worker stays in its folder.
fn running_in(sandbox: &Sandbox) -> Vec<u32> {
    let root = fs::canonicalize(sandbox.root()).unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(&root))
    })
    .collect()
}

/// Signals one process; one that has ended needs no signal.
fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap_or_default();
}
