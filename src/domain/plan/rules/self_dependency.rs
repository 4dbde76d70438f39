//! `self-dependency`: a task depends on itself.
//!
//! **What it does:** reports every entry of `depends_on` that is the task's own id.
//!
//! **Why:** the task would wait for its own end.
//!
//! **Example:** `depends_on: [API-012]` in the file of `API-012`.

use super::Input;
use crate::domain::model::diagnostic::{Diagnostic, Label};

/// The name of the rule.
pub const CODE: &str = "self-dependency";

/// Adds a diagnostic for each task that names itself.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    for spec in input.specs() {
        let own = spec.id.value.as_str();
        if let Some(written) = spec.depends_on.iter().find(|d| d.value == own) {
            let primary = Label::new(&*spec.path, written.span, "this is the task itself");
            out.push(
                Diagnostic::error(CODE, format!("task `{own}` depends on itself"), primary)
                    .with_help("remove it from `depends_on`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn a_task_that_names_itself_is_no_cycle_of_others() {
        check(
            &[task("a").needs("a").needs("b"), task("b")],
            &expect![[r#"
                self-dependency error .orch/tasks/a.md:3:5+1: task `a` depends on itself (this is the task itself)
                  help: remove it from `depends_on`
            "#]],
        );
    }
}
