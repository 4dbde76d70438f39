//! What the system tells of a process that runs.

use std::{fs, path::Path, time::Duration};

use crate::program::Failure;

/// Returns the supervisors at work below `root`.
pub(crate) fn supervisors(root: &Path) -> Result<Vec<u32>, Failure> {
    let root = fs::canonicalize(root)?;
    let below = root.to_str().ok_or("the folder has a name of text")?;
    let names = fs::read_dir("/proc")?.flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_it = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("@supervise") && line.contains(below)
    };
    Ok(pids.filter(is_it).collect())
}

/// Returns the most memory that a process ever had, in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no peak")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// Returns the processor time of all threads of a process.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Failure> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        // A thread that ended meanwhile has no share any more.
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        nanos += text.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
