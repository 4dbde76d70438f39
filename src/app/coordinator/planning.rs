//! The plan that a run carries out: with what the command line says instead, and, when files
//! changed, with broken task files as they were.

use std::sync::Arc;

use super::RunOptions;
use crate::{
    app::{error::AppError, snapshot::progress, tracker::Tracker, use_case::check::quote_sources},
    domain::{
        model::{id::TaskId, task::AuthorStatus},
        plan::{Plan, rules::Progress},
        scheduler::Scheduler,
    },
};

/// Refuses to start where the plan has errors. Other faults are known from here on.
pub(super) fn require_whole(tracker: &mut Tracker, scheduler: &Scheduler) -> Result<(), AppError> {
    let recorded = |id: &TaskId| progress_of(scheduler, id);
    let mut diagnostics = tracker.diagnostics(&recorded);
    if diagnostics.iter().any(|found| found.severity.is_error()) {
        diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        quote_sources(tracker.store(), &mut diagnostics);
        return Err(AppError::PlanHasErrors { diagnostics, n_tasks: tracker.plan().n_tasks() });
    }
    tracker.look_for_faults(&recorded);
    Ok(())
}

/// Returns what the records say of a task, for the rules.
pub(super) fn progress_of(scheduler: &Scheduler, id: &TaskId) -> Progress {
    let history = scheduler.history(id);
    let ending = history.and_then(|history| history.ending.as_ref());
    let last = history.map_or(0, |history| history.last);
    progress(id, last, ending.map(|ending| ending.outcome), scheduler.outside())
}

/// Returns the plan with what the command line says instead.
pub(super) fn overridden(options: &RunOptions, plan: &Arc<Plan>) -> Arc<Plan> {
    if options.max_workers.is_none() && options.worker.is_none() {
        return Arc::clone(plan);
    }
    let mut plan = Plan::clone(plan);
    if let Some(max_workers) = options.max_workers {
        plan = plan.with_max_workers(max_workers);
    }
    if let Some(command) = &options.worker {
        plan = plan.with_worker(command);
    }
    Arc::new(plan)
}

/// Refuses to start where a task that could be started has neither command nor agent.
pub(super) fn require_commands(scheduler: &Scheduler) -> Result<(), AppError> {
    let plan = scheduler.plan();
    let lacking: Vec<String> = plan
        .indices()
        .zip(scheduler.states())
        .filter(|(task, state)| {
            let is_todo = plan.spec(*task).status.value == AuthorStatus::Todo;
            is_todo && !state.is_settled() && !plan.has_command(*task)
        })
        .map(|(task, _)| plan.id(task).to_string())
        .collect();
    let Some(first) = lacking.first() else { return Ok(()) };
    let others = match lacking.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    Err(AppError::usage(
        format!("neither a command nor an agent is given for task `{first}`{others}"),
        "set `worker: {agent: …}` or `worker: {command: …}` in the task, its role or .orch/config.yaml, or use `orch run --worker CMD`",
    ))
}
