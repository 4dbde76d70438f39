//! What supervisors wrote down: which workers they started, and how those ended.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    Told,
    wire::{self, End, Line, VERSION},
};
use crate::{
    domain::model::time::Now,
    io::process::{
        ProcessError, ProcessIdentity, cgroup, is_argument_of_some_process,
        leftovers::{continue_exact, kill_exact},
        log::read_from,
    },
};

/// Time between two looks at the ledger of a supervisor that another coordinator started.
const LOOK: Duration = Duration::from_millis(50);

/// How long an orphaned supervisor may take to notice it.
const ORPHAN_TIME: Duration = Duration::from_secs(5);

/// How much of a ledger is read at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// What a ledger says, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Its name.
    pub name: String,
    path: PathBuf,
    offset: u64,
    /// The supervisor; `None` where it never got as far as to write its first line.
    pub identity: Option<ProcessIdentity>,
    /// The version of its language.
    pub version: u32,
    /// Whether it takes no more orders.
    pub is_orphaned: bool,
    /// The folder of the control group of its workers, where they have one.
    pub cgroup: Option<PathBuf>,
    /// What became of its workers, by their nonces.
    pub workers: BTreeMap<String, Supervised>,
}

/// What a ledger says of one worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Supervised {
    /// It was started.
    Started {
        /// Its process.
        identity: ProcessIdentity,
        /// When.
        at: Now,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        cause: String,
        /// Whether it may work later.
        is_passing: bool,
    },
    /// It ended, having been started `at`.
    Ended {
        /// When it was started.
        at: Now,
        /// How it ended, and when.
        end: End,
    },
}

impl Ledger {
    /// Reads the ledger `path`, called `name`.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub fn read(name: String, path: PathBuf) -> Result<Self, ProcessError> {
        let mut ledger = Self {
            name,
            path,
            offset: 0,
            identity: None,
            version: VERSION,
            is_orphaned: false,
            cgroup: None,
            workers: BTreeMap::new(),
        };
        ledger.read_on()?;
        Ok(ledger)
    }

    /// Reads what was added, and returns it.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub fn read_on(&mut self) -> Result<Vec<Line>, ProcessError> {
        let mut lines = Vec::new();
        loop {
            let (bytes, _) = read_from(&self.path, self.offset, CHUNK_BYTES)?;
            // A line without its end is read when that is there.
            let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else { break };
            let whole = bytes.get(..=last).unwrap_or_default();
            self.offset += whole.len() as u64;
            for line in whole.split(|byte| *byte == b'\n').filter_map(Line::parse) {
                self.take_in(&line);
                lines.push(line);
            }
        }
        Ok(lines)
    }

    fn take_in(&mut self, line: &Line) {
        match line.clone() {
            Line::Hello { version, pid, start_ticks, boot_id, cgroup } => {
                self.version = version;
                self.cgroup =
                    cgroup.map(PathBuf::from).filter(|folder| cgroup::is_of(folder, &self.name));
                self.identity = Some(ProcessIdentity { pid, start_ticks, boot_id });
            }
            Line::Started { nonce, pid, start_ticks, tick_us, wall_ms } => {
                let boot_id = self.identity.as_ref().map(|own| own.boot_id.clone());
                let boot_id = boot_id.unwrap_or_default();
                let identity = ProcessIdentity { pid, start_ticks, boot_id };
                let at = wire::at(tick_us, wall_ms);
                self.workers.insert(nonce, Supervised::Started { identity, at });
            }
            Line::NotStarted { nonce, cause, is_passing } => {
                self.workers.insert(nonce, Supervised::NotStarted { cause, is_passing });
            }
            Line::Exited { nonce, end } => {
                let at = match self.workers.get(&nonce) {
                    Some(Supervised::Started { at, .. } | Supervised::Ended { at, .. }) => *at,
                    Some(Supervised::NotStarted { .. }) | None => end.at(),
                };
                self.workers.insert(nonce, Supervised::Ended { at, end });
            }
            Line::Used { .. } | Line::Limited { .. } | Line::Short { .. } => {}
            Line::Orphaned => self.is_orphaned = true,
        }
    }

    /// Says whether its supervisor is still at work.
    pub fn is_alive(&self) -> bool {
        match &self.identity {
            Some(identity) => identity.is_alive(),
            // It may not have got as far as its first line.
            None => is_argument_of_some_process(&self.path),
        }
    }

    /// Kills its supervisor.
    pub fn kill(&self) {
        if let Some(identity) = self.identity.as_ref().filter(|identity| identity.is_alive()) {
            kill_exact((identity.pid, identity.start_ticks));
        }
    }

    /// Says whether it is of a supervisor that ran before the machine was started last.
    pub fn is_of_another_boot(&self) -> bool {
        self.identity.as_ref().is_some_and(|own| own.boot_id != crate::io::process::boot_id())
    }

    /// Waits until its supervisor has carried out every order that its coordinator gave before it
    /// died. Returns whether it did, or is gone itself.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub async fn settle(&mut self) -> Result<bool, ProcessError> {
        let deadline = Instant::now() + ORPHAN_TIME;
        // Whoever stopped it may have forgotten it; one that runs does not notice.
        if let Some(identity) = self.identity.as_ref().filter(|identity| identity.is_alive()) {
            continue_exact((identity.pid, identity.start_ticks));
        }
        loop {
            // Asked first: what it writes before its end is read after that.
            let is_alive = self.is_alive();
            self.read_on()?;
            if self.is_orphaned || !is_alive {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends what is added to `told`, as if its supervisor were this process's own, until that is
    /// gone.
    pub async fn follow(mut self, told: mpsc::Sender<Told>) {
        loop {
            let is_alive = self.is_alive();
            let lines = self.read_on().unwrap_or_default();
            let supervisor = &self.name;
            for line in lines {
                let line = Told { supervisor: supervisor.clone(), line: Some(line) };
                if told.send(line).await.is_err() {
                    return;
                }
            }
            if !is_alive {
                let gone = Told { supervisor: supervisor.clone(), line: None };
                drop(told.send(gone).await);
                return;
            }
            sleep(LOOK).await;
        }
    }
}
