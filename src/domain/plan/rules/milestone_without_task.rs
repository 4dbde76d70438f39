//! `milestone-without-task`: a milestone is configured that no task names.
//!
//! **What it does:** reports every key of `milestones` in `.orch/config.yaml` that is no task's
//! milestone.
//!
//! **Why:** it would never be reached, though its author counts on it.
//!
//! **Example:** `milestones: {bet: {run: ./tell.sh}}`, where the tasks have the milestone `beta`.

use std::collections::BTreeSet;

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
    suggest::did_you_mean,
};

/// The name of the rule.
pub const CODE: &str = "milestone-without-task";

/// Adds a diagnostic for each milestone that would never be reached.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let milestones = &input.plan.config().milestones;
    if milestones.is_empty() || input.plan.n_tasks() == 0 {
        return;
    }
    let named: BTreeSet<&str> =
        input.specs().filter_map(|spec| spec.milestone.as_deref()).collect();
    for name in milestones.keys().filter(|name| !named.contains(name.as_str())) {
        let message = format!("`milestones` names `{name}`, which is no task's milestone");
        let help = match did_you_mean(name, named.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write `milestone: {name}` in its tasks, or remove it"),
        };
        let primary = Label::new(".orch/config.yaml", Span::default(), "");
        out.push(Diagnostic::warning(CODE, message, primary).with_help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Case, task};
    use expect_test::expect;

    #[test]
    fn only_milestones_that_are_never_reached_are_reported() {
        let tasks = [task("a").milestone("beta"), task("b")];
        Case::of(&tasks).milestones(&["beta", "beat", "gold"]).check(&expect![[r#"
            milestone-without-task warning .orch/config.yaml: `milestones` names `beat`, which is no task's milestone ()
              help: did you mean `beta`?
            milestone-without-task warning .orch/config.yaml: `milestones` names `gold`, which is no task's milestone ()
              help: write `milestone: gold` in its tasks, or remove it
        "#]]);
        Case::of(&[]).milestones(&["beta"]).check(&expect![""]);
    }
}
