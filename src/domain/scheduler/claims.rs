//! Claims: where several coordinators work on clones of one plan, each task is claimed by one of
//! them before its first attempt, at a place that all of them see.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Scheduler, effect::Effect};
use crate::domain::{
    model::{claim::ClaimAnswer, id::TaskId},
    plan::TaskIndex,
};

/// Who may work on what, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Tasks that are ours.
    pub own: BTreeSet<TaskId>,
    /// Tasks of others, with who that is.
    pub others: BTreeMap<TaskId, String>,
}

impl Scheduler {
    /// Says whether a task must be claimed before it is started.
    fn must_be_claimed(&self, id: &TaskId) -> bool {
        let is_shared = self.plan.config().claim_remote.is_some();
        is_shared && !self.ledger.is_assumed && !self.claims.own.contains(id)
    }

    /// Returns who else works on a task.
    pub fn claimed_by(&self, task: TaskIndex) -> Option<&str> {
        let id = self.plan.id(task);
        let who = self.claims.others.get(id).filter(|_| self.must_be_claimed(id));
        who.map(String::as_str)
    }

    /// Returns what is known of claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Says whether a task may be started, or asked for.
    pub(super) fn is_free(&self, task: TaskIndex) -> bool {
        let id = self.plan.id(task);
        let is_asked = self.asked.contains(id) && self.must_be_claimed(id);
        !is_asked && self.claimed_by(task).is_none()
    }

    /// Asks for a task where it has to be claimed first; says whether it does.
    pub(super) fn asks_for(&mut self, task: TaskIndex, effects: &mut Vec<Effect>) -> bool {
        let id = self.plan.id(task).clone();
        let asks = self.must_be_claimed(&id);
        if asks {
            self.asked.insert(id.clone());
            effects.push(Effect::Claim(id));
        }
        asks
    }

    /// Takes in whose a task is.
    pub(super) fn claim_answered(&mut self, id: TaskId, answer: ClaimAnswer) {
        self.asked.remove(&id);
        match answer {
            ClaimAnswer::Own => {
                self.claims.others.remove(&id);
                self.claims.own.insert(id);
            }
            ClaimAnswer::Other(who) => {
                self.claims.others.insert(id, who);
            }
        }
    }

    /// Notes that nobody answered: it is tried again after a while, as with any shortage.
    pub(super) fn claims_failed(&mut self, cause: String, effects: &mut Vec<Effect>) {
        self.asked.clear();
        self.shortage_seen(cause, effects);
    }

    /// Takes in all claims of others, as they are now.
    pub(super) fn claims_seen(&mut self, others: BTreeMap<TaskId, String>) {
        self.claims.others = others;
    }
}
