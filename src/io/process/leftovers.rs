//! Finds and stops what a dead coordinator left running.
//!
//! A process counts as left behind when it carries the nonce of an attempt in its environment, or
//! belongs to the group of a recorded process that is proven to be the same one. No other process
//! is ever signalled, whatever its number. A child that dropped its environment *and* left its
//! group is not found. Where the system has no `/proc`, nothing is.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::File,
    io::Read as _,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{self, Instant};

use super::{
    ProcessIdentity,
    unix::{boot_id, look, stat},
};

/// The variable that holds the root of the repository that a worker works for.
pub(super) const ROOT_VARIABLE: &str = "ORCH_ROOT";

/// The variable that holds the nonce of an attempt.
pub const NONCE_VARIABLE: &str = "ORCH_NONCE";

/// First pause between two looks; doubled up to the last one.
const PAUSE_FIRST: Duration = Duration::from_millis(10);

/// Last pause between two looks.
const PAUSE_LAST: Duration = Duration::from_millis(100);

/// How long killed processes may take to be gone.
const KILL_TIME: Duration = Duration::from_secs(2);

/// How much of an environment is read; the rest cannot hold what the coordinator put there first.
const ENVIRON_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A process that belongs to an attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The process.
    pub pid: u32,
    /// The nonce of its attempt.
    pub nonce: String,
}

/// What became of the processes that were left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stopped {
    /// How many ended.
    pub n_stopped: usize,
    /// Those that did not, even when killed.
    pub survivors: Vec<u32>,
}

/// Returns the running processes whose environment holds one of `nonces`, by number.
pub fn find_by_nonce(nonces: &[String]) -> Vec<Leftover> {
    let wanted: BTreeSet<&str> = nonces.iter().map(String::as_str).collect();
    let seen = look().into_iter().filter(|(_, seen)| seen.is_running());
    let mut found: Vec<Leftover> = seen
        .filter_map(|(pid, _)| {
            let nonce = nonce_of(pid).filter(|nonce| wanted.contains(nonce.as_str()))?;
            Some(Leftover { pid, nonce })
        })
        .collect();
    found.sort_unstable();
    found
}

/// Stops everything that is left of the attempts with these nonces and recorded processes:
/// politely, and by force when `grace` is over.
pub async fn stop_leftovers(
    attempts: &[(String, Option<ProcessIdentity>)],
    grace: Duration,
) -> Stopped {
    let mut hunt = Hunt::new(attempts);
    let alive = hunt.run(Signal::TERM, grace).await;
    let survivors = if alive.is_empty() { alive } else { hunt.run(Signal::KILL, KILL_TIME).await };
    let survivors: Vec<u32> = survivors.into_iter().map(|(pid, _)| pid).collect();
    let n_stopped = hunt.known.len().saturating_sub(survivors.len());
    Stopped { n_stopped, survivors }
}

/// A process and the time of its start: together they are never another one.
pub type Exact = (u32, u64);

struct Hunt {
    nonces: Vec<String>,
    /// Recorded processes by number: nonce and start.
    recorded: BTreeMap<u32, (String, u64)>,
    /// Groups that were proven to be of an attempt.
    groups: BTreeSet<u32>,
    /// All that was found so far.
    known: BTreeSet<Exact>,
}

impl Hunt {
    fn new(attempts: &[(String, Option<ProcessIdentity>)]) -> Self {
        let recorded = attempts.iter().filter_map(|(nonce, identity)| {
            let identity = identity.as_ref().filter(|identity| is_of_this_boot(identity))?;
            Some((identity.pid, (nonce.clone(), identity.start_ticks)))
        });
        Self {
            nonces: attempts.iter().map(|(nonce, _)| nonce.clone()).collect(),
            recorded: recorded.collect(),
            groups: BTreeSet::new(),
            known: BTreeSet::new(),
        }
    }

    /// Sends `signal` once to each process as it is found, until none is left or `time` is over;
    /// returns what is left.
    async fn run(&mut self, signal: Signal, time: Duration) -> Vec<Exact> {
        let deadline = Instant::now() + time;
        let mut pause = PAUSE_FIRST;
        let mut signalled = BTreeSet::new();
        loop {
            let alive = self.targets();
            for target in &alive {
                if signalled.insert(*target) {
                    send(*target, signal);
                }
            }
            if alive.is_empty() || Instant::now() >= deadline {
                return alive;
            }
            time::sleep_until(deadline.min(Instant::now() + pause)).await;
            pause = PAUSE_LAST.min(pause * 2);
        }
    }

    /// Returns the processes that run now and are left behind.
    fn targets(&mut self) -> Vec<Exact> {
        let seen = look();
        let by_nonce = find_by_nonce(&self.nonces);
        for (pid, (nonce, start_ticks)) in &self.recorded {
            match seen.get(pid) {
                Some(stat) if stat.start_ticks == *start_ticks => {
                    self.groups.insert(*pid);
                }
                // The number has a new owner, so the old group is gone.
                Some(_) => {
                    self.groups.remove(pid);
                }
                None => {
                    let is_member = |leftover: &&Leftover| {
                        let group = seen.get(&leftover.pid).map(|stat| stat.group);
                        leftover.nonce == *nonce && group == Some(*pid)
                    };
                    if by_nonce.iter().any(|leftover| is_member(&leftover)) {
                        self.groups.insert(*pid);
                    }
                }
            }
        }
        let of_nonce: BTreeSet<u32> = by_nonce.iter().map(|leftover| leftover.pid).collect();
        let own = std::process::id();
        let alive: Vec<Exact> = seen
            .into_iter()
            .filter(|(pid, stat)| stat.is_running() && *pid != own)
            .filter(|(pid, stat)| of_nonce.contains(pid) || self.groups.contains(&stat.group))
            .map(|(pid, stat)| (pid, stat.start_ticks))
            .collect();
        self.known.extend(alive.iter().copied());
        alive
    }
}

/// Says whether the recorded number can still mean the same process.
fn is_of_this_boot(identity: &ProcessIdentity) -> bool {
    !identity.boot_id.is_empty()
        && identity.boot_id == boot_id()
        && identity.start_ticks > 0
        && identity.pid > 1
}

/// Returns the nonce in the environment of `pid`, where that may be read.
pub fn nonce_of(pid: u32) -> Option<String> {
    String::from_utf8(variable_of(pid, NONCE_VARIABLE)?).ok()
}

/// Returns the value of a variable in the environment of `pid`, where that may be read.
pub(super) fn variable_of(pid: u32, name: &str) -> Option<Vec<u8>> {
    let mut environ = Vec::new();
    let file = File::open(format!("/proc/{pid}/environ")).ok()?;
    file.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ).ok()?;
    environ.split(|byte| *byte == 0).find_map(|variable| {
        Some(variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec())
    })
}

/// Returns the running processes of workers that were started for the repository at `root`, with
/// their nonces.
pub fn workers_of(root: &Path) -> Vec<Leftover> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let is_of_root = |pid: u32| {
        let started_for = variable_of(pid, ROOT_VARIABLE).map(OsString::from_vec);
        started_for.and_then(|other| PathBuf::from(other).canonicalize().ok()).as_ref()
            == Some(&root)
    };
    let seen = look().into_iter().filter(|(_, seen)| seen.is_running());
    let own = seen.filter_map(|(pid, _)| Some(Leftover { pid, nonce: nonce_of(pid)? }));
    own.filter(|leftover| is_of_root(leftover.pid)).collect()
}

/// Returns those of `nonces` of which something runs that was started for another repository than
/// that at `root`.
pub fn running_elsewhere(nonces: &[String], root: &Path) -> BTreeSet<String> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let is_elsewhere = |leftover: &Leftover| {
        let started_for = variable_of(leftover.pid, ROOT_VARIABLE).map(OsString::from_vec);
        // One that was moved since is not there any more.
        let other = started_for.and_then(|other| PathBuf::from(other).canonicalize().ok());
        other.is_some_and(|other| other != root)
    };
    let found = find_by_nonce(nonces).into_iter();
    found.filter(is_elsewhere).map(|leftover| leftover.nonce).collect()
}

/// Kills exactly this process, not one that got its number meanwhile.
pub fn kill_exact(process: Exact) {
    send(process, Signal::KILL);
}

/// Lets exactly this process go on where somebody stopped it.
pub fn continue_exact(process: Exact) {
    send(process, Signal::CONT);
}

/// Signals exactly this process, not one that got its number meanwhile.
fn send((pid, start_ticks): Exact, signal: Signal) {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let is_same = || stat(pid).is_some_and(|stat| stat.start_ticks == start_ticks);
    let result = send_checked(number, signal, is_same);
    if signal == Signal::TERM && result.is_ok() {
        // A stopped process hears the first only after this one.
        if let Err(errno) = send_checked(number, Signal::CONT, is_same) {
            tracing::debug!(pid, %errno, "failed to continue a process");
        }
    }
    if let Err(errno) = result {
        tracing::debug!(pid, %errno, "failed to signal a process");
    }
}

/// Holds on to the process first, then looks whether it is the right one, then signals it.
#[cfg(target_os = "linux")]
pub(super) fn send_checked(
    pid: Pid,
    signal: Signal,
    is_same: impl Fn() -> bool,
) -> Result<(), rustix::io::Errno> {
    use rustix::{
        io::Errno,
        process::{PidfdFlags, pidfd_open, pidfd_send_signal},
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) if is_same() => pidfd_send_signal(process, signal),
        Err(Errno::NOSYS) if is_same() => kill_process(pid, signal),
        Ok(_) | Err(Errno::NOSYS | Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Looks whether it is the right process, then signals it.
#[cfg(not(target_os = "linux"))]
pub(super) fn send_checked(
    pid: Pid,
    signal: Signal,
    is_same: impl Fn() -> bool,
) -> Result<(), rustix::io::Errno> {
    if is_same() { kill_process(pid, signal) } else { Ok(()) }
}
