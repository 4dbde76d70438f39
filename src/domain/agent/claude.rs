//! Claude Code.

use serde_json::Value;

use super::{
    line::{Event, Line, amount_of, count_of},
    resets::{from_epoch, resets},
    state::State,
    words::folded,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// Edits in the folder and commands of the shell need no person; whatever else would ask one is
/// refused.
pub(super) const ARGUMENTS: &[&str] = &[
    "--print",
    "--output-format",
    "stream-json",
    "--verbose",
    "--permission-mode",
    "acceptEdits",
    "--allowedTools",
    "Bash",
];

pub(super) const VARIABLES: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CONFIG_DIR",
];

const STATUS_TOO_MANY: u64 = 429;

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    match line {
        Line::Event(event) => match event.text("/type") {
            "assistant" => read_message(event, state, local),
            "rate_limit_event" => read_announcement(event, state, local),
            "result" => read_result(event, state, local),
            _ => {}
        },
        Line::Text(_) if state.is_stream() => {}
        // Without a stream, the last line of the output is what ended it.
        Line::Text(text) if is_limit(text) && resets(text, local).is_some() => {
            state.limited(text, resets(text, local));
        }
        Line::Text(_) => state.went_on(),
    }
}

/// A message comes in several events, each with the figures so far.
fn read_message(event: &Event, state: &mut State, local: LocalTime) {
    let is_limited = event.text("/error") == "rate_limit";
    if is_limited {
        let info = "/api_error_params/rate_limit_info/resetsAt";
        let words = event.text("/message/content/0/text");
        let at = from_epoch(event.count(info), local).or_else(|| resets(words, local));
        state.limited(words, at);
    } else if event.text("/error").is_empty() {
        state.went_on();
    }
    let id = event.text("/message/id");
    if let Some(usage) = event.value("/message/usage") {
        state.add_message(id, &usage_of(usage));
    }
}

/// Where use beyond the plan is paid for, the work goes on behind this.
fn read_announcement(event: &Event, state: &mut State, local: LocalTime) {
    if event.text("/rate_limit_info/status") == "rejected" {
        state.announce(from_epoch(event.count("/rate_limit_info/resetsAt"), local));
    }
}

fn read_result(event: &Event, state: &mut State, local: LocalTime) {
    let words = event.text("/result");
    let is_limited = event.is_true("/is_error")
        && (event.count("/api_error_status") == STATUS_TOO_MANY
            || event.text("/api_error") == "usage_limit_reached"
            || is_limit(words));
    if is_limited {
        state.limited(words, resets(words, local));
    } else if !event.is_true("/is_error") {
        state.went_on();
    }
    let by_model = event.value("/modelUsage").and_then(Value::as_object);
    let by_model = by_model.filter(|models| !models.is_empty());
    let usage = by_model.map(|models| {
        models.values().map(usage_of_model).fold(Usage::default(), |sum, part| sum.plus(&part))
    });
    let usage = usage.or_else(|| event.value("/usage").map(usage_of)).unwrap_or_default();
    state.set_total(Usage { cost_usd: event.amount("/total_cost_usd"), ..usage });
}

/// Says whether `text` is one of the lines by which it ends at a limit.
fn is_limit(text: &str) -> bool {
    /// Longest name of a limit, as in `Opus weekly limit reached`.
    const NAME_MAX: usize = 24;
    let text = folded(text);
    if text.starts_with("claude ai usage limit reached") {
        return true;
    }
    let named = text.strip_prefix("you've hit your ").map(|rest| rest.find(" limit"));
    let reached = || text.find("limit reached").filter(|_| text.contains(" resets "));
    named.unwrap_or_else(reached).is_some_and(|at| at <= NAME_MAX)
}

fn usage_of(usage: &Value) -> Usage {
    let count = |key| count_of(usage.get(key));
    Usage {
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        cache_read_tokens: count("cache_read_input_tokens"),
        cache_creation_tokens: count("cache_creation_input_tokens"),
        cost_usd: 0.0,
    }
}

fn usage_of_model(usage: &Value) -> Usage {
    let count = |key| count_of(usage.get(key));
    Usage {
        input_tokens: count("inputTokens"),
        output_tokens: count("outputTokens"),
        cache_read_tokens: count("cacheReadInputTokens"),
        cache_creation_tokens: count("cacheCreationInputTokens"),
        cost_usd: amount_of(usage.get("costUSD")),
    }
}
