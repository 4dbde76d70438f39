//! Codex CLI.

use super::{
    line::{Event, Line},
    resets::resets,
    state::State,
    words::folded,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// Its own sandbox lets it write below the folder, and asks nobody.
pub(super) const ARGUMENTS: &[&str] =
    &["exec", "--json", "--sandbox", "workspace-write", "--skip-git-repo-check"];

pub(super) const VARIABLES: &[&str] =
    &["CODEX_API_KEY", "CODEX_HOME", "OPENAI_API_KEY", "OPENAI_BASE_URL"];

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    match line {
        Line::Event(event) => match event.text("/type") {
            "error" => note(event.text("/message"), state, local),
            "turn.failed" => note(event.text("/error/message"), state, local),
            "turn.completed" => {
                state.went_on();
                state.set_total(usage_of(event));
            }
            _ => {}
        },
        // Without `--json`.
        Line::Text(text) => {
            if let Some(words) = text.strip_prefix("ERROR: ") {
                note(words, state, local);
            }
        }
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
    words.starts_with("you've hit your usage limit")
        || words.starts_with("quota exceeded")
        || words.starts_with("rate limit reached")
        || words.contains("429 too many requests")
}

/// The figures are those of the whole session; what came from the cache is part of the input.
fn usage_of(event: &Event) -> Usage {
    let cached = event.count("/usage/cached_input_tokens");
    let written = event.count("/usage/cache_write_input_tokens");
    Usage {
        input_tokens: event
            .count("/usage/input_tokens")
            .saturating_sub(cached)
            .saturating_sub(written),
        output_tokens: event.count("/usage/output_tokens"),
        cache_read_tokens: cached,
        cache_creation_tokens: written,
        cost_usd: 0.0,
    }
}
