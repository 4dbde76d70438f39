//! Makes foreign text safe to show: nothing in it can move the cursor or change the reading order.

use std::{borrow::Cow, fmt::Write as _};

use crate::domain::model::hidden::is_hidden as is_unsafe;

/// Returns `text` with control, direction and other invisible characters written out, as `\x1b` or
/// `\u{202e}`. Line feeds and tabs stay, and so do the two characters that join letters and emojis.
pub fn clean(text: &str) -> Cow<'_, str> {
    escape(text, |c| !matches!(c, '\n' | '\t') && is_unsafe(c))
}

/// As [`clean`], for text that must stay on one line: line feeds and tabs are written out, too.
pub fn clean_line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Returns JSON with the same characters in its texts written out, as `\u202e`: for every reader
/// it says the same, and a terminal does nothing with it.
pub fn clean_json(json: String) -> String {
    if !json.contains(|c| c != '\n' && is_unsafe(c)) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c == '\n' || !is_unsafe(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a `String` cannot fail.
            write!(escaped, "\\u{unit:04x}").unwrap_or_default();
        }
    }
    escaped
}

/// Writes `c` out.
pub(super) fn spelled(c: char) -> String {
    match c {
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        c if c.is_ascii() => format!(r"\x{:02x}", u32::from(c)),
        c => format!(r"\u{{{:x}}}", u32::from(c)),
    }
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            escaped.push_str(&spelled(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unsafe_is_left() {
        let table = [
            (
                "plain, grüße 漢字 👩‍🚀 ☁\u{fe0f}",
                "plain, grüße 漢字 👩‍🚀 ☁\u{fe0f}",
                "plain, grüße 漢字 👩‍🚀 ☁\u{fe0f}",
            ),
            ("a\u{200b}b\u{ad}\u{2062}", r"a\u{200b}b\u{ad}\u{2062}", r"a\u{200b}b\u{ad}\u{2062}"),
            ("a\x1b[31mred", r"a\x1b[31mred", r"a\x1b[31mred"),
            ("a\r\nb\tc", "a\\r\nb\tc", r"a\r\nb\tc"),
            ("\0\x7f\u{9b}", r"\x00\x7f\u{9b}", r"\x00\x7f\u{9b}"),
            ("x\u{202e}y\u{2066}z", r"x\u{202e}y\u{2066}z", r"x\u{202e}y\u{2066}z"),
            (
                "\u{feff}\u{e0041}\u{2028}",
                r"\u{feff}\u{e0041}\u{2028}",
                r"\u{feff}\u{e0041}\u{2028}",
            ),
        ];
        for (text, cleaned, on_one_line) in table {
            assert_eq!(clean(text), cleaned);
            assert_eq!(clean_line(text), on_one_line);
        }
    }
    #[test]
    fn json_says_the_same() {
        let json =
            serde_json::to_string_pretty(&["ä\u{9b}31m\u{202e}\x1b", "\u{e0041}\n"]).unwrap();
        let cleaned = clean_json(json.clone());
        assert_eq!(cleaned, "[\n  \"ä\\u009b31m\\u202e\\u001b\",\n  \"\\udb40\\udc41\\n\"\n]");
        let read = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap();
        assert_eq!(read(&cleaned), read(&json));
    }
}
