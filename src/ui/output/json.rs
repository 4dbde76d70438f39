//! View → JSON text.

use serde::Serialize;

use super::escape::clean_json;

/// Returns a view as indented JSON.
pub fn pretty<T: Serialize>(view: &T) -> String {
    written(serde_json::to_string_pretty(view))
}

/// Returns a view as JSON on one line.
pub fn line<T: Serialize>(view: &T) -> String {
    written(serde_json::to_string(view))
}

fn written(text: serde_json::Result<String>) -> String {
    match text {
        Ok(text) => clean_json(text),
        Err(error) => unreachable!("a view has text keys and no failing parts: {error}"),
    }
}
