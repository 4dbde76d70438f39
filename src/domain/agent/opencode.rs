//! opencode.

use super::{
    line::{Event, Line},
    resets::{from_seconds, resets},
    state::State,
    words::folded,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// It may do by itself whatever its settings do not forbid, inside the folder; what would ask a
/// person is refused. It waits for limits by itself, silently but for its log.
pub(super) const ARGUMENTS: &[&str] =
    &["run", "--format", "json", "--print-logs", "--log-level", "ERROR"];

pub(super) const VARIABLES: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GENERATIVE_AI_API_KEY",
    "GROQ_API_KEY",
    "OPENAI_API_KEY",
    "OPENCODE_API_KEY",
    "OPENCODE_CONFIG",
    "OPENROUTER_API_KEY",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

const STATUS_TOO_MANY: u64 = 429;

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    match line {
        Line::Event(event) => match event.text("/type") {
            "step_finish" => {
                state.went_on();
                state.add_message(event.text("/part/id"), &usage_of(event));
            }
            "error" => read_error(event, state, local),
            _ => {}
        },
        Line::Text(text) => {
            if let Some(words) = logged_error(text).filter(|words| is_limit(words)) {
                state.limited(words, resets(words, local));
            }
        }
    }
}

fn read_error(event: &Event, state: &mut State, local: LocalTime) {
    let words = event.text("/error/data/message");
    if event.count("/error/data/statusCode") == STATUS_TOO_MANY || is_limit(words) {
        let seconds = event.text("/error/data/responseHeaders/retry-after").parse().unwrap_or(0);
        let at = from_seconds(seconds, local).or_else(|| resets(words, local));
        state.limited(words, at);
    }
}

/// Returns the words of a log line about a request of the main agent that failed.
fn logged_error(text: &str) -> Option<&str> {
    let is_log = text.starts_with("timestamp=") || text.starts_with("ERROR ");
    let is_main = text.contains(" small=false ");
    if !is_log || !is_main || !text.contains("message=\"stream error\"") {
        return None;
    }
    let (_, words) = text.split_once("error.error=\"")?;
    Some(words.trim_end_matches('"'))
}

/// Says whether an error is a limit of the plan or of the rate.
fn is_limit(words: &str) -> bool {
    let words = folded(words);
    ["rate limit", "usage limit", "too many requests", "quota exceeded", "usage exceeded"]
        .iter()
        .any(|known| words.contains(known))
}

/// The figures of one step.
fn usage_of(event: &Event) -> Usage {
    let tokens = |key: &str| event.count(&format!("/part/tokens/{key}"));
    Usage {
        input_tokens: tokens("input"),
        output_tokens: tokens("output").saturating_add(tokens("reasoning")),
        cache_read_tokens: tokens("cache/read"),
        cache_creation_tokens: tokens("cache/write"),
        cost_usd: event.amount("/part/cost"),
    }
}
