//! A changed plan: what goes on as it is, and what is looked at anew.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Scheduler,
    effect::Effect,
    phase::{Live, Phase},
    queue::ReadyQueue,
};
use crate::domain::{
    model::{id::TaskId, outside::OutsideFacts, task::TaskSpec},
    plan::{
        Plan, TaskIndex,
        diff::{Fate, diff},
    },
};

/// With more edited tasks, everything is derived anew: that costs no more.
const EDITED_MAX: usize = 64;

impl Scheduler {
    /// Goes on with another plan and other facts. Attempts that are being carried out stay what
    /// they were when they started.
    pub(super) fn plan_changed(
        &mut self,
        plan: Arc<Plan>,
        outside: OutsideFacts,
        effects: &mut Vec<Effect>,
    ) {
        let edited = self.edited(&plan).filter(|_| outside == self.outside);
        match edited {
            Some(edited) => self.replace(plan, &edited),
            None => self.rebuild(plan, outside),
        }
        self.stop_cancelled(effects);
    }

    /// Returns the tasks whose files differ, where nothing else does; `None` where the plans
    /// differ in more than a few tasks, or in what concerns all.
    fn edited(&self, plan: &Plan) -> Option<Vec<TaskIndex>> {
        // Levels are passed one after the other, from the first.
        let is_alike = plan.n_tasks() == self.plan.n_tasks()
            && self.levels.all().next().is_none()
            && plan.config() == self.plan.config()
            // Their sums concern all.
            && !self.has_ledger()
            && plan.roles() == self.plan.roles()
            && plan.has_same_worker(&self.plan);
        if !is_alike {
            return None;
        }
        let is_edited = |task: &TaskIndex| !plan.shares_spec(*task, &self.plan);
        let edited: Vec<TaskIndex> =
            plan.indices().filter(is_edited).take(EDITED_MAX + 1).collect();
        let level = |spec: &TaskSpec| spec.level.as_ref().map(|level| level.value);
        let stays = |task: &TaskIndex| {
            plan.id(*task) == self.plan.id(*task)
                && level(plan.spec(*task)) == level(self.plan.spec(*task))
        };
        (edited.len() <= EDITED_MAX && edited.iter().all(stays)).then_some(edited)
    }

    /// Goes on with a plan that differs in the tasks `edited`: what [`Self::rebuild`] would do,
    /// in time that does not grow with the plan.
    fn replace(&mut self, plan: Arc<Plan>, edited: &[TaskIndex]) {
        let old = std::mem::replace(&mut self.plan, plan);
        let plan = Arc::clone(&self.plan);
        // The place of a task in the queue depends on what it was.
        let keeps_places = old.has_same_lengths(&plan);
        if keeps_places {
            for &task in edited {
                self.ready.remove(&old, task);
            }
        } else {
            self.ready = ReadyQueue::default();
        }
        for &task in edited {
            let is_open = |other: &&TaskIndex| {
                !matches!(self.phases.get(other.position()), Some(Phase::Done))
            };
            let n_open = plan.dependencies(task).iter().filter(is_open).count();
            if let Some(missing) = self.missing.get_mut(task.position()) {
                *missing = u32::try_from(n_open).unwrap_or(u32::MAX);
            }
        }
        for &task in edited {
            let phase = match self.phases.get(task.position()) {
                Some(Phase::Running(_)) | None => continue,
                Some(Phase::BackingOff { until }) => self.settled_phase(task, Some(*until)),
                Some(
                    Phase::Open
                    | Phase::Done
                    | Phase::Review
                    | Phase::OverBudget
                    | Phase::Failed
                    | Phase::Cancelled,
                ) => self.settled_phase(task, None),
            };
            self.set_phase(task, phase);
        }
        if keeps_places {
            edited.iter().for_each(|task| self.refresh_ready(*task));
        } else {
            plan.indices().for_each(|task| self.refresh_ready(task));
        }
    }

    /// Finds the tasks of `plan` that tasks on leave were renamed to.
    fn find_heirs(&mut self, plan: &Plan) {
        self.heirs.retain(|_, was| self.leaving.contains(was));
        if self.leaving.is_empty() {
            return;
        }
        for item in diff(&self.plan, plan).tasks {
            let Fate::Renamed { was } = item.fate else { continue };
            let was = self.leaving.iter().find(|id| id.as_str() == was).cloned();
            let heir = plan.find(&item.id).map(|task| plan.id(task).clone());
            self.heirs.extend(heir.zip(was));
        }
    }

    /// Derives everything anew but for the attempts that are being carried out and the waits that
    /// go on.
    fn rebuild(&mut self, plan: Arc<Plan>, outside: OutsideFacts) {
        let mut live: BTreeMap<TaskId, Live> = BTreeMap::new();
        let mut waits = BTreeMap::new();
        for (task, phase) in self.plan.indices().zip(std::mem::take(&mut self.phases)) {
            let id = self.plan.id(task).clone();
            match phase {
                Phase::Running(attempt) => drop(live.insert(id, *attempt)),
                Phase::BackingOff { until } => drop(waits.insert(id, until)),
                Phase::Open
                | Phase::Done
                | Phase::Review
                | Phase::OverBudget
                | Phase::Failed
                | Phase::Cancelled => {}
            }
        }
        // A task that left the plan stays until its attempt has ended.
        let kept: Vec<Arc<TaskSpec>> = live
            .values()
            .filter(|live| plan.find(live.assignment.attempt.task.as_str()).is_none())
            .map(|live| Arc::clone(&live.assignment.spec))
            .collect();
        self.leaving = kept.iter().map(|spec| spec.id.value.clone()).collect();
        self.find_heirs(&plan);
        self.plan = if kept.is_empty() { plan } else { Arc::new(plan.with_tasks(kept)) };
        self.outside = outside;
        self.drop_retried_limits();
        self.build(live, &waits);
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::domain::{
        model::{attempt::Exit, time::Now},
        scheduler::{
            event::Event,
            history::Recorded,
            tests::{at, plan},
        },
    };

    const N_TASKS: usize = 8;

    /// Returns the line of a task, which may depend on those before it.
    fn line(rng: &mut Rng, number: usize) -> String {
        let needs: Vec<String> =
            (0..number).filter(|_| rng.u8(..) < 60).map(|other| format!("t{other}")).collect();
        let needs = match needs.is_empty() {
            true => String::new(),
            false => format!("needs={}", needs.join(",")),
        };
        let pick = |rng: &mut Rng, words: &[&'static str]| *rng.choice(words).unwrap();
        let status = pick(rng, &["", "", "", "", "status=hold", "status=done", "status=cancelled"]);
        let more = pick(rng, &["", "", "", "hours=9", "role=solo", "role=none", "stream=s"]);
        let last = pick(rng, &["", "prio=90", "attempts=1", "waits=ci"]);
        format!("t{number} {needs} {status} {more} {last}")
    }

    /// Carries out a few random events.
    fn play(rng: &mut Rng, scheduler: &mut Scheduler, now: &mut u64) {
        for _ in 0..rng.u8(..8) {
            *now += u64::from(rng.u8(..8));
            let running: Vec<_> =
                scheduler.running().map(|live| live.assignment.attempt.clone()).collect();
            let event = match rng.choice(&running) {
                None => Event::TimePassed,
                Some(attempt) => {
                    Event::exited(attempt.clone(), Exit::Code(i32::from(rng.u8(..3) / 2)))
                }
            };
            scheduler.step(at(*now), event);
        }
    }

    /// Returns everything that a later decision depends on.
    fn told(scheduler: &Scheduler) -> String {
        let phases = format!("{:?} {:?}", scheduler.phases, scheduler.states());
        let queues = (&scheduler.ready, &scheduler.running, &scheduler.deadlines);
        let in_role: Vec<_> = scheduler.in_role.iter().filter(|(_, n)| **n > 0).collect();
        let busy = (in_role, &scheduler.in_workstream);
        format!("{phases}\n{:?}\n{queues:?}\n{busy:?}", scheduler.missing)
    }

    #[test]
    fn an_edited_task_is_taken_over_as_if_all_were_derived_anew() {
        let mut n_quick = 0;
        for seed in 0..400 {
            let rng = &mut Rng::with_seed(seed);
            let mut lines: Vec<String> = (0..N_TASKS).map(|number| line(rng, number)).collect();
            let first: Now = at(0);
            let start = Arc::new(plan(&lines.join("\n")));
            let mut scheduler = Scheduler::recover(start, Recorded::default(), first);
            let mut now = 1;
            for _ in 0..6 {
                play(rng, &mut scheduler, &mut now);
                let edited = rng.usize(..N_TASKS);
                lines[edited] = line(rng, edited);
                let text = &lines[edited];
                let spec = plan(text);
                let spec = spec.shared_spec(spec.indices().next().unwrap());
                let Some(next) = scheduler.plan().with_spec(spec) else {
                    panic!("one task without levels is always replaced: {text}")
                };
                let next = Arc::new(next);
                n_quick += usize::from(scheduler.edited(&next).is_some());
                let mut other = scheduler.clone();
                (scheduler.now, other.now) = (at(now), at(now));
                let facts = scheduler.outside.clone();
                scheduler.plan_changed(Arc::clone(&next), facts.clone(), &mut Vec::new());
                other.rebuild(next, facts);
                other.stop_cancelled(&mut Vec::new());
                assert_eq!(told(&scheduler), told(&other), "seed {seed}: {text}");
            }
        }
        assert!(n_quick > 2_000, "the short way was hardly taken: {n_quick}");
    }
}
