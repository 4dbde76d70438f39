//! Starts, observes and stops processes, each in a process group of its own.
//!
//! The terminal's Ctrl-C reaches only this program: it has the foreground group, workers do not.

pub mod ancestry;
pub mod background;
pub mod bwrap;
pub mod call;
pub mod cap;
pub mod cgroup;
pub mod check;
pub mod follow;
pub mod foreign;
pub mod leftovers;
pub mod log;
pub mod oom;
mod program;
pub mod start;
mod unix;
pub mod version;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::domain::standstill::ProcessState;

pub use self::{
    program::find as find_program,
    start::{Launch, Running, Stdin, start, start_piped},
    unix::{
        Ask, How, Stat, ask, boot_id, children_of_main_thread, group_is_alive, identity,
        is_argument_of_some_process, kill_group_leftovers, look, stat, stop_group, stop_process,
    },
};

/// What tells a process from every other one on this machine, also after its number was used
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Its number, and at the same time that of its group.
    pub pid: u32,
    /// When it started, in ticks since the start of the machine; 0 where the system does not tell.
    pub start_ticks: u64,
    /// Which start of the machine that was; empty where the system does not tell.
    pub boot_id: String,
}

impl ProcessIdentity {
    /// Says whether the very same process still runs.
    pub fn is_alive(&self) -> bool {
        self.state().is_some_and(|state| state != ProcessState::Ended)
    }

    /// Returns what the very same process is doing; `None` where it is gone.
    pub fn state(&self) -> Option<ProcessState> {
        let is_here = !self.boot_id.is_empty() && self.boot_id == boot_id();
        let found = stat(self.pid).filter(|stat| is_here && stat.start_ticks == self.start_ticks);
        found.map(|stat| stat.state)
    }
}

/// Why something with a process could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The command cannot be started, now or later.
    #[error("failed to start `{program}`: {reason}")]
    Start {
        /// The program, as written.
        program: String,
        /// Why, as a phrase.
        reason: String,
    },
    /// The system is out of processes, files, memory or room now: later it may work.
    #[error("failed to start `{program}` for now: {reason}")]
    Exhausted {
        /// The program, as written.
        program: String,
        /// What is lacking, as a phrase.
        reason: String,
    },
    /// It is not known how a process ended.
    #[error("failed to wait for process {pid}")]
    Wait {
        /// The process.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// A process group cannot be told to stop.
    #[error("failed to stop process group {pid}")]
    Stop {
        /// The group.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// A process cannot be signalled.
    #[error("failed to signal process {pid}")]
    Signal {
        /// The process.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// Output cannot be read.
    #[error("failed to read {}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ProcessError {
    /// Says whether the same may work later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Exhausted { .. })
    }

    fn log(path: &Path, source: io::Error) -> Self {
        Self::Log { path: path.to_owned(), source }
    }
}

/// Returns an error with its causes, in one line.
pub fn cause_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
