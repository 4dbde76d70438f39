//! One line of output: an event of a JSON stream, or text.

use std::borrow::Cow;

use serde_json::Value;

use super::words::without_escapes;
use crate::domain::model::limits::AGENT_LINE_BYTES_MAX;

/// A line, as far as it can be understood.
#[derive(Debug)]
pub(super) enum Line {
    /// An object of a JSON stream.
    Event(Event),
    /// Anything else, without blanks around it and without control characters.
    Text(String),
}

impl Line {
    /// Reads a line. `None` where there is nothing on it, or more than any event needs, or half an
    /// event.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() || bytes.len() > AGENT_LINE_BYTES_MAX {
            return None;
        }
        let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
        if bytes.starts_with(b"{") {
            let value: Value = serde_json::from_str(&text).ok()?;
            return Some(Self::Event(Event(value)));
        }
        Some(Self::Text(without_escapes(&text).trim().to_owned()))
    }
}

/// An object of a JSON stream. Paths are JSON pointers; what is missing is empty.
#[derive(Debug)]
pub(super) struct Event(Value);

impl Event {
    /// Returns the text at `path`.
    pub(super) fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the whole number at `path`.
    pub(super) fn count(&self, path: &str) -> u64 {
        count_of(self.0.pointer(path))
    }

    /// Returns the amount at `path`.
    pub(super) fn amount(&self, path: &str) -> f64 {
        amount_of(self.0.pointer(path))
    }

    /// Returns what stands at `path`.
    pub(super) fn value(&self, path: &str) -> Option<&Value> {
        self.0.pointer(path)
    }

    /// Says whether `true` stands at `path`.
    pub(super) fn is_true(&self, path: &str) -> bool {
        self.0.pointer(path).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Returns the whole number that `value` is, zero for anything else.
pub(super) fn count_of(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// Returns the amount that `value` is, zero for anything else.
pub(super) fn amount_of(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).filter(|n| n.is_finite() && *n >= 0.0).unwrap_or(0.0)
}
