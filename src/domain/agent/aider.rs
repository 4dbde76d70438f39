//! aider.

use super::{line::Line, resets::resets, state::State};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// It edits files and says yes to its own questions, but runs no commands and makes no commits.
/// Its histories would be files of the repository that all its workers share.
pub(super) const ARGUMENTS: &[&str] = &[
    "--yes-always",
    "--no-auto-commits",
    "--no-dirty-commits",
    "--no-gitignore",
    "--no-suggest-shell-commands",
    "--no-detect-urls",
    "--no-pretty",
    "--no-fancy-input",
    "--no-check-update",
    "--no-show-release-notes",
    "--no-show-model-warnings",
    "--no-analytics",
    "--input-history-file",
    "/dev/null",
    "--chat-history-file",
    "/dev/null",
];

pub(super) const VARIABLES: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "DEEPSEEK_API_KEY",
    "GEMINI_API_KEY",
    "GROQ_API_KEY",
    "OPENAI_API_BASE",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "XAI_API_KEY",
];

/// How the line of an error of the provider begins, and what it says itself about it.
const LIMIT: &str = "litellm.RateLimitError: ";
const LIMIT_TOLD: &str =
    "The API provider has rate limited you. Try again later or check your quotas.";

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    let Line::Text(text) = line else { return };
    if let Some(words) = text.strip_prefix(LIMIT) {
        state.limited(words, resets(words, local));
    } else if text == LIMIT_TOLD && state.limit().is_none() {
        state.limited(text, None);
    } else if let Some(report) = text.strip_prefix("Tokens: ")
        && let Some(usage) = usage_of(report)
    {
        state.went_on();
        state.add(&usage);
    }
    if let Some(cost) = cost_of(text) {
        state.set_cost(cost);
    }
}

/// Reads `2.3k sent, 1.0k cache write, 5.0k cache hit, 120 received.`: the figures of one message,
/// what has to do with the cache being part of what was sent.
fn usage_of(report: &str) -> Option<Usage> {
    let (report, _) = report.split_once(" received.")?;
    let mut usage = Usage::default();
    for part in report.split(", ") {
        let (number, kind) = part.split_once(' ').unwrap_or((part, "received"));
        let n = tokens_of(number)?;
        match kind {
            "sent" => usage.input_tokens = n,
            "cache write" => usage.cache_creation_tokens = n,
            "cache hit" => usage.cache_read_tokens = n,
            "received" => usage.output_tokens = n,
            _ => return None,
        }
    }
    let cached = usage.cache_creation_tokens.saturating_add(usage.cache_read_tokens);
    usage.input_tokens = usage.input_tokens.saturating_sub(cached);
    Some(usage)
}

/// Reads `950`, `2.3k` or `120k`.
fn tokens_of(number: &str) -> Option<u64> {
    let Some(thousands) = number.strip_suffix('k') else { return number.parse().ok() };
    let (whole, tenth) = thousands.split_once('.').unwrap_or((thousands, "0"));
    let whole: u64 = whole.parse().ok()?;
    let tenth: u64 = tenth.parse().ok().filter(|tenth| *tenth < 10)?;
    whole.checked_mul(1000)?.checked_add(tenth * 100)
}

/// Reads `Cost: $0.01 message, $0.02 session.`, the money of all messages so far. What does not fit
/// on 80 columns goes on in the next line.
fn cost_of(text: &str) -> Option<f64> {
    let is_end = || text.starts_with('$') && text.ends_with(" session.");
    let session = match text.split_once("Cost: $") {
        Some((_, report)) => report.split_once(" message, $")?.1,
        None => text.rsplit_once('$').filter(|_| is_end())?.1,
    };
    let cost = session.strip_suffix(" session.").unwrap_or(session).trim();
    cost.parse().ok().filter(|cost: &f64| cost.is_finite() && *cost >= 0.0)
}
