//! How a task changes its phase: one door, which keeps counters and queues in step.

use std::sync::Arc;

use super::{Scheduler, phase::Phase, queue::Lane};
use crate::domain::{
    model::{id::GateName, outside::GateState, task::AuthorStatus},
    plan::{Plan, TaskIndex},
};

impl Scheduler {
    /// The one door through which a task changes its phase: keeps counters and queues in step.
    pub(super) fn set_phase(&mut self, task: TaskIndex, phase: Phase) -> Phase {
        let plan = Arc::clone(&self.plan);
        let Some(slot) = self.phases.get_mut(task.position()) else {
            unreachable!("a task index is only used with the plan it comes from")
        };
        let old = std::mem::replace(slot, phase);
        self.leave(&plan, task, &old);
        self.enter(&plan, task);
        self.refresh_ready(task);
        old
    }

    fn leave(&mut self, plan: &Plan, task: TaskIndex, old: &Phase) {
        match old {
            Phase::BackingOff { until } => {
                self.deadlines.remove(&(*until, task));
            }
            Phase::Running(live) => {
                self.running.remove(&task);
                if let Some(tick) = live.deadline() {
                    self.deadlines.remove(&(tick, task));
                }
                let Lane { role, workstream, .. } = live.lane();
                if let Some(n) = role.and_then(|role| self.in_role.get_mut(&role)) {
                    *n = n.saturating_sub(1);
                }
                if let Some(workstream) = workstream {
                    self.in_workstream.remove(&workstream);
                }
            }
            Phase::Done => self.count_dependents(plan, task, 1),
            Phase::Open | Phase::Review | Phase::OverBudget | Phase::Failed | Phase::Cancelled => {}
        }
        if matches!(old, Phase::Done | Phase::Cancelled) {
            self.levels.reopen(plan, task);
        }
    }

    fn enter(&mut self, plan: &Plan, task: TaskIndex) {
        let Some(phase) = self.phases.get(task.position()) else { return };
        if matches!(phase, Phase::Done | Phase::Cancelled) {
            self.levels.settle(plan, task);
        }
        match phase {
            Phase::BackingOff { until } => {
                self.deadlines.insert((*until, task));
            }
            Phase::Running(live) => {
                self.running.insert(task);
                self.deadlines.extend(live.deadline().map(|tick| (tick, task)));
                let Lane { role, workstream, .. } = live.lane();
                if let Some(role) = role {
                    *self.in_role.entry(role).or_default() += 1;
                }
                if let Some(workstream) = workstream {
                    self.in_workstream.insert(workstream, task);
                }
            }
            Phase::Done => self.count_dependents(plan, task, -1),
            Phase::Open | Phase::Review | Phase::OverBudget | Phase::Failed | Phase::Cancelled => {}
        }
    }

    /// Notes that `task` is done (−1) or no longer done (+1) for all that depend on it.
    fn count_dependents(&mut self, plan: &Plan, task: TaskIndex, change: i32) {
        for &dependent in plan.dependents(task) {
            if let Some(missing) = self.missing.get_mut(dependent.position()) {
                *missing = missing.saturating_add_signed(change);
            }
            self.refresh_ready(dependent);
        }
    }

    /// Puts a task into the ready queue, or takes it out, as it now is.
    pub(super) fn refresh_ready(&mut self, task: TaskIndex) {
        let plan = Arc::clone(&self.plan);
        if self.is_ready(task) && self.plan.has_command(task) {
            self.ready.insert(&plan, task);
        } else {
            self.ready.remove(&plan, task);
        }
    }

    /// Returns the gates that a task waits for: those that its file names, and that which its last
    /// attempt asked for.
    pub fn gates(&self, task: TaskIndex) -> impl Iterator<Item = &GateName> + Clone {
        let spec = self.plan.spec(task);
        let id = &spec.id.value;
        let history = self.histories.get(id);
        let asked = history.and_then(|history| history.waiting_for(self.retried_after(id)));
        let is_named = |asked: &&GateName| spec.waits_for.iter().any(|gate| gate.value == **asked);
        spec.waits_for.iter().map(|gate| &gate.value).chain(asked.filter(|gate| !is_named(gate)))
    }

    /// Says whether nothing but a limit keeps a task from starting.
    pub(super) fn is_ready(&self, task: TaskIndex) -> bool {
        let spec = self.plan.spec(task);
        matches!(self.phases.get(task.position()), Some(Phase::Open))
            && spec.status.value == AuthorStatus::Todo
            && self.missing.get(task.position()) == Some(&0)
            && self.plan.fault(task).is_none()
            && self.unapproved(task).is_none()
            && self.levels.is_open(spec.level.as_ref().map(|level| level.value))
            && self
                .gates(task)
                .all(|gate| self.outside.gate(gate, &spec.id.value) == GateState::Open)
    }
}
