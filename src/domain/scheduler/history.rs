//! What earlier attempts left on record, and what follows for a task.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{approval::Unapproved, claims::Claims};
use crate::domain::model::{
    attempt::{AttemptRecord, Digests, Ending, GateRecord, Outcome, Usage, UsageLimit},
    id::{AttemptId, GateName, TaskId},
    outside::OutsideFacts,
    sandbox::Lack,
    task::Isolation,
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
    /// Attempts without an ending whose workers are still seen to, or have ended meanwhile.
    pub running: BTreeMap<AttemptId, Taken>,
    /// What became of attempts that are lost, as a phrase.
    pub causes: BTreeMap<AttemptId, String>,
    /// What tells a reader whether the coordinator pauses because many workers died.
    pub deaths: Deaths,
    /// Whose tasks are, where coordinators share them.
    pub claims: Claims,
    /// What waits for a person's approval.
    pub unapproved: Unapproved,
    /// Whether a task can have a worktree of its own, and so has one where nobody says otherwise.
    pub has_worktrees: bool,
    /// Why no task can run in a sandbox; `None` where they can, and where nobody looked.
    pub no_sandbox: Option<Lack>,
    /// Attempts without an ending that another coordinator sees to.
    pub of_others: BTreeSet<AttemptId>,
    /// Those of them whose workers were never started.
    pub unstarted: BTreeSet<AttemptId>,
}

impl Recorded {
    /// Gathers attempt records, in any order.
    #[must_use]
    pub fn with_attempts(mut self, records: impl IntoIterator<Item = AttemptRecord>) -> Self {
        let mut records: Vec<AttemptRecord> = records.into_iter().collect();
        records.sort_by(|a, b| a.attempt.cmp(&b.attempt));
        for record in records {
            self.deaths.note(&record);
            self.histories.entry(record.attempt.task.clone()).or_default().add(record);
        }
        self
    }

    /// Gathers gate records, in any order; the highest number of each level counts, and of those with
    /// the same one, from branches that met, the latest.
    #[must_use]
    pub fn with_gates(mut self, records: impl IntoIterator<Item = GateRecord>) -> Self {
        for record in records {
            let last = self.gates.entry(record.level).or_insert_with(|| record.clone());
            if (record.number, record.started) > (last.number, last.started) {
                *last = record;
            }
        }
        self
    }
}

/// When workers died, and what happened beside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deaths {
    /// When workers crashed or got lost, in any order.
    pub crashes: Vec<Timestamp>,
    /// When one ended well the last time.
    pub last_success: Option<Timestamp>,
    /// When one was started the last time.
    pub last_start: Option<Timestamp>,
}

impl Deaths {
    fn note(&mut self, record: &AttemptRecord) {
        self.last_start = self.last_start.max(Some(record.started));
        let Some(ending) = &record.ending else { return };
        if ending.outcome.is_crash() {
            self.crashes.push(ending.ended);
        } else if ending.outcome.ended_well() {
            self.last_success = self.last_success.max(Some(ending.ended));
        }
    }
}

/// What attempts used together: what budgets are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    /// Tokens and money.
    pub usage: Usage,
    /// The time of workers.
    pub time: Duration,
    /// How many attempts.
    pub attempts: u32,
}

impl Spent {
    /// Returns the sum of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            usage: self.usage.plus(&other.usage),
            time: self.time.saturating_add(other.time),
            attempts: self.attempts.saturating_add(other.attempts),
        }
    }

    /// Returns what was used since `earlier`.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        Self {
            usage: self.usage.minus(&earlier.usage),
            time: self.time.saturating_sub(earlier.time),
            attempts: self.attempts.saturating_sub(earlier.attempts),
        }
    }
}

/// What is known of an attempt that is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// When its worker was started.
    pub started: Now,
    /// When that ended, where it did: its end is still to be judged.
    pub ended: Option<Now>,
    /// When it was asked to stop, where the run was being stopped.
    pub stop_asked: Option<Tick>,
}

impl Taken {
    /// Returns what is known of one that runs since `started`.
    pub fn running(started: Now) -> Self {
        Self { started, ended: None, stop_asked: None }
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
    /// Numbers of the attempts that crashed.
    pub crashed: Vec<u32>,
    /// Numbers of the attempts that were iterations of a loop, their checks not holding yet.
    pub unfinished: Vec<u32>,
    /// How many attempts in a row ended as the last one did.
    pub n_alike: u32,
    /// What each attempt used.
    spent: Vec<(u32, Spent)>,
    /// What all attempts together used.
    pub usage: Usage,
    /// How long all attempts together took.
    pub time: Duration,
    /// The files that the last attempt was made from.
    pub digests: Digests,
    /// How the last attempt that has an ending ended.
    last_outcome: Option<Outcome>,
    /// Number of the last attempt that succeeded.
    done_at: u32,
    /// The attempt whose work was held to be done, and has not landed.
    unlanded: Option<u32>,
    /// Where the work of the last attempt is, and what it lands.
    place: Place,
}

/// Where the last attempt works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Whether it has a worktree of its own.
    pub is_apart: bool,
    /// The attempt whose work it only lands.
    pub lands: Option<u32>,
}

impl Place {
    /// Returns how it is kept apart, where task, role and settings say `said` by now.
    pub(super) fn isolation(self, said: Option<Isolation>) -> Isolation {
        match (self.is_apart, said) {
            (false, _) => Isolation::None,
            (true, Some(Isolation::Sandbox)) => Isolation::Sandbox,
            (true, Some(Isolation::Worktree | Isolation::None) | None) => Isolation::Worktree,
        }
    }
}

fn count_after(numbers: &[u32], after: u32) -> u32 {
    let n = numbers.iter().filter(|number| **number > after).count();
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl History {
    /// Adds the next attempt.
    fn add(&mut self, record: AttemptRecord) {
        self.last = record.attempt.number;
        self.last_started = Some(record.started);
        self.digests = record.digests;
        self.place = Place {
            is_apart: record.work.is_some(),
            lands: record.work.and_then(|work| work.lands),
        };
        self.ending = None;
        if let Some(ending) = record.ending {
            self.settle(ending);
        }
    }

    /// Notes that attempt `number` is about to start.
    pub(super) fn start(
        &mut self,
        number: u32,
        started: Timestamp,
        digests: Digests,
        place: Place,
    ) {
        self.last = number;
        self.place = place;
        self.last_started = Some(started);
        self.digests = digests;
        self.ending = None;
    }

    /// Notes how the last attempt ended.
    pub(super) fn settle(&mut self, ending: Ending) {
        match ending.outcome {
            Outcome::Failed | Outcome::Stalled | Outcome::Conflict => self.failed.push(self.last),
            Outcome::Crashed | Outcome::Lost => self.crashed.push(self.last),
            Outcome::Unfinished => self.unfinished.push(self.last),
            // Should it ever run again, it has all attempts.
            Outcome::Succeeded => {
                self.failed.clear();
                self.crashed.clear();
                self.unfinished.clear();
                self.done_at = self.last;
            }
            Outcome::Review
            | Outcome::Cancelled
            | Outcome::Interrupted
            | Outcome::Limited
            | Outcome::Blocked
            | Outcome::OverBudget
            | Outcome::Unlanded
            | Outcome::NotStarted => {}
        }
        self.unlanded = self.unlanded_after(ending.outcome);
        let is_alike = self.last_outcome == Some(ending.outcome);
        self.n_alike = if is_alike { self.n_alike.saturating_add(1) } else { 1 };
        self.last_outcome = Some(ending.outcome);
        self.usage = self.usage.plus(&ending.usage);
        // The time between the death of a coordinator and now is nobody's work.
        let is_known = ending.outcome != Outcome::Lost;
        let took =
            self.last_started.filter(|_| is_known).map(|started| ending.ended.since(started));
        let took = took.unwrap_or_default();
        self.time = self.time.saturating_add(took);
        if ending.outcome != Outcome::NotStarted {
            let spent = Spent { usage: ending.usage, time: took, attempts: 1 };
            // Most tasks have one attempt.
            if self.spent.is_empty() {
                self.spent.reserve_exact(1);
            }
            self.spent.push((self.last, spent));
        }
        self.ending = Some(ending);
    }

    /// Returns the attempt whose work is still to land after the last one ended so.
    fn unlanded_after(&self, outcome: Outcome) -> Option<u32> {
        let Place { is_apart, lands } = self.place;
        match outcome {
            Outcome::Review if is_apart => Some(lands.unwrap_or(self.last)),
            Outcome::Unlanded => Some(lands.unwrap_or(self.last)),
            // It came to nothing, so what it was to land still is.
            Outcome::NotStarted
            | Outcome::Lost
            | Outcome::Interrupted
            | Outcome::Cancelled
            | Outcome::Blocked => lands,
            Outcome::Review
            | Outcome::Succeeded
            | Outcome::Failed
            | Outcome::Stalled
            | Outcome::Crashed
            | Outcome::Limited
            | Outcome::OverBudget
            | Outcome::Unfinished
            | Outcome::Conflict => None,
        }
    }

    /// Returns the attempt whose work was held to be done and has not landed, unless a retry set it
    /// aside.
    pub fn unlanded(&self, after: u32) -> Option<u32> {
        self.unlanded.filter(|number| *number > after)
    }

    /// Returns where the last attempt works.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Returns what was used since the task was last done, attempts up to `after` set aside.
    pub fn spent_since_done(&self, after: u32) -> Spent {
        self.spent(after.max(self.done_at))
    }

    /// Returns what was used, attempts up to `after` set aside.
    pub fn spent(&self, after: u32) -> Spent {
        let counted = self.spent.iter().filter(|(number, _)| *number > after);
        counted.fold(Spent::default(), |sum, (_, spent)| sum.plus(spent))
    }

    /// Returns how many crashes count, those up to attempt `after` being set aside.
    pub fn n_crashed(&self, after: u32) -> u32 {
        count_after(&self.crashed, after)
    }

    /// Returns how many iterations count, those up to attempt `after` being set aside.
    pub fn n_unfinished(&self, after: u32) -> u32 {
        count_after(&self.unfinished, after)
    }

    /// Returns the gate that the last attempt waits for, unless a retry set it aside.
    pub fn waiting_for(&self, after: u32) -> Option<&GateName> {
        let ending = self.ending.as_ref().filter(|_| self.last > after)?;
        ending.waiting_for.as_ref().filter(|_| ending.outcome == Outcome::Blocked)
    }

    /// Returns the limit that the last attempt ran into, unless a retry set it aside.
    pub fn limit(&self, after: u32) -> Option<&UsageLimit> {
        let ending = self.ending.as_ref().filter(|_| self.last > after)?;
        ending.limit.as_ref().filter(|_| ending.outcome == Outcome::Limited)
    }

    /// Returns how many failures count, those up to attempt `after` being set aside.
    pub fn n_failed(&self, after: u32) -> u32 {
        count_after(&self.failed, after)
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
