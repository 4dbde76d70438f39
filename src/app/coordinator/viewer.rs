//! Follows a plan without carrying it out: somebody else does, or nobody.

use std::collections::BTreeMap;

use super::{
    Observers, Picture, Request, RunOptions,
    live::LiveView,
    sources::{Incoming, Sources},
    summary::Tally,
};
use crate::{
    app::{
        error::AppError,
        files::Scope,
        repository::Repository,
        supervised,
        tracker::{News, Tracker},
        view::{
            board::Mode,
            run::{Happened, RunEvent, Summary},
        },
    },
    domain::{
        model::{
            attempt::StatusReport,
            id::{AttemptId, TaskId},
            time::Tick,
        },
        plan::rules::Progress,
        scheduler::{Scheduler, event::StopMode},
    },
    io::{
        clock::Clock,
        store::{Store, lock},
    },
};

/// Records that arrive together are taken in together, after this time.
const BREATH: std::time::Duration = std::time::Duration::from_millis(50);

/// Looks at the plan, and tells what happens to it, until it is asked to end.
///
/// # Errors
/// [`AppError::Store`] where the plan cannot be read.
pub async fn look(
    repository: &Repository,
    options: RunOptions,
    observers: Observers,
    requests: tokio::sync::mpsc::Receiver<Request>,
) -> Result<Summary, AppError> {
    let mut sources = Sources::new(&options, requests)?;
    let mut viewer = Viewer::start(repository, &options, observers)?;
    viewer.go(&mut sources).await
}

/// Everything that the loop holds.
struct Viewer {
    store: Store,
    picture: Picture,
    observers: Observers,
    clock: Clock,
    tracker: Tracker,
    scheduler: Scheduler,
    live: LiveView,
    tally: Tally,
    /// Who carries the plan out.
    coordinator: Option<String>,
    /// What was told of each attempt.
    told: BTreeMap<AttemptId, Told>,
    /// When to take in what was read.
    next: Option<Tick>,
    outbox: Vec<RunEvent>,
}

/// What was told of an attempt.
#[derive(Debug, Clone, PartialEq, Default)]
struct Told {
    has_ended: bool,
    report: Option<StatusReport>,
}

impl Viewer {
    fn start(
        repository: &Repository,
        options: &RunOptions,
        observers: Observers,
    ) -> Result<Self, AppError> {
        let store = repository.store().clone();
        let clock = Clock::new();
        // The lock first: a coordinator that ends while the records are read has ended in them.
        let coordinator = holder(&store)?;
        let tracker = Tracker::start(&store, clock, Scope::All)?;
        let now = clock.now();
        let scheduler = scheduler(&tracker, coordinator.is_some(), now);
        let mut viewer = Self {
            store,
            picture: options.picture,
            observers,
            clock,
            live: LiveView::new(now, options.picture),
            tally: Tally::new(now),
            told: attempts(&tracker).map(|(attempt, told)| (attempt.clone(), told)).collect(),
            tracker,
            scheduler,
            coordinator,
            next: None,
            outbox: Vec::new(),
        };
        viewer.tell_start();
        Ok(viewer)
    }

    fn tell_start(&mut self) {
        let states = self.scheduler.states();
        self.tell(Happened::LookStarted {
            n_tasks: states.len(),
            n_open: states.iter().filter(|state| !state.is_settled()).count(),
            coordinator: self.coordinator.clone(),
        });
    }

    async fn go(&mut self, sources: &mut Sources) -> Result<Summary, AppError> {
        loop {
            self.publish();
            let now = self.clock.now().tick;
            let wait = self.next.map(|next| next.0.saturating_sub(now.0));
            let moves = self.live.moves(&self.scheduler);
            match sources.next(wait, &self.tracker, moves).await {
                Incoming::Files => self.follow_files()?,
                Incoming::Deadline => {
                    // Who started what is told before what was started.
                    self.look_for_coordinator()?;
                    self.take_in();
                }
                Incoming::Refresh => self.look_for_coordinator()?,
                Incoming::Request(Request::Stop(mode)) => return Ok(self.end(Some(mode))),
                Incoming::Request(Request::Leave) => return Ok(self.end(None)),
                Incoming::Request(Request::Pause | Request::Resume)
                | Incoming::Event(_)
                | Incoming::Git(_)
                | Incoming::Told(_)
                | Incoming::Claims(_)
                | Incoming::Redraw => {}
            }
        }
    }

    fn follow_files(&mut self) -> Result<(), AppError> {
        let scheduler = &self.scheduler;
        let recorded = |id: &TaskId| -> Progress { super::planning::progress_of(scheduler, id) };
        let news = match self.tracker.pump(&recorded) {
            Ok(news) => news,
            // It may be back at the next look: who only looks has nothing to lose.
            Err(AppError::Store(error)) => {
                tracing::warn!(%error, "changed files cannot be read now");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let News { plan, records, reports: _, hold: _, happened } = news;
        for happened in happened {
            self.tell(happened);
        }
        if let Some((plan, _)) = plan {
            for (task, runs_again) in self.scheduler.made_stale_by(&plan) {
                self.tell(Happened::BecameStale { task: task.to_string(), runs_again });
            }
            self.take_in();
        } else if records {
            let soon = self.clock.now().tick.plus(BREATH);
            self.next.get_or_insert(soon);
        }
        Ok(())
    }

    /// Derives where every task stands anew, and tells what became of attempts.
    fn take_in(&mut self) {
        self.next = None;
        let now = self.clock.now();
        self.scheduler = scheduler(&self.tracker, self.coordinator.is_some(), now);
        self.live.note();
        let mut happened = Vec::new();
        let mut told = BTreeMap::new();
        for (attempt, present) in attempts(&self.tracker) {
            let before = self.told.get(attempt);
            if before != Some(&present) {
                happened.extend(self.news_of(attempt, before, &present));
            }
            told.insert(attempt.clone(), present);
        }
        self.told = told;
        for happened in happened {
            self.tell(happened);
        }
    }

    /// Tells what became of one attempt.
    fn news_of(&self, attempt: &AttemptId, before: Option<&Told>, present: &Told) -> Vec<Happened> {
        let mut happened = Vec::new();
        let (task, number) = (attempt.task.to_string(), attempt.number);
        if before.is_none() {
            let title = self.scheduler.plan().find(&task);
            let title = title.map(|task| self.scheduler.plan().spec(task).title.clone());
            let title = title.unwrap_or_else(|| task.clone());
            happened.push(Happened::Started { task: task.clone(), attempt: number, title });
        }
        let report = present.report.as_ref();
        if let Some(report) = report.filter(|_| before.and_then(|b| b.report.as_ref()) != report) {
            happened.push(Happened::reported(report));
        }
        if present.has_ended && !before.is_some_and(|before| before.has_ended) {
            let record = self.tracker.files().attempt(attempt);
            happened.extend(record.and_then(Happened::ended_on_record));
        }
        happened
    }

    fn look_for_coordinator(&mut self) -> Result<(), AppError> {
        let coordinator = holder(&self.store)?;
        if coordinator != self.coordinator {
            self.coordinator.clone_from(&coordinator);
            self.tell(Happened::CoordinatorChanged { coordinator });
            self.take_in();
        }
        Ok(())
    }

    fn publish(&mut self) {
        let events = std::mem::take(&mut self.outbox);
        if !events.is_empty() && self.observers.events.send(events).is_err() {
            tracing::trace!("nobody listens");
        }
        let now = self.clock.now();
        if self.picture != Picture::None && self.live.is_due(&self.scheduler, now) {
            let mode = Mode {
                polling: self.tracker.polling(),
                coordinator: self.coordinator.clone(),
                branch: self.tracker.branch().map(str::to_owned),
                ..Mode::default()
            };
            let view = self.live.draw(&self.scheduler, &self.tracker, mode, now);
            self.observers.show(view);
        }
    }

    fn tell(&mut self, happened: Happened) {
        self.live.note();
        self.outbox.push(RunEvent::new(self.clock.now().wall, happened));
    }

    fn end(&mut self, stopped: Option<StopMode>) -> Summary {
        let summary = self.tally.summary(&self.scheduler, self.clock.now());
        let exit_code = if stopped.is_some() { 130 } else { 0 };
        let summary = Summary { verdict: "looked".to_owned(), exit_code, ..summary };
        self.tell(Happened::RunEnded(summary.clone()));
        self.publish();
        summary
    }
}

fn scheduler(tracker: &Tracker, is_live: bool, now: crate::domain::model::time::Now) -> Scheduler {
    // A living coordinator sees to all workers; what cannot be read now is read at the next look.
    let ledgers = match is_live {
        true => Vec::new(),
        false => supervised::ledgers(tracker.store()).unwrap_or_default(),
    };
    let mut recorded = tracker.files().recorded();
    recorded.is_live = is_live;
    recorded.running = supervised::running(&ledgers, tracker.files().attempts());
    Scheduler::recover(std::sync::Arc::clone(tracker.plan()), recorded, now)
}

fn holder(store: &Store) -> Result<Option<String>, AppError> {
    Ok(lock::holder(store)?.map(|info| info.to_string()))
}

/// Returns every attempt on record, with what can be told of it.
fn attempts(tracker: &Tracker) -> impl Iterator<Item = (&AttemptId, Told)> {
    let reports: BTreeMap<&AttemptId, &StatusReport> =
        tracker.files().reports().map(|report| (&report.attempt, report)).collect();
    tracker.files().attempts().map(move |record| {
        let report = reports.get(&record.attempt).map(|report| (*report).clone());
        (&record.attempt, Told { has_ended: record.ending.is_some(), report })
    })
}
