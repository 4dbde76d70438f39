//! A run in the background, for programs that embed `orch` and for its own command line.

use std::{
    pin::Pin,
    process::ExitCode,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::watch;

pub use super::coordinator::{Picture, Request, RunOptions, WhenIdle};
pub use crate::domain::scheduler::event::StopMode;

use super::{
    coordinator::{self, Observers},
    error::AppError,
    repository::Repository,
    view::run::{Live, RunEvent, Summary},
};
use crate::io::{event_loop, supervisor};

/// Serves as the supervisor of workers where this process was started to be one; then it returns
/// the exit code with which `main` is to end.
///
/// A run starts its workers by way of a process of the same program that outlives it. So a
/// program that calls [`Run::start`] calls this first of all in its `main`.
pub fn serve_if_asked() -> Option<ExitCode> {
    supervisor::serve_if_asked()
}

/// Requests that may wait; more are dropped.
const REQUESTS_WAITING_MAX: usize = 16;

/// A run that goes on in a thread of its own until it ends or is stopped. Dropping it stops the
/// run politely and waits.
#[derive(Debug)]
pub struct Run {
    requests: tokio::sync::mpsc::Sender<Request>,
    events: mpsc::Receiver<Vec<RunEvent>>,
    live: watch::Receiver<Live>,
    thread: Option<JoinHandle<Result<Summary, AppError>>>,
}

impl Run {
    /// Starts to carry the plan of `repository` out.
    ///
    /// # Errors
    /// [`AppError::System`] where the system gives no thread. What else can go wrong is returned
    /// by [`Run::wait`].
    pub fn start(repository: &Repository, options: RunOptions) -> Result<Self, AppError> {
        Self::spawn(repository, options, |repository, options, observers, requests| {
            Box::pin(coordinator::run(repository, options, observers, requests))
        })
    }

    /// Starts to look at the plan of `repository` without carrying it out: it tells what changes,
    /// and what another coordinator does, until it is asked to stop or left.
    ///
    /// # Errors
    /// [`AppError::System`] where the system gives no thread.
    pub fn look(repository: &Repository, options: RunOptions) -> Result<Self, AppError> {
        Self::spawn(repository, options, |repository, options, observers, requests| {
            Box::pin(coordinator::look(repository, options, observers, requests))
        })
    }

    fn spawn(
        repository: &Repository,
        options: RunOptions,
        work: impl for<'a> FnOnce(&'a Repository, RunOptions, Observers, Requests) -> Work<'a>
        + Send
        + 'static,
    ) -> Result<Self, AppError> {
        let (requests, request_receiver) = tokio::sync::mpsc::channel(REQUESTS_WAITING_MAX);
        let (event_sender, events) = mpsc::channel();
        let (live_sender, live) = watch::channel(Live::default());
        let observers = Observers { events: event_sender, live: live_sender };
        let repository = repository.clone();
        let thread = std::thread::Builder::new()
            .name("coordinator".to_owned())
            .spawn(move || block_on(work(&repository, options, observers, request_receiver)))
            .map_err(|source| AppError::System { what: "start a thread".to_owned(), source })?;
        Ok(Self { requests, events, live, thread: Some(thread) })
    }

    /// Asks the run to end: politely, or at once. The run ends when its workers have ended.
    pub fn stop(&self, mode: StopMode) {
        self.ask(Request::Stop(mode));
    }

    /// Starts nothing more until [`Run::resume`]; what runs goes on.
    pub fn pause(&self) {
        self.ask(Request::Pause);
    }

    /// Starts tasks again.
    pub fn resume(&self) {
        self.ask(Request::Resume);
    }

    /// Ends the run and leaves its workers at work; the next run takes them up.
    pub fn leave(&self) {
        self.ask(Request::Leave);
    }

    /// Returns a handle for asking something of the run from another thread.
    pub fn remote(&self) -> Remote {
        Remote { requests: self.requests.clone() }
    }

    fn ask(&self, request: Request) {
        self.remote().ask(request);
    }

    /// Waits for something to happen and returns it with all that has happened since; nothing
    /// after `patience`, or when the run has ended.
    pub fn next_events(&self, patience: Duration) -> Vec<RunEvent> {
        self.events
            .recv_timeout(patience)
            .into_iter()
            .chain(self.events.try_iter())
            .flatten()
            .collect()
    }

    /// Returns all that happens, in order, until the run has ended.
    pub fn events(&self) -> impl Iterator<Item = RunEvent> {
        self.events.iter().flatten()
    }

    /// Returns the state of things; it changes only with a [`RunOptions::picture`].
    pub fn live(&self) -> Live {
        self.live.borrow().clone()
    }

    /// Returns the state of things where it changed since this was last called.
    pub fn changed_live(&mut self) -> Option<Live> {
        // An error means that nothing more will come; the last state may still be new.
        let is_new = self.live.has_changed().unwrap_or(false);
        is_new.then(|| self.live.borrow_and_update().clone())
    }

    /// Says whether the run has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the run has ended.
    ///
    /// # Errors
    /// Whatever kept the plan from being carried out.
    pub fn wait(mut self) -> Result<Summary, AppError> {
        self.join()
    }

    /// Waits until the run has ended, at most `timeout` long; then it is asked to stop, and waited
    /// for.
    ///
    /// # Errors
    /// As [`Run::wait`].
    pub fn wait_at_most(mut self, timeout: Duration) -> Result<Summary, AppError> {
        let deadline = Instant::now() + timeout;
        while !self.has_ended() && Instant::now() < deadline {
            let patience = deadline.saturating_duration_since(Instant::now());
            // An event, the end of the run and the end of the patience all wake this up.
            if self
                .events
                .recv_timeout(patience)
                .is_err_and(|e| e == mpsc::RecvTimeoutError::Disconnected)
            {
                break;
            }
        }
        self.stop(StopMode::Polite);
        self.join()
    }

    fn join(&mut self) -> Result<Summary, AppError> {
        let Some(thread) = self.thread.take() else { unreachable!("a run is waited for once") };
        match thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Asks something of a run, from any thread.
#[derive(Debug, Clone)]
pub struct Remote {
    requests: tokio::sync::mpsc::Sender<Request>,
}

impl Remote {
    /// Asks the run for something; nothing comes of it where the run has ended.
    pub fn ask(&self, request: Request) {
        if self.requests.try_send(request).is_err() {
            tracing::debug!("the run has ended, or was asked often enough");
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop(StopMode::Polite);
            if let Err(error) = self.join() {
                tracing::warn!(%error, "the run failed");
            }
        }
    }
}

/// What whoever embeds the run asks for.
type Requests = tokio::sync::mpsc::Receiver<Request>;

/// What the thread of a run does.
type Work<'a> = Pin<Box<dyn Future<Output = Result<Summary, AppError>> + 'a>>;

fn block_on(work: Work<'_>) -> Result<Summary, AppError> {
    let failed = |source| AppError::System { what: "start the event loop".to_owned(), source };
    event_loop::build().map_err(failed)?.block_on(work)
}
