//! Where in a file something stands.

/// A stretch of one line: one-based line and column, both counted in characters.
///
/// The default (line 0) means "somewhere in the file": the place is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// One-based line; 0 where the place is not known.
    pub line: u32,
    /// One-based column of the first character.
    pub column: u32,
    /// Number of characters; 0 points between two characters.
    pub length: u32,
}

impl Span {
    /// Returns the stretch of `length` characters that starts at `line:column`.
    pub fn new(line: u32, column: u32, length: u32) -> Self {
        Self { line, column, length }
    }

    /// Says whether the place is known.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

/// A value and the place where its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Located<T> {
    /// What was written.
    pub value: T,
    /// Where it was written, in the file that it was read from.
    pub span: Span,
}

impl<T> Located<T> {
    /// Returns `value` with the place `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Returns `value` without a known place.
    pub fn nowhere(value: T) -> Self {
        Self { value, span: Span::default() }
    }
}
