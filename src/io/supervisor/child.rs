//! A worker, as its supervisor knows it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rustix::process::WaitStatus;
use tokio::{sync::Notify, time::Instant};

use super::{children::Family, pump::Said};
use crate::{
    domain::model::{
        attempt::{Exit, Killer},
        time::Now,
    },
    io::process::{How, leftovers::Exact, stop_process},
};

/// A worker that was started and not yet told to have ended.
pub(super) struct Child {
    pub(super) nonce: String,
    pub(super) pid: u32,
    pub(super) start_ticks: u64,
    /// Tells its pipe to be given up.
    pub(super) give_up: Arc<Notify>,
    /// Whether the system killed it, or a part of it, as memory had run out.
    pub(super) is_oom: bool,
    /// What stood in its output, once its pipe ran dry.
    pub(super) said: Option<Said>,
    /// How it ended, and when that was noticed.
    pub(super) ended: Option<(Exit, Instant, Now)>,
    /// When its time is over, and how long it has then to end.
    pub(super) timeout: Option<Instant>,
    pub(super) grace: Duration,
    /// When it is killed, once its time was over.
    pub(super) kill_at: Option<Instant>,
    /// Those of its processes that were killed after its end.
    pub(super) killed: BTreeSet<Exact>,
    /// Whether nothing of it was there at the last look. Where something was killed, one look is
    /// not enough.
    pub(super) is_gone: bool,
}

impl Child {
    pub(super) fn family(&self) -> Family<'_> {
        Family { nonce: &self.nonce, pid: self.pid, start_ticks: self.start_ticks }
    }

    /// Returns who killed it, as far as that is known.
    pub(super) fn killer(&self) -> Option<Killer> {
        if self.kill_at.is_some() {
            return Some(Killer::Timeout);
        }
        self.is_oom.then_some(Killer::OutOfMemory)
    }

    pub(super) fn stop(&self, how: How) {
        if let Err(error) = stop_process(self.pid, self.start_ticks, how) {
            tracing::debug!(%error, "a worker goes on");
        }
    }
}

/// Returns how a process ended.
pub(super) fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(-1),
    }
}

/// Says whether a process that ended like this may have been killed by the system, or have waited
/// for one that was: shells make an exit code of the signal.
pub(super) fn may_be_oom(exit: Exit) -> bool {
    matches!(exit, Exit::Signal(9) | Exit::Code(137))
}
