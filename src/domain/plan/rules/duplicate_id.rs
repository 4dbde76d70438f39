//! `duplicate-id`: two task files have the same id.
//!
//! **What it does:** reports every task file whose id an earlier file (by path) already has.
//!
//! **Why:** records, branches and dependencies name a task by its id, so it must stand for one task.
//! Of the files with one id only the first counts.
//!
//! **Example:** `.orch/tasks/a.md` and `.orch/tasks/old/a.md`, both without an `id` of their own.

use super::Input;
use crate::domain::model::diagnostic::{Diagnostic, Label};

/// The name of the rule.
pub const CODE: &str = "duplicate-id";

/// Adds a diagnostic for each file whose id is already taken.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    for other in input.plan.duplicates() {
        let id = &other.id.value;
        let Some(first) = input.plan.find(id.as_str()) else { continue };
        let first = input.plan.spec(first);
        let primary = Label::new(&*other.path, other.id.span, "used again here");
        out.push(
            Diagnostic::error(CODE, format!("another task already has the id `{id}`"), primary)
                .with_related(Label::new(&*first.path, first.id.span, "first used here"))
                .with_help(if other.id.span.is_known() {
                    "give one of them another `id`"
                } else {
                    "rename one of the files, or give one of them an `id` of its own"
                }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn every_further_file_is_reported_with_the_first() {
        check(
            &[task("a").at("z/a.md"), task("a").at("b/a.md"), task("a"), task("b")],
            &expect![[r#"
                duplicate-id error b/a.md:2:5+1: another task already has the id `a` (used again here)
                  .orch/tasks/a.md: first used here
                  help: give one of them another `id`
                duplicate-id error z/a.md:2:5+1: another task already has the id `a` (used again here)
                  .orch/tasks/a.md: first used here
                  help: give one of them another `id`
            "#]],
        );
    }
}
