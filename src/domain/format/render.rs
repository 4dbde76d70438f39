//! Writes YAML keys and values by hand: quick, and quoted wherever a reader could stumble.

use std::{
    fmt::{Display, Write as _},
    time::Duration,
};

use super::fault::is_hidden;
use crate::domain::model::{
    attempt::{Usage, UsageLimit},
    time::Exact,
};

/// Writes `key: value`, quoting the value where needed.
pub fn key(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str(": ");
    push_text(out, value);
    out.push('\n');
}

/// Writes one line of a list.
pub fn item(out: &mut String, indent: &str, value: &str) {
    out.push_str(indent);
    out.push_str("- ");
    push_text(out, value);
    out.push('\n');
}

/// Writes `key: value` as it is: for numbers, points in time and words of our own.
pub fn bare(out: &mut String, key: &str, value: impl Display) {
    // Writing to a `String` cannot fail.
    writeln!(out, "{key}: {value}").unwrap_or_default();
}

/// Writes a duration so that reading it gives it back, to the millisecond.
pub fn duration(out: &mut String, key: &str, duration: Duration) {
    bare(out, key, Exact(duration));
}

/// Writes `limit`.
pub fn limit(out: &mut String, limit: &UsageLimit) {
    out.push_str("limit:\n  ");
    key(out, "provider", &limit.provider);
    if let Some(resets) = limit.resets {
        out.push_str("  ");
        bare(out, "resets", resets);
    }
    out.push_str("  ");
    key(out, "words", &limit.words);
}

/// Writes `usage`, where there is any.
pub fn usage(out: &mut String, usage: &Usage) {
    if usage.is_empty() {
        return;
    }
    let counts = [
        ("input_tokens", usage.input_tokens),
        ("output_tokens", usage.output_tokens),
        ("cache_read_tokens", usage.cache_read_tokens),
        ("cache_creation_tokens", usage.cache_creation_tokens),
    ];
    out.push_str("usage: {");
    for (key, count) in counts {
        write!(out, "{key}: {count}, ").unwrap_or_default();
    }
    let cost = if usage.cost_usd.is_finite() { usage.cost_usd.max(0.0) } else { 0.0 };
    writeln!(out, "cost_usd: {cost}}}").unwrap_or_default();
}

/// Writes `text` plainly where every reader takes it for that text, as a JSON string otherwise.
pub fn push_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Returns `text` as it stands in a file.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_text(&mut out, text);
    out
}

/// Says whether `text` needs no quotes, in block and in flow style, for any reader of YAML.
fn is_plain(text: &str) -> bool {
    const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b" _./@+=-".contains(&b);
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'/')
        && text.bytes().all(is_safe)
        && !text.ends_with(' ')
        && !(text.len() <= 5 && RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text)))
}
