//! How the plan stands as a whole, and what needs a person.

use std::collections::BTreeMap;

use super::{at_work, explain, plan};
use crate::{
    app::{
        standing::Standing,
        view::{
            explain::Running,
            status::{
                ApprovalView, CoordinatorView, Group, LevelGroup, Need, StateCount, StatusView,
            },
        },
    },
    domain::{
        model::{
            attempt::{AttemptRecord, GateRecord, Outcome, Usage},
            id::GateName,
            outside::GateState,
            task::TaskSpec,
        },
        plan::TaskIndex,
        scheduler::{explain::Reason, phase::TaskState},
    },
};

/// Most tasks for which it is counted how many wait for them: each count visits the graph.
const COUNTED_MAX: usize = 50;

/// Tells how the plan stands.
pub fn status(standing: &Standing) -> StatusView {
    let plan = standing.plan();
    let n_in = |state| standing.states.iter().filter(|found| **found == state).count();
    let coordinator = standing.snapshot.coordinator.as_ref();
    let running: Vec<Running> =
        plan.indices().filter_map(|task| at_work::running(standing, task)).collect();
    let calibration = plan::calibration(standing);
    let max_workers = plan.config().max_workers;
    let forecast = plan::forecast_with(standing, &calibration, max_workers);
    let usage = usage(standing);
    let counts = TaskState::ALL.iter().map(|state| (*state, n_in(*state)));
    StatusView {
        coordinator: coordinator.map(|info| CoordinatorView {
            pid: info.pid,
            host: info.host.clone(),
            started: info.started.clone(),
        }),
        n_tasks: plan.n_tasks() - n_in(TaskState::Cancelled),
        n_done: n_in(TaskState::Done),
        states: counts
            .filter(|(_, n_tasks)| *n_tasks > 0)
            .map(|(state, n_tasks)| StateCount { state: state.as_str(), n_tasks })
            .collect(),
        roles: groups(standing, |spec| spec.role.as_ref().map(|role| role.value.0.as_str())),
        milestones: milestones(standing),
        workstreams: groups(standing, |spec| spec.workstream.as_deref()),
        levels: levels(standing),
        needs: needs(standing),
        approval: approval(standing),
        n_attempts: standing.snapshot.attempts.len(),
        n_crashes: standing.snapshot.attempts.values().filter(has_crashed).count(),
        worker_seconds: worker_seconds(standing, &running),
        tokens: usage.tokens(),
        cost_usd: usage.cost_usd,
        running,
        n_to_run: forecast.entries.len(),
        end_seconds: forecast.end.as_secs_f64(),
        max_workers,
    }
}

/// Tells what is not started before a person approves it.
fn approval(standing: &Standing) -> Option<ApprovalView> {
    let noted = &standing.snapshot.approval;
    let is_open = |task: TaskIndex| !standing.state(task).is_settled();
    let tasks = noted.unapproved.tasks.keys();
    let n_tasks = tasks.filter_map(|id| standing.plan().find(id.as_str())).filter(|t| is_open(*t));
    let is_all = noted.is_unknown || noted.has_waiting_settings;
    let n_waiting = n_tasks.count() + noted.unapproved.gates.len() + noted.n_waiting_others;
    (is_all || n_waiting > 0).then_some(ApprovalView { is_all, n_waiting })
}

/// Adds up what every attempt used.
fn usage(standing: &Standing) -> Usage {
    let used = standing.snapshot.attempts.values().map(|record| used_by(standing, record));
    used.fold(Usage::default(), |sum, usage| sum.plus(&usage))
}

/// Returns what an attempt used; for one that runs, what its worker reported so far.
fn used_by(standing: &Standing, record: &AttemptRecord) -> Usage {
    record.ending.as_ref().map_or_else(
        || {
            let report = standing.snapshot.reports.get(&record.attempt);
            report.map(|report| report.usage).unwrap_or_default()
        },
        |ending| ending.usage,
    )
}

fn seconds_of(standing: &Standing, record: &AttemptRecord) -> f64 {
    let is_live = standing.snapshot.coordinator.is_some();
    let now = is_live.then_some(standing.now.wall);
    let end = record.ending.as_ref().map(|ending| ending.ended).or(now);
    end.map_or(0.0, |end| end.since(record.started).as_secs_f64())
}

fn has_crashed(record: &&AttemptRecord) -> bool {
    record.ending.as_ref().is_some_and(|ending| ending.outcome == Outcome::Crashed)
}

fn worker_seconds(standing: &Standing, running: &[Running]) -> f64 {
    let took = standing.snapshot.attempts.values().filter_map(|record| {
        record.ending.as_ref().map(|ending| ending.ended.since(record.started).as_secs_f64())
    });
    took.sum::<f64>() + running.iter().map(|running| running.elapsed_seconds).sum::<f64>()
}

fn groups<'a>(
    standing: &'a Standing,
    name: impl Fn(&'a TaskSpec) -> Option<&'a str>,
) -> Vec<Group> {
    let plan = standing.plan();
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for task in plan.indices() {
        let Some(name) = name(plan.spec(task)) else { continue };
        let group = groups.entry(name).or_default();
        match standing.state(task) {
            TaskState::Cancelled => continue,
            TaskState::Done => group.n_done += 1,
            TaskState::Running | TaskState::Verifying | TaskState::Landing => group.n_running += 1,
            TaskState::Failed | TaskState::Review | TaskState::Blocked => group.n_stuck += 1,
            TaskState::Draft
            | TaskState::Hold
            | TaskState::Waiting
            | TaskState::Ready
            | TaskState::BackingOff => {}
        }
        group.n_tasks += 1;
        for record in standing.snapshot.attempts_of(plan.id(task)) {
            let usage = used_by(standing, record);
            group.n_attempts += 1;
            group.tokens = group.tokens.saturating_add(usage.tokens());
            group.cost_usd += usage.cost_usd;
            group.worker_seconds += seconds_of(standing, record);
        }
    }
    let named = groups.into_iter().map(|(name, group)| Group { name: name.to_owned(), ..group });
    named.collect()
}

fn milestones(standing: &Standing) -> Vec<Group> {
    let mut groups = groups(standing, |spec| spec.milestone.as_deref());
    for group in &mut groups {
        let records = standing.snapshot.milestones.iter();
        let own = records.filter(|record| record.name == group.name);
        group.reached = own.map(|record| record.reached).min().map(|reached| reached.to_string());
    }
    groups
}

fn levels(standing: &Standing) -> Vec<LevelGroup> {
    let plan = standing.plan();
    let mut levels: BTreeMap<u32, LevelGroup> = BTreeMap::new();
    for task in plan.indices() {
        let Some(level) = &plan.spec(task).level else { continue };
        let level = level.value;
        let group = levels.entry(level).or_insert_with(|| LevelGroup {
            level,
            n_tasks: 0,
            n_done: 0,
            gate: gate_state(standing, level),
        });
        group.n_tasks += usize::from(standing.state(task) != TaskState::Cancelled);
        group.n_done += usize::from(standing.state(task) == TaskState::Done);
    }
    levels.into_values().collect()
}

fn gate_state(standing: &Standing, level: u32) -> Option<&'static str> {
    let gate = standing.plan().config().levels.get(&level)?;
    if gate.run.is_empty() {
        return None;
    }
    let is_live = standing.snapshot.coordinator.is_some();
    Some(match last_gate_run(standing, level) {
        Some(run) if run.ended.is_some() && run.is_passed => "passed",
        Some(run) if run.ended.is_some() => "failed",
        Some(_) if is_live => "running",
        Some(_) | None => "pending",
    })
}

fn last_gate_run(standing: &Standing, level: u32) -> Option<&GateRecord> {
    let runs = standing.snapshot.gates.iter().filter(|run| run.level == level);
    runs.max_by_key(|run| (run.number, run.started))
}

/// Finds what waits for a person: tasks that failed, are in review or are held back while others
/// wait for them, and closed gates.
fn needs(standing: &Standing) -> Vec<Need> {
    let plan = standing.plan();
    let mut needs: Vec<Need> =
        plan.config().levels.keys().filter_map(|level| gate_need(standing, *level)).collect();
    for task in plan.indices() {
        let Some((sentence, help)) = need_of(standing, task) else { continue };
        let is_counted = needs.len() < COUNTED_MAX;
        needs.push(Need {
            id: Some(plan.id(task).to_string()),
            level: None,
            title: plan.spec(task).title.clone(),
            state: standing.state(task).as_str(),
            sentence,
            help,
            n_downstream: is_counted.then(|| standing.scheduler.n_downstream(task)),
        });
    }
    needs
}

fn gate_need(standing: &Standing, level: u32) -> Option<Need> {
    let gate = standing.plan().config().levels.get(&level)?;
    if gate_state(standing, level) != Some("failed") || !gate.is_required {
        return None;
    }
    let failed = last_gate_run(standing, level)?.checks.iter().find(|check| !check.is_success())?;
    Some(Need {
        id: None,
        level: Some(level),
        title: format!("gate after level {level}"),
        state: "failed",
        sentence: format!("failed: `{}`: {}", failed.command, failed.ending()),
        help: explain::failed_gate_help(level),
        n_downstream: None,
    })
}

fn need_of(standing: &Standing, task: TaskIndex) -> Option<(String, String)> {
    let plan = standing.plan();
    let spec = plan.spec(task);
    match standing.state(task) {
        TaskState::Failed | TaskState::Review => {
            let why = explain::whys(standing, task).into_iter().next()?;
            Some((why.sentence, why.help))
        }
        TaskState::Blocked => {
            let outside = standing.scheduler.outside();
            let is_done = |id: &TaskIndex| standing.state(*id) == TaskState::Done;
            if plan.fault(task).is_some() || !plan.dependencies(task).iter().all(is_done) {
                return None;
            }
            let is_shut = |gate: &&GateName| outside.gate(gate, &spec.id.value) != GateState::Open;
            let is_spent = standing.scheduler.shared_budget_spent(task).is_some();
            if !is_spent && !standing.scheduler.gates(task).any(|gate| is_shut(&gate)) {
                return None;
            }
            let reasons = standing.scheduler.explain(task, &standing.states);
            let is_need = |reason: &&Reason| {
                matches!(reason, Reason::Gate { .. } | Reason::OverBudget { .. })
            };
            reasons.iter().find(is_need).map(|reason| explain::words(&spec.id.value, reason))
        }
        // Held back on purpose, but something waits for it.
        TaskState::Draft | TaskState::Hold => {
            let is_open = |id: &TaskIndex| !standing.state(*id).is_settled();
            let has_waiting = plan.dependents(task).iter().any(is_open);
            has_waiting.then(|| explain::words(&spec.id.value, &Reason::Author(spec.status.value)))
        }
        TaskState::Waiting
        | TaskState::Ready
        | TaskState::BackingOff
        | TaskState::Running
        | TaskState::Verifying
        | TaskState::Landing
        | TaskState::Done
        | TaskState::Cancelled => None,
    }
}
