//! Path patterns, and whether two of them can name the same file.

/// A pattern over paths with `/`: `?`, `*`, `**`, `[a-z]`, `{a,b}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A phrase that says what is wrong, for a diagnostic.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pattern is empty".to_owned());
        }
        if text.starts_with('/') {
            return Err("the pattern is not relative to the repository root".to_owned());
        }
        Ok(Self { text: text.to_owned() })
    }

    /// Returns the pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
