//! The tasks that a user wants to see, in the order in which they are to be seen.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{at_work, explain};
use crate::{
    app::{error::AppError, standing::Standing, view::list::ListedTask},
    domain::{
        model::{
            suggest,
            task::{AuthorStatus, TaskSpec},
        },
        plan::TaskIndex,
        scheduler::{explain::Reason, phase::TaskState},
    },
};

/// Which tasks are listed; what is empty lets all of them through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these states.
    pub states: Vec<TaskState>,
    /// Only this role.
    pub role: Option<String>,
    /// Only this milestone.
    pub milestone: Option<String>,
    /// Only this workstream.
    pub workstream: Option<String>,
    /// Only this level.
    pub level: Option<u32>,
    /// Only tasks with this tag.
    pub tag: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By state, within each in the order in which they would start.
    State,
    /// In the order in which they would start: priority, longest remaining path, id.
    Priority,
    /// By id.
    Id,
}

/// Returns the tasks that the filter lets through, in order.
///
/// # Errors
/// [`AppError::Usage`] where no task of the plan has the value that a filter names.
pub fn select(
    standing: &Standing,
    filter: &Filter,
    sort: Sort,
) -> Result<Vec<TaskIndex>, AppError> {
    check_filter(standing, filter)?;
    let plan = standing.plan();
    let is_listed = |task: &TaskIndex| {
        (filter.states.is_empty() || filter.states.contains(&standing.state(*task)))
            && filter.lets_through(plan.spec(*task))
    };
    let mut tasks: Vec<TaskIndex> = plan.indices().filter(is_listed).collect();
    let rank =
        |task: TaskIndex| (Reverse(plan.spec(task).priority), Reverse(plan.remaining(task)), task);
    match sort {
        // Tasks are numbered in the order of their ids.
        Sort::Id => {}
        Sort::Priority => tasks.sort_unstable_by_key(|task| rank(*task)),
        Sort::State => {
            let place = |state| TaskState::ALL.iter().position(|known| *known == state);
            tasks.sort_unstable_by_key(|task| (place(standing.state(*task)), rank(*task)));
        }
    }
    Ok(tasks)
}

impl Filter {
    fn lets_through(&self, spec: &TaskSpec) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        is(&self.role, role_of(spec))
            && is(&self.milestone, spec.milestone.as_deref())
            && is(&self.workstream, spec.workstream.as_deref())
            && self
                .level
                .is_none_or(|wanted| spec.level.as_ref().is_some_and(|own| own.value == wanted))
            && self.tag.as_ref().is_none_or(|wanted| spec.tags.contains(wanted))
    }
}

fn role_of(spec: &TaskSpec) -> Option<&str> {
    spec.role.as_ref().map(|role| role.value.0.as_str())
}

/// Refuses a filter value that no task has: it is a slip more often than a question.
fn check_filter(standing: &Standing, filter: &Filter) -> Result<(), AppError> {
    let plan = standing.plan();
    let specs = || plan.indices().map(|task| plan.spec(task));
    let roles = plan.roles().keys().map(|name| name.0.as_str());
    check_known("role", filter.role.as_ref(), || roles.chain(specs().filter_map(role_of)))?;
    check_known("milestone", filter.milestone.as_ref(), || {
        specs().filter_map(|spec| spec.milestone.as_deref())
    })?;
    check_known("workstream", filter.workstream.as_ref(), || {
        specs().filter_map(|spec| spec.workstream.as_deref())
    })?;
    check_known("tag", filter.tag.as_ref(), || {
        specs().flat_map(|spec| spec.tags.iter().map(String::as_str))
    })?;
    let level = filter.level.map(|level| level.to_string());
    let mut levels: Vec<u32> =
        specs().filter_map(|spec| spec.level.as_ref()).map(|level| level.value).collect();
    levels.sort_unstable();
    levels.dedup();
    let levels: Vec<String> = levels.iter().map(u32::to_string).collect();
    check_known("level", level.as_ref(), || levels.iter().map(String::as_str))
}

/// Refuses a value that no task has, with the nearest one that some task has.
pub(super) fn check_known<'a, I: Iterator<Item = &'a str>>(
    what: &str,
    wanted: Option<&String>,
    known: impl FnOnce() -> I,
) -> Result<(), AppError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let mut all: Vec<&str> = known().collect();
    all.sort_unstable();
    all.dedup();
    if all.binary_search(&wanted.as_str()).is_ok() {
        return Ok(());
    }
    let message = format!("no task has the {what} `{wanted}`");
    let near = suggest::did_you_mean(wanted, all.iter().copied());
    let some: Vec<String> = all.iter().take(8).map(|word| format!("`{word}`")).collect();
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if some.is_empty() => format!("no task of this plan has a {what}"),
        None if some.len() < all.len() => format!("there are {} and others", some.join(", ")),
        None => format!("there is {}", some.join(", ")),
    };
    Err(AppError::usage(message, help))
}

/// Parses the name of a state.
///
/// # Errors
/// [`AppError::Usage`] with the nearest name, or all.
pub fn parse_state(text: &str) -> Result<TaskState, AppError> {
    if let Some(state) = TaskState::ALL.iter().find(|state| state.as_str() == text) {
        return Ok(*state);
    }
    let names = || TaskState::ALL.iter().map(|state| state.as_str());
    let help = suggest::did_you_mean(text, names()).map_or_else(
        || format!("the states are {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(AppError::usage(format!("`{text}` is not a state"), help))
}

/// Returns what is shown of these tasks.
pub fn rows(standing: &Standing, tasks: &[TaskIndex]) -> Vec<ListedTask> {
    let mut reasons = ShortReasons::default();
    tasks.iter().map(|task| row(standing, *task, &mut reasons)).collect()
}

fn row(standing: &Standing, task: TaskIndex, reasons: &mut ShortReasons) -> ListedTask {
    let spec = standing.plan().spec(task);
    let running = at_work::running(standing, task);
    ListedTask {
        id: spec.id.value.to_string(),
        title: spec.title.clone(),
        state: standing.state(task).as_str(),
        path: spec.path.to_string(),
        role: role_of(spec).map(str::to_owned),
        priority: spec.priority.to_string(),
        milestone: spec.milestone.clone(),
        workstream: spec.workstream.clone(),
        level: spec.level.as_ref().map(|level| level.value),
        tags: spec.tags.clone(),
        depends_on: spec.depends_on.iter().map(|id| id.value.clone()).collect(),
        n_attempts: standing.scheduler.history(&spec.id.value).map_or(0, |history| history.last),
        progress: running.as_ref().and_then(|running| running.progress),
        message: running.and_then(|running| running.message),
        why: reasons.of(standing, task),
    }
}

/// The first reason of each of many tasks.
///
/// All tasks of a level wait for the same tasks, so what keeps a level waiting is found out once.
#[derive(Debug, Default)]
pub(crate) struct ShortReasons {
    /// By level: why its tasks wait for a lower one; `None` where they do not.
    levels: BTreeMap<u32, Option<String>>,
}

impl ShortReasons {
    /// Returns why a task is not done and does not run; `None` where there is nothing to tell.
    pub(crate) fn of(&mut self, standing: &Standing, task: TaskIndex) -> Option<String> {
        match standing.state(task) {
            TaskState::Running
            | TaskState::Verifying
            | TaskState::Landing
            | TaskState::Done
            | TaskState::Cancelled => {
                return None;
            }
            // A limit may hold it back, but only while something runs.
            TaskState::Ready if standing.snapshot.coordinator.is_none() => return None,
            _ => {}
        }
        let plan = standing.plan();
        let spec = plan.spec(task);
        let is_open = |id: &&TaskIndex| standing.state(**id) != TaskState::Done;
        let waits = plan.dependencies(task).iter().filter(is_open).count();
        if plan.fault(task).is_some() || waits > 0 || spec.status.value != AuthorStatus::Todo {
            return first_reason(standing, task, waits);
        }
        let Some(level) = spec.level.as_ref().map(|level| level.value) else {
            return first_reason(standing, task, 0);
        };
        if let Some(Some(why)) = self.levels.get(&level) {
            return Some(why.clone());
        }
        let reasons = standing.scheduler.explain(task, &standing.states);
        let first = reasons.first();
        let is_level = matches!(first, Some(Reason::Level { .. } | Reason::LevelGate { .. }));
        let why = first.and_then(|reason| sentence(standing, task, reason));
        self.levels.insert(level, why.clone().filter(|_| is_level));
        why
    }
}

/// Returns the first reason in words. `n_waits` dependencies are open: those are told here, and
/// nothing else is asked for, since a task may have thousands of them.
fn first_reason(standing: &Standing, task: TaskIndex, n_waits: usize) -> Option<String> {
    let plan = standing.plan();
    let is_todo = plan.spec(task).status.value == AuthorStatus::Todo;
    if n_waits > 0 && is_todo && plan.fault(task).is_none() {
        let open = plan.dependencies(task).iter().copied();
        let mut open: Vec<TaskIndex> =
            open.filter(|id| standing.state(*id) != TaskState::Done).collect();
        // Those that need a person come first.
        open.sort_by_key(|task| !needs_a_person(standing.state(*task)));
        return Some(waits_for(standing, &open));
    }
    let reasons = standing.scheduler.explain(task, &standing.states);
    reasons.first().and_then(|reason| sentence(standing, task, reason))
}

fn needs_a_person(state: TaskState) -> bool {
    matches!(
        state,
        TaskState::Review
            | TaskState::Failed
            | TaskState::Blocked
            | TaskState::Draft
            | TaskState::Hold
            | TaskState::Cancelled
    )
}

/// Names up to two tasks: "waits for A (failed), B (running) and 3 more".
fn waits_for(standing: &Standing, open: &[TaskIndex]) -> String {
    let name = |task: &TaskIndex| {
        format!("{} ({})", standing.plan().id(*task), standing.state(*task).as_str())
    };
    let named: Vec<String> = open.iter().take(2).map(name).collect();
    match open.len().saturating_sub(named.len()) {
        0 => format!("waits for {}", named.join(", ")),
        more => format!("waits for {} and {more} more", named.join(", ")),
    }
}

fn sentence(standing: &Standing, task: TaskIndex, reason: &Reason) -> Option<String> {
    match reason {
        Reason::Free => None,
        reason => Some(explain::why(standing, task, reason).sentence),
    }
}
