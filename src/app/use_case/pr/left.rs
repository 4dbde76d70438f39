//! What is not done yet, and why.

use std::collections::BTreeMap;

use crate::{
    app::{
        error::AppError,
        standing::Standing,
        use_case::{explain, list::check_known},
        view::pr::{LeftGroup, LeftTask},
    },
    domain::scheduler::phase::TaskState,
};

/// Returns the tasks that are not done, by milestone: `first` comes first, those without one last.
///
/// # Errors
/// [`AppError::Usage`] where no task has the milestone `first`.
pub(super) fn left(standing: &Standing, first: Option<&str>) -> Result<Vec<LeftGroup>, AppError> {
    let plan = standing.plan();
    let wanted = first.map(str::to_owned);
    check_known("milestone", wanted.as_ref(), || {
        plan.indices().filter_map(|task| plan.spec(task).milestone.as_deref())
    })?;
    let mut groups: BTreeMap<Option<&str>, LeftGroup> = BTreeMap::new();
    for task in plan.indices() {
        let spec = plan.spec(task);
        let state = standing.state(task);
        if state == TaskState::Cancelled {
            continue;
        }
        let group = groups.entry(spec.milestone.as_deref()).or_default();
        group.milestone.clone_from(&spec.milestone);
        group.n_tasks += 1;
        if state == TaskState::Done {
            group.n_done += 1;
            continue;
        }
        let why = explain::whys(standing, task).into_iter().next();
        group.tasks.push(LeftTask {
            id: plan.id(task).to_string(),
            title: spec.title.clone(),
            state: state.as_str(),
            why: why.map(|why| why.sentence).unwrap_or_default(),
        });
    }
    let mut groups: Vec<LeftGroup> = groups.into_values().collect();
    groups.retain(|group| !group.tasks.is_empty());
    // Stable: names stay in order.
    groups.sort_by_key(|group| match group.milestone.as_deref() {
        Some(name) if Some(name) == first => 0,
        Some(_) => 1,
        None => 2,
    });
    Ok(groups)
}
