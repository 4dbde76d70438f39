//! Workers in trouble: those that stand still, and those whose status files cannot be read.

use std::time::Duration;

use super::{
    Coordinator,
    effects::{Process, Worker},
};
use crate::{
    app::view::run::{Happened, Live},
    domain::model::id::AttemptId,
};

/// How long a status file cannot be read before it is shown: it may be being written.
const UNREADABLE_MIN: Duration = Duration::from_millis(500);

impl Coordinator {
    /// Looks at the processes of all workers, and tells of those that began to stand still, or go
    /// on.
    pub(super) fn look_for_standstill(&mut self) {
        let now = self.clock.now().tick;
        let mut told = Vec::new();
        for (attempt, worker) in &mut self.workers {
            let Process::Started(identity) = &worker.process else { continue };
            let Some(state) = identity.state() else { continue };
            if worker.looks.look(state, now) {
                told.push(match worker.looks.standstill() {
                    Some(standstill) => Happened::StandsStill {
                        task: attempt.task.to_string(),
                        attempt: attempt.number,
                        how: standstill.as_str(),
                        pid: identity.pid,
                    },
                    None => Happened::MovesAgain {
                        task: attempt.task.to_string(),
                        attempt: attempt.number,
                    },
                });
            }
        }
        for happened in told {
            self.tell(happened);
        }
    }

    /// Marks the workers that stand still, and those whose status files cannot be read: what is
    /// shown of them is older.
    pub(super) fn mark_trouble(&self, view: &mut Live) {
        let now = self.clock.now().wall;
        for shown in &mut view.running {
            let is_it = |(attempt, _): &(&AttemptId, &Worker)| {
                attempt.number == shown.attempt && attempt.task.as_str() == shown.task
            };
            let Some((_, worker)) = self.workers.iter().find(is_it) else { continue };
            let standstill = worker.looks.standstill();
            if let Some(standstill) = standstill.filter(|_| worker.process != Process::None) {
                shown.stage = standstill.as_str();
            }
            let since = worker.unreadable_since;
            shown.unreadable_since = since
                .filter(|since| now.since(*since) >= UNREADABLE_MIN)
                .map(|since| since.to_string());
        }
    }
}
