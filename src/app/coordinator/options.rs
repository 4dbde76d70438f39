//! What whoever starts a run says, and what they get to know.

use std::sync::mpsc;

use tokio::sync::watch;

use crate::{
    app::{
        approval::Grant,
        view::run::{Live, RunEvent},
    },
    domain::{model::task::CommandLine, scheduler::event::StopMode},
};

/// How a run differs from what the files say.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Most workers side by side, instead of what the settings say.
    pub max_workers: Option<u32>,
    /// The command for all tasks, instead of what tasks, roles and settings say.
    pub worker: Option<CommandLine>,
    /// What to do when nothing can be started any more.
    pub when_idle: WhenIdle,
    /// Works on the branch that is checked out, even where it is protected.
    pub is_here: bool,
    /// Takes SIGINT and SIGQUIT as wishes to stop (politely, and at once), and SIGTERM as the wish
    /// to end and leave the workers at work; so it takes SIGHUP, where it would stay.
    pub handles_signals: bool,
    /// Asks for the end before anything is started: what an earlier run left at work is stopped.
    pub stop_first: Option<StopMode>,
    /// Where it comes from that what the plan would execute is approved.
    pub grant: Grant,
    /// What is published several times a second, for whoever draws it.
    pub picture: Picture,
}

/// How much of a run is published while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Picture {
    /// Nothing but what happens.
    #[default]
    None,
    /// What runs, and how many tasks are in which state.
    Workers,
    /// Every task as well.
    Board,
}

/// What whoever embeds a run can ask of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// End, and stop the workers.
    Stop(StopMode),
    /// Start nothing more for now.
    Pause,
    /// Start tasks again.
    Resume,
    /// End, and leave the workers at work.
    Leave,
}

/// What a run does when nothing runs and nothing can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenIdle {
    /// It ends, and says what is missing.
    #[default]
    End,
    /// It waits for gates, approvals and edits, unless everything is done.
    Wait,
    /// It stays, whatever is done, until it is stopped or left. It also begins with a plan that
    /// has errors: what is broken is left out until it is repaired.
    Stay,
}

/// Who is told what happens. Nobody needs to listen.
#[derive(Debug)]
pub struct Observers {
    /// Gets everything that happens, in order.
    pub events: mpsc::Sender<Vec<RunEvent>>,
    /// Gets the state of things, where that is asked for.
    pub live: watch::Sender<Live>,
}

impl Observers {
    /// Shows the state of things, and wakes whoever waits for events: something changed.
    pub(super) fn show(&self, live: Live) {
        self.live.send_replace(live);
        if self.events.send(Vec::new()).is_err() {
            tracing::trace!("nobody listens");
        }
    }
}
