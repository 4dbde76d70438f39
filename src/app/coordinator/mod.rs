//! The one loop: next event → step → carry out → publish.

mod absence;
mod adoption;
mod apart;
mod approval;
mod begin;
mod board;
mod claims;
mod effects;
mod enclosure;
mod end;
mod follow;
mod heartbeat;
mod hooks;
mod live;
mod options;
mod planning;
mod prompt;
mod recovery;
mod shortage;
mod sources;
mod strangers;
mod summary;
mod supervision;
mod surroundings;
mod trouble;
mod viewer;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

pub use self::{
    options::{Observers, Picture, Request, RunOptions, WhenIdle},
    viewer::look,
};

use self::{
    adoption::Inherited,
    effects::Worker,
    end::Leaving,
    sources::{Incoming, Sources},
    surroundings::Surroundings,
};
use super::{
    error::AppError,
    repository::Repository,
    tracker::Tracker,
    view::run::{Happened, RunEvent, Summary},
};
use crate::{
    domain::{
        format::{layout, status_file},
        model::{attempt::StatusReport, config::Config, id::AttemptId, secret},
        scheduler::{
            Scheduler, Verdict,
            event::{Event, Hold},
        },
    },
    io::{
        clock::Clock,
        entropy::Nonces,
        process::{How, log::LogState},
        store::{ReadFault, Store, journal::Journal, lock::Lock},
        supervisor::{Supervisor, Told},
    },
};

/// Carries the plan out until nothing more can be done, or until it is stopped.
///
/// # Errors
/// [`AppError::PlanHasErrors`], [`AppError::Lock`] where another coordinator is at work, and
/// whatever the world refuses. Workers go on then, and the next run takes them up; only where the
/// lock was taken away are they stopped.
pub async fn run(
    repository: &Repository,
    options: RunOptions,
    observers: Observers,
    requests: tokio::sync::mpsc::Receiver<Request>,
) -> Result<Summary, AppError> {
    let mut sources = Sources::new(&options, requests)?;
    let mut coordinator = Coordinator::start(repository, options, observers, &mut sources).await?;
    coordinator.follow_supervisors();
    let ended = coordinator.go(&mut sources).await;
    coordinator.desk.abandon();
    if ended.is_err() {
        coordinator.stop_hooks().await;
        // Without the lock the next run would not find them.
        let is_lost = coordinator.misplaced().is_some();
        let leaving = if is_lost { Leaving::Nothing } else { Leaving::ToNextRun };
        coordinator.let_go(&mut sources, leaving).await;
        let n_running = coordinator.n_at_work();
        if n_running > 0 && !is_lost {
            coordinator.tell(Happened::Left { n_running });
            coordinator.send_outbox();
        }
    }
    ended
}

/// Everything that the loop holds.
struct Coordinator {
    store: Store,
    options: RunOptions,
    observers: Observers,
    clock: Clock,
    scheduler: Scheduler,
    journal: Journal,
    /// Starts workers; started with the first of them.
    supervisor: Option<Supervisor>,
    /// Where supervisors tell what happens.
    told: tokio::sync::mpsc::Sender<Told>,
    /// What an earlier coordinator left, until it was dealt with.
    inherited: Inherited,
    nonces: Nonces,
    /// What tells records of this run from those of another branch, where nothing else does.
    mark: String,
    tracker: Tracker,
    /// The settings as they stand in the file.
    settings: Config,
    /// Running attempts whose tasks are gone, as far as that was told.
    removed: BTreeSet<AttemptId>,
    /// Whether what people write cannot be read now.
    is_blind: bool,
    /// Whether somebody wants to leave the workers at work.
    is_left: bool,
    /// What came in while nothing could be written.
    late: Vec<Incoming>,
    /// The records that this run wrote, should they have to be written again.
    kept: BTreeMap<String, String>,
    /// What happened in this turn, to be told at its end.
    outbox: Vec<RunEvent>,
    /// What all workers get of the settings.
    surroundings: Surroundings,
    /// What is being carried out.
    workers: BTreeMap<AttemptId, Worker>,
    /// The files that are signs of life of workers, as they were seen last.
    seen_files: BTreeMap<String, LogState>,
    /// Stops the gate commands that run.
    gate_stop: Option<watch::Sender<Option<How>>>,
    /// Where background work sends what became of it.
    events: Option<tokio::sync::mpsc::Sender<Event>>,
    tally: summary::Tally,
    live: live::LiveView,
    hooks: hooks::Hooks,
    /// Held as long as the loop lives.
    lock: Lock,
    /// Claims of tasks that are on their way.
    desk: claims::Desk,
    /// Where tasks are worked on apart, and how their work lands.
    yard: apart::Yard,
    /// What of the plan may be executed.
    approval: approval::Followed,
}

impl Coordinator {
    async fn go(&mut self, sources: &mut Sources) -> Result<Summary, AppError> {
        // What has ended is judged before anything is stopped or started.
        let mut batch: Vec<Event> =
            self.options.stop_first.map(|_| Event::Held(Hold::Person)).into_iter().collect();
        self.take_up(&mut batch)?;
        batch.push(self.options.stop_first.map_or(Event::TimePassed, Event::StopAsked));
        loop {
            self.turn(batch, sources).await?;
            self.note_workers();
            self.forget_read_ledgers();
            self.publish_claims();
            self.publish_landings();
            self.fire_hooks();
            self.publish();
            if self.is_left {
                break;
            }
            if let Some(error) = self.without_branch() {
                return Err(error);
            }
            match self.scheduler.verdict() {
                Some(Verdict::Stopped) => break,
                Some(Verdict::Finished) if !self.waits_for_somebody() => break,
                Some(Verdict::Finished) | None => {}
            }
            batch = self.next_events(sources).await?;
        }
        if self.is_left {
            self.let_go(sources, Leaving::ToNextRun).await;
        }
        self.finish_hooks(sources).await;
        self.finish_state(sources).await;
        if !self.is_left {
            self.give_back_claims(sources).await;
        }
        self.end()
    }

    /// Steps through all events that are there, and carries out what follows: first all records,
    /// then everything else.
    async fn turn(&mut self, batch: Vec<Event>, sources: &mut Sources) -> Result<(), AppError> {
        let mut effects = Vec::new();
        if !batch.is_empty() {
            self.live.note();
        }
        for event in batch {
            effects.extend(self.scheduler.step(self.clock.now(), event));
        }
        if let Some(event) = self.forget_removed() {
            effects.extend(self.scheduler.step(self.clock.now(), event));
        }
        // Somebody may have asked it to stop: that is known only now.
        self.keep_place(sources).await?;
        self.carry_out(effects, sources).await
    }

    /// Waits for the next event, and takes along those that came with it.
    async fn next_events(&mut self, sources: &mut Sources) -> Result<Vec<Event>, AppError> {
        let deadline = self.scheduler.next_deadline();
        let wait = deadline.map(|tick| tick.0.saturating_sub(self.clock.now().tick.0));
        let moves = self.live.moves(&self.scheduler);
        let incoming = sources.next(wait, &self.tracker, moves).await;
        let mut batch = Vec::new();
        for late in std::mem::take(&mut self.late) {
            self.take(late, &mut batch)?;
        }
        self.take(incoming, &mut batch)?;
        while let Some(incoming) = sources.waiting() {
            self.take(incoming, &mut batch)?;
        }
        Ok(batch)
    }

    /// Turns what came in into events, reading from disk what a hint is about.
    fn take(&mut self, incoming: Incoming, batch: &mut Vec<Event>) -> Result<(), AppError> {
        match incoming {
            Incoming::Event(event) => {
                if let Event::VerifyFinished { attempt, .. } = &event {
                    self.follow_end(attempt, batch);
                }
                self.note_end(&event);
                batch.push(event);
            }
            Incoming::Told(told) => self.supervisor_told(told, batch)?,
            Incoming::Deadline => {
                self.look_for_signs_of_life(batch);
                self.look_for_absent(batch);
                batch.push(Event::TimePassed);
            }
            Incoming::Request(request) => batch.extend(self.requested(request)),
            Incoming::Refresh => {
                self.look_for_signs_of_life(batch);
                self.look_for_standstill();
                self.look_at_claims();
                self.look_for_files(batch);
                let running: Vec<AttemptId> = self.workers.keys().cloned().collect();
                batch.extend(running.iter().filter_map(|attempt| self.read_report(attempt)));
                self.look_at_branch(batch);
                self.look_for_approvals(batch);
                self.look_for_missing_sandbox(batch);
                self.save_state();
            }
            Incoming::Redraw => {}
            Incoming::Git(news) => self.git_told(news, batch),
            Incoming::Claims(answer) => self.claims_answered(answer, batch),
            Incoming::Files => self.follow_files(batch)?,
        }
        Ok(())
    }

    /// Turns what somebody asked for into an event.
    fn requested(&mut self, request: Request) -> Option<Event> {
        match request {
            Request::Stop(mode) => Some(Event::StopAsked(mode)),
            Request::Leave => {
                self.is_left = true;
                None
            }
            Request::Pause => {
                let help = String::new();
                self.tell(Happened::Held { reason: "it was paused".to_owned(), help });
                Some(Event::Held(Hold::Person))
            }
            Request::Resume => {
                self.tell(Happened::Released);
                Some(Event::Released(Hold::Person))
            }
        }
    }

    /// Reads what the worker of a running attempt reported; `None` where it says nothing new.
    fn read_report(&mut self, attempt: &AttemptId) -> Option<Event> {
        let now = self.clock.now().wall;
        let worker = self.workers.get_mut(attempt)?;
        let path = layout::status_path(attempt);
        let place = worker.home.relative(&path);
        let bytes = self.store.read_file(&place);
        let is_missing = matches!(bytes, Err(ReadFault::Missing));
        let bytes = bytes.ok();
        let report = bytes.as_ref().and_then(|bytes| status_file::parse(&path, bytes).0);
        if report.is_some() || is_missing {
            worker.unreadable_since = None;
        } else {
            worker.unreadable_since.get_or_insert(now);
        }
        let mut report: StatusReport = report?;
        report.message = report.message.map(|text| secret::mask(&text, &worker.secrets));
        report.notes = secret::mask(&report.notes, &worker.secrets);
        if report.attempt != *attempt || worker.report.as_ref() == Some(&report) {
            return None;
        }
        // One that is being written over may come as the head of one version and the tail of the
        // next: then it is read again when it is whole.
        if self.store.read_file(&place).ok() != bytes {
            return None;
        }
        worker.report = Some(report.clone());
        self.mirror_status(attempt);
        self.tell(Happened::reported(&report));
        Some(Event::StatusReported(report))
    }

    /// Says whether to wait for a gate, an approval or an edit that sets something going.
    fn waits_for_somebody(&self) -> bool {
        match self.options.when_idle {
            WhenIdle::End => self.waits_to_settle(),
            WhenIdle::Wait => self.scheduler.states().iter().any(|state| !state.is_settled()),
            WhenIdle::Stay => true,
        }
    }

    fn publish(&mut self) {
        self.send_outbox();
        let now = self.clock.now();
        if self.options.picture != Picture::None && self.live.is_due(&self.scheduler, now) {
            let mode = self.mode();
            let mut view = self.live.draw(&self.scheduler, &self.tracker, mode, now);
            self.mark_trouble(&mut view);
            self.observers.show(view);
        }
    }

    /// Puts what happened into the outbox.
    fn tell(&mut self, happened: Happened) {
        self.live.note();
        self.outbox.push(RunEvent::new(self.clock.now().wall, happened));
    }

    /// Tells the observers what was put into the outbox.
    fn send_outbox(&mut self) {
        let events = std::mem::take(&mut self.outbox);
        if !events.is_empty() && self.observers.events.send(events).is_err() {
            tracing::trace!("nobody listens");
        }
    }
}
