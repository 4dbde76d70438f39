//! Pieces of markdown for hosts: lists that fold, and foreign text that can do nothing.
//!
//! Whoever opens a pull request writes the titles, names and values in it. All of that stands in
//! code spans: nothing in a code span is markup, a link, or somebody's name that gets a message.

use super::{
    escape::clean_line,
    figures::{counted, grouped},
};

/// Most bytes of a whole text: GitHub takes 65,536 characters, GitLab more.
pub const BYTES_MAX: usize = 65_000;

/// What is kept for the notes on what was left out.
const BYTES_FOR_NOTES: usize = 1_000;

/// Lists with more lines are folded.
const LINES_OPEN_MAX: usize = 10;

/// Characters of a value that are shown.
pub const VALUE_MAX: usize = 120;

/// Whether a list is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Never.
    Never,
    /// Where it is long.
    WhereLong,
}

/// What is written, as far as there is room for it.
pub struct Page {
    whole: String,
    most: usize,
}

impl Page {
    /// Returns an empty one with room for so many bytes.
    pub fn within(most: usize) -> Self {
        Self { whole: String::new(), most }
    }

    /// Returns all that was written.
    pub fn whole(self) -> String {
        self.whole
    }

    /// Says whether there is room for so much more, beside what is kept for notes.
    pub fn has_room_for(&self, n_bytes: usize) -> bool {
        self.whole.len() + n_bytes + BYTES_FOR_NOTES <= self.most
    }

    /// Adds a part that makes sense as a whole only.
    pub fn text(&mut self, text: &str) {
        if self.has_room_for(text.len()) {
            self.whole.push_str(text);
        } else {
            self.whole.push_str("\n*One part is left out: it would be too long.*\n");
        }
    }

    /// Adds a list with a title, or as much of it as there is room for.
    pub fn list(&mut self, title: &str, lines: &[String], fold: Fold) {
        if lines.is_empty() {
            return;
        }
        let is_folded = fold == Fold::WhereLong && lines.len() > LINES_OPEN_MAX;
        let mut text = format!("\n#### {title}\n\n");
        if is_folded {
            let n = grouped(lines.len());
            text = format!("{text}<details><summary>{n} lines</summary>\n\n");
        }
        let mut n_told = 0;
        for line in lines {
            if !self.has_room_for(text.len() + line.len() + 1) {
                break;
            }
            text.extend([line, "\n"]);
            n_told += 1;
        }
        if n_told < lines.len() {
            let n = grouped(lines.len() - n_told);
            text = format!("{text}- *{n} more lines are left out: it would be too long*\n");
        }
        if is_folded {
            text.push_str("\n</details>\n");
        }
        self.whole.push_str(&text);
    }
}

/// Returns foreign text as a code span that nothing in it can end, at most `most` characters of it.
pub fn code(text: &str, most: usize) -> String {
    let clean = clean_line(text);
    let n_more = clean.chars().count().saturating_sub(most);
    let shown: String = clean.chars().take(most).collect();
    let more = match n_more {
        0 => String::new(),
        n => format!(" … {} more", counted(n, "character")),
    };
    if shown.trim().is_empty() {
        return format!("(blank){more}");
    }
    // One backtick more than the longest run of them.
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if shown.starts_with('`') || shown.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}{more}")
}

/// As [`code`], with as many characters as a value gets in a list.
pub fn value(text: &str) -> String {
    code(text, VALUE_MAX)
}
