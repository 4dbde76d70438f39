//! Signals to process groups, and what the system tells of a process.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::OnceLock,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process_group, test_kill_process, test_kill_process_group},
};

use super::{ProcessError, ProcessIdentity, bwrap, leftovers::send_checked};
use crate::domain::standstill::ProcessState;

/// How a group is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// `SIGTERM`: its processes may clean up, or go on.
    Polite,
    /// `SIGKILL`: they end.
    Kill,
}

impl How {
    fn signals(self) -> &'static [Signal] {
        match self {
            // A stopped process hears the first only after the second.
            Self::Polite => &[Signal::TERM, Signal::CONT],
            Self::Kill => &[Signal::KILL],
        }
    }
}

/// Tells every process of the group `pid` to stop; a group that is gone is fine.
///
/// # Errors
/// [`ProcessError::Stop`] where none of them may be signalled.
pub fn stop_group(pid: u32, how: How) -> Result<(), ProcessError> {
    let Some(group) = group(pid) else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "this is no group of ours");
        return Err(ProcessError::Stop { pid, source });
    };
    for signal in how.signals() {
        match kill_process_group(group, *signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(errno) => return Err(ProcessError::Stop { pid, source: errno.into() }),
        }
    }
    Ok(())
}

/// Tells the process `pid`, started at `start_ticks`, and every process of the group that it was
/// started in to stop; whoever is gone is fine. Where it has made a sandbox, a polite word is for what
/// runs in that.
///
/// # Errors
/// As [`stop_group`]; [`ProcessError::Signal`].
pub fn stop_process(pid: u32, start_ticks: u64, how: How) -> Result<(), ProcessError> {
    let is_same = || stat(pid).filter(|stat| stat.start_ticks == start_ticks);
    // A leader can go over to another group of its session.
    let is_outside = is_same().is_some_and(|stat| stat.group != pid);
    if how == How::Polite
        && let Some(inside) = bwrap::group_inside(pid).filter(|_| is_same().is_some())
    {
        return stop_group(inside, how);
    }
    stop_group(pid, how)?;
    let Some(number) = group(pid).filter(|_| is_outside) else { return Ok(()) };
    for signal in how.signals() {
        match send_checked(number, *signal, || is_same().is_some()) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(errno) => return Err(ProcessError::Signal { pid, source: errno.into() }),
        }
    }
    Ok(())
}

/// What one process is asked, as a person at its terminal would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `SIGINT`, as Ctrl-C.
    Interrupt,
    /// `SIGQUIT`.
    Quit,
}

/// Signals the one process `pid`; returns whether it was the right one.
///
/// `is_same` is asked while the number cannot change its owner (on Linux).
///
/// # Errors
/// [`ProcessError::Signal`] where the process may not be signalled.
pub fn ask(pid: u32, what: Ask, is_same: impl Fn() -> bool) -> Result<bool, ProcessError> {
    let failed = |source| ProcessError::Signal { pid, source };
    let Some(number) = group(pid) else {
        let reason = "it has no number of its own here";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, reason)));
    };
    let signal = match what {
        Ask::Interrupt => Signal::INT,
        Ask::Quit => Signal::QUIT,
    };
    let is_right = Cell::new(false);
    let check = || {
        is_right.set(is_same());
        is_right.get()
    };
    match send_checked(number, signal, check) {
        Ok(()) => Ok(is_right.get()),
        Err(Errno::SRCH) => Ok(false),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// Says whether a process of the group `pid` exists, be it one that ended and was not waited for.
pub fn group_is_alive(pid: u32) -> bool {
    group(pid).is_some_and(|group| test_kill_process_group(group) != Err(Errno::SRCH))
}

/// Kills what a process that ended *and was waited for* left behind in its group; returns whether
/// anything of it still ran.
pub fn kill_group_leftovers(pid: u32) -> bool {
    let Some(leader) = group(pid).filter(|_| group_is_alive(pid)) else { return false };
    // While a group lives, no new process gets its number: a process with this number means that
    // the old group is gone, and that this one is a stranger's.
    if test_kill_process(leader) != Err(Errno::SRCH) {
        return false;
    }
    let had_members = has_running_members(pid);
    if let Err(error) = stop_group(pid, How::Kill) {
        tracing::warn!(%error, "something is left of a worker");
    }
    had_members
}

/// Says whether a process of the group has not ended yet; assumed where the system does not tell.
fn has_running_members(pid: u32) -> bool {
    let all = look();
    all.is_empty() || all.values().any(|stat| stat.group == pid && stat.is_running())
}

/// Returns the group `pid`; never 0 or 1, which mean "my own" and "everyone" to the system.
fn group(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

/// Returns the identity of a process that exists.
pub fn identity(pid: u32) -> ProcessIdentity {
    ProcessIdentity {
        pid,
        start_ticks: stat(pid).map_or(0, |stat| stat.start_ticks),
        boot_id: boot_id().to_owned(),
    }
}

/// Returns what names this start of the machine; empty where the system does not tell.
pub fn boot_id() -> &'static str {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID.get_or_init(|| {
        fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    })
}

/// What the system tells of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The process that waits for it.
    pub parent: u32,
    /// Its group.
    pub group: u32,
    /// When it started.
    pub start_ticks: u64,
    /// What it is doing.
    pub state: ProcessState,
}

impl Stat {
    /// Says whether it still runs: it may have ended without having been waited for.
    pub fn is_running(&self) -> bool {
        self.state != ProcessState::Ended
    }
}

/// More bytes than the system tells of a process: some fifty numbers, and a name.
const STAT_BYTES_MAX: usize = 2048;

/// Returns what the system tells of `pid`; `None` where there is no such process, or no `/proc`.
pub fn stat(pid: u32) -> Option<Stat> {
    // One read gives all of it: the file has no length by which a reader could prepare for it.
    let mut buffer = [0; STAT_BYTES_MAX];
    let n = fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut buffer).ok()?;
    parse_stat(buffer.get(..n)?)
}

/// Returns all processes of the machine; none where there is no `/proc`.
pub fn look() -> BTreeMap<u32, Stat> {
    pids().filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// Returns the numbers of all processes; none where the system does not tell.
pub(super) fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Says whether a process of this machine has `path` as an argument.
pub fn is_argument_of_some_process(path: &Path) -> bool {
    let wanted = path.as_os_str().as_bytes();
    look().into_keys().any(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == wanted)
    })
}

/// Returns the children of the main thread of this process, and the orphans that it took in.
pub fn children_of_main_thread() -> Vec<u32> {
    let pid = std::process::id();
    match fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        Ok(text) => text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect(),
        // A system may lack that file.
        Err(_) => look().into_iter().filter(|(_, s)| s.parent == pid).map(|(pid, _)| pid).collect(),
    }
}

/// Reads `pid (name) state parent group … start …`; the name may hold anything, also `)`.
fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let end_of_name = bytes.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(bytes.get(end_of_name + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = match fields.next()? {
        "Z" | "X" | "x" => ProcessState::Ended,
        "D" => ProcessState::Uninterruptible,
        "T" => ProcessState::Stopped,
        "t" => ProcessState::Traced,
        _ => ProcessState::Running,
    };
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(16)?.parse().ok()?;
    Some(Stat { parent, group, start_ticks, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_other_fields() {
        let line = b"42 (a) Z 1 7) T 1 40 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9876 1000 2\n";
        let state = ProcessState::Stopped;
        let stat = Stat { parent: 1, group: 40, start_ticks: 9876, state };
        assert_eq!(parse_stat(line), Some(stat));
        assert_eq!(parse_stat(b"42 (a"), None);
        assert_eq!(parse_stat(b""), None);
    }

    #[test]
    fn the_numbers_zero_and_one_are_never_signalled() {
        assert!(stop_group(0, How::Kill).is_err());
        assert!(stop_group(1, How::Polite).is_err());
        assert!(stop_group(u32::MAX, How::Kill).is_err());
        assert!(!kill_group_leftovers(0) && !group_is_alive(1));
    }
}
