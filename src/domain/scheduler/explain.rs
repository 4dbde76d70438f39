//! Why a task is not running: the reasons as values, to be told in words by whoever shows them.

use std::time::Duration;

use super::{
    Phase, Scheduler,
    budget::{Figure, Scope},
    phase::{Stage, TaskState},
};
use crate::domain::{
    model::{
        attempt::{Outcome, ReviewKind},
        id::{AttemptId, GateName, RoleName, TaskId},
        outside::GateState,
        sandbox::Lack,
        task::AuthorStatus,
        time::{Tick, Timestamp},
    },
    plan::{Fault, TaskIndex},
};

/// One reason for the state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The plan has an error at this task.
    Fault(Fault),
    /// The author's word keeps it back, or has settled it.
    Author(AuthorStatus),
    /// It runs.
    Runs {
        /// Which attempt.
        attempt: AttemptId,
        /// Whether it is being stopped.
        is_stopping: bool,
    },
    /// An attempt settled it.
    Settled {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        outcome: Outcome,
        /// What a person is asked for.
        review: Option<ReviewKind>,
        /// Why, in words.
        reason: String,
    },
    /// It depends on a task that is not done.
    Dependency {
        /// The task.
        id: TaskId,
        /// Where that is.
        state: TaskState,
    },
    /// Tasks of a lower level have not ended.
    Level {
        /// The lower level.
        level: u32,
        /// Its tasks that have not ended, with their state.
        open: Vec<(TaskId, TaskState)>,
    },
    /// The gate after a lower level is not open.
    LevelGate {
        /// The lower level.
        level: u32,
        /// Whether it was run and failed.
        has_failed: bool,
    },
    /// A person has not approved what would be started for it, or its gate.
    Unapproved {
        /// The lower level whose gate that is; `None` for the task itself.
        gate: Option<u32>,
        /// Why, as a phrase.
        why: String,
    },
    /// It waits for something outside.
    Gate {
        /// What for.
        gate: GateName,
        /// Whether that failed.
        has_failed: bool,
        /// Whether its last worker asked for it, and its file does not.
        is_asked: bool,
    },
    /// It waits for its next attempt.
    BackOff {
        /// How much longer.
        remaining: Duration,
        /// How many attempts failed.
        n_failed: u32,
        /// How many may.
        max_attempts: u32,
        /// How the last one ended.
        outcome: Outcome,
        /// What went wrong last.
        reason: String,
    },
    /// A budget is spent.
    OverBudget {
        /// Whose.
        scope: Scope,
        /// The milestone, where it is that of one.
        milestone: Option<String>,
        /// The figures, in words.
        words: String,
    },
    /// The limit of its provider is reached.
    Limited {
        /// Whose limit.
        provider: String,
        /// Until when.
        until: Timestamp,
    },
    /// Many workers died at once, so nothing is started for a while.
    Breaker {
        /// How many died.
        n_crashes: u32,
        /// How much longer.
        remaining: Duration,
    },
    /// The machine is short of something, so nothing is started for a while.
    Short {
        /// Of what, in words.
        cause: String,
        /// How long until the next try.
        remaining: Duration,
    },
    /// Another coordinator has claimed it.
    Claimed {
        /// Who, in words.
        by: String,
    },
    /// It is to run in a sandbox, and there is none.
    NoSandbox(Lack),
    /// Nobody says what is to be started for it.
    NoCommand,
    /// All workers are busy.
    AllWorkersBusy {
        /// How many there are.
        max_workers: u32,
    },
    /// All workers of its role are busy.
    RoleBusy {
        /// The role.
        role: RoleName,
        /// How many there may be.
        max_workers: u32,
    },
    /// Another task of its workstream runs.
    WorkstreamBusy {
        /// The workstream.
        workstream: String,
        /// The task that runs.
        id: TaskId,
    },
    /// A running task may touch the same files.
    FilesBusy {
        /// The task that runs.
        id: TaskId,
    },
    /// Nothing is in the way.
    Free,
}

impl Scheduler {
    /// Returns every reason why `task` is in its state, the weightiest first. `states` are those
    /// of [`Scheduler::states`].
    pub fn explain(&self, task: TaskIndex, states: &[TaskState]) -> Vec<Reason> {
        let spec = self.plan.spec(task);
        match self.phases.get(task.position()) {
            Some(Phase::Running(live)) => {
                let is_stopping = matches!(live.stage, Stage::Stopping { .. });
                vec![Reason::Runs { attempt: live.assignment.attempt.clone(), is_stopping }]
            }
            Some(Phase::BackingOff { until }) => self.explain_back_off(task, *until),
            Some(Phase::Done | Phase::Cancelled)
                if matches!(spec.status.value, AuthorStatus::Done | AuthorStatus::Cancelled) =>
            {
                vec![Reason::Author(spec.status.value)]
            }
            Some(Phase::Done | Phase::Review | Phase::Failed | Phase::Cancelled) => {
                self.explain_settled(task)
            }
            Some(Phase::OverBudget) => self
                .own_budget_spent(task)
                .map(|figure| self.over_budget(task, Scope::Task, figure))
                .into_iter()
                .chain(self.explain_settled(task))
                .collect(),
            Some(Phase::Open) | None => self.explain_open(task, states),
        }
    }

    fn explain_back_off(&self, task: TaskIndex, until: Tick) -> Vec<Reason> {
        let id = self.plan.id(task);
        let history = self.histories.get(id);
        let after = self.retried_after(id);
        let ending = history.and_then(|history| history.ending.as_ref());
        if let Some(limit) = history.and_then(|history| history.limit(after)) {
            let until = self.now.wall.plus(until.0.saturating_sub(self.now.tick.0));
            return vec![Reason::Limited { provider: limit.provider.clone(), until }];
        }
        let outcome = ending.map_or(Outcome::Failed, |ending| ending.outcome);
        let policy = self.plan.policy(task);
        let (n_failed, max_attempts) = if outcome == Outcome::Crashed {
            (history.map_or(0, |history| history.n_crashed(after)), policy.max_crashes)
        } else {
            (history.map_or(0, |history| history.n_failed(after)), policy.max_attempts)
        };
        vec![Reason::BackOff {
            remaining: until.0.saturating_sub(self.now.tick.0),
            n_failed,
            max_attempts,
            outcome,
            reason: ending.map(|ending| ending.reason.clone()).unwrap_or_default(),
        }]
    }

    fn explain_settled(&self, task: TaskIndex) -> Vec<Reason> {
        let id = self.plan.id(task);
        let Some(history) = self.histories.get(id) else { return Vec::new() };
        let Some(ending) = &history.ending else { return Vec::new() };
        vec![Reason::Settled {
            attempt: AttemptId::new(id.clone(), history.last),
            outcome: ending.outcome,
            review: ending.review,
            reason: ending.reason.clone(),
        }]
    }

    fn explain_open(&self, task: TaskIndex, states: &[TaskState]) -> Vec<Reason> {
        let spec = self.plan.spec(task);
        let state_of =
            |task: TaskIndex| states.get(task.position()).copied().unwrap_or(TaskState::Waiting);
        let mut reasons = Vec::new();
        reasons.extend(self.plan.fault(task).cloned().map(Reason::Fault));
        if spec.status.value != AuthorStatus::Todo {
            reasons.push(Reason::Author(spec.status.value));
        }
        for &dependency in self.plan.dependencies(task) {
            if state_of(dependency) != TaskState::Done {
                let id = self.plan.id(dependency).clone();
                reasons.push(Reason::Dependency { id, state: state_of(dependency) });
            }
        }
        let level = spec.level.as_ref().map(|level| level.value);
        if let Some(current) = self.levels.current().filter(|_| !self.levels.is_open(level)) {
            let open: Vec<_> = self
                .levels
                .tasks(current)
                .iter()
                .filter(|task| !state_of(**task).is_settled())
                .map(|task| (self.plan.id(*task).clone(), state_of(*task)))
                .collect();
            let unapproved = self.unapproved_gate(current).filter(|_| open.is_empty());
            reasons.push(if let Some(why) = unapproved {
                Reason::Unapproved { gate: Some(current), why: why.to_owned() }
            } else if open.is_empty() {
                Reason::LevelGate { level: current, has_failed: self.gate_failed(current) }
            } else {
                Reason::Level { level: current, open }
            });
        }
        for gate in self.gates(task) {
            let state = self.outside.gate(gate, &spec.id.value);
            if state != GateState::Open {
                let has_failed = state == GateState::Failed;
                let is_asked = spec.waits_for.iter().all(|named| named.value != *gate);
                reasons.push(Reason::Gate { gate: gate.clone(), has_failed, is_asked });
            }
        }
        let why = self.unapproved(task).map(str::to_owned);
        reasons.extend(why.map(|why| Reason::Unapproved { gate: None, why }));
        if reasons.is_empty() {
            reasons = self.explain_limits(task);
        }
        reasons
    }

    fn over_budget(&self, task: TaskIndex, scope: Scope, figure: Figure) -> Reason {
        let milestone = self.plan.spec(task).milestone.clone();
        let milestone = milestone.filter(|_| scope == Scope::Milestone);
        Reason::OverBudget { scope, milestone, words: figure.words() }
    }

    /// Returns what keeps all tasks, or all of a milestone or provider, from being started.
    fn explain_pauses(&self, task: TaskIndex) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if let Some((scope, figure)) = self.shared_budget_spent(task) {
            reasons.push(self.over_budget(task, scope, figure));
        }
        if let Some(provider) = self.plan.provider(task)
            && let Some(limit) = self.limit_of(&provider)
        {
            let until = limit.until_wall;
            reasons.push(Reason::Limited { provider: provider.into_owned(), until });
        }
        if let Some(open) = self.open_breaker() {
            let remaining = open.until.0.saturating_sub(self.now.tick.0);
            reasons.push(Reason::Breaker { n_crashes: open.n_crashes, remaining });
        }
        if let Some(wait) = self.shortage_wait() {
            let remaining = wait.until.0.saturating_sub(self.now.tick.0);
            reasons.push(Reason::Short { cause: wait.cause.clone(), remaining });
        }
        reasons
    }

    fn explain_limits(&self, task: TaskIndex) -> Vec<Reason> {
        let mut reasons = self.explain_pauses(task);
        reasons.extend(self.claimed_by(task).map(|by| Reason::Claimed { by: by.to_owned() }));
        reasons.extend(self.lacks_sandbox(task).cloned().map(Reason::NoSandbox));
        if !self.plan.has_command(task) {
            reasons.push(Reason::NoCommand);
        }
        let max_workers = self.plan.config().max_workers;
        if self.running.len() >= max_workers as usize {
            reasons.push(Reason::AllWorkersBusy { max_workers });
        }
        if let Some(role) = self.plan.role(task)
            && let Some(max_workers) = role.max_workers
            && self.in_role.get(&role.name).copied().unwrap_or(0) >= max_workers
        {
            reasons.push(Reason::RoleBusy { role: role.name.clone(), max_workers });
        }
        if let Some(workstream) = &self.plan.spec(task).workstream
            && let Some(&busy) = self.in_workstream.get(workstream)
        {
            let id = self.plan.id(busy).clone();
            reasons.push(Reason::WorkstreamBusy { workstream: workstream.clone(), id });
        }
        if let Some(busy) = self.file_conflict(task) {
            reasons.push(Reason::FilesBusy { id: self.plan.id(busy).clone() });
        }
        if reasons.is_empty() {
            reasons.push(Reason::Free);
        }
        reasons
    }
}
