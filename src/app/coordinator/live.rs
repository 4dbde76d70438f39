//! The run at one moment, for whoever draws it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Picture, board::board};
use crate::{
    app::{
        tracker::Tracker,
        view::{
            board::{Board, Mode},
            run::{Live, LiveWorker},
        },
    },
    domain::{
        calibrate::calibrate,
        forecast::forecast,
        model::{
            attempt::Usage,
            time::{Now, Tick},
        },
        scheduler::{
            Scheduler,
            phase::{Stage, TaskState},
        },
    },
};

/// Plans with more tasks are drawn less often, and without a forecast.
const N_TASKS_SMALL: usize = 5_000;

/// Time between two views, for small and for large plans.
const PERIODS: [Duration; 2] = [Duration::from_millis(90), Duration::from_secs(1)];

/// Time between two forecasts.
const FORECAST_PERIOD: Duration = Duration::from_secs(1);

/// Remembers when it drew, and what it forecast.
pub(super) struct LiveView {
    began: Now,
    next: Tick,
    next_forecast: Tick,
    /// When the plan will be done.
    end: Option<Tick>,
    /// Whether something happened since the last view.
    is_stale: bool,
    /// The last board; nothing where none is asked for.
    board: Option<Arc<Board>>,
}

impl LiveView {
    pub(super) fn new(now: Now, picture: Picture) -> Self {
        let board = (picture == Picture::Board).then(Arc::default);
        Self {
            began: now,
            next: now.tick,
            next_forecast: now.tick,
            end: None,
            is_stale: true,
            board,
        }
    }

    /// Notes that something happened.
    pub(super) fn note(&mut self) {
        self.is_stale = true;
    }

    /// Says whether a picture drawn now would be another one.
    pub(super) fn moves(&self, scheduler: &Scheduler) -> bool {
        self.is_stale || scheduler.running().len() > 0
    }

    /// Says whether it is time to draw again. Nothing that stays as it is, is drawn twice.
    pub(super) fn is_due(&self, scheduler: &Scheduler, now: Now) -> bool {
        self.moves(scheduler) && now.tick >= self.next
    }

    /// Draws.
    pub(super) fn draw(
        &mut self,
        scheduler: &Scheduler,
        tracker: &Tracker,
        mode: Mode,
        now: Now,
    ) -> Live {
        let plan = scheduler.plan();
        let is_small = plan.n_tasks() <= N_TASKS_SMALL;
        let [short, long] = PERIODS;
        self.next = now.tick.plus(if is_small { short } else { long });
        if is_small && now.tick >= self.next_forecast {
            self.next_forecast = now.tick.plus(FORECAST_PERIOD);
            self.end = forecast_end(scheduler, now);
        }
        let mut counts: BTreeMap<TaskState, usize> = BTreeMap::new();
        let states = scheduler.states();
        for state in &states {
            *counts.entry(*state).or_default() += 1;
        }
        if std::mem::take(&mut self.is_stale) && self.board.is_some() {
            self.board = Some(Arc::new(board(scheduler, &states, tracker, mode, now)));
        }
        let count = |state: TaskState| counts.get(&state).copied().unwrap_or(0);
        Live {
            running: scheduler.running().map(|live| worker(live, now)).collect(),
            counts: TaskState::ALL
                .iter()
                .map(|state| (state.as_str(), count(*state)))
                .filter(|(_, n)| *n > 0)
                .collect(),
            n_done: count(TaskState::Done),
            n_tasks: plan.n_tasks() - count(TaskState::Cancelled),
            elapsed: now.tick.0.saturating_sub(self.began.tick.0),
            remaining: self.end.map(|end| end.0.saturating_sub(now.tick.0)),
            usage: usage(scheduler),
            gate: scheduler.running_gate(),
            is_stopping: scheduler.is_stopping(),
            board: self.board.clone().unwrap_or_default(),
        }
    }
}

fn worker(live: &crate::domain::scheduler::phase::Live, now: Now) -> LiveWorker {
    let attempt = &live.assignment.attempt;
    LiveWorker {
        task: attempt.task.to_string(),
        attempt: attempt.number,
        title: live.assignment.spec.title.clone(),
        stage: match live.stage {
            Stage::Preparing | Stage::Working => "running",
            Stage::Merging | Stage::Verifying => "verifying",
            Stage::Queued | Stage::Landing => "landing",
            Stage::Stopping { .. } => "stopping",
        },
        elapsed: now.tick.0.saturating_sub(live.started.tick.0),
        progress: live.report.as_ref().and_then(|report| report.progress),
        message: live.report.as_ref().and_then(|report| report.message.clone()),
        unreadable_since: None,
    }
}

/// Returns what all attempts on record and all running workers reported.
fn usage(scheduler: &Scheduler) -> Usage {
    let plan = scheduler.plan();
    let settled = plan.indices().filter_map(|task| scheduler.history(plan.id(task)));
    let running = scheduler.running().map(crate::domain::scheduler::phase::Live::usage);
    settled
        .map(|history| history.usage)
        .chain(running)
        .fold(Usage::default(), |sum, usage| sum.plus(&usage))
}

/// Returns when the plan will be done, by what tasks took so far; `None` where none has ended.
fn forecast_end(scheduler: &Scheduler, now: Now) -> Option<Tick> {
    let plan = scheduler.plan();
    let ended = plan.indices().filter_map(|task| {
        let time = scheduler.history(plan.id(task))?.time;
        (!time.is_zero() && !plan.duration(task).is_zero()).then_some((task, time))
    });
    let calibration = calibrate(plan, ended);
    if calibration.n_tasks == 0 {
        return None;
    }
    let length = |task| calibration.estimated(plan, task);
    Some(now.tick.plus(forecast(scheduler, now, length).end))
}
