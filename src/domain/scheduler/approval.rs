//! What a person has not approved is not started: tasks and gates that wait for that.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::Scheduler;
use crate::domain::{model::id::TaskId, plan::TaskIndex};

/// What would be executed and waits for a person's approval, with why, as a phrase that follows
/// "waits for approval: ".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unapproved {
    /// Tasks.
    pub tasks: BTreeMap<TaskId, String>,
    /// Gates, by the level that they come after.
    pub gates: BTreeMap<u32, String>,
}

impl Scheduler {
    /// Says why a task waits for a person's approval; `None` where it does not.
    pub(super) fn unapproved(&self, task: TaskIndex) -> Option<&str> {
        self.unapproved.tasks.get(self.plan.id(task)).map(String::as_str)
    }

    /// Says why the gate after `level` waits for a person's approval; `None` where it does not.
    pub(super) fn unapproved_gate(&self, level: u32) -> Option<&str> {
        self.unapproved.gates.get(&level).map(String::as_str)
    }

    /// Takes in what waits for approval now. What runs goes on.
    pub(super) fn approval_seen(&mut self, unapproved: Unapproved) {
        let before = std::mem::replace(&mut self.unapproved, unapproved);
        let now = self.unapproved.tasks.keys();
        let touched: Vec<TaskIndex> = now
            .chain(before.tasks.keys())
            .filter(|id| before.tasks.contains_key(*id) != self.unapproved.tasks.contains_key(*id))
            .filter_map(|id| self.plan.find(id.as_str()))
            .collect();
        for task in touched {
            self.refresh_ready(task);
        }
    }
}
