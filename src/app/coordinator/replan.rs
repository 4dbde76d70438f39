//! The plan after files changed while a run goes on: a broken task file stays as it was.

use std::collections::BTreeSet;

use crate::{
    app::snapshot::Snapshot,
    domain::{
        format::layout::{self, FileKind},
        model::task::TaskSpec,
        plan::{
            self, Plan,
            rules::{self, Input, Progress, RULES},
        },
    },
};

/// Returns the plan of `snapshot` with the tasks of broken files as they were in `last`; `None`
/// where the errors are not in single task files, or go on in the plan as a whole.
pub(super) fn with_last_good(snapshot: &Snapshot, last: &Plan) -> Option<Plan> {
    let errors = snapshot.diagnostics.iter().filter(|found| found.severity.is_error());
    let is_of_file = |code: &str| RULES.iter().all(|rule| rule.code != code);
    let broken: BTreeSet<&str> =
        errors.filter(|found| is_of_file(found.code)).map(|found| &*found.primary.path).collect();
    if broken.iter().any(|path| layout::classify(path) != FileKind::Task) {
        return None;
    }
    let is_broken = |spec: &&TaskSpec| broken.contains(&*spec.path);
    let whole = snapshot.plan.specs().filter(|spec| !is_broken(spec));
    let kept = last.specs().filter(is_broken);
    let plan = plan::build(
        whole.chain(kept).cloned().collect(),
        snapshot.plan.roles().values().cloned(),
        snapshot.plan.config().clone(),
    );
    let input = Input { plan: &plan, unreadable: &[], recorded: &|_| Progress::Open };
    let has_errors = rules::check_all(&input).iter().any(|found| found.severity.is_error());
    (!has_errors).then_some(plan)
}
