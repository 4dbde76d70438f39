//! Signs of life of workers, as they are asked for: growing output.

use super::Coordinator;
use crate::{
    domain::{
        format::layout,
        model::{id::AttemptId, task::HeartbeatFrom},
        scheduler::event::Event,
    },
    io::process::log,
};

impl Coordinator {
    /// Reads what running workers reported and looks whether their output grew, where that is asked
    /// of them. Told before time passes, so that nobody is taken for silent who only was not read.
    pub(super) fn look_for_signs_of_life(&mut self, batch: &mut Vec<Event>) {
        let watched: Vec<(AttemptId, HeartbeatFrom)> = self
            .scheduler
            .running()
            .filter_map(|live| {
                let heartbeat = live.assignment.policy.heartbeat?;
                Some((live.assignment.attempt.clone(), heartbeat.from))
            })
            .collect();
        self.output_states.retain(|attempt, _| watched.iter().any(|(known, _)| known == attempt));
        for (attempt, from) in watched {
            batch.extend(self.read_report(&attempt));
            if from == HeartbeatFrom::Output && self.has_grown(&attempt) {
                batch.push(Event::HeartbeatSeen { attempt });
            }
        }
    }

    /// Says whether the log of an attempt is another one than at the last look.
    fn has_grown(&mut self, attempt: &AttemptId) -> bool {
        let path = self.store.path(&layout::log_path(attempt));
        let Some(state) = log::state(&path).filter(|state| state.length > 0) else { return false };
        self.output_states.insert(attempt.clone(), state) != Some(state)
    }
}
