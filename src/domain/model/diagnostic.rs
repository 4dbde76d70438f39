//! Faults in what people wrote: values with a place, never errors of the program.

use super::place::Span;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The plan cannot be run as it stands.
    Error,
    /// Probably not what was meant; the plan can be run.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// Says whether the plan cannot be run.
    pub fn is_error(self) -> bool {
        self == Self::Error
    }

    /// Returns the word that is shown: `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Returns how many of `diagnostics` matter exactly that much.
pub fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|found| found.severity == severity).count()
}

/// A place in a file, with a few words about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Path below the repository root, with `/`, for example `.orch/tasks/API-012.md`.
    pub path: String,
    /// The stretch that is pointed at.
    pub span: Span,
    /// The line that is pointed at; filled in where the text is at hand.
    pub source: Option<String>,
    /// What stands under the caret; may be empty.
    pub text: String,
}

impl Label {
    /// Returns a label without a source line.
    pub fn new(path: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self { path: path.into(), span, source: None, text: text.into() }
    }
}

/// A fault in a file that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, kebab-case name of the rule, for example `unknown-dependency`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is: a phrase in lower case without a period, backticks around what the user typed.
    pub message: String,
    /// Where it is.
    pub primary: Label,
    /// Other places that matter, in the order in which they are told.
    pub related: Vec<Label>,
    /// What to do, in the imperative.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Returns an error at `primary`.
    pub fn error(code: &'static str, message: impl Into<String>, primary: Label) -> Self {
        Self::new(code, Severity::Error, message, primary)
    }

    /// Returns a warning at `primary`.
    pub fn warning(code: &'static str, message: impl Into<String>, primary: Label) -> Self {
        Self::new(code, Severity::Warning, message, primary)
    }

    /// Returns a note at `primary`.
    pub fn note(code: &'static str, message: impl Into<String>, primary: Label) -> Self {
        Self::new(code, Severity::Note, message, primary)
    }

    fn new(
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        primary: Label,
    ) -> Self {
        let message = message.into();
        Self { code, severity, message, primary, related: Vec::new(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn with_related(mut self, label: Label) -> Self {
        self.related.push(label);
        self
    }

    /// Returns the order in which diagnostics are shown: path, line, column, code.
    pub fn sort_key(&self) -> (&str, Span, &'static str, &str) {
        (&self.primary.path, self.primary.span, self.code, &self.message)
    }
}
