//! Makes foreign text safe to show: nothing in it can move the cursor or change the reading order.

use std::borrow::Cow;

/// Returns `text` with control and direction characters written out, as `\x1b` or `\u{202e}`.
/// Line feeds and tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    escape(text, |c| !matches!(c, '\n' | '\t') && is_unsafe(c))
}

/// As [`clean`], for text that must stay on one line: line feeds and tabs are written out, too.
pub fn clean_line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Says whether `c` must not reach a terminal as it is.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Direction marks, embeddings, overrides, isolates.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Invisible: a byte order mark, and the tags that can carry hidden text.
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
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
            ("plain, grüße 漢字 👩‍🚀", "plain, grüße 漢字 👩‍🚀", "plain, grüße 漢字 👩‍🚀"),
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
}
