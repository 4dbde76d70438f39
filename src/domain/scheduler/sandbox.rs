//! Tasks that run in a sandbox, or not at all.

#[cfg(test)]
pub(super) mod tests;

use super::{Scheduler, landing::Worktrees};
use crate::domain::{
    model::{sandbox::Lack, task::Isolation},
    plan::TaskIndex,
};

impl Scheduler {
    /// Says whether tasks were found not to be able to run in a sandbox, and why.
    pub fn no_sandbox(&self) -> Option<&Lack> {
        self.no_sandbox.as_ref()
    }

    /// Returns why a task is not started that is to run in a sandbox; `None` where it can be, or
    /// needs none.
    pub(super) fn lacks_sandbox(&self, task: TaskIndex) -> Option<&Lack> {
        let cause = self.no_sandbox()?;
        self.plan.is_sandboxed(task).then_some(cause)
    }

    /// Says whether the verify commands of both may run in each other's place: what was written in a
    /// sandbox is not verified outside of it, nor in one that keeps less away.
    pub(super) fn is_enclosed_alike(&self, one: TaskIndex, other: TaskIndex) -> bool {
        let (Some(one), Some(other)) = (self.at(one), self.at(other)) else { return false };
        let (one, other) = (&one.assignment, &other.assignment);
        one.isolation == other.isolation
            && (one.isolation != Isolation::Sandbox || one.policy.sandbox == other.policy.sandbox)
    }

    /// Panics where a task would be started outside of the sandbox that it asks for.
    pub(super) fn assert_enclosed(&self, task: TaskIndex, isolation: Isolation) {
        let is_asked_for = self.plan.is_sandboxed(task);
        assert_eq!(is_asked_for, isolation == Isolation::Sandbox, "a sandbox is asked for or not");
        let can_be = self.no_sandbox.is_none() && self.worktrees != Worktrees::None;
        assert!(!is_asked_for || can_be, "a sandbox is there");
    }
}
