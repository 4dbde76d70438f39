//! `unknown-role`: a task has a role that does not exist.
//!
//! **What it does:** reports every `role` without a file `.orch/roles/<name>.md`.
//!
//! **Why:** the role says which command works on the task and with what limits; without it the task
//! would be worked on by something else than its author meant.
//!
//! **Example:** `role: bakend`, where the file is `.orch/roles/backend.md`.

use super::{Input, list};
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    suggest::{did_you_mean, n_suggestions_max},
};

/// The name of the rule.
pub const CODE: &str = "unknown-role";

/// Adds a diagnostic for each role that does not exist.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let known = || input.plan.roles().keys().map(|name| name.0.as_str());
    let mut n_suggestions = 0;
    let n_max = n_suggestions_max(input.plan.roles().len());
    for spec in input.specs() {
        let Some(role) = &spec.role else { continue };
        if input.plan.roles().contains_key(&role.value) {
            continue;
        }
        let (id, name) = (&spec.id.value, role.value.0.as_str());
        let file = format!(".orch/roles/{name}.md");
        let is_unreadable = input.unreadable.iter().any(|(path, _)| *path == file);
        let (what, label) = if is_unreadable {
            ("whose file could not be read", "this role could not be read")
        } else {
            ("which does not exist", "no role has this name")
        };
        n_suggestions += 1;
        let near = if n_suggestions > n_max { None } else { did_you_mean(name, known()) };
        let help = match near {
            _ if is_unreadable => format!("correct `{file}` first"),
            Some(near) => format!("did you mean `{near}`?"),
            None if input.plan.roles().is_empty() => format!("create `{file}`"),
            None => format!("create `{file}`, or use one of {}", list(known())),
        };
        let message = format!("task `{id}` has the role `{name}`, {what}");
        let primary = Label::new(&*spec.path, role.span, label);
        out.push(Diagnostic::error(CODE, message, primary).with_help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Case, task};
    use expect_test::expect;

    #[test]
    fn a_near_role_is_suggested_and_a_far_one_is_to_be_made() {
        Case::of(&[task("a").role("bakend"), task("b").role("docs"), task("c").role("backend")])
            .roles(&["backend", "frontend"])
            .check(&expect![[r#"
                unknown-role error .orch/tasks/a.md:3:7+6: task `a` has the role `bakend`, which does not exist (no role has this name)
                  help: did you mean `backend`?
                unknown-role error .orch/tasks/b.md:3:7+4: task `b` has the role `docs`, which does not exist (no role has this name)
                  help: create `.orch/roles/docs.md`, or use one of `backend`, `frontend`
            "#]]);
    }

    #[test]
    fn a_role_file_that_could_not_be_read_is_named() {
        Case::of(&[task("a").role("x"), task("b").role("y")])
            .unreadable(".orch/roles/x.md", "")
            .check(&expect![[r#"
                unknown-role error .orch/tasks/a.md:3:7+1: task `a` has the role `x`, whose file could not be read (this role could not be read)
                  help: correct `.orch/roles/x.md` first
                unknown-role error .orch/tasks/b.md:3:7+1: task `b` has the role `y`, which does not exist (no role has this name)
                  help: create `.orch/roles/y.md`
            "#]]);
    }
}
