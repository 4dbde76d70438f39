//! `no-effect-yet`: a key is set that this version reads but does not act on.
//!
//! **What it does:** reports `isolation: worktree`, once for each file.
//!
//! **Why:** who asks for a worktree counts on it.
//!
//! **Example:** `worker: {isolation: worktree}`.

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
    task::{Isolation, WorkerSpec},
};

/// The name of the rule.
pub const CODE: &str = "no-effect-yet";

/// Adds a diagnostic for each file that sets such a key.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let config = input.plan.config();
    let tasks = input.specs().map(|spec| (&*spec.path, &spec.worker));
    let roles = input.plan.roles().values();
    let roles = roles.map(|role| (&*role.path, &role.worker));
    let settings = [(".orch/config.yaml", &config.worker)];
    for (path, worker) in tasks.chain(roles).chain(settings) {
        let keys = idle_keys(worker);
        if !keys.is_empty() {
            let message = format!("{} {} no effect yet", keys.join(", "), have(keys.len()));
            let primary = Label::new(path, Span::default(), "");
            let help = "do not count on it: this version of orch does not act on it";
            out.push(Diagnostic::warning(CODE, message, primary).with_help(help));
        }
    }
}

fn have(n: usize) -> &'static str {
    if n == 1 { "has" } else { "have" }
}

fn idle_keys(worker: &WorkerSpec) -> Vec<&'static str> {
    let keys = [(worker.isolation == Some(Isolation::Worktree), "`worker.isolation: worktree`")];
    keys.into_iter().filter(|(is_set, _)| *is_set).map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_told() {
        let worker = WorkerSpec { isolation: Some(Isolation::Worktree), ..WorkerSpec::default() };
        assert_eq!(idle_keys(&worker), ["`worker.isolation: worktree`"]);
        let root = WorkerSpec { isolation: Some(Isolation::None), ..WorkerSpec::default() };
        assert!(idle_keys(&root).is_empty());
    }
}
