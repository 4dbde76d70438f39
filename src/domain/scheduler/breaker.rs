//! The circuit breaker: when many workers die at once, the fault is hardly theirs, and nothing is
//! started for a while.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use super::{
    Scheduler,
    effect::{Effect, Notice},
    history::Deaths,
};
use crate::domain::model::{
    attempt::Outcome,
    config::BreakerSpec,
    time::{Now, Tick},
};

/// What it knows. It starts closed: what happened before says nothing about now.
#[derive(Debug, Clone, Default)]
pub(super) struct Breaker {
    /// When the coordinator started.
    began: Tick,
    /// When workers died, oldest first, with no success since.
    crashes: VecDeque<Tick>,
    /// Until when nothing is started.
    open: Option<Open>,
}

/// An open breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// How many workers died.
    pub n_crashes: u32,
    /// Until when nothing is started.
    pub until: Tick,
}

impl Breaker {
    pub(super) fn new(began: Tick) -> Self {
        Self { began, ..Self::default() }
    }

    /// Returns since and until when nothing is started.
    pub(super) fn open(&self) -> Option<Open> {
        self.open
    }

    /// Notes how a worker ended; says whether that opens the breaker.
    fn note(&mut self, outcome: Outcome, spec: BreakerSpec, now: Tick) -> bool {
        if outcome.ended_well() {
            self.crashes.clear();
        }
        if !outcome.is_crash() {
            return false;
        }
        self.crashes.push_back(now);
        while self.crashes.front().is_some_and(|first| first.plus(spec.within) < now) {
            self.crashes.pop_front();
        }
        let n_crashes = u32::try_from(self.crashes.len()).unwrap_or(u32::MAX);
        if n_crashes < spec.crashes || self.open.is_some() {
            return false;
        }
        self.crashes.clear();
        // At least a moment, so that its end is an event of its own.
        let pause = spec.pause.max(Duration::from_millis(1));
        self.open = Some(Open { n_crashes, until: now.plus(pause) });
        true
    }

    /// Finds out from records whether another coordinator's breaker is open. It is not where
    /// something was started since: a person may have closed it.
    pub(super) fn of_records(deaths: Deaths, spec: BreakerSpec, now: Now) -> Self {
        let mut breaker = Self::new(now.tick);
        let Deaths { mut crashes, last_success, last_start } = deaths;
        crashes.retain(|at| Some(*at) > last_success);
        crashes.sort_unstable();
        for at in crashes {
            let pause = now.wall.since(at);
            if pause < spec.pause && Some(at) >= last_start {
                let tick = Tick(now.tick.0.saturating_sub(pause));
                breaker.note(Outcome::Crashed, spec, tick);
            } else if pause < spec.pause.saturating_add(spec.within) {
                breaker.crashes.push_back(Tick(now.tick.0.saturating_sub(pause)));
            }
        }
        breaker
    }

    fn close(&mut self) -> bool {
        self.crashes.clear();
        self.open.take().is_some()
    }
}

impl Scheduler {
    /// Tells the breaker how a worker ended, and when.
    pub(super) fn feed_breaker(
        &mut self,
        outcome: Outcome,
        ended: Tick,
        effects: &mut Vec<Effect>,
    ) {
        let spec = self.plan.config().breaker;
        if ended >= self.breaker.began
            && self.breaker.note(outcome, spec, self.now.tick)
            && let Some(Open { n_crashes, .. }) = self.breaker.open
        {
            effects.push(Effect::Announce(Notice::BreakerOpened {
                n_crashes,
                within: spec.within,
                pause: spec.pause,
            }));
        }
    }

    /// Closes the breaker where its time is over.
    pub(super) fn pass_breaker(&mut self, effects: &mut Vec<Effect>) {
        if self.breaker.open.is_some_and(|open| open.until <= self.now.tick) {
            self.close_breaker(effects);
        }
    }

    /// Closes the breaker: by time, or because a person says so.
    pub(super) fn close_breaker(&mut self, effects: &mut Vec<Effect>) {
        if self.breaker.close() {
            effects.push(Effect::Announce(Notice::BreakerClosed));
        }
    }

    /// Returns the open circuit breaker.
    pub fn open_breaker(&self) -> Option<Open> {
        self.breaker.open()
    }
}
