//! The full-screen view of `orch watch`: every task, what happens, and keys to act on it.
//!
//! Keys and news come in as [`Input`]; [`update`](update::update) turns each into a changed model
//! and [`Action`](input::Action)s, [`draw`](draw::draw) the model into a screen. Both are pure;
//! this file is the edge that waits, draws and has actions carried out.

mod act;
mod ask;
mod draw;
mod guard;
mod input;
mod keys;
mod list;
mod model;
mod pager;
mod update;
mod words;

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use self::{act::Hands, guard::Guard, input::Input, model::Model};
use crate::app::{repository::Repository, running::Run};

pub use self::model::Purpose;

/// Time between two looks at a run in which something goes on.
const QUICK: Duration = Duration::from_millis(100);

/// Time between two looks at a run in which nothing goes on.
const SLOW: Duration = Duration::from_secs(1);

/// Time between two looks at a log that is open.
const LOG_PERIOD: Duration = Duration::from_millis(250);

/// How the view is shown, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// What the view is there for.
    pub purpose: Purpose,
    /// Whether colors are wanted.
    pub is_colored: bool,
    /// The login name of the person at the keyboard.
    pub login: Option<&'a str>,
}

/// Shows a run on the whole terminal until it has ended.
///
/// # Errors
/// Where the terminal cannot be used or is gone; the run goes on.
pub fn show(run: &mut Run, repository: &Repository, look: Look<'_>) -> io::Result<()> {
    let Some(first) = wait_for_start(run) else { return Ok(()) };
    let mut guard = Guard::take()?;
    let (sender, inputs) = mpsc::channel();
    let is_over = Over::default();
    keys::listen(sender.clone(), Arc::clone(&is_over.0))?;
    let mut view = View {
        model: Model::new(look.purpose, guard.size()?),
        hands: Hands { repository, remote: run.remote(), login: look.login, log: None },
        is_colored: look.is_colored,
        log_read: Instant::now(),
    };
    view.take(first);
    if let Some(live) = run.changed_live() {
        view.take(Input::Live(Box::new(live)));
    }
    std::thread::scope(|scope| {
        // Dropped here, it ends the other threads also when this one panics.
        let is_over = is_over;
        let is_pump_over = Arc::clone(&is_over.0);
        scope.spawn(move || pump(run, &sender, &is_pump_over));
        let shown = view.go(&mut guard, &inputs);
        drop(guard);
        drop(is_over);
        shown
    })
}

/// Tells the threads that feed the view that it is gone, at the latest when it is dropped.
#[derive(Debug, Default)]
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until a run has begun; `None` where it ended before, for example for a broken plan:
/// then there is nothing to show but its error.
fn wait_for_start(run: &Run) -> Option<Input> {
    loop {
        let has_ended = run.has_ended();
        let events = run.next_events(QUICK);
        if !events.is_empty() {
            return Some(Input::Happened(events));
        }
        if has_ended {
            return None;
        }
    }
}

/// Tells the view what becomes of the run, until either is over.
fn pump(run: &mut Run, inputs: &Sender<Input>, is_over: &AtomicBool) {
    let mut patience = QUICK;
    while !is_over.load(Ordering::Relaxed) {
        let has_ended = run.has_ended();
        let events = run.next_events(patience);
        let live = run.changed_live();
        // Right after something happened, the state of things may follow.
        patience = if live.is_some() || !events.is_empty() { QUICK } else { SLOW };
        let happened = (!events.is_empty()).then_some(Input::Happened(events));
        let live = live.map(|live| Input::Live(Box::new(live)));
        let ended = has_ended.then_some(Input::Ended);
        for input in [happened, live, ended].into_iter().flatten() {
            if inputs.send(input).is_err() {
                return;
            }
        }
        if has_ended {
            return;
        }
    }
}

/// The model and whoever acts for it.
struct View<'a> {
    model: Model,
    hands: Hands<'a>,
    is_colored: bool,
    /// When the log was read last.
    log_read: Instant,
}

impl View<'_> {
    fn go(&mut self, guard: &mut Guard, inputs: &Receiver<Input>) -> io::Result<()> {
        while !self.model.has_ended {
            guard.draw(|frame| draw::draw(&self.model, frame, self.is_colored))?;
            // Inputs come only with news, so nothing is drawn twice.
            let Some(input) = self.next(inputs) else { return Ok(()) };
            self.take(input);
            // Whatever came meanwhile is taken in before the screen is drawn once.
            inputs.try_iter().for_each(|input| self.take(input));
        }
        Ok(())
    }

    /// Waits for the next input; `None` where nobody is left to send one.
    fn next(&mut self, inputs: &Receiver<Input>) -> Option<Input> {
        while self.hands.log.is_some() {
            // News of the run may come all the time: the log must not wait for a pause in them.
            if self.log_read.elapsed() >= LOG_PERIOD {
                self.log_read = Instant::now();
                if let Some(text) = self.hands.read_log() {
                    return Some(Input::LogGrew(text));
                }
            }
            match inputs.recv_timeout(LOG_PERIOD) {
                Ok(input) => return Some(input),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        inputs.recv().ok()
    }

    /// Takes an input in, with all that follows from it.
    fn take(&mut self, input: Input) {
        let mut waiting = VecDeque::from([input]);
        while let Some(input) = waiting.pop_front() {
            for action in update::update(&mut self.model, input) {
                waiting.extend(self.hands.carry_out(action));
            }
        }
    }
}
