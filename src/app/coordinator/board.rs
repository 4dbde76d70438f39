//! Every task at one moment, for a view that shows them all.

use std::collections::BTreeSet;

use super::Coordinator;
use crate::{
    app::{
        tracker::Tracker,
        view::board::{Badge, Board, Mode, Row},
    },
    domain::{
        model::{attempt::Digests, time::Now},
        plan::{Plan, TaskIndex},
        scheduler::{
            Scheduler,
            event::Hold,
            phase::{Live, TaskState},
        },
    },
};

impl Coordinator {
    /// Returns what the run does, or why it starts nothing.
    pub(super) fn mode(&self) -> Mode {
        Mode {
            is_dispatching: true,
            is_paused: self.scheduler.is_held(Hold::Person)
                || self.scheduler.open_breaker().is_some()
                || self.scheduler.is_run_spent(),
            held: self.held(),
            polling: self.tracker.polling(),
            coordinator: None,
            branch: self.tracker.branch().map(str::to_owned),
        }
    }

    /// Says why nothing is started, where no person paused it.
    fn held(&self) -> Option<String> {
        if self.scheduler.is_held(Hold::Checkout) {
            return Some("git is at work".to_owned());
        }
        if let Some(open) = self.scheduler.open_breaker() {
            return Some(format!("{} workers died at once", open.n_crashes));
        }
        if let Some(wait) = self.scheduler.shortage_wait() {
            return Some(wait.cause.clone());
        }
        self.scheduler.is_run_spent().then(|| "the budget of the run is spent".to_owned())
    }
}

/// Draws every task.
pub(super) fn board(
    scheduler: &Scheduler,
    states: &[TaskState],
    tracker: &Tracker,
    mode: Mode,
    now: Now,
) -> Board {
    let broken: BTreeSet<&str> = tracker.files().kept_files().collect();
    let plan = scheduler.plan();
    let rows = plan.indices().zip(states).map(|(task, state)| {
        let live = scheduler.running_attempt(task);
        let last = scheduler.history(plan.id(task)).map_or(0, |history| history.last);
        let spec = plan.spec(task);
        let report = live.and_then(|live| live.report.as_ref());
        Row {
            id: spec.id.value.to_string(),
            title: spec.title.clone(),
            state: *state,
            path: spec.path.to_string(),
            role: spec.role.as_ref().map(|role| role.value.0.clone()),
            attempt: last,
            elapsed: live.map(|live| now.tick.0.saturating_sub(live.started.tick.0)),
            progress: report.and_then(|report| report.progress),
            message: report.and_then(|report| report.message.clone()),
            badges: badges(scheduler, tracker.plan(), task, *state, &broken),
        }
    });
    Board { rows: rows.collect(), faults: tracker.faults().iter().cloned().collect(), mode }
}

fn badges(
    scheduler: &Scheduler,
    tracked: &Plan,
    task: TaskIndex,
    state: TaskState,
    broken: &BTreeSet<&str>,
) -> Vec<Badge> {
    let plan = scheduler.plan();
    let mut badges = Vec::new();
    if broken.contains(&*plan.spec(task).path) {
        badges.push(Badge::LastGood);
    }
    if let Some(live) = scheduler.running_attempt(task) {
        if tracked.find(plan.id(task).as_str()).is_none() {
            badges.push(Badge::Removed);
        } else if is_edited(plan, task, live) {
            badges.push(Badge::Edited);
        }
    }
    if state == TaskState::Done && scheduler.is_stale(task) {
        badges.push(Badge::Stale);
    }
    badges
}

/// Says whether the file or the role of a task changed since its attempt was started.
fn is_edited(plan: &Plan, task: TaskIndex, live: &Live) -> bool {
    let assignment = &live.assignment;
    plan.digests(task) != Digests::of(&assignment.spec, assignment.role.as_ref())
}
