//! Where events come from: background work, files, time, signals and whoever embeds the run.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::{Picture, Request, RunOptions, WhenIdle, apart::News, claims::Answer};
use crate::{
    app::{error::AppError, tracker::Tracker},
    domain::scheduler::event::{Event, StopMode},
    io::supervisor::Told,
};

/// Events that may wait; what sends more waits until the loop has caught up.
const EVENTS_WAITING_MAX: usize = 4096;

/// Status files of running attempts are looked at this often, hint or no hint.
const REFRESH: Duration = Duration::from_secs(1);

/// How often a live view is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Something that came in.
#[derive(Debug)]
pub(super) enum Incoming {
    /// Background work ended.
    Event(Event),
    /// A supervisor told something.
    Told(Told),
    /// Files may have changed, or it is time to look at them.
    Files,
    /// The scheduler asked to be woken now.
    Deadline,
    /// Somebody wants something of the run.
    Request(Request),
    /// It is time to look at status files.
    Refresh,
    /// It is time to draw.
    Redraw,
    /// Somebody answered whose tasks are.
    Claims(Answer),
    /// Git did something in the background.
    Git(News),
}

/// All sources, in one line.
pub(super) struct Sources {
    sender: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    teller: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
    claim_answerer: mpsc::Sender<Answer>,
    claim_answers: mpsc::Receiver<Answer>,
    newscaster: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    requests: mpsc::Receiver<Request>,
    signals: Option<Signals>,
    refresh: Interval,
    redraw: Option<Interval>,
}

/// What people and systems signal: that the run is to stop, or only to end.
struct Signals {
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    hang_up: Signal,
    when_idle: WhenIdle,
    n_interrupts: u32,
}

impl Signals {
    fn new(when_idle: WhenIdle) -> Result<Self, AppError> {
        let listen = |kind| {
            signal(kind).map_err(|source| AppError::System {
                what: "listen for signals".to_owned(),
                source,
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            when_idle,
            n_interrupts: 0,
        })
    }

    /// Returns what the next signal asks for. Only who asks for it has workers stopped: the end
    /// of a login or of the machine leaves them at work.
    async fn next(signals: &mut Option<Self>) -> Request {
        let Some(signals) = signals else { return std::future::pending().await };
        loop {
            tokio::select! {
                _ = signals.interrupt.recv() => {
                    signals.n_interrupts += 1;
                    let is_first = signals.n_interrupts == 1;
                    let mode = if is_first { StopMode::Polite } else { StopMode::Now };
                    return Request::Stop(mode);
                }
                _ = signals.quit.recv() => return Request::Stop(StopMode::Now),
                _ = signals.terminate.recv() => return Request::Leave,
                // A run has an end, and goes on to it without a terminal; what stays open for its
                // terminal ends with it.
                _ = signals.hang_up.recv() => if signals.when_idle == WhenIdle::Stay {
                    return Request::Leave;
                },
            }
        }
    }
}

impl Sources {
    /// Opens all sources.
    pub(super) fn new(
        options: &RunOptions,
        requests: mpsc::Receiver<Request>,
    ) -> Result<Self, AppError> {
        let (sender, events) = mpsc::channel(EVENTS_WAITING_MAX);
        let (teller, told) = mpsc::channel(EVENTS_WAITING_MAX);
        let (claim_answerer, claim_answers) = mpsc::channel(1);
        let (newscaster, news) = mpsc::channel(EVENTS_WAITING_MAX);
        Ok(Self {
            sender,
            events,
            teller,
            told,
            claim_answerer,
            claim_answers,
            newscaster,
            news,
            requests,
            signals: options
                .handles_signals
                .then(|| Signals::new(options.when_idle))
                .transpose()?,
            refresh: every(REFRESH),
            redraw: (options.picture != Picture::None).then(|| every(REDRAW)),
        })
    }

    /// Returns where background work sends what became of it.
    pub(super) fn sender(&self) -> mpsc::Sender<Event> {
        self.sender.clone()
    }

    /// Returns where supervisors tell what happens.
    pub(super) fn teller(&self) -> mpsc::Sender<Told> {
        self.teller.clone()
    }

    /// Returns where it is sent whose tasks are.
    pub(super) fn claim_answerer(&self) -> mpsc::Sender<Answer> {
        self.claim_answerer.clone()
    }

    /// Returns where git work in the background sends what came of it.
    pub(super) fn newscaster(&self) -> mpsc::Sender<News> {
        self.newscaster.clone()
    }

    /// Waits for what came of git work.
    pub(super) async fn git_told(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Waits until it is known whose tasks are.
    pub(super) async fn claim_answered(&mut self) -> Answer {
        match self.claim_answers.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Returns what background work or a supervisor has told already.
    pub(super) fn waiting(&mut self) -> Option<Incoming> {
        let told = self.told.try_recv().map(Incoming::Told);
        let told = told.or_else(|_| self.events.try_recv().map(Incoming::Event));
        told.or_else(|_| self.news.try_recv().map(Incoming::Git)).ok()
    }

    /// Waits until somebody wants the run to end before it has begun.
    pub(super) async fn stop_asked(&mut self) {
        while matches!(self.requested().await, Request::Pause | Request::Resume) {}
    }

    /// Waits until somebody wants something of the run.
    pub(super) async fn requested(&mut self) -> Request {
        tokio::select! {
            request = Signals::next(&mut self.signals) => request,
            Some(request) = self.requests.recv() => request,
            else => std::future::pending().await,
        }
    }

    /// Waits for whatever comes first; `wait` is the time until the scheduler wants to be woken,
    /// and a picture is only redrawn where something `moves` in it.
    pub(super) async fn next(
        &mut self,
        wait: Option<Duration>,
        tracker: &Tracker,
        moves: bool,
    ) -> Incoming {
        let deadline = wait.map(|wait| Instant::now() + wait);
        tokio::select! {
            biased;
            Some(told) = self.told.recv() => Incoming::Told(told),
            Some(event) = self.events.recv() => Incoming::Event(event),
            Some(news) = self.news.recv() => Incoming::Git(news),
            Some(answer) = self.claim_answers.recv() => Incoming::Claims(answer),
            request = Signals::next(&mut self.signals) => Incoming::Request(request),
            Some(request) = self.requests.recv() => Incoming::Request(request),
            () = sleep_until(deadline) => Incoming::Deadline,
            () = tracker.wait() => Incoming::Files,
            _ = self.refresh.tick() => Incoming::Refresh,
            () = next_tick(&mut self.redraw), if moves => Incoming::Redraw,
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn next_tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}
