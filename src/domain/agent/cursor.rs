//! Cursor's agent.

use super::{
    line::{Event, Line},
    resets::resets,
    state::State,
    words::folded,
};
use crate::domain::model::{attempt::Usage, time::LocalTime};

/// Edits below the folder, and commands that its own sandbox can hold, need no person; whatever
/// else would ask one is refused.
pub(super) const ARGUMENTS: &[&str] =
    &["--print", "--output-format", "stream-json", "--trust", "--sandbox", "enabled"];

pub(super) const VARIABLES: &[&str] = &["CURSOR_API_KEY"];

pub(super) fn read(line: &Line, state: &mut State, local: LocalTime) {
    match line {
        Line::Event(event) if event.text("/type") == "result" => {
            let words = event.text("/result");
            if !event.is_true("/is_error") {
                state.went_on();
            } else if is_limit(words) {
                state.limited(words, resets(words, local));
            }
            state.set_total(usage_of(event));
        }
        Line::Event(_) => {}
        // It tells errors as text; where a limit stands in several lines, a later one says when it
        // is lifted.
        Line::Text(text) if is_limit(text) => state.limited(text, resets(text, local)),
        Line::Text(text) => {
            let before = state.limit().map(|limit| limit.words.clone());
            if let (Some(words), Some(at)) = (before, resets(text, local)) {
                state.limited(&words, Some(at));
            }
        }
    }
}

/// Says whether `text` is the line by which it ends at a limit.
fn is_limit(text: &str) -> bool {
    let text = folded(text);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.strip_prefix("actionrequirederror: ").unwrap_or(text);
    text.starts_with("you've hit your usage limit")
}

fn usage_of(event: &Event) -> Usage {
    Usage {
        input_tokens: event.count("/usage/inputTokens"),
        output_tokens: event.count("/usage/outputTokens"),
        cache_read_tokens: event.count("/usage/cacheReadTokens"),
        cache_creation_tokens: event.count("/usage/cacheWriteTokens"),
        cost_usd: 0.0,
    }
}
