//! `loop-without-verify`: a worker is to be started again until the verify commands hold, and there
//! are none.
//!
//! **What it does:** reports tasks with a `loop`, their own or that of their role, and nothing to
//! verify.
//!
//! **Why:** such a loop ends with the first exit code 0, whatever was done.
//!
//! **Example:** `loop: {until: verify, max_iterations: 20}` in a task without `completion.verify` and
//! without a shell block under *Verification*.

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
};

/// The name of the rule.
pub const CODE: &str = "loop-without-verify";

/// Adds a diagnostic for each task that is repeated until nothing holds.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let plan = input.plan;
    let is_repeated = |task| {
        let role = plan.role(task).and_then(|role| role.repeat);
        plan.spec(task).repeat.or(role).is_some()
    };
    for task in plan.indices().filter(|task| is_repeated(*task)) {
        if !plan.policy(task).completion.verify.is_empty() {
            continue;
        }
        let message = format!(
            "task `{}` has a `loop`, but nothing to verify: it ends with the first exit code 0",
            plan.id(task)
        );
        let primary = Label::new(&*plan.spec(task).path, Span::default(), "");
        let help = "say in `completion: {verify: [\"…\"]}` what must hold, or remove the loop";
        out.push(Diagnostic::warning(CODE, message, primary).with_help(help));
    }
}
