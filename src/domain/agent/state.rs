//! What the output of an agent told so far, in a bounded space.

use std::collections::VecDeque;

use super::words::clean;
use crate::domain::model::{attempt::Usage, limits::MONEY_MAX, time::Timestamp};

/// Most messages whose figures may still grow; older ones are final.
const OPEN_MESSAGES_MAX: usize = 32;

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Whether it writes a stream of events; text beside it is not its own word.
    is_stream: bool,
    /// Figures that were told piece by piece, and add up.
    summed: Usage,
    /// Messages that are told more than once, each time with figures that grow.
    open: VecDeque<(String, Usage)>,
    /// Figures of everything so far, as the agent adds them up itself.
    total: Option<Usage>,
    /// Money of everything so far, where only that is added up.
    cost: Option<f64>,
    /// When a limit is lifted that was told of, but did not end anything yet.
    announced: Option<Timestamp>,
    /// The limit that it stands at.
    limit: Option<Limit>,
}

/// A limit, as told.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    /// When it is lifted.
    pub resets: Option<Timestamp>,
    /// What was said, on one line.
    pub words: String,
}

impl State {
    /// Notes that an event was read.
    pub(super) fn note_event(&mut self) {
        self.is_stream = true;
    }

    /// Says whether events were read.
    pub(super) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Adds figures that no other line repeats.
    pub(super) fn add(&mut self, usage: &Usage) {
        self.summed = self.summed.plus(usage);
    }

    /// Notes the figures of message `id`, which may have been told before.
    pub(super) fn add_message(&mut self, id: &str, usage: &Usage) {
        if let Some((_, known)) = self.open.iter_mut().find(|(known, _)| known == id) {
            *known = larger(known, usage);
            return;
        }
        if self.open.len() >= OPEN_MESSAGES_MAX
            && let Some((_, oldest)) = self.open.pop_front()
        {
            self.summed = self.summed.plus(&oldest);
        }
        self.open.push_back((id.to_owned(), *usage));
    }

    /// Takes figures of everything so far in place of the sum.
    pub(super) fn set_total(&mut self, usage: Usage) {
        // An agent that could not begin tells zeros.
        if !usage.is_empty() {
            self.total = Some(usage);
        }
    }

    /// Takes the money of everything so far.
    pub(super) fn set_cost(&mut self, cost_usd: f64) {
        self.cost = Some(cost_usd);
    }

    /// Notes when a limit is lifted of which it is not known yet whether it ends the work.
    pub(super) fn announce(&mut self, resets: Option<Timestamp>) {
        self.announced = resets.or(self.announced);
    }

    /// Notes that the agent stands at a limit.
    pub(super) fn limited(&mut self, words: &str, resets: Option<Timestamp>) {
        let before = self.limit.take();
        let resets = resets.or(self.announced).or(before.and_then(|limit| limit.resets));
        self.limit = Some(Limit { resets, words: clean(words) });
    }

    /// Notes that the work went on: no limit held it up.
    pub(super) fn went_on(&mut self) {
        self.limit = None;
        self.announced = None;
    }

    /// Returns the limit that it stands at.
    pub(super) fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    /// Returns what was used so far.
    pub(super) fn usage(&self) -> Usage {
        let sum = || self.open.iter().fold(self.summed, |sum, (_, usage)| sum.plus(usage));
        let usage = self.total.unwrap_or_else(sum);
        Usage { cost_usd: rounded(self.cost.unwrap_or(usage.cost_usd)), ..usage }
    }
}

/// Returns money to the millionth of a dollar: sums of fractions leave dust behind.
fn rounded(cost_usd: f64) -> f64 {
    (cost_usd.clamp(0.0, MONEY_MAX) * 1e6).round() / 1e6
}

/// Returns the larger one of each figure.
fn larger(a: &Usage, b: &Usage) -> Usage {
    Usage {
        input_tokens: a.input_tokens.max(b.input_tokens),
        output_tokens: a.output_tokens.max(b.output_tokens),
        cache_read_tokens: a.cache_read_tokens.max(b.cache_read_tokens),
        cache_creation_tokens: a.cache_creation_tokens.max(b.cache_creation_tokens),
        cost_usd: a.cost_usd.max(b.cost_usd),
    }
}
