//! `id-case-clash`: two task ids differ only by case.
//!
//! **What it does:** reports every id that equals an earlier one but for upper and lower case.
//!
//! **Why:** ids become file and branch names. On systems that ignore case (macOS, Windows) the two
//! tasks would share their records, logs and branch.
//!
//! **Example:** `API-1` and `api-1`.

use std::collections::BTreeMap;

use super::Input;
use crate::domain::{
    model::diagnostic::{Diagnostic, Label},
    plan::TaskIndex,
};

/// The name of the rule.
pub const CODE: &str = "id-case-clash";

/// Adds a diagnostic for each id that clashes with an earlier one.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let plan = input.plan;
    let mut first_by_lower: BTreeMap<String, TaskIndex> = BTreeMap::new();
    for task in plan.indices() {
        let (spec, id) = (plan.spec(task), plan.id(task));
        let first = *first_by_lower.entry(id.as_str().to_ascii_lowercase()).or_insert(task);
        if first == task {
            continue;
        }
        let (first_spec, first_id) = (plan.spec(first), plan.id(first));
        out.push(
            Diagnostic::error(
                CODE,
                format!("the task ids `{first_id}` and `{id}` differ only by case"),
                Label::new(&*spec.path, spec.id.span, format!("the same name as `{first_id}`")),
            )
            .with_related(Label::new(&*first_spec.path, first_spec.id.span, "first used here"))
            .with_help("rename one: where case is ignored, both would share their files"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn twins_are_reported_once() {
        check(
            &[task("api-1").at("one.md"), task("API-1").at("two.md"), task("api-2")],
            &expect![[r#"
                id-case-clash error one.md:2:5+5: the task ids `API-1` and `api-1` differ only by case (the same name as `API-1`)
                  two.md:2:5+5: first used here
                  help: rename one: where case is ignored, both would share their files
            "#]],
        );
    }
}
