//! The program `git`, and what it is doing to the checkout.

use std::time::Duration;

use super::Surroundings;
use crate::{
    app::{
        error::trust_help,
        view::doctor::{Check, Figures},
    },
    domain::model::time::render_duration,
    io::{clock, git},
};

const PROGRAM_NAME: &str = "git";
const NAME: &str = "checkout";

/// Asks `git` for its version.
pub(super) fn program(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let help = "install git, or put it on PATH: `orch` itself does without, workers seldom do";
    let version = git::program_version(surroundings.store.root());
    vec![match version {
        Ok(Some(version)) => {
            let message = format!("version {version}");
            figures.git_version = Some(version);
            Check::ok(PROGRAM_NAME, message)
        }
        Ok(None) => Check::warning(PROGRAM_NAME, "`git --version` tells no version", help),
        Err(error) => {
            Check::warning(PROGRAM_NAME, format!("`git` cannot be started: {error}"), help)
        }
    }]
}

/// Looks at the checkout that the repository lies in.
pub(super) fn checkout(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let Some(checkout) = &surroundings.checkout else {
        if let Some(folder) = git::foreign_repository(surroundings.store.root()) {
            let message = "the git repository belongs to another user: nothing of it is used";
            return vec![Check::error(NAME, message, trust_help(&folder))];
        }
        let is_bare = git::is_bare(surroundings.store.root());
        let message = match is_bare {
            true => "the folder lies in a bare git repository, which has no checkout",
            false => "the folder lies in no git checkout: tasks and records have no history",
        };
        let help = match is_bare {
            true => "work in a clone, or in a worktree (`git worktree add`)",
            false => "`git init` makes one; `orch` does without",
        };
        return vec![Check::warning(NAME, message, help)];
    };
    let state = checkout.state();
    let head = state.head.map_or_else(String::new, |head| format!(" of `{head}`"));
    let unfinished = state.unfinished.map_or_else(String::new, |what| {
        format!("; {what} is under way: no task is started before its end")
    });
    let mut checks =
        vec![Check::ok(NAME, format!("the folder lies in a git checkout{head}{unfinished}"))];
    if let Some(since) = checkout.locked_since() {
        let since = since.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let age = clock::since_1970().saturating_sub(since).as_secs();
        figures.index_locked_seconds = Some(age);
        let path = checkout.git_dir().join("index.lock");
        checks.push(Check::warning(
            NAME,
            format!(
                "index.lock is there for {}: git is at work, or crashed; tasks wait for it before they start",
                render_duration(Duration::from_secs(age))
            ),
            format!("remove it if no git command runs: {}", path.display()),
        ));
    }
    checks
}
