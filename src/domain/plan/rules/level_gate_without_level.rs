//! `level-gate-without-level`: a gate is configured for a level that no task has.
//!
//! **What it does:** reports every key of `levels` in `.orch/config.yaml` that is no task's level.
//!
//! **Why:** the gate would never run, though its author counts on it.
//!
//! **Example:** `levels: {3: {gate: ["./check.sh"]}}`, where the tasks have the levels 1 and 2.

use std::collections::BTreeSet;

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
};

/// The name of the rule.
pub const CODE: &str = "level-gate-without-level";

/// Adds a diagnostic for each gate that would never run.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    if input.plan.n_tasks() == 0 {
        return;
    }
    let used: BTreeSet<u32> =
        input.specs().filter_map(|spec| spec.level.as_ref()).map(|l| l.value).collect();
    for level in input.plan.config().levels.keys().filter(|level| !used.contains(level)) {
        let message = format!("a gate is set for level {level}, which no task has");
        let help = match used.iter().map(ToString::to_string).collect::<Vec<_>>() {
            levels if levels.is_empty() => "give the tasks before the gate a `level`".to_owned(),
            levels => format!("the tasks have the levels {}", levels.join(", ")),
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
    fn only_gates_that_never_run_are_reported() {
        Case::of(&[task("a").level(1), task("b").level(2), task("c")]).gates(&[1, 3]).check(
            &expect![[r#"
                level-gate-without-level warning .orch/config.yaml: a gate is set for level 3, which no task has ()
                  help: the tasks have the levels 1, 2
            "#]],
        );
        Case::of(&[]).gates(&[1]).check(&expect![""]);
    }
}
