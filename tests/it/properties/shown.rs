//! What is shown: a terminal does nothing with it, and it says what was read.

use orch::ui::output::{
    escape::{clean, clean_json, clean_line},
    figures,
    log::LogText,
    markdown,
};

/// Says whether a terminal would do anything but show `c`. Not the list that the program has.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x61c | 0x180e | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069
            | 0x3164 | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

/// Checks that nothing in `text` is harmful, but for what is `allowed`.
pub(crate) fn assert_plain(text: &str, allowed: &[char]) {
    let harmful = text.chars().find(|c| is_harmful(*c) && !allowed.contains(c));
    assert_eq!(harmful, None, "{text:?}");
}

/// Whatever a worker printed, and whatever stands in a file.
pub(super) fn escaping(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let cleaned = clean(&text);
    assert_plain(&cleaned, &['\n', '\t']);
    assert_eq!(clean(&cleaned), cleaned, "{text:?}");
    let on_one_line = clean_line(&text);
    assert_plain(&on_one_line, &[]);
    assert_eq!(clean_line(&on_one_line), on_one_line, "{text:?}");
    let n_kept = text.chars().filter(|c| !is_harmful(*c) && *c != '\\').count();
    assert!(cleaned.chars().count() >= n_kept && on_one_line.chars().count() >= n_kept);
    json(&text);
    pieces(bytes);
    for most in [1, 7, 80] {
        let cut = figures::cut(&on_one_line, most);
        assert!(figures::columns(&cut) <= most, "{cut:?}");
        code_span(&markdown::code(&text, most));
    }
}

/// JSON says the same after it was cleaned.
fn json(text: &str) {
    let json = serde_json::to_string(&text).unwrap();
    let cleaned = clean_json(json);
    assert_plain(&cleaned, &[]);
    assert_eq!(serde_json::from_str::<String>(&cleaned).unwrap(), text);
}

/// A log that comes in pieces says the same as one that comes at once.
fn pieces(bytes: &[u8]) {
    let mut log = LogText::default();
    let whole = log.push(bytes) + &log.finish();
    assert_plain(&whole, &['\n', '\t']);
    let size = 1 + bytes.first().map_or(0, |byte| usize::from(*byte) % 7);
    let mut text: String = bytes.chunks(size).map(|piece| log.push(piece)).collect();
    text.push_str(&log.finish());
    assert_eq!(text, whole, "pieces of {size}");
}

/// Nothing in a code span ends it.
fn code_span(span: &str) {
    assert_plain(span, &[]);
    let n_ticks = span.len() - span.trim_start_matches('`').len();
    if n_ticks == 0 {
        return assert!(span.starts_with("(blank)"), "{span:?}");
    }
    let runs: Vec<usize> = span.split(|c| c != '`').map(str::len).filter(|n| *n > 0).collect();
    let ends = runs.iter().filter(|n| **n == n_ticks).count();
    assert_eq!(ends, 2, "{span:?}");
}
