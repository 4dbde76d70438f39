//! Workers under their supervisor, whatever becomes of it and of coordinators.

mod flood;

use std::{fs, path::Path};

use rustix::process::{Pid, Signal, kill_process};

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
