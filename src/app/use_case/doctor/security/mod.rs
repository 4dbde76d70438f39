//! How each protection stands: `orch doctor --security`. One file for each thing that is looked at;
//! what is found is judged by a function that can be asked without it.

mod agents;
mod environment;
mod git;
mod isolation;
mod leftovers;
mod limits;
mod local;
mod owner;
mod trust;
mod user;

use super::{Surroundings, n_with, sandbox};
use crate::app::{
    repository::Repository,
    view::doctor::{Check, SecurityView, Verdict},
};

/// One look at a protection.
type Look = fn(&Surroundings<'_>) -> Vec<Check>;

/// All looks, in the order in which they are told. What else protects is added here.
const LOOKS: [Look; 12] = [
    trust::trust,
    trust::own,
    owner::owner,
    user::user,
    isolation::isolation,
    sandbox::any_sandbox,
    agents::agents,
    environment::environment,
    git::git,
    local::local,
    leftovers::leftovers,
    limits::limits,
];

/// Looks at all protections.
pub fn security(repository: &Repository) -> SecurityView {
    let surroundings = Surroundings::of(repository);
    let checks: Vec<Check> = LOOKS.iter().flat_map(|look| look(&surroundings)).collect();
    let (n_warnings, n_errors) =
        (n_with(&checks, Verdict::Warning), n_with(&checks, Verdict::Error));
    SecurityView { checks, n_warnings, n_errors }
}

/// Names a few of many.
fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 5;
    let names: Vec<&str> = names.into_iter().collect();
    let first = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Writes checks as they are compared.
#[cfg(test)]
fn told(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let help = check.help.as_deref().unwrap_or("-");
        format!("{} {}: {} | {help}\n", check.verdict.as_str(), check.name, check.message)
    };
    checks.iter().map(line).collect()
}
