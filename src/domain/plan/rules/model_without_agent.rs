//! `model-without-agent`: a model is named, but no agent that could be told of it.
//!
//! **What it does:** reports `worker.model` in a file where neither this file names an agent nor, for
//! a task, its role or the settings, or, for a role, the settings.
//!
//! **Why:** only the presets of agents know how a model is chosen; a command says it itself.
//!
//! **Example:** `worker: {command: ./work.sh, model: opus}`.

use super::Input;
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    place::Span,
    task::WorkerSpec,
};

/// The name of the rule.
pub const CODE: &str = "model-without-agent";

/// Adds a diagnostic for each file that names a model for nobody.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let settings = &input.plan.config().worker;
    let roles = input.plan.roles();
    let of_task = input.specs().map(|spec| {
        let role = spec.role.as_ref().and_then(|role| roles.get(&role.value));
        (&*spec.path, vec![Some(&spec.worker), role.map(|role| &role.worker), Some(settings)])
    });
    let of_role =
        roles.values().map(|role| (&*role.path, vec![Some(&role.worker), Some(settings)]));
    let of_settings = [(".orch/config.yaml", vec![Some(settings)])];
    for (path, workers) in of_task.chain(of_role).chain(of_settings) {
        let workers: Vec<&WorkerSpec> = workers.into_iter().flatten().collect();
        let has_agent = workers.iter().any(|worker| worker.agent.is_some());
        if has_agent || workers.first().is_none_or(|worker| worker.model.is_none()) {
            continue;
        }
        let message = "`worker.model` has no effect: no agent is named that could be told of it";
        let primary = Label::new(path, Span::default(), "");
        let help = "name it with `worker.agent`, or name the model in `worker.command`";
        out.push(Diagnostic::warning(CODE, message, primary).with_help(help));
    }
}
