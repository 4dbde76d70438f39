//! Signs of life of workers, as they are asked for: written status files, and growing output.

use std::collections::BTreeMap;

use super::Coordinator;
use crate::{
    domain::{
        format::layout,
        model::{id::AttemptId, task::HeartbeatFrom},
        scheduler::event::Event,
    },
    io::process::log::{self, LogState},
};

impl Coordinator {
    /// Reads what running workers reported and looks which of their files were written since,
    /// where signs of life are asked of them. Told before time passes, so that nobody is taken for
    /// silent who only was not read.
    pub(super) fn look_for_signs_of_life(&mut self, batch: &mut Vec<Event>) {
        let watched: Vec<(AttemptId, HeartbeatFrom)> = self
            .scheduler
            .running()
            .filter_map(|live| {
                let heartbeat = live.assignment.policy.heartbeat?;
                Some((live.assignment.attempt.clone(), heartbeat.from))
            })
            .collect();
        let mut states = BTreeMap::new();
        for (attempt, from) in watched {
            batch.extend(self.read_report(&attempt));
            // A status file that says the same as before is a sign of life as well.
            let log = (from == HeartbeatFrom::Output).then(|| layout::log_path(&attempt));
            let mut lives = false;
            let status = layout::status_path(&attempt);
            let status = self.workers.get(&attempt).map(|worker| worker.home.relative(&status));
            for path in [status, log].into_iter().flatten() {
                let state = log::state(&self.store.path(&path));
                let Some(state) = state.filter(LogState::has_text) else { continue };
                lives |= self.seen_files.get(&path) != Some(&state);
                states.insert(path, state);
            }
            if lives {
                batch.push(Event::HeartbeatSeen { attempt });
            }
        }
        self.seen_files = states;
    }
}
