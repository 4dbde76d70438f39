//! How work comes to the branch, in words.

use super::run::{Tone, name};
use crate::app::view::{attempt::NamedAttempt, run::Happened};

/// Returns several attempts as they are named in lines.
fn names(attempts: &[NamedAttempt]) -> String {
    listed(&attempts.iter().map(|one| name(&one.task, one.attempt)).collect::<Vec<String>>())
}

fn listed(all: &[String]) -> String {
    match all {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        all => all.join(", "),
    }
}

/// Returns what became of work on its way to the branch.
pub(super) fn words(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::MovedOn { task, attempt } => {
            let name = name(task, *attempt);
            (Tone::Neutral, format!("merge     {name} once more, as the branch went on"))
        }
        Happened::Combined { attempts } => {
            let text = format!("merge     {} together, as the branch went on", names(attempts));
            (Tone::Neutral, text)
        }
        Happened::Split { attempts, reason } => {
            let text = format!("split     {} do not hold together: {reason}", names(attempts));
            (Tone::Uneasy, text)
        }
        Happened::LandingWaits { task, attempt, what, files } => {
            let name = name(task, *attempt);
            let obstacle = obstacle(what, files);
            (Tone::Uneasy, format!("wait      {name} cannot land yet, {obstacle}"))
        }
        Happened::Landed { task, attempt, branch, commit } => {
            let commit = commit.get(..9).unwrap_or(commit);
            (Tone::Good, format!("land      {} on {branch} as {commit}", name(task, *attempt)))
        }
        Happened::GitChanged { tasks, changes } => {
            let (tasks, changes) = (listed(tasks), listed(changes));
            let help =
                "nothing of it runs here; where it was not you, look at it before you use git";
            (Tone::Bad, format!("alarm     while {tasks} ran, {changes}; {help}"))
        }
        Happened::RecordForged { task, attempt, aside, tasks } => {
            let meanwhile = match &tasks[..] {
                [] => String::new(),
                tasks => format!(" while {} ran", listed(tasks)),
            };
            let name = name(task, *attempt);
            let text = format!(
                "alarm     somebody wrote a record of {name}, which had not begun{meanwhile}: it counts \
                 for nothing, and lies in {aside}"
            );
            (Tone::Bad, text)
        }
        Happened::Rescued { task, name } => {
            (Tone::Neutral, format!("keep      what {task} had left, as {name}"))
        }
        Happened::NotApart { reason } => {
            let text = format!("together  workers share this folder, as {reason}");
            (Tone::Neutral, text)
        }
        Happened::StateNotCommitted { reason } => {
            (Tone::Uneasy, format!("wait      state is not committed yet: {reason}"))
        }
        _ => return None,
    })
}

/// Names what is in the way of a landing, and says what to do about it.
pub(super) fn obstacle(what: &str, files: &[String]) -> String {
    match files {
        [] => what.to_owned(),
        [one] => format!("{what}: {one}; {HELP}"),
        [one, rest @ ..] => format!("{what}: {one} and {} more; {HELP}", rest.len()),
    }
}

/// What to do about local changes.
const HELP: &str = "commit, stash or revert that";
