//! What came about in a plan between two moments, as hooks and milestones are told of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    model::{
        hook::HookEvent,
        milestone::{Reach, Trigger},
    },
    plan::{Plan, TaskIndex},
    scheduler::{Scheduler, Verdict, phase::TaskState},
};

/// One thing that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A task came into this state: done, failed, blocked or in review.
    Task(HookEvent, TaskIndex),
    /// All tasks of a level have ended well, and its gate is open.
    LevelDone(u32),
    /// Nothing runs any more, and nothing can start by itself.
    PlanFinished,
}

/// A plan as it was when it was last looked at.
#[derive(Debug, Clone)]
pub struct Glance {
    plan: Arc<Plan>,
    states: Vec<TaskState>,
    levels_done: BTreeSet<u32>,
    is_finished: bool,
}

impl Glance {
    /// Looks at the plan as it stands.
    pub fn at(scheduler: &Scheduler) -> Self {
        let plan = Arc::clone(scheduler.plan());
        let current = scheduler.current_level();
        let levels = plan.specs().filter_map(|spec| spec.level.as_ref()).map(|level| level.value);
        Self {
            states: scheduler.states(),
            levels_done: levels
                .filter(|level| current.is_none_or(|current| *level < current))
                .collect(),
            is_finished: scheduler.verdict() == Some(Verdict::Finished),
            plan,
        }
    }

    /// Returns what came about since `before`, in the order of the tasks. A task that was not in
    /// the plan before is only noted.
    pub fn news_since(&self, before: &Self) -> Vec<Occasion> {
        let mut news = Vec::new();
        let is_same_plan = Arc::ptr_eq(&self.plan, &before.plan);
        for (task, state) in self.plan.indices().zip(&self.states) {
            let Some(event) = hook_of(*state) else { continue };
            let old = match is_same_plan {
                true => Some(task),
                false => before.plan.find(self.plan.id(task).as_str()),
            };
            let old = old.and_then(|old| before.states.get(old.position()));
            if old.is_some_and(|old| old != state) {
                news.push(Occasion::Task(event, task));
            }
        }
        let levels = self.levels_done.difference(&before.levels_done);
        news.extend(levels.map(|level| Occasion::LevelDone(*level)));
        if self.is_finished && !before.is_finished {
            news.push(Occasion::PlanFinished);
        }
        news
    }

    /// Returns how far every milestone has come that a task names.
    pub fn reaches(&self) -> BTreeMap<&str, Reach> {
        let mut reaches: BTreeMap<&str, Reach> = BTreeMap::new();
        for (task, state) in self.plan.indices().zip(&self.states) {
            let Some(name) = self.plan.spec(task).milestone.as_deref() else { continue };
            let reach = reaches.entry(name).or_default();
            reach.n_tasks += usize::from(*state != TaskState::Cancelled);
            reach.n_done += usize::from(*state == TaskState::Done);
            reach.n_failed += usize::from(*state == TaskState::Failed);
        }
        reaches
    }

    /// Returns the milestones that are reached and not in `told`, with what they were reached by.
    ///
    /// Those that the settings name with a trigger, or with something to run, are looked at; with
    /// a hook for all milestones, those that only tasks name as well.
    pub fn reached(&self, told: &BTreeSet<String>) -> Vec<(String, Trigger, Reach)> {
        let config = self.plan.config();
        let is_each_told = config.hooks.contains_key(&HookEvent::Milestone);
        let trigger = |name: &str| {
            let spec = config.milestones.get(name);
            let set = spec.and_then(|spec| spec.trigger);
            let has_run = spec.is_some_and(|spec| !spec.hook.run.is_empty());
            set.or_else(|| (is_each_told || has_run).then(Trigger::default))
        };
        let reaches = self.reaches().into_iter().filter(|(name, _)| !told.contains(*name));
        let due = reaches.filter_map(|(name, reach)| {
            let trigger = trigger(name).filter(|trigger| trigger.holds(reach))?;
            Some((name.to_owned(), trigger, reach))
        });
        due.collect()
    }

    /// Returns how many tasks are done, and how many there are, cancelled ones left out.
    pub fn n_done(&self) -> (usize, usize) {
        let count = |wanted| self.states.iter().filter(|state| **state == wanted).count();
        (count(TaskState::Done), self.states.len() - count(TaskState::Cancelled))
    }

    /// Returns the state of every task, by index.
    pub fn states(&self) -> &[TaskState] {
        &self.states
    }
}

/// Returns the hook for tasks that come into a state.
fn hook_of(state: TaskState) -> Option<HookEvent> {
    match state {
        TaskState::Done => Some(HookEvent::Done),
        TaskState::Failed => Some(HookEvent::Failed),
        TaskState::Blocked => Some(HookEvent::Blocked),
        TaskState::Review => Some(HookEvent::Review),
        TaskState::Running
        | TaskState::Verifying
        | TaskState::Landing
        | TaskState::Ready
        | TaskState::BackingOff
        | TaskState::Waiting
        | TaskState::Hold
        | TaskState::Draft
        | TaskState::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{
        format::{config_file, task_file},
        model::{
            attempt::{Exit, WorkerEnd},
            id::{AttemptId, TaskId},
            time::{Now, Tick, Timestamp},
        },
        plan,
        scheduler::{
            event::{Event, StopMode},
            history::Recorded,
        },
    };

    fn plan_of(tasks: &[(&str, &str)], config: &str) -> Arc<Plan> {
        let tasks = tasks.iter().map(|(id, keys)| {
            let text = format!("---\n{keys}\nworker: {{command: x}}\n---\n");
            let path = format!(".orch/tasks/{id}.md");
            let file = task_file::parse(&path, text.as_bytes(), task_file::Reading::Whole);
            Arc::new(file.spec.unwrap())
        });
        let config = config_file::parse(".orch/config.yaml", config.as_bytes()).0;
        Arc::new(plan::build(tasks.collect(), std::iter::empty(), config))
    }

    fn now() -> Now {
        let wall = Timestamp::parse("2026-11-20T10:15:00Z").unwrap();
        Now { tick: Tick(Duration::ZERO), wall }
    }

    /// Says in words what a plan comes to when the workers of these tasks end with these codes,
    /// one after the other.
    fn told(tasks: &[(&str, &str)], config: &str, ends: &[(&str, i32)]) -> Vec<String> {
        let mut scheduler = Scheduler::recover(plan_of(tasks, config), Recorded::default(), now());
        scheduler.step(now(), Event::TimePassed);
        let mut glance = Glance::at(&scheduler);
        let mut reached = BTreeSet::new();
        let mut told = Vec::new();
        for (id, code) in ends {
            let attempt = AttemptId::new(TaskId::parse(id).unwrap(), 1);
            let end = Box::new(WorkerEnd { has_signal: true, ..WorkerEnd::of(Exit::Code(*code)) });
            scheduler.step(now(), Event::WorkerExited { attempt, end });
            let next = Glance::at(&scheduler);
            let words: Vec<String> = next
                .news_since(&glance)
                .into_iter()
                .map(|occasion| match occasion {
                    Occasion::Task(event, task) => {
                        format!("{} {}", event.as_str(), scheduler.plan().id(task))
                    }
                    Occasion::LevelDone(level) => format!("level {level}"),
                    Occasion::PlanFinished => "finished".to_owned(),
                })
                .chain(next.reached(&reached).into_iter().map(|(name, trigger, reach)| {
                    reached.insert(name.clone());
                    format!("{name} by {trigger} {}/{}", reach.n_done, reach.n_tasks)
                }))
                .collect();
            told.push(words.join(", "));
            glance = next;
        }
        told
    }

    const ONE_TRY: &str = "retry: {max_attempts: 1}\n";

    #[test]
    fn tasks_levels_and_the_plan_come_to_their_end() {
        let tasks = [
            ("a", "level: 1"),
            ("b", "level: 1\ndepends_on: [a]"),
            ("c", "level: 2\ncompletion: {review: true}"),
            ("d", "depends_on: [e]"),
            ("e", ""),
        ];
        let ends = [("e", 1), ("a", 0), ("b", 0), ("c", 0)];
        let expected = ["blocked d, failed e", "done a", "done b, level 1", "review c, finished"];
        assert_eq!(told(&tasks, ONE_TRY, &ends), expected);
    }

    #[test]
    fn milestones_are_reached_once() {
        let tasks = [
            ("a", "milestone: m"),
            ("b", "milestone: m"),
            ("c", "milestone: m"),
            ("d", "milestone: other\nstatus: cancelled"),
            ("e", "milestone: other"),
        ];
        let ends = [("a", 0), ("b", 1), ("c", 0), ("e", 0)];
        let of = |settings: &str| told(&tasks, &format!("{ONE_TRY}{settings}"), &ends).join(" | ");
        let table = [
            ("", "done a | failed b | done c | done e, finished"),
            (
                "milestones: {m: {trigger: {percent: 60}}}",
                "done a | failed b | done c, m by 60% 2/3 | done e, finished",
            ),
            (
                "milestones: {m: {trigger: first-failure}, other: {run: x}}",
                "done a | failed b, m by first-failure 1/3 | done c | done e, finished, other by all 1/1",
            ),
            (
                "hooks: {milestone: x}\nmilestones: {m: {}}",
                "done a | failed b | done c | done e, finished, other by all 1/1",
            ),
        ];
        for (settings, expected) in table {
            assert_eq!(of(settings), expected, "{settings}");
        }
    }

    #[test]
    fn a_changed_plan_tells_only_of_tasks_that_were_there() {
        let before = plan_of(&[("a", ""), ("b", "")], "");
        let after = plan_of(&[("a", "status: done"), ("b", ""), ("c", "status: done")], "");
        let mut scheduler = Scheduler::recover(before, Recorded::default(), now());
        let first = Glance::at(&scheduler);
        let outside = scheduler.outside().clone();
        scheduler.step(now(), Event::PlanChanged { plan: after, outside });
        let second = Glance::at(&scheduler);
        let a = scheduler.plan().find("a").unwrap();
        assert_eq!(second.news_since(&first), [Occasion::Task(HookEvent::Done, a)]);
        scheduler.step(now(), Event::StopAsked(StopMode::Polite));
        assert_eq!(Glance::at(&scheduler).news_since(&second), []);
    }
}
