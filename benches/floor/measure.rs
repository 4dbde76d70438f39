//! Runs a program and says what it cost; medians of several runs.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What one run of a program cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// From before its start until after its end.
    pub(crate) wall: Duration,
    /// Processor time of it and its children; zero where the system does not say.
    pub(crate) cpu: Duration,
}

/// Runs `command` to its end without output on the screen.
///
/// # Errors
/// A phrase that says why there is no figure: it did not start, or did not end with exit code 0.
pub(crate) fn run(command: &mut Command) -> Result<Cost, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (cpu, start) = (children_cpu(), Instant::now());
    let status = command.status().map_err(|e| format!("did not start: {e}"))?;
    let wall = start.elapsed();
    match status.code() {
        Some(0) => Ok(Cost { wall, cpu: children_cpu().saturating_sub(cpu) }),
        Some(code) => Err(format!("exit code {code}")),
        None => Err(status.to_string()),
    }
}

/// Returns the peak memory of `program` with `arguments` in `folder`, in bytes.
///
/// GNU time reads it from the kernel at the end; where it is missing, the high-water mark is read
/// every millisecond, so that growth in the last one is missed.
///
/// # Errors
/// A phrase that says why there is no figure.
pub(crate) fn peak_memory(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
) -> Result<u64, String> {
    let report = folder.join("peak-memory");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M", "-o"]).arg(&report).arg(program).args(arguments).current_dir(folder);
    if cfg!(target_os = "linux") && Path::new("/usr/bin/time").exists() {
        run(&mut timed)?;
        let text = fs::read_to_string(&report).map_err(|e| e.to_string())?;
        return kilobytes(&text).ok_or_else(|| format!("unreadable figure {text:?}"));
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = spawned.map_err(|e| format!("did not start: {e}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().map_err(|e| e.to_string())?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(kilobytes));
        thread::sleep(Duration::from_millis(1));
    }
    peak.ok_or_else(|| "this system does not say".to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    let first = text.split_whitespace().next()?;
    first.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Returns the processor time of all children that ended so far.
fn children_cpu() -> Duration {
    // Fields 16 and 17, in ticks of 10 ms on every Linux; the name in field 2 may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// What several runs of the same program cost, or why there is no figure.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    costs: Vec<Cost>,
    fault: Option<String>,
}

impl Samples {
    /// Measures once more, unless an earlier run has shown that there is nothing to measure.
    pub(crate) fn add(&mut self, measure: impl FnOnce() -> Result<Cost, String>) {
        if self.fault.is_none() {
            match measure() {
                Ok(cost) => self.costs.push(cost),
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    /// Returns the medians of both times.
    ///
    /// # Errors
    /// Why there is no figure.
    pub(crate) fn median(&self) -> Result<Cost, String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let middle = |time: fn(&Cost) -> Duration| -> Option<Duration> {
            let mut times: Vec<Duration> = self.costs.iter().map(time).collect();
            times.sort_unstable();
            times.get(times.len() / 2).copied()
        };
        let both = middle(|cost| cost.wall).zip(middle(|cost| cost.cpu));
        both.map(|(wall, cpu)| Cost { wall, cpu }).ok_or_else(|| "it was not run".to_owned())
    }
}
