//! Heartbeats: signs of life that a worker must give, and what follows from silence.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    Scheduler,
    effect::{Effect, Force, Notice},
    phase::{Live, StopReason},
};
use crate::domain::{model::time::Tick, plan::TaskIndex};

/// When a worker was last seen alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// When.
    pub last: Tick,
    /// Whether its silence since then was told.
    pub is_told: bool,
}

impl Pulse {
    /// Returns that of a worker that is seen at `now`.
    pub(super) fn at(now: Tick) -> Self {
        Self { last: now, is_told: false }
    }
}

impl Live {
    /// Returns the moment at which the silence of its worker must be told, or ends it.
    pub(super) fn pulse_deadline(&self) -> Option<Tick> {
        let heartbeat = self.assignment.policy.heartbeat.as_ref()?;
        let Pulse { last, is_told } = self.pulse?;
        Some(last.plus(if is_told { heartbeat.limit } else { heartbeat.every }))
    }
}

impl Scheduler {
    /// Notes that the worker of a task lives.
    pub(super) fn beat(&mut self, task: TaskIndex) {
        let pulse = Pulse::at(self.now.tick);
        let has_pulse = |live: &Live| live.pulse.is_some_and(|old| old != pulse);
        if self.at(task).is_some_and(has_pulse) {
            self.change_live(task, |live| live.pulse = Some(pulse));
        }
    }

    /// Tells of a silent worker, or stops it. A moment that is noticed much too late says that
    /// nobody listened meanwhile: then the worker gets the whole time once more.
    pub(super) fn pass_silence(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) {
        let Some(live) = self.at(task) else { return };
        let Some((heartbeat, pulse)) = live.assignment.policy.heartbeat.zip(live.pulse) else {
            return;
        };
        let since = |tick: Tick| self.now.tick.0.saturating_sub(tick.0);
        let late = live.pulse_deadline().map_or(Duration::ZERO, since);
        if late > heartbeat.every {
            return self.beat(task);
        }
        if pulse.is_told {
            let why = StopReason::Stalled(since(pulse.last));
            return self.stop(task, why, Force::Ask, effects);
        }
        effects.push(Effect::Announce(Notice::Silent {
            attempt: live.assignment.attempt.clone(),
            silent_for: since(pulse.last),
            stopped_in: heartbeat.limit.saturating_sub(since(pulse.last)),
        }));
        self.change_live(task, |live| live.pulse = Some(Pulse { is_told: true, ..pulse }));
    }
}
