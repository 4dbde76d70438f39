//! Faults as they are found in a text, before they are tied to a file: place, words, help.

use crate::domain::model::{
    diagnostic::{Diagnostic, Label, Severity},
    hidden,
    place::Span,
};

/// Longest piece of user text in a message.
const SHOWN_CHARS_MAX: usize = 60;
/// Longest source line that is shown.
const SOURCE_CHARS_MAX: usize = 400;
/// Most faults that are told of one file.
pub const FAULTS_MAX: usize = 100;

/// A fault in a text; becomes a [`Diagnostic`] once the file is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the caret.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    /// Returns an error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let (severity, label) = (Severity::Error, String::new());
        Self { code, severity, message: message.into(), span, label, help: None }
    }

    /// Returns a warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Returns a note at `span`.
    pub fn note(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, span, message) }
    }

    /// Sets what stands under the caret.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Ties the fault to the file at `path`, whose whole text is `text`.
    pub fn in_file(self, path: &str, text: &str) -> Diagnostic {
        let mut primary = Label::new(path, self.span, self.label);
        primary.source = source_line(text, self.span);
        Diagnostic {
            code: self.code,
            severity: self.severity,
            message: self.message,
            primary,
            related: Vec::new(),
            help: self.help,
        }
    }
}

/// Ties all `faults` to the file at `path`, whose whole text is `text`, in the order of the text.
pub fn in_file(faults: Vec<Fault>, path: &str, text: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = faults.into_iter().map(|f| f.in_file(path, text)).collect();
    found.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    found
}

/// Returns the line that `span` points at, with every character one column wide: its beginning, and
/// nothing where the place lies far behind that.
pub fn source_line(text: &str, span: Span) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}');
    let line = text.lines().nth(usize::try_from(span.line).ok()?.checked_sub(1)?)?;
    let end = span.column.saturating_add(span.length);
    if usize::try_from(end).is_ok_and(|end| end > SOURCE_CHARS_MAX) {
        return None;
    }
    let visible = |c: char| match c {
        '\t' => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Some(line.trim_end().chars().take(SOURCE_CHARS_MAX).map(visible).collect())
}

/// Says whether `c` cannot be seen as it is, or joins others invisibly.
pub fn is_hidden(c: char) -> bool {
    hidden::is_hidden(c) || hidden::is_joiner(c)
}

/// Returns `text` in backticks, shortened, with control characters escaped.
pub fn shown(text: &str) -> String {
    format!("`{}`", plain(text))
}

/// Returns `text` shortened, with control characters escaped.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN_CHARS_MAX));
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_text_is_short_and_harmless() {
        assert_eq!(shown("a\x1b[2Jb\u{202e}"), "`a\\u{1b}[2Jb\\u{202e}`");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 63);
    }
}
