//! Budgets: what a task, the tasks of a milestone and a run may use up, and what follows when it is
//! spent.
//!
//! What counts is what ended attempts have on record, and what running ones said so far.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Scheduler,
    effect::{Effect, Force, Notice},
    history::Spent,
    phase::{Live, Phase, Stage, StopReason},
};
use crate::domain::{
    model::{
        task::Budget,
        time::{Tick, render_duration},
    },
    plan::TaskIndex,
};

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of one task.
    Task,
    /// Of all tasks of a milestone.
    Milestone,
    /// Of the run.
    Run,
}

impl Scope {
    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Milestone => "milestone",
            Self::Run => "run",
        }
    }
}

/// The part of a budget that is spent, with its figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Tokens: used, and allowed.
    Tokens(u64, u64),
    /// Money in US dollars: used, and allowed.
    Money(f64, f64),
    /// Time: used, and allowed.
    Time(Duration, Duration),
    /// Attempts: used, and allowed.
    Attempts(u32, u32),
}

impl Figure {
    /// Says it in words: "210000 of 200000 tokens".
    pub fn words(self) -> String {
        match self {
            Self::Tokens(used, limit) => format!("{used} of {limit} tokens"),
            Self::Money(used, limit) => format!("${used:.2} of ${limit:.2}"),
            Self::Time(used, limit) => {
                format!("{} of {}", render_duration(used), render_duration(limit))
            }
            Self::Attempts(used, limit) => format!("{used} of {limit} attempts"),
        }
    }
}

impl Budget {
    /// Returns the part that work has used up by going on, in the order of the keys.
    pub(super) fn spent(&self, spent: &Spent) -> Option<Figure> {
        let used = spent.usage.tokens();
        let tokens = self.tokens.filter(|limit| used >= *limit && used > 0);
        let cost = spent.usage.cost_usd;
        let money = self.cost_usd.filter(|limit| cost >= *limit && cost > 0.0);
        let time = self.time.filter(|limit| spent.time >= *limit && !spent.time.is_zero());
        tokens
            .map(|limit| Figure::Tokens(used, limit))
            .or_else(|| money.map(|limit| Figure::Money(cost, limit)))
            .or_else(|| time.map(|limit| Figure::Time(spent.time, limit)))
    }

    /// As [`Self::spent`], and attempts: what must not be so for another one to start.
    pub(super) fn spent_for_start(&self, spent: &Spent) -> Option<Figure> {
        let attempts = self.attempts.filter(|limit| spent.attempts >= *limit);
        let attempts = attempts.map(|limit| Figure::Attempts(spent.attempts, limit));
        self.spent(spent).or(attempts)
    }
}

/// What milestones and the run have used.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// By ended attempts of this run.
    run: Spent,
    /// When the run began, or a person let it go on.
    run_began: Tick,
    /// By ended attempts of the milestones that have a budget.
    milestones: BTreeMap<String, Spent>,
    /// What milestones had used when a person let them go on.
    granted: BTreeMap<String, Spent>,
    /// The milestones that are over their budget.
    over: BTreeMap<String, Figure>,
    /// Set where the run is over its budget.
    run_over: Option<Figure>,
    /// Whose budgets were told to be spent.
    told: BTreeSet<(bool, String)>,
    /// Whether time is only assumed to pass, as in a forecast: then nothing is spent.
    pub(super) is_assumed: bool,
}

impl Ledger {
    pub(super) fn new(now: Tick) -> Self {
        Self { run_began: now, ..Self::default() }
    }
}

impl Live {
    /// Returns what it used so far, by the larger of both accounts.
    pub fn usage(&self) -> crate::domain::model::attempt::Usage {
        let end = self.end.as_ref().map(|end| end.usage);
        let report = self.report.as_ref().map(|report| report.usage);
        [end, report].into_iter().flatten().fold(self.seen, |most, usage| most.max(&usage))
    }

    fn spent(&self, now: Tick) -> Spent {
        let ended = self.end.as_ref().and_then(|end| end.ended).map(|ended| ended.tick);
        let ended = ended.or(self.over).unwrap_or(now);
        let time = ended.min(now).0.saturating_sub(self.started.tick.0);
        Spent { usage: self.usage(), time, attempts: 1 }
    }

    fn is_stopping(&self) -> bool {
        matches!(self.stage, Stage::Stopping { .. })
    }
}

impl Scheduler {
    /// Returns the part of its own budget that a task has spent, where no attempt of it runs.
    pub(super) fn own_budget_spent(&self, task: TaskIndex) -> Option<Figure> {
        let budget = self.plan.spec(task).budget.or(self.plan.config().budget);
        if budget.is_empty() {
            return None;
        }
        let id = self.plan.id(task);
        let after = self.retried_after(id);
        budget.spent_for_start(&self.histories.get(id)?.spent_since_done(after))
    }

    /// Returns the budget of others that keeps a task from being started.
    pub fn shared_budget_spent(&self, task: TaskIndex) -> Option<(Scope, Figure)> {
        let milestone = self.plan.spec(task).milestone.as_ref();
        let milestone = milestone.and_then(|name| self.ledger.over.get(name));
        let run = self.ledger.run_over.map(|figure| (Scope::Run, figure));
        run.or(milestone.map(|figure| (Scope::Milestone, *figure)))
    }

    /// Says whether the budget of the run is spent.
    pub fn is_run_spent(&self) -> bool {
        self.ledger.run_over.is_some()
    }

    /// Says whether the budget of a milestone is spent.
    pub(super) fn is_milestone_spent(&self, name: &str) -> bool {
        self.ledger.over.contains_key(name)
    }

    /// Says whether the sums of any milestone are kept.
    pub(super) fn has_ledger(&self) -> bool {
        !self.ledger.milestones.is_empty()
    }

    /// Plays on with assumed times: budgets stay as they are, and silence says nothing.
    pub(super) fn assume(&mut self) {
        self.ledger.is_assumed = true;
        for task in self.running.clone() {
            self.change_live(task, |live| live.pulse = None);
        }
    }

    /// Adds up what the milestones used, from the records.
    pub(super) fn open_ledger(&mut self) {
        self.ledger.milestones.clear();
        for (name, milestone) in &self.plan.config().milestones {
            if !milestone.budget.is_empty() {
                self.ledger.milestones.insert(name.clone(), Spent::default());
            }
        }
        if !self.ledger.milestones.is_empty() {
            for spec in self.plan.specs() {
                let sum = spec.milestone.as_ref().map(|name| self.ledger.milestones.get_mut(name));
                let history = self.histories.get(&spec.id.value);
                if let Some((sum, history)) = sum.flatten().zip(history) {
                    let after = self.outside.retried_after(&spec.id.value, history.last);
                    *sum = sum.plus(&history.spent(after));
                }
            }
        }
        self.weigh();
    }

    /// Adds what an ended attempt used.
    pub(super) fn book(&mut self, live: &Live, ended: Tick) {
        let spent = live.spent(ended);
        self.ledger.run = self.ledger.run.plus(&spent);
        let milestone = live.assignment.spec.milestone.as_ref();
        if let Some(sum) = milestone.and_then(|name| self.ledger.milestones.get_mut(name)) {
            *sum = sum.plus(&spent);
        }
    }

    /// Lets the run and all milestones go on: what they used up to now no longer counts.
    pub(super) fn grant_budgets(&mut self) {
        if self.ledger.run_over.is_some() {
            self.ledger.run = Spent::default();
            self.ledger.run_began = self.now.tick;
        }
        let over: Vec<String> = self.ledger.over.keys().cloned().collect();
        for name in over {
            let used = self.milestone_used(&name);
            self.ledger.granted.insert(name, used);
        }
        self.weigh();
    }

    /// Finds out which budgets are spent.
    pub(super) fn weigh(&mut self) {
        if self.ledger.is_assumed {
            return;
        }
        let run_budget = self.plan.config().run_budget;
        self.ledger.run_over = (!run_budget.is_empty())
            .then(|| run_budget.spent_for_start(&self.run_spent()))
            .flatten();
        let mut over = BTreeMap::new();
        for name in self.ledger.milestones.keys() {
            let budget = self.milestone_budget(name);
            let figure = budget.spent_for_start(&self.milestone_spent(name));
            over.extend(figure.map(|figure| (name.clone(), figure)));
        }
        self.ledger.over = over;
    }

    /// Stops the workers whose budgets are spent, and tells it.
    pub(super) fn enforce_budgets(&mut self, effects: &mut Vec<Effect>) {
        if self.ledger.is_assumed {
            return;
        }
        self.weigh();
        let mut stops = Vec::new();
        for &task in &self.running {
            let Some(live) = self.at(task).filter(|live| !live.is_stopping()) else { continue };
            if let Some((scope, figure)) = self.breach(task, live) {
                stops.push((task, StopReason::OverBudget(scope, figure)));
            }
        }
        let is_stopping = !stops.is_empty();
        for (task, why) in stops {
            self.stop(task, why, Force::Ask, effects);
        }
        self.tell_budgets(is_stopping, effects);
    }

    /// Returns the budget that a running attempt must be stopped for.
    fn breach(&self, task: TaskIndex, live: &Live) -> Option<(Scope, Figure)> {
        let id = &live.assignment.attempt.task;
        let own = live.assignment.policy.budget;
        if !own.is_empty() {
            let after = self.retried_after(id);
            let before = self.histories.get(id).map(|history| history.spent_since_done(after));
            let spent = before.unwrap_or_default().plus(&live.spent(self.now.tick));
            if let Some(figure) = own.spent(&spent) {
                return Some((Scope::Task, figure));
            }
        }
        // A last attempt that was allowed to start may go on.
        let is_amount = |figure: &Figure| !matches!(figure, Figure::Attempts(..));
        self.shared_budget_spent(task).filter(|(_, figure)| is_amount(figure))
    }

    /// Tells of spent budgets, once, where that keeps anything from going on.
    fn tell_budgets(&mut self, is_stopping: bool, effects: &mut Vec<Effect>) {
        if self.ledger.over.is_empty() && self.ledger.run_over.is_none() {
            return self.ledger.told.clear();
        }
        let run = self.ledger.run_over.map(|figure| ((true, String::new()), figure));
        let milestones = self.ledger.over.iter().map(|(name, f)| ((false, name.clone()), *f));
        let spent: BTreeMap<(bool, String), Figure> = milestones.chain(run).collect();
        self.ledger.told.retain(|key| spent.contains_key(key));
        if !is_stopping && self.ready.n_tasks() == 0 {
            return;
        }
        for ((is_run, name), figure) in spent {
            if self.ledger.told.insert((is_run, name.clone())) {
                let milestone = (!is_run).then_some(name);
                let words = figure.words();
                let spent = Notice::BudgetSpent { task: None, milestone, words };
                effects.push(Effect::Announce(spent));
            }
        }
    }

    /// Tells that a task waits for a person, because its own budget is spent.
    pub(super) fn tell_over_budget(&self, task: TaskIndex, effects: &mut Vec<Effect>) {
        if !matches!(self.phases.get(task.position()), Some(Phase::OverBudget)) {
            return;
        }
        if let Some(figure) = self.own_budget_spent(task) {
            effects.push(Effect::Announce(Notice::BudgetSpent {
                task: Some(self.plan.id(task).clone()),
                milestone: None,
                words: figure.words(),
            }));
        }
    }

    /// Returns when the next budget of time will be spent if all goes on as it does.
    pub(super) fn next_budget_end(&self) -> Option<Tick> {
        if self.ledger.is_assumed || self.running.is_empty() {
            return None;
        }
        let running = || self.running().filter(|live| !live.is_stopping());
        let in_time = |limit: Option<Duration>, spent: Duration, n: u32| {
            let rest = limit?.checked_sub(spent).filter(|rest| !rest.is_zero())? / n.max(1);
            Some(self.now.tick.plus(rest.saturating_add(Duration::from_millis(1))))
        };
        let own = running().filter_map(|live| {
            let limit = live.assignment.policy.budget.time?;
            let id = &live.assignment.attempt.task;
            let after = self.retried_after(id);
            let before = self.histories.get(id).map(|history| history.spent_since_done(after).time);
            let spent = live.spent(self.now.tick).time.saturating_add(before.unwrap_or_default());
            in_time(Some(limit), spent, 1)
        });
        let milestones = self.ledger.milestones.keys().filter_map(|name| {
            let limit = self.milestone_budget(name).time?;
            let members =
                running().filter(|live| live.assignment.spec.milestone.as_ref() == Some(name));
            let n = u32::try_from(members.count()).unwrap_or(u32::MAX);
            (n > 0).then(|| in_time(Some(limit), self.milestone_spent(name).time, n)).flatten()
        });
        let run = in_time(self.plan.config().run_budget.time, self.run_spent().time, 1);
        own.chain(milestones).chain(run).min()
    }

    fn milestone_budget(&self, name: &str) -> Budget {
        self.plan.config().milestones.get(name).map(|known| known.budget).unwrap_or_default()
    }

    fn run_spent(&self) -> Spent {
        let running = self.running().map(|live| live.spent(self.now.tick));
        let sum = running.fold(self.ledger.run, |sum, spent| sum.plus(&spent));
        Spent { time: self.now.tick.0.saturating_sub(self.ledger.run_began.0), ..sum }
    }

    fn milestone_used(&self, name: &str) -> Spent {
        let running =
            self.running().filter(|live| live.assignment.spec.milestone.as_deref() == Some(name));
        let ended = self.ledger.milestones.get(name).copied().unwrap_or_default();
        running.map(|live| live.spent(self.now.tick)).fold(ended, |sum, spent| sum.plus(&spent))
    }

    fn milestone_spent(&self, name: &str) -> Spent {
        let used = self.milestone_used(name);
        self.ledger.granted.get(name).map_or(used, |granted| used.minus(granted))
    }
}
