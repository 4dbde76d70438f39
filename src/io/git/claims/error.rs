//! Why claims are not known.

use std::{io, path::PathBuf};

/// Why claims are not known.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// There is no repository, or it cannot be read or written.
    #[error("claims need a git repository in {}", path.display())]
    Repository {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// There is no such remote.
    #[error("there is no git remote `{name}`, at which tasks are to be claimed")]
    NoRemote {
        /// Its name.
        name: String,
    },
    /// Somebody, perhaps a worker, changed what git does when it goes to a remote.
    #[error(
        "the settings of git were changed since the run began ({}): nothing goes to a remote until \
         another one begins", changes.join(", ")
    )]
    Changed {
        /// What is not as it was.
        changes: Vec<String>,
    },
    /// The program `git` cannot be started.
    #[error("failed to start `git`")]
    Program(#[source] io::Error),
    /// It did not do what it was asked to.
    #[error("failed to {what} at the git remote `{remote}`: {said}")]
    Refused {
        /// What it was asked to do.
        what: &'static str,
        /// The remote.
        remote: String,
        /// The last that it said.
        said: String,
    },
}
