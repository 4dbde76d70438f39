//! What the worker of a task does, where one runs.

use crate::{
    app::{standing::Standing, view::explain::Running},
    domain::{plan::TaskIndex, scheduler::phase::TaskState},
};

/// Returns what the worker of a task does, where one runs.
pub(super) fn running(standing: &Standing, task: TaskIndex) -> Option<Running> {
    let state = standing.state(task);
    if !matches!(state, TaskState::Running | TaskState::Verifying | TaskState::Landing) {
        return None;
    }
    let spec = standing.plan().spec(task);
    let record = standing.snapshot.attempts_of(&spec.id.value).next_back()?;
    let report = standing.snapshot.reports.get(&record.attempt);
    Some(Running {
        id: spec.id.value.to_string(),
        title: spec.title.clone(),
        state: state.as_str(),
        waits: standing.snapshot.landings.get(&record.attempt).cloned(),
        standstill: standing.snapshot.standstills.get(&record.attempt).map(|how| how.as_str()),
        attempt: record.attempt.number,
        started: record.started.to_string(),
        elapsed_seconds: standing.now.wall.since(record.started).as_secs_f64(),
        progress: report.and_then(|report| report.progress),
        message: report.and_then(|report| report.message.clone()),
        unreadable_report: standing.snapshot.unreadable_reports.get(&record.attempt).cloned(),
        log: record.log.clone(),
    })
}
