//! The branch of a plan: what is done lands on it, so it is chosen before a run begins.

use crate::{
    app::{error::AppError, repository::Repository},
    domain::format::task_file::Reading,
    io::git::{Ground, Head},
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
/// [`AppError::Usage`] where there is nothing to begin a branch at; [`AppError::Git`].
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
    Ok(ground.begin_branch(name)?)
}
