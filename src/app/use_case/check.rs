//! All faults of the plan, with the lines that they point at.

use std::collections::BTreeMap;

use crate::{
    app::{error::AppError, repository::Repository, snapshot::Snapshot},
    domain::{
        format::{fault::source_line, task_file::Reading},
        model::{
            diagnostic::{Diagnostic, Label, Severity, count},
            place::Span,
            sandbox::Lack,
        },
    },
    io::store::Store,
};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// All faults, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// How many tasks were read.
    pub n_tasks: usize,
}

impl Checked {
    /// Returns the number of errors.
    pub fn n_errors(&self) -> usize {
        count(&self.diagnostics, Severity::Error)
    }

    /// Returns the number of warnings.
    pub fn n_warnings(&self) -> usize {
        count(&self.diagnostics, Severity::Warning)
    }
}

/// Reads every task, role, setting, record and status file and reports all faults.
///
/// # Errors
/// [`AppError::Store`] where a folder cannot be listed.
pub fn check(repository: &Repository) -> Result<Checked, AppError> {
    let mut snapshot = repository.read(Reading::Whole)?;
    quote_sources(repository.store(), &mut snapshot.diagnostics);
    snapshot.diagnostics.extend(without_sandbox(&snapshot));
    Ok(Checked { diagnostics: snapshot.diagnostics, n_tasks: snapshot.plan.n_tasks() })
}

/// Notes that a task asks for a sandbox, and that there is none here: no fault of the plan, which may
/// be carried out elsewhere.
fn without_sandbox(snapshot: &Snapshot) -> Option<Diagnostic> {
    let Lack { cause, help } = snapshot.no_sandbox.as_ref()?;
    let plan = &snapshot.plan;
    let first = plan.indices().find(|task| plan.is_sandboxed(*task))?;
    let message = format!("here it would not be started, as it is to run in a sandbox: {cause}");
    let primary = Label::new(&*plan.spec(first).path, Span::default(), "");
    Some(Diagnostic::note("no-sandbox", message, primary).with_help(help))
}

/// Fills in the source lines that diagnostics point at.
pub(crate) fn quote_sources(store: &Store, diagnostics: &mut [Diagnostic]) {
    let mut files: BTreeMap<String, Option<String>> = BTreeMap::new();
    let labels = diagnostics.iter_mut().flat_map(|diagnostic| {
        std::iter::once(&mut diagnostic.primary).chain(diagnostic.related.iter_mut())
    });
    for label in labels.filter(|label| label.source.is_none() && label.span.is_known()) {
        let text = files.entry(label.path.clone()).or_insert_with(|| {
            let bytes = store.read_file(&label.path).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        });
        // A long line is not kept for each of the thousand faults in it.
        label.source = text.as_deref().and_then(|text| source_line(text, label.span));
    }
}
