//! The branch that a plan begins, made where the checkout stands.

use std::path::PathBuf;

use git2::{ErrorCode, Repository};

use super::{
    GitError,
    ground::{Ground, HEADS, under_way},
};

/// Why a branch is not begun.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// Git gives no branch such a name.
    #[error("`{0}` is not a name of a branch")]
    NoName(String),
    /// It is there, and what is checked out is another commit.
    #[error("there is a branch {0} at another commit")]
    AtAnotherCommit(String),
    /// A branch is in one checkout at most.
    #[error("the branch {name} is checked out in {}", folder.display())]
    CheckedOut {
        /// The branch.
        name: String,
        /// The top folder of the other checkout.
        folder: PathBuf,
    },
    /// One branch has the name of the folder that the other one would be in.
    #[error("there can be no branch {name} beside the branch {other}")]
    Beside {
        /// The branch.
        name: String,
        /// One that is there.
        other: String,
    },
    /// Something has begun in the checkout that goes on on the branch that it began on.
    #[error("{0} is under way in this checkout")]
    UnderWay(&'static str),
    /// The repository failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Ground {
    /// Makes the branch `name` at the commit that is checked out, and checks it out: neither index
    /// nor files change. One that is there must be at the same commit.
    ///
    /// # Errors
    /// [`BranchError`]; nothing has changed then.
    pub fn begin_branch(&self, name: &str) -> Result<(), BranchError> {
        let failed = |source| GitError::failed(format!("check the branch {name} out"), source);
        if !git2::Branch::name_is_valid(name).map_err(failed)? {
            return Err(BranchError::NoName(name.to_owned()));
        }
        let (checkout, shared) = (self.checkout().map_err(failed)?, self.shared().map_err(failed)?);
        let full = format!("{HEADS}{name}");
        if checkout.find_reference("HEAD").map_err(failed)?.symbolic_target() == Ok(Some(&full)) {
            return Ok(());
        }
        if let Some(what) = under_way(checkout.state()) {
            return Err(BranchError::UnderWay(what));
        }
        if let Some(folder) = self.checked_out_at(name) {
            return Err(BranchError::CheckedOut { name: name.to_owned(), folder });
        }
        let here = checkout.head().and_then(|head| head.peel_to_commit()).map_err(failed)?.id();
        match shared.find_reference(&full) {
            Ok(known) if known.peel_to_commit().map_err(failed)?.id() == here => {}
            Ok(_) => return Err(BranchError::AtAnotherCommit(name.to_owned())),
            Err(error) if error.code() == ErrorCode::NotFound => {
                if let Some(other) = beside(&shared, name).map_err(failed)? {
                    return Err(BranchError::Beside { name: name.to_owned(), other });
                }
                shared.reference(&full, here, false, "orch: begin a plan").map_err(failed)?;
            }
            Err(error) => return Err(failed(error).into()),
        }
        Ok(checkout.set_head(&full).map_err(failed)?)
    }
}

/// Returns a branch that has the name of a folder of `name`, or the other way round.
fn beside(repository: &Repository, name: &str) -> Result<Option<String>, git2::Error> {
    let is_below = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    for branch in repository.branches(Some(git2::BranchType::Local))? {
        let (branch, _) = branch?;
        let other = String::from_utf8_lossy(branch.name_bytes()?).into_owned();
        if is_below(name, &other) || is_below(&other, name) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}
