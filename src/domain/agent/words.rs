//! What agents say, made fit for one line.

use crate::domain::model::limits::LIMIT_WORDS_MAX;

/// Returns `text` on one line, cut to what a message holds.
pub(super) fn clean(text: &str) -> String {
    let plain = without_escapes(text);
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LIMIT_WORDS_MAX {
        return words;
    }
    let cut: String = words.chars().take(LIMIT_WORDS_MAX - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Returns `text` without colours and other control sequences; control characters become blanks.
pub(super) fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            if rest.next_if_eq(&'[').is_some() {
                // Up to the letter that ends the sequence.
                while rest.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                rest.next();
            }
        } else if c.is_control() {
            plain.push(' ');
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Returns `text` in lower case, with plain apostrophes: agents use both kinds.
pub(super) fn folded(text: &str) -> String {
    text.trim().to_lowercase().replace('\u{2019}', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_on_one_line() {
        assert_eq!(
            clean("\u{1b}[31mYou've hit\u{1b}[0m\n  your\tlimit\u{7}"),
            "You've hit your limit"
        );
        assert_eq!(clean("\u{1b}"), "");
        assert_eq!(clean("\u{1b}[31"), "");
        let long = clean(&"é ".repeat(400));
        assert_eq!(long.chars().count(), LIMIT_WORDS_MAX);
        assert!(long.ends_with("é…"), "{long}");
    }
}
