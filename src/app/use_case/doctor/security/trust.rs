//! What of the plan may be executed, and what the user's own settings allow at most.

use super::Surroundings;
use crate::{
    app::{approval::Noted, error::AppError, own_settings, view::doctor::Check},
    domain::model::ceiling::{Ceiling, Edits, Own},
    io::trust,
};

const NAME: &str = "trust";
const OWN_NAME: &str = "own-settings";

/// Looks whether what the plan would execute is approved.
pub(super) fn trust(surroundings: &Surroundings<'_>) -> Vec<Check> {
    // That the plan cannot be read is told by its own check.
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let own = own_settings::read().unwrap_or_default();
    let folder = own_settings::approve_folder(&own, surroundings.store.root());
    vec![judge(&standing.snapshot.approval, folder)]
}

fn judge(noted: &Noted, folder: Option<&str>) -> Check {
    let help = "`orch trust` shows what would be executed, and asks";
    if let Some(folder) = folder {
        let message = format!("everything in {folder} is approved, by your own settings");
        let help = "take it out of `trust: {folders: …}` there, to be asked";
        return Check::warning(NAME, message, help);
    }
    if noted.is_unknown {
        return Check::ok(NAME, "nothing of this plan is approved, so nothing is started");
    }
    let n = noted.unapproved.tasks.len() + noted.unapproved.gates.len() + noted.n_waiting_others;
    match (noted.has_waiting_settings, n) {
        (true, _) => {
            let message = "the settings of this plan wait for approval, so nothing is started";
            Check::warning(NAME, message, help)
        }
        (false, 0) => Check::ok(NAME, "what this plan would execute is approved"),
        (false, 1) => Check::warning(NAME, "1 part of the plan waits for approval", help),
        (false, n) => {
            Check::warning(NAME, format!("{n} parts of the plan wait for approval"), help)
        }
    }
}

/// Looks at the user's own settings.
pub(super) fn own(_: &Surroundings<'_>) -> Vec<Check> {
    let path = trust::settings_path().map(|path| path.display().to_string()).unwrap_or_default();
    vec![judge_own(own_settings::read(), &path)]
}

fn judge_own(own: Result<Own, AppError>, path: &str) -> Check {
    let own = match own {
        Ok(own) => own,
        Err(error) => {
            let message = format!("{error}, so no run begins ({path})");
            return Check::error(OWN_NAME, message, "mend them, or take the file away");
        }
    };
    let edits = own.edits.unwrap_or(Edits::Accept);
    let limits = match own.ceiling == Ceiling::default() {
        true => "plans are not limited beyond what they say",
        false => "plans are held to limits of yours",
    };
    let message = format!("your changes of a plan: {}; {limits} ({path})", edits.as_str());
    match edits {
        Edits::Always => Check::warning(
            OWN_NAME,
            message,
            "with `trust: {edits: accept}` a change waits where a worker could have made it",
        ),
        Edits::Accept | Edits::Ask => Check::ok(OWN_NAME, message),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use crate::domain::{model::id::TaskId, scheduler::approval::Unapproved};
    use expect_test::expect;

    #[test]
    fn what_may_be_executed_is_told() {
        let waiting = |ids: &[&str]| {
            let tasks = ids.iter().map(|id| (TaskId::parse(id).unwrap(), String::new()));
            let unapproved = Unapproved { tasks: tasks.collect(), ..Unapproved::default() };
            Noted { unapproved, ..Noted::default() }
        };
        let checks = [
            judge(&Noted::default(), None),
            judge(&Noted { is_unknown: true, ..Noted::default() }, None),
            judge(&Noted { has_waiting_settings: true, ..Noted::default() }, None),
            judge(&waiting(&["a"]), None),
            judge(&waiting(&["a", "b"]), None),
            judge(&waiting(&["a"]), Some("/home/me")),
        ];
        expect![[r#"
            ok trust: what this plan would execute is approved | -
            ok trust: nothing of this plan is approved, so nothing is started | -
            warning trust: the settings of this plan wait for approval, so nothing is started | `orch trust` shows what would be executed, and asks
            warning trust: 1 part of the plan waits for approval | `orch trust` shows what would be executed, and asks
            warning trust: 2 parts of the plan wait for approval | `orch trust` shows what would be executed, and asks
            warning trust: everything in /home/me is approved, by your own settings | take it out of `trust: {folders: …}` there, to be asked
        "#]].assert_eq(&told(&checks));
    }

    #[test]
    fn ones_own_settings_are_told() {
        let with = |edits, max_workers| Own {
            edits,
            ceiling: Ceiling { max_workers, ..Ceiling::default() },
            ..Own::default()
        };
        let broken = AppError::OwnSettings { diagnostics: Vec::new() };
        let checks = [
            judge_own(Ok(with(None, None)), "/c"),
            judge_own(Ok(with(Some(Edits::Ask), Some(2))), "/c"),
            judge_own(Ok(with(Some(Edits::Always), None)), "/c"),
            judge_own(Err(broken), "/c"),
        ];
        expect![[r#"
            ok own-settings: your changes of a plan: accept; plans are not limited beyond what they say (/c) | -
            ok own-settings: your changes of a plan: ask; plans are held to limits of yours (/c) | -
            warning own-settings: your changes of a plan: always; plans are not limited beyond what they say (/c) | with `trust: {edits: accept}` a change waits where a worker could have made it
            error own-settings: your own settings have errors, so no run begins (/c) | mend them, or take the file away
        "#]].assert_eq(&told(&checks));
    }
}
