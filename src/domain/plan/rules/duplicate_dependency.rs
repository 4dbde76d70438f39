//! `duplicate-dependency`: a task names the same dependency twice.
//!
//! **What it does:** reports every entry of `depends_on` that repeats an earlier one.
//!
//! **Why:** it changes nothing, but one of the two was probably meant to be another task.
//!
//! **Example:** `depends_on: [API-1, API-2, API-1]`.

use std::collections::BTreeMap;

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
};

/// The name of the rule.
pub const CODE: &str = "duplicate-dependency";

/// Adds a diagnostic for each repeated dependency.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    for spec in input.specs().filter(|spec| spec.depends_on.len() > 1) {
        let mut first_places: BTreeMap<&str, Span> = BTreeMap::new();
        for written in &spec.depends_on {
            let first = *first_places.entry(&written.value).or_insert(written.span);
            if first == written.span {
                continue;
            }
            let (own, id) = (&spec.id.value, &written.value);
            let message = format!("task `{own}` names its dependency `{id}` twice");
            let primary = Label::new(&*spec.path, written.span, "named again here");
            out.push(
                Diagnostic::warning(CODE, message, primary)
                    .with_related(Label::new(&*spec.path, first, "first named here"))
                    .with_help("remove one of them"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn every_repetition_is_reported() {
        check(
            &[task("a").needs("b").needs("c").needs("b"), task("b"), task("c").needs("b")],
            &expect![[r#"
                duplicate-dependency warning .orch/tasks/a.md:5:5+1: task `a` names its dependency `b` twice (named again here)
                  .orch/tasks/a.md:3:5+1: first named here
                  help: remove one of them
            "#]],
        );
    }
}
