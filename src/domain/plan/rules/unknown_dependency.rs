//! `unknown-dependency`: a task depends on an id that no task has.
//!
//! **What it does:** reports every entry of `depends_on` that names no task, with the id that was
//! probably meant. Where the named task exists but its file could not be read, it says so.
//!
//! **Why:** the task would wait for ever.
//!
//! **Example:** `depends_on: [API-01O]`, with the letter `O`.

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    suggest::{did_you_mean, n_suggestions_max},
};

/// The name of the rule.
pub const CODE: &str = "unknown-dependency";

/// Adds a diagnostic for each dependency that does not exist.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let mut n_suggestions = 0;
    let n_max = n_suggestions_max(input.plan.n_tasks());
    for spec in input.specs() {
        for dependency in &spec.depends_on {
            let (own, id) = (spec.id.value.as_str(), dependency.value.as_str());
            if id == own || input.plan.find(id).is_some() {
                continue;
            }
            let label = |text: &str| Label::new(&*spec.path, dependency.span, text);
            if let Some(path) = unreadable_file(input, id) {
                let message =
                    format!("task `{own}` depends on `{id}`, whose file could not be read");
                out.push(
                    Diagnostic::error(CODE, message, label("this task could not be read"))
                        .with_help(format!("correct `{path}` first")),
                );
                continue;
            }
            let message = format!("task `{own}` depends on `{id}`, which does not exist");
            let mut diagnostic = Diagnostic::error(CODE, message, label("no task has this id"));
            if n_suggestions < n_max {
                n_suggestions += 1;
                let known = input.plan.indices().map(|task| input.plan.id(task).as_str());
                if let Some(near) = did_you_mean(id, known.filter(|known| *known != own)) {
                    diagnostic = diagnostic.with_help(format!("did you mean `{near}`?"));
                }
            }
            out.push(diagnostic);
        }
    }
}

/// Returns the path of the file that should describe the task `id` but could not be read.
fn unreadable_file<'a>(input: &Input<'a>, id: &str) -> Option<&'a str> {
    input
        .unreadable
        .iter()
        .find(|(_, named)| named.as_ref().is_some_and(|named| named.as_str() == id))
        .map(|(path, _)| path.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Case, check, task};
    use expect_test::expect;

    #[test]
    fn the_nearest_id_is_suggested() {
        check(
            &[
                task("API-010"),
                task("API-012").needs("API-01O").needs("API-010").needs("elsewhere"),
            ],
            &expect![[r#"
                unknown-dependency error .orch/tasks/API-012.md:3:5+7: task `API-012` depends on `API-01O`, which does not exist (no task has this id)
                  help: did you mean `API-010`?
                unknown-dependency error .orch/tasks/API-012.md:5:5+9: task `API-012` depends on `elsewhere`, which does not exist (no task has this id)
            "#]],
        );
    }

    #[test]
    fn a_file_that_could_not_be_read_is_named() {
        Case::of(&[task("a").needs("broken")]).unreadable(".orch/tasks/x/broken.md", "broken").check(
            &expect![[r#"
                unknown-dependency error .orch/tasks/a.md:3:5+6: task `a` depends on `broken`, whose file could not be read (this task could not be read)
                  help: correct `.orch/tasks/x/broken.md` first
            "#]],
        );
    }
}
