//! What earlier attempts left on record, and what follows for a task.

use std::{collections::BTreeMap, time::Duration};

use crate::domain::model::{
    attempt::{AttemptRecord, Digests, Ending, GateRecord, Outcome, Usage},
    id::{AttemptId, TaskId},
    outside::OutsideFacts,
    time::{Now, Tick, Timestamp},
};

/// What was on disk when the coordinator (or a reader) looked.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// What each task has behind it.
    pub histories: BTreeMap<TaskId, History>,
    /// The last run of each level's gate.
    pub gates: BTreeMap<u32, GateRecord>,
    /// What people, scripts and CI said.
    pub outside: OutsideFacts,
    /// Whether another coordinator is alive: then attempts without an ending run, and must not
    /// be touched. Otherwise those that are neither in `running` nor told otherwise are lost.
    pub is_live: bool,
    /// Attempts without an ending whose workers are still seen to, and when those started.
    pub running: BTreeMap<AttemptId, Now>,
    /// What became of attempts that are lost, as a phrase.
    pub causes: BTreeMap<AttemptId, String>,
}

impl Recorded {
    /// Gathers attempt records, in any order.
    #[must_use]
    pub fn with_attempts(mut self, records: impl IntoIterator<Item = AttemptRecord>) -> Self {
        let mut records: Vec<AttemptRecord> = records.into_iter().collect();
        records.sort_by(|a, b| a.attempt.cmp(&b.attempt));
        for record in records {
            self.histories.entry(record.attempt.task.clone()).or_default().add(record);
        }
        self
    }

    /// Gathers gate records, in any order; the highest number of each level counts.
    #[must_use]
    pub fn with_gates(mut self, records: impl IntoIterator<Item = GateRecord>) -> Self {
        for record in records {
            let last = self.gates.entry(record.level).or_insert_with(|| record.clone());
            if record.number > last.number {
                *last = record;
            }
        }
        self
    }
}

/// What one task has behind it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Number of the last attempt; 0 where there was none.
    pub last: u32,
    /// When the last attempt started.
    pub last_started: Option<Timestamp>,
    /// How the last attempt ended; `None` while it runs or where it was lost.
    pub ending: Option<Ending>,
    /// Numbers of the attempts that failed.
    pub failed: Vec<u32>,
    /// What all attempts together used.
    pub usage: Usage,
    /// How long all attempts together took.
    pub time: Duration,
    /// The files that the last attempt was made from.
    pub digests: Digests,
}

impl History {
    /// Adds the next attempt.
    fn add(&mut self, record: AttemptRecord) {
        self.last = record.attempt.number;
        self.last_started = Some(record.started);
        self.digests = record.digests;
        self.ending = None;
        if let Some(ending) = record.ending {
            self.settle(ending);
        }
    }

    /// Notes that attempt `number` is about to start.
    pub(super) fn start(&mut self, number: u32, started: Timestamp, digests: Digests) {
        self.last = number;
        self.last_started = Some(started);
        self.digests = digests;
        self.ending = None;
    }

    /// Notes how the last attempt ended.
    pub(super) fn settle(&mut self, ending: Ending) {
        match ending.outcome {
            Outcome::Failed => self.failed.push(self.last),
            // Should it ever run again, it has all attempts.
            Outcome::Succeeded => self.failed.clear(),
            Outcome::Review | Outcome::Cancelled | Outcome::Interrupted | Outcome::Lost => {}
        }
        self.usage = self.usage.plus(&ending.usage);
        let took = self.last_started.map(|started| ending.ended.since(started));
        self.time = self.time.saturating_add(took.unwrap_or_default());
        self.ending = Some(ending);
    }

    /// Returns how many failures count, those up to attempt `after` being set aside.
    pub fn n_failed(&self, after: u32) -> u32 {
        let n = self.failed.iter().filter(|number| **number > after).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    /// Returns how the last attempt ended, unless a retry set it aside.
    pub fn outcome(&self, after: u32) -> Option<Outcome> {
        self.ending.as_ref().filter(|_| self.last > after).map(|ending| ending.outcome)
    }

    /// Says whether the last attempt was made from other files than `now`.
    pub fn is_stale(&self, now: &Digests) -> bool {
        self.last > 0 && self.digests.differ(now)
    }

    /// Says whether the files changed after the last attempt had ended. What changed before that,
    /// the worker may have changed itself, ticking a checkbox for example: it must not run again
    /// for it.
    pub fn is_outdated(&self, now: &Digests) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.digests.differ(now))
    }

    /// Returns when the last attempt started, on both clocks, as far as the record tells.
    pub(super) fn started(&self, now: Now) -> Now {
        let wall = self.last_started.unwrap_or(now.wall);
        Now { tick: Tick(now.tick.0.saturating_sub(now.wall.since(wall))), wall }
    }

    /// Returns the attempt that has a record but no ending.
    pub fn unsettled(&self, task: &TaskId) -> Option<AttemptId> {
        (self.last > 0 && self.ending.is_none()).then(|| AttemptId::new(task.clone(), self.last))
    }
}
