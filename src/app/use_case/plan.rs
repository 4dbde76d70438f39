//! A dry run: what would be carried out now, when, and what would not.

use std::{collections::BTreeMap, time::Duration};

use super::list::ShortReasons;
use crate::{
    app::{
        standing::Standing,
        view::plan::{Durations, NotRun, PlanView, PlannedTask, Wave},
    },
    domain::{
        calibrate::{Calibration, calibrate},
        forecast::{self, Entry, Forecast},
        model::attempt::Outcome,
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// Plays the rest of the plan with `max_workers` workers (default: as configured).
pub fn plan(standing: &Standing, max_workers: Option<u32>) -> PlanView {
    let plan = standing.plan();
    let max_workers = max_workers.unwrap_or(plan.config().max_workers);
    let calibration = calibration(standing);
    let with = |n| forecast_with(standing, &calibration, n);
    let forecast = with(max_workers);
    let entries: BTreeMap<TaskIndex, Entry> =
        forecast.entries.iter().map(|entry| (entry.task, *entry)).collect();
    let critical = plan.critical_path(|task| entries.contains_key(&task));
    let lengths = critical.iter().map(|task| length_from_now(standing, &calibration, *task));
    let is_counted = |state: &&TaskState| **state != TaskState::Cancelled;
    let no_estimate = |task: &&TaskIndex| plan.spec(**task).estimate.is_none();
    PlanView {
        n_tasks: standing.states.iter().filter(is_counted).count(),
        n_done: standing.states.iter().filter(|state| **state == TaskState::Done).count(),
        n_to_run: entries.len(),
        max_workers,
        n_workers_used: forecast.entries.iter().map(|entry| entry.worker + 1).max().unwrap_or(0),
        waves: waves(standing, &forecast, &critical),
        critical_path_seconds: lengths.fold(Duration::ZERO, Duration::saturating_add).as_secs_f64(),
        critical_path: critical.iter().map(|task| plan.id(*task).to_string()).collect(),
        end_seconds: forecast.end.as_secs_f64(),
        end_seconds_one_worker: with(1).end.as_secs_f64(),
        durations: Durations {
            factor: calibration.factor,
            n_recorded: calibration.n_tasks,
            n_without_estimate: entries.keys().filter(no_estimate).count(),
        },
        not_run: not_run(standing, &entries),
    }
}

/// Compares the estimates with the attempts that succeeded.
pub(crate) fn calibration(standing: &Standing) -> Calibration {
    let plan = standing.plan();
    let succeeded = standing.snapshot.attempts.values().filter_map(|record| {
        let ending = record.ending.as_ref()?;
        let task = plan.find(record.attempt.task.as_str())?;
        let took = ending.ended.since(record.started);
        matches!(ending.outcome, Outcome::Succeeded | Outcome::Review).then_some((task, took))
    });
    calibrate(plan, succeeded)
}

/// Plays the rest of the plan with so many workers.
pub(crate) fn forecast_with(
    standing: &Standing,
    calibration: &Calibration,
    max_workers: u32,
) -> Forecast {
    let plan = standing.plan().clone().with_max_workers(max_workers);
    let scheduler = standing.scheduler.with_plan(plan, standing.now);
    let length = |task| length_from_now(standing, calibration, task);
    forecast::forecast(&scheduler, standing.now, length)
}

/// Returns how much longer a task is thought to take: all of it, or what is left where it runs.
pub(super) fn length_from_now(
    standing: &Standing,
    calibration: &Calibration,
    task: TaskIndex,
) -> Duration {
    let whole = calibration.length(standing.plan(), task);
    if !matches!(
        standing.state(task),
        TaskState::Running | TaskState::Verifying | TaskState::Landing
    ) {
        return whole;
    }
    let last = standing.snapshot.attempts_of(standing.plan().id(task)).next_back();
    let elapsed = last.map(|record| standing.now.wall.since(record.started));
    whole.saturating_sub(elapsed.unwrap_or_default())
}

fn waves(standing: &Standing, forecast: &Forecast, critical: &[TaskIndex]) -> Vec<Wave> {
    let plan = standing.plan();
    let numbers = forecast::waves(&standing.scheduler, plan, standing.now);
    let mut is_critical = vec![false; plan.n_tasks()];
    for task in critical {
        if let Some(slot) = is_critical.get_mut(task.position()) {
            *slot = true;
        }
    }
    let mut waves: BTreeMap<usize, Vec<PlannedTask>> = BTreeMap::new();
    for entry in &forecast.entries {
        let number = numbers.get(&entry.task).copied().unwrap_or(1);
        waves.entry(number).or_default().push(PlannedTask {
            id: plan.id(entry.task).to_string(),
            title: plan.spec(entry.task).title.clone(),
            state: standing.state(entry.task).as_str(),
            start_seconds: entry.start.as_secs_f64(),
            end_seconds: entry.end.as_secs_f64(),
            worker: entry.worker + 1,
            is_critical: is_critical.get(entry.task.position()).copied().unwrap_or_default(),
        });
    }
    waves.into_iter().map(|(number, tasks)| Wave { number, tasks }).collect()
}

fn not_run(standing: &Standing, entries: &BTreeMap<TaskIndex, Entry>) -> Vec<NotRun> {
    let plan = standing.plan();
    let mut reasons = ShortReasons::default();
    let is_left =
        |task: &TaskIndex| !standing.state(*task).is_settled() && !entries.contains_key(task);
    plan.indices()
        .filter(is_left)
        .map(|task| NotRun {
            id: plan.id(task).to_string(),
            title: plan.spec(task).title.clone(),
            state: standing.state(task).as_str(),
            why: reasons.of(standing, task).unwrap_or_default(),
        })
        .collect()
}
