//! Facts from outside: what people, scripts and CI say in `.orch/events`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    id::{AttemptId, GateName, TaskId},
    time::Timestamp,
};

/// One file below `.orch/events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideEvent {
    /// What it says.
    pub kind: EventKind,
    /// Who wrote it, as written.
    pub by: Option<String>,
    /// When it was written, as written.
    pub at: Option<Timestamp>,
    /// A few words; those of a retry go into the next prompt.
    pub note: Option<String>,
}

/// What an event file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A gate opened or failed, for one task or for all.
    Gate {
        /// The gate.
        gate: GateName,
        /// The task it is meant for; `None` means every task that waits for it.
        task: Option<TaskId>,
        /// Whether the gate is open (`state: pass`) or failed (`state: fail`).
        is_open: bool,
    },
    /// A person wants the task tried again: attempts up to `after` no longer count.
    Retry {
        /// The task.
        task: TaskId,
        /// The last attempt that was known when the person asked.
        after: u32,
    },
    /// A person accepts what an attempt in review left: the task is done.
    Accept {
        /// The task.
        task: TaskId,
        /// The attempt that was looked at; a later one is not accepted by it.
        attempt: u32,
    },
    /// A person wants an attempt stopped whose task has no file any more to say so in.
    Cancel(AttemptId),
}

/// All outside facts of a repository, for lookup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutsideFacts {
    /// State of each gate: for all tasks (`None`) or for one.
    gates: BTreeMap<(GateName, Option<TaskId>), bool>,
    /// Per task, the attempts up to which none counts any longer, each with the note that came with
    /// it.
    retries: BTreeMap<TaskId, BTreeMap<u32, Option<String>>>,
    /// Per task, the last attempt that a person accepted.
    accepted: BTreeMap<TaskId, u32>,
    /// Attempts that a person wants stopped.
    cancelled: BTreeSet<AttemptId>,
}

impl OutsideFacts {
    /// Gathers `events`. Where several speak of the same gate, a failure wins: the safe side.
    pub fn gather(events: impl IntoIterator<Item = OutsideEvent>) -> Self {
        let mut facts = Self::default();
        for event in events {
            match event.kind {
                EventKind::Gate { gate, task, is_open } => {
                    let state = facts.gates.entry((gate, task)).or_insert(true);
                    *state &= is_open;
                }
                EventKind::Retry { task, after } => {
                    facts.retries.entry(task).or_default().insert(after, event.note);
                }
                EventKind::Accept { task, attempt } => {
                    let newest = facts.accepted.entry(task).or_default();
                    *newest = attempt.max(*newest);
                }
                EventKind::Cancel(attempt) => drop(facts.cancelled.insert(attempt)),
            }
        }
        facts
    }

    /// Returns the state of `gate` as `task` sees it: its own word first, then that for all.
    pub fn gate(&self, gate: &GateName, task: &TaskId) -> GateState {
        let own = self.gates.get(&(gate.clone(), Some(task.clone())));
        match own.or_else(|| self.gates.get(&(gate.clone(), None))) {
            None => GateState::Unknown,
            Some(true) => GateState::Open,
            Some(false) => GateState::Failed,
        }
    }

    /// Returns every word on a gate: the gate, the task that it is meant for (`None` for all), and
    /// whether it is open.
    pub fn gates(&self) -> impl Iterator<Item = (&GateName, Option<&TaskId>, bool)> {
        self.gates.iter().map(|((gate, task), is_open)| (gate, task.as_ref(), *is_open))
    }

    /// Returns the last attempt of `task` that a retry set aside, of its attempts up to `last`; 0
    /// where there was none.
    ///
    /// A retry of attempts that there are not yet is not heard: it would set each of them aside as
    /// it came, and the task would be started for ever, however well it ended.
    pub fn retried_after(&self, task: &TaskId, last: u32) -> u32 {
        self.retry(task, last).map_or(0, |(after, _)| after)
    }

    /// Returns what the person who asked for that retry wrote.
    pub fn retry_note(&self, task: &TaskId, last: u32) -> Option<&str> {
        self.retry(task, last).and_then(|(_, note)| note)
    }

    fn retry(&self, task: &TaskId, last: u32) -> Option<(u32, Option<&str>)> {
        let (after, note) = self.retries.get(task)?.range(..=last).next_back()?;
        Some((*after, note.as_deref()))
    }

    /// Returns the last attempt of `task` that a person accepted; 0 where there was none.
    pub fn accepted(&self, task: &TaskId) -> u32 {
        self.accepted.get(task).copied().unwrap_or(0)
    }

    /// Says whether a person wants `attempt` stopped, whatever the file of its task says.
    pub fn is_cancelled(&self, attempt: &AttemptId) -> bool {
        self.cancelled.contains(attempt)
    }
}

/// The state of a gate for one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// No event speaks of it.
    Unknown,
    /// It is open.
    Open,
    /// It failed.
    Failed,
}
