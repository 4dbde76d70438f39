//! Listens to what an agent says of itself: what it used, and limits that it ran into.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    domain::{
        agent::{Findings, Reader},
        model::{
            agent::Agent,
            attempt::{Usage, UsageLimit},
            limits::AGENT_LINE_BYTES_MAX,
        },
    },
    io::clock,
};

/// How often it is told that more was used.
const USAGE_PERIOD: Duration = Duration::from_secs(1);

/// How long a limit must be in force before it is told while the agent runs: most agents end by
/// themselves, or find another way.
const LIMIT_PATIENCE: Duration = Duration::from_secs(30);

/// Something that an agent said of itself while it runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// It used so much up to now.
    Used(Usage),
    /// It waits for a limit to be lifted.
    Limited(UsageLimit),
}

/// Listens to one agent.
#[derive(Debug)]
pub(super) struct Ear {
    reader: Reader,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Whether the rest of a line is passed over, as it is too long.
    is_skipping: bool,
    /// What was told, and when more may be.
    told: Usage,
    next: Instant,
    /// Since when a limit is in force.
    limited_since: Option<Instant>,
    is_limit_told: bool,
}

impl Ear {
    /// Listens to the agent called `name` with this model; `None` where it is not known.
    pub(super) fn new(name: &str, model: Option<&str>) -> Option<Self> {
        let (_, agent) = Agent::NAMED.iter().find(|(known, _)| *known == name)?;
        Some(Self {
            reader: Reader::new(*agent, model),
            line: Vec::new(),
            is_skipping: false,
            told: Usage::default(),
            next: Instant::now(),
            limited_since: None,
            is_limit_told: false,
        })
    }

    /// Takes in the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let local = clock::local();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let is_end = part.last() == Some(&b'\n');
            if !self.is_skipping && self.line.len() + part.len() <= AGENT_LINE_BYTES_MAX {
                self.line.extend_from_slice(part);
            } else {
                self.line.clear();
                self.is_skipping = true;
            }
            if is_end {
                self.reader.push(&self.line, local);
                self.line.clear();
                self.is_skipping = false;
            }
        }
    }

    /// Returns when something may have to be told that was not said now.
    pub(super) fn due(&self) -> Option<Instant> {
        let usage = (self.reader.findings().usage != self.told).then_some(self.next);
        let limit = self.limited_since.filter(|_| !self.is_limit_told);
        [usage, limit.map(|since| since + LIMIT_PATIENCE)].into_iter().flatten().min()
    }

    /// Returns what is to be told now.
    pub(super) fn news(&mut self) -> Vec<Heard> {
        let now = Instant::now();
        let Findings { usage, limit } = self.reader.findings();
        let mut news = Vec::new();
        if usage != self.told && now >= self.next {
            self.told = usage;
            self.next = now + USAGE_PERIOD;
            news.push(Heard::Used(usage));
        }
        match limit {
            None => self.limited_since = None,
            Some(limit) => {
                let since = *self.limited_since.get_or_insert(now);
                if now >= since + LIMIT_PATIENCE && !self.is_limit_told {
                    self.is_limit_told = true;
                    news.push(Heard::Limited(limit));
                }
            }
        }
        news
    }

    /// Notes that nothing more will come, and returns all that was said.
    pub(super) fn finish(&mut self) -> Findings {
        if !self.line.is_empty() {
            self.reader.push(&self.line, clock::local());
        }
        self.reader.findings()
    }
}
