//! Whether the plan can be run.

use super::{Surroundings, counted, told};
use crate::{
    app::view::doctor::{Check, Figures},
    domain::model::diagnostic::{Severity, count},
};

const NAME: &str = "plan";

/// Counts tasks and faults.
pub(super) fn plan(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let standing = match &surroundings.standing {
        Ok(standing) => standing,
        Err(error) => {
            let help = "see who may read .orch and what is in it";
            return vec![Check::error(NAME, told(error), help)];
        }
    };
    let diagnostics = &standing.snapshot.diagnostics;
    let n_tasks = standing.plan().n_tasks();
    let n_errors = count(diagnostics, Severity::Error);
    let n_warnings = count(diagnostics, Severity::Warning);
    figures.n_tasks = Some(n_tasks);
    figures.n_plan_errors = Some(n_errors);
    figures.n_plan_warnings = Some(n_warnings);
    let said = |n: usize, word| counted(n as u64, word);
    let message = format!(
        "{}, {}, {}",
        said(n_tasks, "task"),
        said(n_errors, "error"),
        said(n_warnings, "warning")
    );
    let help = "`orch check` shows each with its place";
    vec![match (n_errors, n_warnings) {
        (0, 0) => Check::ok(NAME, message),
        (0, _) => Check::warning(NAME, message, help),
        _ => Check::error(NAME, message, help),
    }]
}
