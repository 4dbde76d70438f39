//! Phases, counters and queues from plan, facts and histories: at the start, and when any of them
//! changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Scheduler,
    history::History,
    phase::{Live, Phase},
    queue::ReadyQueue,
    retry,
};
use crate::domain::{
    model::{
        attempt::Outcome,
        config::OnChange,
        id::{AttemptId, TaskId},
        limits::BACKOFF_DEFAULT,
        task::AuthorStatus,
        time::Tick,
    },
    plan::{Plan, TaskIndex},
};

impl Scheduler {
    /// Derives phases, counters and queues from plan, facts and histories. `live` are the
    /// attempts that are being carried out; `waits` the back-offs that go on.
    pub(super) fn build(
        &mut self,
        mut live: BTreeMap<TaskId, Live>,
        waits: &BTreeMap<TaskId, Tick>,
    ) {
        let plan = Arc::clone(&self.plan);
        self.phases = vec![Phase::Open; plan.n_tasks()];
        self.missing = plan
            .indices()
            .map(|task| u32::try_from(plan.dependencies(task).len()).unwrap_or(u32::MAX))
            .collect();
        self.ready = ReadyQueue::default();
        self.running = BTreeSet::new();
        self.in_role = BTreeMap::new();
        self.in_workstream = BTreeMap::new();
        self.deadlines = BTreeSet::new();
        self.levels.build(&plan);
        for task in plan.indices() {
            let phase = match live.remove(plan.id(task)) {
                Some(live) => Phase::Running(Box::new(live)),
                None => self.settled_phase(task, waits.get(plan.id(task)).copied()),
            };
            if !matches!(phase, Phase::Open) {
                self.set_phase(task, phase);
            }
        }
        self.pass_ended_levels();
        self.open_ledger();
        for task in plan.indices() {
            self.refresh_ready(task);
        }
    }

    /// Returns the phase of a task that no attempt is being carried out for.
    pub(super) fn settled_phase(&self, task: TaskIndex, wait: Option<Tick>) -> Phase {
        let spec = self.plan.spec(task);
        match spec.status.value {
            AuthorStatus::Done => return Phase::Done,
            AuthorStatus::Cancelled => return Phase::Cancelled,
            AuthorStatus::Draft | AuthorStatus::Hold | AuthorStatus::Todo => {}
        }
        let id = self.plan.id(task);
        let Some(history) = self.histories.get(id) else { return Phase::Open };
        let phase = self.phase_after(task, history, wait);
        let goes_on = matches!(phase, Phase::Open | Phase::BackingOff { .. });
        if goes_on && self.own_budget_spent(task).is_some() { Phase::OverBudget } else { phase }
    }

    /// Returns what follows from the last attempt, the budget left aside.
    fn phase_after(&self, task: TaskIndex, history: &History, wait: Option<Tick>) -> Phase {
        let id = self.plan.id(task);
        let after = self.retried_after(id);
        let attempt = || AttemptId::new(id.clone(), history.last);
        let policy = || self.plan.policy(task);
        match history.outcome(after) {
            Some(Outcome::Succeeded) => self.phase_after_success(task),
            // It is accepted, and only has to land.
            Some(Outcome::Review) if self.is_accepted(id) && history.unlanded(after).is_some() => {
                Phase::Open
            }
            Some(Outcome::Review) if self.is_accepted(id) => self.phase_after_success(task),
            Some(Outcome::Review) => Phase::Review,
            Some(Outcome::Conflict) => {
                let is_out = history.n_failed(after) >= policy().max_attempts;
                if is_out { Phase::Review } else { Phase::Open }
            }
            Some(Outcome::Failed | Outcome::Stalled) => {
                let (policy, n) = (policy(), history.n_failed(after));
                if n >= policy.max_attempts {
                    return Phase::Failed;
                }
                self.wait(history, retry::backoff(policy.backoff, n, &attempt()), wait)
            }
            Some(Outcome::Crashed) => {
                let (policy, n) = (policy(), history.n_crashed(after));
                if n >= policy.max_crashes {
                    return Phase::Failed;
                }
                self.wait(history, retry::backoff(policy.backoff, n, &attempt()), wait)
            }
            Some(Outcome::Lost) => {
                let is_out = history.n_crashed(after) >= policy().max_crashes;
                if is_out { Phase::Failed } else { Phase::Open }
            }
            Some(Outcome::Unfinished) => {
                let n = history.n_unfinished(after);
                let is_out = policy().max_iterations.is_some_and(|max| n >= max);
                if is_out { Phase::Failed } else { Phase::Open }
            }
            Some(Outcome::Limited) => {
                let ended = history.ending.as_ref().map_or(self.now.wall, |ending| ending.ended);
                let limit = history.limit(after);
                let whole = limit.map(|limit| retry::limit_wait(limit, ended, history.n_alike));
                self.wait(history, whole.unwrap_or_default(), wait)
            }
            // A worker that waits for an open gate must not be started over and over.
            Some(Outcome::Blocked) if history.n_alike > 1 => {
                let base = policy().backoff.max(BACKOFF_DEFAULT);
                self.wait(history, retry::backoff(base, history.n_alike - 1, &attempt()), wait)
            }
            // Its file is gone or could not be read, so it cannot say that the task is cancelled.
            Some(Outcome::Cancelled) if self.outside.is_cancelled(&attempt()) => Phase::Cancelled,
            Some(Outcome::NotStarted) => wait.map_or(Phase::Open, |until| self.wait_until(until)),
            Some(
                Outcome::Blocked
                | Outcome::Cancelled
                | Outcome::Interrupted
                | Outcome::Unlanded
                | Outcome::OverBudget,
            )
            | None => Phase::Open,
        }
    }

    fn phase_after_success(&self, task: TaskIndex) -> Phase {
        let runs_again = self.plan.config().on_change == OnChange::Rerun && self.is_outdated(task);
        if runs_again { Phase::Open } else { Phase::Done }
    }

    /// Returns the phase of a task that waits `whole` from the end of its last attempt on, or until
    /// the end of the wait that goes on already.
    fn wait(&self, history: &History, whole: Duration, wait: Option<Tick>) -> Phase {
        self.wait_until(wait.unwrap_or_else(|| {
            let ended = history.ending.as_ref().map_or(self.now.wall, |ending| ending.ended);
            self.now.tick.plus(whole.saturating_sub(self.now.wall.since(ended)))
        }))
    }

    fn wait_until(&self, until: Tick) -> Phase {
        if until <= self.now.tick { Phase::Open } else { Phase::BackingOff { until } }
    }

    /// Says whether the files of a task changed since its last attempt ended.
    fn is_outdated(&self, task: TaskIndex) -> bool {
        let now = self.plan.digests(task);
        let history = self.histories.get(self.plan.id(task));
        history.is_some_and(|history| history.is_outdated(&now))
    }

    /// Returns the done tasks that `plan` makes stale, and whether each runs again for it.
    pub fn made_stale_by(&self, plan: &Plan) -> Vec<(TaskId, bool)> {
        let mut found = Vec::new();
        for task in plan.edited_since(&self.plan) {
            let id = plan.id(task);
            let Some(old) = self.plan.find(id.as_str()) else { continue };
            let Some(history) = self.histories.get(id) else { continue };
            let is_done = matches!(self.phases.get(old.position()), Some(Phase::Done));
            let now = plan.digests(task);
            if is_done && history.is_stale(&now) && !self.is_stale(old) {
                let reruns = plan.config().on_change == OnChange::Rerun;
                found.push((id.clone(), reruns && history.is_outdated(&now)));
            }
        }
        found
    }

    /// Says whether the last attempt of a task was made from other files than those of now.
    pub fn is_stale(&self, task: TaskIndex) -> bool {
        let now = self.plan.digests(task);
        let history = self.histories.get(self.plan.id(task));
        history.is_some_and(|history| history.is_stale(&now))
    }

    /// Says whether a person accepted what the last attempt of a task in review left.
    ///
    /// An open `approval` gate is not enough: it may have been opened before the work began.
    fn is_accepted(&self, id: &TaskId) -> bool {
        let last = self.histories.get(id).map_or(0, |history| history.last);
        last > 0 && self.outside.accepted(id) == last
    }
}
