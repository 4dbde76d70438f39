//! The plan that a run carries out: with what the command line says instead, and, when files
//! changed, with broken task files as they were.

use std::{collections::BTreeSet, sync::Arc};

use super::RunOptions;
use crate::{
    app::{error::AppError, snapshot::Snapshot},
    domain::{
        format::layout::{self, FileKind},
        model::task::{AuthorStatus, TaskSpec},
        plan::{
            self, Plan,
            rules::{self, Input, Progress, RULES},
        },
        scheduler::Scheduler,
    },
};

/// Returns the plan of `snapshot` with the tasks of broken files as they were in `last`; `None`
/// where the errors are not in single task files, or go on in the plan as a whole.
pub(super) fn with_last_good(snapshot: &Snapshot, last: &Plan) -> Option<Plan> {
    let errors = snapshot.diagnostics.iter().filter(|found| found.severity.is_error());
    let is_of_file = |code: &str| RULES.iter().all(|rule| rule.code != code);
    let broken: BTreeSet<&str> =
        errors.filter(|found| is_of_file(found.code)).map(|found| &*found.primary.path).collect();
    if broken.iter().any(|path| layout::classify(path) != FileKind::Task) {
        return None;
    }
    let is_broken = |spec: &&TaskSpec| broken.contains(&*spec.path);
    let whole = snapshot.plan.specs().filter(|spec| !is_broken(spec));
    let kept = last.specs().filter(is_broken);
    let plan = plan::build(
        whole.chain(kept).cloned().map(Arc::new).collect(),
        snapshot.plan.roles().values().cloned(),
        snapshot.plan.config().clone(),
    );
    let input = Input { plan: &plan, unreadable: &[], recorded: &|_| Progress::Open };
    let has_errors = rules::check_all(&input).iter().any(|found| found.severity.is_error());
    (!has_errors).then_some(plan)
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

/// Refuses to start where a task that could be started has no command.
pub(super) fn require_commands(scheduler: &Scheduler) -> Result<(), AppError> {
    let plan = scheduler.plan();
    let lacking: Vec<String> = plan
        .indices()
        .zip(scheduler.states())
        .filter(|(task, state)| {
            let is_todo = plan.spec(*task).status.value == AuthorStatus::Todo;
            is_todo && !state.is_settled() && plan.policy(*task).command.is_none()
        })
        .map(|(task, _)| plan.id(task).to_string())
        .collect();
    let Some(first) = lacking.first() else { return Ok(()) };
    let others = match lacking.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    Err(AppError::usage(
        format!("no command is given for task `{first}`{others}"),
        "set `worker: {command: …}` in the task, its role or .orch/config.yaml, or use `orch run --worker CMD`",
    ))
}
