//! GitHub Copilot CLI.

use super::{
    line::{Event, Line},
    resets::resets,
    state::State,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// Edits below the folder and commands of the shell need no person; nobody can be asked.
pub(super) const ARGUMENTS: &[&str] = &[
    "--output-format",
    "json",
    "--allow-tool=write",
    "--allow-tool=shell",
    "--no-ask-user",
    "--no-auto-update",
];

pub(super) const VARIABLES: &[&str] = &[
    "COPILOT_GITHUB_TOKEN",
    "COPILOT_HOME",
    "COPILOT_PROVIDER_API_KEY",
    "COPILOT_PROVIDER_BASE_URL",
    "COPILOT_PROVIDER_TYPE",
    "GH_HOST",
    "GH_TOKEN",
    "GITHUB_TOKEN",
];

const STATUS_TOO_MANY: u64 = 429;

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    let Line::Event(event) = line else { return };
    match event.text("/type") {
        "session.error" => {
            let is_limit = matches!(event.text("/data/errorType"), "rate_limit" | "quota")
                || event.count("/data/statusCode") == STATUS_TOO_MANY;
            if is_limit {
                let words = event.text("/data/message");
                state.limited(words, resets(words, local));
            }
        }
        "assistant.message" => state.went_on(),
        "assistant.usage" => state.add_message(event.text("/id"), &usage_of(event)),
        _ => {}
    }
}

/// The figures of one request; what has to do with the cache is part of the input.
fn usage_of(event: &Event) -> Usage {
    let (read, written) =
        (event.count("/data/cacheReadTokens"), event.count("/data/cacheWriteTokens"));
    Usage {
        input_tokens: event.count("/data/inputTokens").saturating_sub(read).saturating_sub(written),
        output_tokens: event.count("/data/outputTokens"),
        cache_read_tokens: read,
        cache_creation_tokens: written,
        cost_usd: 0.0,
    }
}
