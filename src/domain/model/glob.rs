//! Path patterns, and whether two of them can name the same file.

/// A pattern over paths with `/`: `?`, `*`, `**`, `[a-z]`, `{a,b}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// Returns the pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
