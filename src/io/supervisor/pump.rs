//! The way from the pipe of a worker into its log, and what is heard on it.

use std::{cell::RefCell, io, sync::Arc, time::Duration};

use tokio::{
    net::unix::pipe,
    sync::{Notify, mpsc},
    time::{Instant, sleep, sleep_until},
};

use super::{
    AWAY_LOOK, AWAY_MAX,
    ear::{Ear, Heard},
    output::Output,
};
use crate::io::shortage::is_passing;

/// How much is read from a pipe at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Time between two tries to write a log while the disk is full.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// What came of a pipe.
#[derive(Debug, Clone)]
pub(super) enum Came {
    /// The agent said something of itself.
    Heard(Heard),
    /// The log cannot be written now.
    Short(String),
    /// The pipe ran dry, or was given up.
    Dry(Said),
}

/// What the output of a worker said, all of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Whether the text that was looked for stood in it.
    pub(super) has_signal: bool,
    /// What the agent said of itself.
    pub(super) found: crate::domain::agent::Findings,
}

/// Where a pipe tells what came of it: with the number of its worker.
pub(super) type Teller = mpsc::UnboundedSender<(u64, Came)>;

thread_local! {
    /// What is read goes through here: one for all pipes, so that many of them need little memory.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK_BYTES]);
}

/// The pipe of one worker.
#[derive(Debug)]
pub(super) struct Pump {
    /// The number of the worker.
    pub(super) which: u64,
    pub(super) reader: pipe::Receiver,
    pub(super) output: Output,
    pub(super) ear: Option<Ear>,
    /// Tells it to give up.
    pub(super) give_up: Arc<Notify>,
    pub(super) teller: Teller,
}

impl Pump {
    /// Carries what the worker writes into its log, until the pipe runs dry or is given up.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.ear.as_ref().and_then(Ear::due);
            tokio::select! {
                biased;
                ready = self.reader.readable() => if ready.is_err() { break },
                () = self.give_up.notified() => break,
                () = until(due) => {}
            }
            match self.read() {
                Ok(0) => break,
                Ok(_) => self.flush().await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
            for heard in self.ear.as_mut().map(Ear::news).into_iter().flatten() {
                self.tell(Came::Heard(heard));
            }
        }
        self.output.close();
        self.flush().await;
        let has_signal = self.output.has_signal();
        let found = self.ear.as_mut().map(Ear::finish).unwrap_or_default();
        self.tell(Came::Dry(Said { has_signal, found }));
        self.keep_log().await;
    }

    /// Puts the log back where it was taken away, as soon as that is possible.
    async fn keep_log(&mut self) {
        let deadline = Instant::now() + AWAY_MAX;
        while !self.output.is_in_place() && Instant::now() < deadline {
            sleep(AWAY_LOOK).await;
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        BUFFER.with_borrow_mut(|buffer| {
            let n = self.reader.try_read(buffer)?;
            let bytes = buffer.get(..n).unwrap_or_default();
            self.output.push(bytes);
            if let Some(ear) = &mut self.ear {
                ear.push(bytes);
            }
            Ok(n)
        })
    }

    /// Writes what came. While the disk is full the worker waits, as its pipe fills, and so it does
    /// for a while where the folder of its log is gone; what cannot be written at all is dropped,
    /// so that the worker goes on.
    async fn flush(&mut self) {
        let mut is_told = false;
        let deadline = Instant::now() + AWAY_MAX;
        while let Err(error) = self.output.flush() {
            let is_away =
                matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
            let may_return = is_away && Instant::now() < deadline;
            if !may_return && !is_passing(&error) {
                self.output.give_up();
                return;
            }
            if !is_told {
                self.tell(Came::Short(error.to_string()));
                is_told = true;
            }
            sleep(FULL_PAUSE).await;
        }
    }

    fn tell(&self, came: Came) {
        if self.teller.send((self.which, came)).is_err() {
            tracing::debug!("a pipe is heard after the end");
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
