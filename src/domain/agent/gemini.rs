//! Gemini CLI.

use super::{
    line::{Event, Line},
    resets::resets,
    state::State,
    words::folded,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// Edits and commands of the shell need no person; other tools that would ask one are left out.
pub(super) const ARGUMENTS: &[&str] = &[
    "--output-format",
    "stream-json",
    "--approval-mode",
    "auto_edit",
    "--allowed-tools",
    "run_shell_command",
    "--skip-trust",
];

pub(super) const VARIABLES: &[&str] = &[
    "GEMINI_API_KEY",
    "GEMINI_MODEL",
    "GOOGLE_API_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
];

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    // What it writes beside its stream are notes on tries of its own.
    let Line::Event(event) = line else { return };
    match event.text("/type") {
        "error" => note(event.text("/message"), state, local),
        "result" => {
            state.set_total(usage_of(event));
            if event.text("/status") == "success" {
                state.went_on();
            }
            note(event.text("/error/message"), state, local);
        }
        _ => {}
    }
}

fn note(words: &str, state: &mut State, local: LocalTime) {
    if is_limit(words) {
        state.limited(words, resets(words, local));
    }
}

/// Says whether an error is a limit of the plan or of the rate.
fn is_limit(words: &str) -> bool {
    let words = folded(words);
    let is_exhausted = words.contains("you have exhausted your");
    (is_exhausted && (words.contains("quota") || words.contains("capacity")))
        || words.contains("exceeded your current quota")
        || words.contains("quota exceeded")
        || words.contains("resource_exhausted")
        || words.contains("resource has been exhausted")
}

/// Thoughts are part of the total only, and paid for as output.
fn usage_of(event: &Event) -> Usage {
    let input = event.count("/stats/input_tokens");
    let cached = event.count("/stats/cached");
    let beyond_input = event.count("/stats/total_tokens").saturating_sub(input);
    Usage {
        input_tokens: input.saturating_sub(cached),
        output_tokens: event.count("/stats/output_tokens").max(beyond_input),
        cache_read_tokens: cached,
        cache_creation_tokens: 0,
        cost_usd: 0.0,
    }
}
