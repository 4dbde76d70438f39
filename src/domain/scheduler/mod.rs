//! What happens next: one event in, effects out. No clock, no files, no processes, no chance.
//!
//! The caller carries the effects out in their order, each record being on disk before the next
//! effect. After a crash between any two of them, [`Scheduler::recover`] goes on from what is on
//! disk.

pub mod approval;
mod breaker;
pub mod budget;
pub mod claims;
#[cfg(test)]
mod clock_jumps;
mod dispatch;
pub mod effect;
mod ending;
pub mod event;
pub mod explain;
pub mod history;
mod invariants;
mod judgement;
mod landing;
mod levels;
pub mod phase;
mod provider;
pub mod pulse;
mod queue;
mod rebuild;
mod replan;
mod retry;
mod running;
mod sandbox;
mod shortage;
mod states;
mod stopping;
#[cfg(test)]
mod tests;
mod transition;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use approval::Unapproved;
use breaker::Breaker;
use budget::Ledger;
use claims::Claims;
use effect::{Effect, Force, Notice};
use event::{Event, Hold, StopMode};
use history::{History, Recorded, Taken};
use landing::{Queue, Worktrees};
use levels::Levels;
use phase::{Course, Live, Phase};
use provider::ProviderLimit;
use queue::{Lane, ReadyQueue};
use shortage::Shortage;

use super::{
    model::{
        attempt::Outcome,
        id::{AttemptId, RoleName, TaskId},
        outside::OutsideFacts,
        sandbox::Lack,
        time::{Now, Tick},
    },
    plan::{Plan, TaskIndex},
};

/// Decides which task starts when, and what an ended attempt means.
#[derive(Debug, Clone)]
pub struct Scheduler {
    plan: Arc<Plan>,
    outside: OutsideFacts,
    histories: BTreeMap<TaskId, History>,
    /// The phase of each task, by index. Changed only by [`Self::set_phase`].
    phases: Vec<Phase>,
    /// Number of dependencies of each task that are not done.
    missing: Vec<u32>,
    ready: ReadyQueue,
    running: BTreeSet<TaskIndex>,
    /// Workers of each role that has a limit, and of each workstream.
    in_role: BTreeMap<RoleName, u32>,
    in_workstream: BTreeMap<String, TaskIndex>,
    deadlines: BTreeSet<(Tick, TaskIndex)>,
    levels: Levels,
    /// Attempts that an earlier coordinator left without an ending, and what became of them: to be
    /// settled first.
    lost: Vec<(AttemptId, Outcome, String)>,
    course: Course,
    /// Whether nothing happened yet.
    is_new: bool,
    /// Tasks that left the plan and stay in it until their attempts have ended.
    leaving: BTreeSet<TaskId>,
    /// Tasks that were renamed while an attempt ran, with the id that they had then.
    heirs: BTreeMap<TaskId, TaskId>,
    /// What keeps tasks from being started.
    holds: BTreeSet<Hold>,
    breaker: Breaker,
    shortage: Shortage,
    /// Limits that were reached, by provider.
    limits: BTreeMap<String, ProviderLimit>,
    ledger: Ledger,
    claims: Claims,
    unapproved: Unapproved,
    worktrees: Worktrees,
    /// Why no task can run in a sandbox, where none can.
    no_sandbox: Option<Lack>,
    /// Whose work lands next.
    landings: Queue,
    /// Tasks that were asked for, and of which it is not known yet whose they are.
    asked: BTreeSet<TaskId>,
    /// The present of the event that is being handled.
    now: Now,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing runs, and nothing can start by itself.
    Finished,
    /// It was asked to stop, and everything has ended.
    Stopped,
}

impl Scheduler {
    /// Starts from the plan and from what an earlier run wrote down.
    pub fn recover(plan: Arc<Plan>, recorded: Recorded, now: Now) -> Self {
        let Recorded { histories, gates, outside, is_live, running, mut causes, .. } = recorded;
        let Recorded { unstarted, deaths, claims, of_others, has_worktrees, .. } = recorded;
        let Recorded { unapproved, no_sandbox, .. } = recorded;
        let (mut live, mut lost) = (Vec::new(), Vec::new());
        for (id, history) in &histories {
            let Some(attempt) = history.unsettled(id) else { continue };
            let is_known = plan.find(id.as_str()).is_some();
            match running.get(&attempt) {
                Some(started) if is_known => live.push((attempt, *started)),
                _ if of_others.contains(&attempt) => {}
                None if is_live => live.push((attempt, Taken::running(history.started(now)))),
                Some(_) | None => {
                    let cause = causes.remove(&attempt);
                    let cause =
                        cause.unwrap_or_else(|| "the coordinator ended while it ran".to_owned());
                    let is_started = !unstarted.contains(&attempt);
                    let outcome = if is_started { Outcome::Lost } else { Outcome::NotStarted };
                    lost.push((attempt, outcome, cause));
                }
            }
        }
        let breaker = match is_live {
            true => Breaker::of_records(deaths, plan.config().breaker, now),
            false => Breaker::new(now.tick),
        };
        let mut scheduler = Self {
            levels: Levels::new(gates),
            plan,
            outside,
            histories,
            phases: Vec::new(),
            missing: Vec::new(),
            ready: ReadyQueue::default(),
            running: BTreeSet::new(),
            in_role: BTreeMap::new(),
            in_workstream: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            lost,
            course: Course::Running,
            is_new: true,
            leaving: BTreeSet::new(),
            heirs: BTreeMap::new(),
            holds: BTreeSet::new(),
            breaker,
            shortage: Shortage::default(),
            limits: BTreeMap::new(),
            ledger: Ledger::new(now.tick),
            claims,
            unapproved,
            worktrees: if has_worktrees { Worktrees::Here } else { Worktrees::None },
            no_sandbox,
            landings: Queue::default(),
            asked: BTreeSet::new(),
            now,
        };
        scheduler.build(BTreeMap::new(), &BTreeMap::new());
        scheduler.recall_limits();
        scheduler.adopt(live);
        scheduler
    }

    /// Takes one event in and returns the effects it calls for, in the order to carry them out.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        self.now = now;
        let mut effects = Vec::new();
        self.settle_lost(&mut effects);
        if std::mem::take(&mut self.is_new) {
            // What runs was perhaps cancelled while no coordinator was there.
            self.stop_cancelled(&mut effects);
        }
        match event {
            Event::TimePassed => {}
            Event::WorkerNotStarted { attempt, cause, is_passing } => {
                self.worker_not_started(&attempt, cause, is_passing, &mut effects);
            }
            Event::WorktreeReady { attempt } => self.worktree_ready(&attempt, &mut effects),
            Event::Merged { attempt, answer } => self.merged(&attempt, answer, &mut effects),
            Event::Combined { attempt, answer } => self.combined(&attempt, answer, &mut effects),
            Event::Landed { attempts, answer } => self.landed(&attempts, &answer, &mut effects),
            Event::WorkerStarted { attempt } => self.started_well(&attempt, &mut effects),
            Event::ShortageSeen { cause } => self.shortage_seen(cause, &mut effects),
            Event::WorkerExited { attempt, end } => {
                self.worker_exited(&attempt, &end, &mut effects);
            }
            Event::WorkerLost { attempt, cause } => {
                self.worker_lost(&attempt, cause, &mut effects);
            }
            Event::HeartbeatSeen { attempt } => self.heartbeat_seen(&attempt),
            Event::UsageSeen { attempt, usage } => self.usage_seen(&attempt, &usage),
            Event::LimitSeen { attempt, limit } => self.limit_seen(&attempt, limit, &mut effects),
            Event::StatusReported(report) => self.status_reported(report),
            Event::VerifyFinished { attempt, results } => {
                self.checks_ran(&results, &mut effects);
                self.verify_finished(&attempt, results, &mut effects);
            }
            Event::BatchVerified { attempt, results } => {
                results.iter().for_each(|(_, results)| self.checks_ran(results, &mut effects));
                self.batch_verified(&attempt, &results, &mut effects);
            }
            Event::GateFinished { level, number, results } => {
                self.checks_ran(&results, &mut effects);
                self.gate_finished(level, number, results, &mut effects);
            }
            Event::PlanChanged { plan, outside } => self.plan_changed(plan, outside, &mut effects),
            Event::Away(is_away) => self.branch_left(is_away),
            Event::SandboxSeen(fault) => self.no_sandbox = fault,
            Event::Held(hold) => {
                self.holds.insert(hold);
            }
            Event::Released(hold) => {
                self.holds.remove(&hold);
                if hold == Hold::Person {
                    self.close_breaker(&mut effects);
                    self.end_shortage(&mut effects);
                    self.grant_budgets();
                }
            }
            Event::StopAsked(mode) => self.stop_asked(mode, &mut effects),
            Event::ClaimAnswered { task, answer } => self.claim_answered(task, answer),
            Event::ClaimsFailed { cause } => self.claims_failed(cause, &mut effects),
            Event::ClaimsSeen { others } => self.claims_seen(others),
            Event::ApprovalSeen(unapproved) => self.approval_seen(unapproved),
        }
        self.enforce_budgets(&mut effects);
        self.pass_deadlines(&mut effects);
        self.pass_breaker(&mut effects);
        self.pass_shortage();
        self.advance_levels(&mut effects);
        self.advance_landings(&mut effects);
        self.dispatch(&mut effects);
        self.assert_invariants();
        effects
    }

    /// Returns the moment at which [`Event::TimePassed`] is next needed.
    pub fn next_deadline(&self) -> Option<Tick> {
        let of_tasks = self.deadlines.first().map(|(tick, _)| *tick);
        let breaker = self.breaker.open().map(|open| open.until);
        let shortage = self.shortage_wait().map(|wait| wait.until);
        let others = [breaker, shortage, self.next_limit_end(), self.next_budget_end()];
        others.into_iter().chain([of_tasks]).flatten().min()
    }

    /// Returns how the run ended, once it did.
    pub fn verdict(&self) -> Option<Verdict> {
        let is_idle =
            self.running.is_empty() && self.lost.is_empty() && !self.levels.is_gate_running();
        match self.course {
            Course::Stopping(_) if is_idle => Some(Verdict::Stopped),
            Course::Running if is_idle && self.holds.is_empty() && !self.goes_on_by_itself() => {
                Some(Verdict::Finished)
            }
            Course::Stopping(_) | Course::Running => None,
        }
    }

    /// Says whether a task will start without anybody doing anything.
    fn goes_on_by_itself(&self) -> bool {
        let is_spent =
            |lane: &Lane| lane.milestone.as_ref().is_some_and(|name| self.is_milestone_spent(name));
        let may_go_on = !self.is_run_spent();
        let may_be_ours =
            |task| self.claimed_by(task).is_none() && self.lacks_sandbox(task).is_none();
        let waits_for_slot = || self.ready.first(|lane| !is_spent(lane), may_be_ours).is_some();
        may_go_on && (!self.deadlines.is_empty() || waits_for_slot())
    }

    /// Returns the plan that is being carried out.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns what is being carried out, in the order of the tasks.
    pub fn running(&self) -> impl ExactSizeIterator<Item = &Live> {
        self.running.iter().map(|task| match self.at(*task) {
            Some(live) => live,
            None => unreachable!("a task in the list of running tasks runs"),
        })
    }

    /// Returns the attempt that is being carried out for a task.
    pub fn running_attempt(&self, task: TaskIndex) -> Option<&Live> {
        self.at(task)
    }

    /// Returns the level whose gate is being run.
    pub fn running_gate(&self) -> Option<u32> {
        self.levels.current().filter(|_| self.levels.is_gate_running())
    }

    /// Says whether anything may be started at all.
    fn may_start(&self) -> bool {
        self.course == Course::Running
            && self.holds.is_empty()
            && self.breaker.open().is_none()
            && self.shortage_allows()
            && !self.is_run_spent()
    }

    /// Says whether `hold` keeps tasks from being started.
    pub fn is_held(&self, hold: Hold) -> bool {
        self.holds.contains(&hold)
    }

    /// Says whether the run was asked to end.
    pub fn is_stopping(&self) -> bool {
        self.course != Course::Running
    }

    /// Returns a scheduler that stands where this one stands, with another plan.
    #[must_use]
    pub fn with_plan(&self, plan: Plan, now: Now) -> Self {
        let mut other = self.clone();
        other.now = now;
        other.assume();
        other.plan_changed(Arc::new(plan), self.outside.clone(), &mut Vec::new());
        other
    }

    /// Returns what is known of the attempts of a task.
    pub fn history(&self, id: &TaskId) -> Option<&History> {
        self.histories.get(id)
    }

    /// Returns the last attempt of a task that a retry set aside; 0 where there was none.
    pub fn retried_after(&self, id: &TaskId) -> u32 {
        let last = self.histories.get(id).map_or(0, |history| history.last);
        self.outside.retried_after(id, last)
    }

    /// Returns the outside facts.
    pub fn outside(&self) -> &OutsideFacts {
        &self.outside
    }

    fn stop_asked(&mut self, mode: StopMode, effects: &mut Vec<Effect>) {
        if matches!(self.course, Course::Stopping(before) if before >= mode) {
            return;
        }
        self.course = Course::Stopping(mode);
        let force = if mode == StopMode::Now { Force::Kill } else { Force::Ask };
        let n_running = self.running.len();
        effects.push(Effect::Announce(Notice::StopAsked { n_running, force }));
        self.stop_all(force, effects);
        if self.levels.is_gate_running() {
            effects.push(Effect::StopGate { force });
        }
    }
}
