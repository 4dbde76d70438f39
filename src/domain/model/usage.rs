//! What an attempt used, and the limits that its provider sets.

use super::time::Timestamp;

/// What an attempt used, as reported by its worker.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// Tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens written to a cache.
    pub cache_creation_tokens: u64,
    /// Money in US dollars.
    pub cost_usd: f64,
}

impl Usage {
    /// Returns the tokens of all kinds together.
    pub fn tokens(&self) -> u64 {
        [self.input_tokens, self.output_tokens, self.cache_read_tokens, self.cache_creation_tokens]
            .iter()
            .fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Says whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the larger of both, figure by figure: two accounts of the same work.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.max(other.input_tokens),
            output_tokens: self.output_tokens.max(other.output_tokens),
            cache_read_tokens: self.cache_read_tokens.max(other.cache_read_tokens),
            cache_creation_tokens: self.cache_creation_tokens.max(other.cache_creation_tokens),
            cost_usd: self.cost_usd.max(other.cost_usd),
        }
    }

    /// Returns what was used since `earlier`.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_sub(earlier.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(earlier.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_sub(earlier.cache_read_tokens),
            cache_creation_tokens: self
                .cache_creation_tokens
                .saturating_sub(earlier.cache_creation_tokens),
            cost_usd: (self.cost_usd - earlier.cost_usd).max(0.0),
        }
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_add(other.cache_read_tokens),
            cache_creation_tokens: self
                .cache_creation_tokens
                .saturating_add(other.cache_creation_tokens),
            cost_usd: self.cost_usd + other.cost_usd,
        }
    }
}

/// A limit of a provider that an agent ran into, as its output tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLimit {
    /// Whose limit, as in `anthropic`: all tasks whose agents use it wait.
    pub provider: String,
    /// When it is lifted, where that is told.
    pub resets: Option<Timestamp>,
    /// What the agent said, on one line.
    pub words: String,
}
