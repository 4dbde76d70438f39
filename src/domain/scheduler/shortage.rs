//! The machine is short of something, so a worker cannot be started: no fault of its task. Nothing
//! is started for a while, then one task is tried; the wait grows until one starts.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    Scheduler,
    effect::{Effect, Notice},
};
use crate::domain::model::{
    attempt::CheckResult,
    id::AttemptId,
    limits::{SHORTAGE_WAIT_FIRST, SHORTAGE_WAIT_MAX},
    time::Tick,
};

/// What is known of a shortage.
#[derive(Debug, Clone, Default)]
pub(super) struct Shortage {
    /// How many waits there were, with no start since that worked; 0 where there is no shortage.
    n_waits: u32,
    /// The wait that goes on.
    wait: Option<ShortageWait>,
    /// The attempt that was started to see whether it is over.
    probe: Option<AttemptId>,
}

/// A wait in which nothing is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortageWait {
    /// What the machine is short of, in words.
    pub cause: String,
    /// Until when nothing is started.
    pub until: Tick,
}

/// Returns how long the `n`-th wait is: a second, doubled each time, up to a minute.
fn wait_time(n: u32) -> Duration {
    SHORTAGE_WAIT_FIRST
        .saturating_mul(1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(SHORTAGE_WAIT_MAX)
}

impl Scheduler {
    /// Notes that something cannot be started because the machine is short of something.
    pub(super) fn shortage_seen(&mut self, cause: String, effects: &mut Vec<Effect>) {
        // What was tried at the same time does not make the wait longer.
        if self.shortage.wait.is_some() {
            return;
        }
        let n_waits = self.shortage.n_waits.saturating_add(1);
        if n_waits == 1 {
            effects.push(Effect::Announce(Notice::ShortageBegan { cause: cause.clone() }));
        }
        let until = self.now.tick.plus(wait_time(n_waits));
        self.shortage =
            Shortage { n_waits, wait: Some(ShortageWait { cause, until }), probe: None };
    }

    /// Ends the wait where its time is over: one task is tried then.
    pub(super) fn pass_shortage(&mut self) {
        if self.shortage.wait.as_ref().is_some_and(|wait| wait.until <= self.now.tick) {
            self.shortage.wait = None;
        }
    }

    /// Notes that the process of `attempt` was started, or that it ended: whichever of both, there
    /// was room for it.
    pub(super) fn started_well(&mut self, attempt: &AttemptId, effects: &mut Vec<Effect>) {
        if self.shortage.probe.as_ref() == Some(attempt) {
            self.end_shortage(effects);
        }
    }

    /// Notes that checks ran: where one of them could be started, so can workers.
    pub(super) fn checks_ran(&mut self, results: &[CheckResult], effects: &mut Vec<Effect>) {
        if results.iter().any(|result| result.exit.is_some()) {
            self.end_shortage(effects);
        }
    }

    /// Forgets the shortage: something could be started, or a person says so.
    pub(super) fn end_shortage(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.shortage).n_waits > 0 {
            effects.push(Effect::Announce(Notice::ShortageEnded));
        }
    }

    /// Notes that an attempt is being started.
    pub(super) fn note_start(&mut self, attempt: &AttemptId) {
        if self.is_short() {
            self.shortage.probe = Some(attempt.clone());
        }
    }

    /// Says whether the shortage lets a task be started.
    pub(super) fn shortage_allows(&self) -> bool {
        self.shortage.wait.is_none() && self.shortage.probe.is_none()
    }

    /// Says whether the machine was short of something, as far as is known.
    pub fn is_short(&self) -> bool {
        self.shortage.n_waits > 0
    }

    /// Returns the wait that goes on because the machine is short of something.
    pub fn shortage_wait(&self) -> Option<&ShortageWait> {
        self.shortage.wait.as_ref()
    }
}
