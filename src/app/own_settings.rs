//! The user's own settings, and what they say of a plan.

use std::path::{Path, PathBuf};

use super::error::AppError;
use crate::{
    domain::{
        format::own_file,
        model::{
            ceiling::{Edits, Own, Wider},
            config::Policy,
            diagnostic::{self, Diagnostic, Label, Severity},
            landing::GitSpec,
            place::Span,
        },
        plan::Plan,
    },
    io::trust,
};

/// Reads the user's own settings; where there are none, they say nothing.
///
/// # Errors
/// [`AppError::OwnSettings`] where they have errors: what they forbid would not hold;
/// [`AppError::Trust`] where they cannot be read.
pub(super) fn read() -> Result<Own, AppError> {
    let Some(path) = trust::settings_path() else { return Ok(Own::default()) };
    let Some(bytes) = trust::read_settings(&path)? else { return Ok(Own::default()) };
    let (own, mut diagnostics) = own_file::parse(&path.to_string_lossy(), &bytes);
    if diagnostic::count(&diagnostics, Severity::Error) == 0 {
        return Ok(own);
    }
    diagnostics.retain(|found| found.severity.is_error());
    Err(AppError::OwnSettings { diagnostics })
}

/// Says whether the user has approved everything in a folder that `root` lies in.
pub(super) fn approve_folder<'a>(own: &'a Own, root: &Path) -> Option<&'a str> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = real(root);
    let named = own.folders.iter().find(|folder| {
        let path = match folder.strip_prefix("~/") {
            Some(below) => trust::home().map(|home| home.join(below)),
            None => Some(PathBuf::from(folder.as_str())).filter(|path| path.is_absolute()),
        };
        path.is_some_and(|path| root.starts_with(real(&path)))
    });
    named.map(String::as_str)
}

/// Returns the branches from which all may be taken as approved where that is asked for: what a plan
/// itself says of that does not count.
pub(super) fn protected(own: Own) -> Vec<String> {
    own.protect.unwrap_or(GitSpec::default().protect)
}

/// Returns what becomes of changes that people make: the stricter of what the user and the plan say.
pub(super) fn edits(own: &Own, plan: &Plan) -> Edits {
    let said = own.edits.unwrap_or(Edits::Accept);
    plan.config().edits.map_or(said, |edits| edits.max(said))
}

/// Tells what a plan says that is wider than its user allows: that does not hold.
pub(super) fn notes(own: &Own, plan: &Plan, settings: &str) -> Vec<Diagnostic> {
    let config = plan.config().as_written();
    let mut found: Vec<(String, Wider)> = Vec::new();
    let (_, wider) = own.ceiling.lowered(config.clone());
    found.extend(wider.into_iter().map(|wider| (settings.to_owned(), wider)));
    let least = own.edits.unwrap_or(Edits::Accept);
    if let Some(edits) = config.edits.filter(|edits| *edits < least) {
        let (says, holds) = (edits.as_str().to_owned(), least.as_str().to_owned());
        found.push((settings.to_owned(), Wider { key: "trust.edits", says, holds }));
    }
    for task in plan.indices() {
        let (spec, role) = (plan.spec(task), plan.role(task));
        let wider = Policy::wider(spec, role, plan.config());
        found.extend(wider.into_iter().map(|wider| (spec.path.to_string(), wider)));
    }
    found.into_iter().map(|(path, wider)| note(path, &wider)).collect()
}

fn note(path: String, wider: &Wider) -> Diagnostic {
    let Wider { key, says, holds } = wider;
    let holds = if holds.is_empty() { "nothing of it" } else { holds };
    let message = format!("`{key}` is `{says}`, which is more than your own settings allow");
    Diagnostic::note("wider-than-yours", message, Label::new(path, Span::default(), ""))
        .with_help(format!("`{holds}` holds; your own settings are in orch/config.yaml in the folder for settings of your login"))
}
