//! The branch of a plan: what is done lands on it, so it is chosen before a run begins.

use crate::{
    app::{error::AppError, repository::Repository},
    domain::format::task_file::Reading,
    io::{
        git::{BranchError, Ground, Head},
        store::lock::{self, LockError},
    },
};

/// Returns the branch that is checked out, where the settings protect it.
///
/// # Errors
/// [`AppError::Store`], [`AppError::Git`].
pub fn protected(repository: &Repository) -> Result<Option<String>, AppError> {
    let Some(ground) = Ground::find(repository.root())? else { return Ok(None) };
    let Head::Branch(branch) = ground.head()? else { return Ok(None) };
    let snapshot = repository.read(Reading::Head)?;
    let protect = &snapshot.plan.config().git.protect;
    Ok(Some(branch).filter(|branch| protect.contains(branch)))
}

/// Makes the branch `name` where the checkout stands, and checks it out: no file changes. One that
/// is there already is checked out where it stands at the same commit.
///
/// # Errors
/// [`AppError::Usage`] where no such branch can begin here; [`AppError::Lock`] where a coordinator is
/// at work, under which nothing is checked out; [`AppError::Branch`], [`AppError::Git`].
pub fn begin(repository: &Repository, name: &str) -> Result<(), AppError> {
    let Some(ground) = Ground::find(repository.root())? else {
        return Err(AppError::usage(
            "this folder is not in a git repository, so it has no branches",
            "leave `--branch` out, or make one: `git init`, `git add -A`, `git commit`",
        ));
    };
    if ground.head()? == Head::Unborn {
        return Err(AppError::usage(
            "the git repository has no commit yet, so a branch cannot begin",
            "make one: `git add -A`, `git commit`",
        ));
    }
    let tasks = Ground::task_branch("");
    if name.starts_with(&tasks) || Some(name) == tasks.strip_suffix('/') {
        return Err(AppError::usage(
            format!(
                "the branch {name} would be in the way of `{tasks}<id>`, the branches of tasks"
            ),
            HELP_NAME,
        ));
    }
    if let Some(holder) = lock::holder(repository.store())? {
        return Err(LockError::Held(Some(holder)).into());
    }
    ground.begin_branch(name).map_err(refusal)
}

/// What to do where a name does not do.
const HELP_NAME: &str = "name another one: `--branch plan`, for example";

/// Says what to do about a branch that is not begun.
fn refusal(error: BranchError) -> AppError {
    let help = match &error {
        BranchError::NoName(_) | BranchError::Beside { .. } => HELP_NAME.to_owned(),
        BranchError::AtAnotherCommit(name) => format!(
            "`git switch {name}` goes there, then run without `--branch`; or name a new branch"
        ),
        BranchError::CheckedOut { folder, .. } => {
            format!("run in {}, or name another branch", folder.display())
        }
        BranchError::UnderWay(_) | BranchError::Git(_) => return AppError::Branch(error),
    };
    AppError::usage(error.to_string(), help)
}
