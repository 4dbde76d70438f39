//! Everything that can go wrong beside faults in the plan, with its exit code.

use std::path::Path;

use crate::{
    domain::model::diagnostic::Diagnostic,
    io::{
        git::{BranchError, GitError, claims::ClaimError, revision::RevisionError},
        process::ProcessError,
        store::{StoreError, lock::LockError},
        supervisor::SupervisorError,
        trust::TrustError,
        watch::WatchError,
    },
};

/// Why something that was asked for was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// It was asked for in a way that makes no sense here.
    #[error("{message}")]
    Usage {
        /// What is wrong, as a phrase.
        message: String,
        /// What to do instead.
        help: Option<String>,
    },
    /// The plan has errors, so it is not run.
    #[error("the plan has errors")]
    PlanHasErrors {
        /// All that was found, errors and others.
        diagnostics: Vec<Diagnostic>,
        /// How many tasks were read.
        n_tasks: usize,
    },
    /// Files could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another coordinator is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A run was stopped before it started anything.
    #[error("stopped before anything was started")]
    StoppedEarly,
    /// A run was stopped while it could not write anything.
    #[error("stopped while `.orch` was not in its place: how its workers ended is not on record")]
    StoppedAway,
    /// What was waited for did not come in time.
    #[error("{message}")]
    TimedOut {
        /// What has not ended, after how long.
        message: String,
    },
    /// A process could not be handled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// There is nobody to see to workers.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// Nothing can be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// Git could not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The branch of a plan cannot be begun now.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// The branch that the work of a run lands on is not there any more.
    #[error("the branch {branch} is gone, so nothing can land{}", kept_words(.kept))]
    BranchGone {
        /// The branch.
        branch: String,
        /// The branches of tasks on which work is.
        kept: Vec<String>,
    },
    /// What was committed cannot be looked at.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// What the plan would execute is not approved.
    #[error("{message}")]
    Untrusted {
        /// What is not, as a phrase.
        message: String,
    },
    /// A worker wanted to approve what its own plan would execute.
    #[error("a worker cannot approve what its plan would execute: that is for a person")]
    ForPeople,
    /// Approvals cannot be read or written.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The user's own settings have errors, so what they forbid would not hold.
    #[error("your own settings have errors")]
    OwnSettings {
        /// The errors.
        diagnostics: Vec<Diagnostic>,
    },
    /// Tasks cannot be claimed.
    #[error(transparent)]
    Claims(#[from] ClaimError),
    /// Another program, or a host that it speaks to, did not do its part.
    #[error("{message}")]
    Refused {
        /// What was not done, as a phrase.
        message: String,
        /// What it said, line by line.
        said: Vec<String>,
        /// What to do about it.
        help: Option<String>,
    },
    /// A file that people own cannot be edited for them.
    #[error("failed to edit {path}: {reason}")]
    Edit {
        /// The file.
        path: String,
        /// Why, as a phrase.
        reason: String,
    },
    /// The program cannot get what it needs to run.
    #[error("failed to {what}")]
    System {
        /// What was tried.
        what: String,
        /// Why it did not work.
        source: std::io::Error,
    },
}

impl AppError {
    /// Returns a usage error with what to do instead.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: Some(help.into()) }
    }

    /// Says whether the same may work later by itself.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) | Self::Lock(LockError::Store(error)) => error.is_passing(),
            Self::Process(error) => error.is_temporary(),
            Self::Supervisor(error) => error.is_passing(),
            Self::Usage { .. }
            | Self::PlanHasErrors { .. }
            | Self::Lock(LockError::Held(_) | LockError::Lost | LockError::Strangers(_))
            | Self::StoppedEarly
            | Self::StoppedAway
            | Self::TimedOut { .. }
            | Self::Watch(_)
            | Self::Git(_)
            | Self::Branch(_)
            | Self::BranchGone { .. }
            | Self::Revision(_)
            | Self::Untrusted { .. }
            | Self::ForPeople
            | Self::Trust(_)
            | Self::OwnSettings { .. }
            | Self::Claims(_)
            | Self::Refused { .. }
            | Self::Edit { .. }
            | Self::System { .. } => false,
        }
    }

    /// Returns the exit code: 1 for a plan with errors, 2 for wrong usage, 3 for the world, 130
    /// for a run that was stopped.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::PlanHasErrors { .. } => 1,
            Self::StoppedEarly | Self::StoppedAway => 130,
            Self::Revision(
                RevisionError::Foreign(_)
                | RevisionError::Read { .. }
                | RevisionError::TooMany { .. },
            ) => 3,
            Self::Usage { .. }
            | Self::Revision(_)
            | Self::Store(StoreError::NoStore { .. } | StoreError::NoFolder { .. }) => 2,
            Self::Store(_)
            | Self::Lock(_)
            | Self::TimedOut { .. }
            | Self::Process(_)
            | Self::Supervisor(_)
            | Self::Watch(_)
            | Self::Git(_)
            | Self::Branch(_)
            | Self::BranchGone { .. }
            | Self::Untrusted { .. }
            | Self::ForPeople
            | Self::Trust(_)
            | Self::OwnSettings { .. }
            | Self::Claims(_)
            | Self::Refused { .. }
            | Self::Edit { .. }
            | Self::System { .. } => 3,
        }
    }

    /// Returns what to do about it, where that is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Usage { help, .. } | Self::Refused { help, .. } => help.clone(),
            Self::Lock(LockError::Held(_)) => Some(
                "wait for it to end, or look on: `orch watch --no-run`, `orch status`".to_owned(),
            ),
            Self::Lock(LockError::Strangers(_)) => Some(
                "their `orch run` takes `.orch` up again by itself; where it is gone, end them"
                    .to_owned(),
            ),
            Self::Lock(LockError::Lost) | Self::StoppedAway => {
                Some("see what became of .orch; `orch run` goes on from what is there".to_owned())
            }
            Self::TimedOut { .. } => {
                Some("it goes on: `orch status` shows how far it is".to_owned())
            }
            Self::Supervisor(SupervisorError::WrongProgram) => {
                Some("call `orch::serve_if_asked` first of all in its `main`".to_owned())
            }
            Self::Claims(ClaimError::NoRemote { .. }) => Some(
                "`git remote` shows which there are; name one in `claims` in .orch/config.yaml"
                    .to_owned(),
            ),
            Self::Branch(BranchError::UnderWay(_)) => {
                Some("finish it or give it up (`git status` says how), then run again".to_owned())
            }
            Self::BranchGone { branch, .. } => Some(format!(
                "`git branch {branch} COMMIT` brings it back (`git reflog` names the commit), or \
                 check out the one that takes its place: `orch run` lands there what is done"
            )),
            Self::StoppedEarly => Some("`orch run` goes on from here".to_owned()),
            Self::Untrusted { .. } => Some(
                "`orch trust` lists what would be executed, and asks; without a terminal, \
                 `--trust-hash HASH` approves what `orch trust --print` gave the hash of"
                    .to_owned(),
            ),
            Self::ForPeople => Some("whoever runs the plan is shown it by `orch trust`".to_owned()),
            Self::OwnSettings { .. } => {
                Some("mend them, or take the file away: then they forbid nothing".to_owned())
            }
            Self::Revision(RevisionError::Foreign(folder))
            | Self::Git(GitError::Foreign { folder })
            | Self::Branch(BranchError::Git(GitError::Foreign { folder })) => {
                Some(trust_help(folder))
            }
            Self::Revision(error) => revision_help(error).map(str::to_owned),
            Self::PlanHasErrors { .. } => {
                Some("mend them (`orch check` shows them again), then run again".to_owned())
            }
            Self::Store(StoreError::TooMany { .. }) => Some(
                "no more are looked at: move those that are done with out of `.orch`".to_owned(),
            ),
            Self::Store(_)
            | Self::Lock(LockError::Store(_))
            | Self::Process(_)
            | Self::Supervisor(_)
            | Self::Watch(_)
            | Self::Git(_)
            | Self::Branch(_)
            | Self::Trust(_)
            | Self::Claims(_)
            | Self::Edit { .. }
            | Self::System { .. } => None,
        }
    }
}

/// Returns what to do about a repository of another user: the same as for git.
pub fn trust_help(folder: &Path) -> String {
    let folder = folder.display();
    format!("if you trust whoever that is: `git config --global --add safe.directory {folder}`")
}

fn kept_words(kept: &[String]) -> String {
    match kept {
        [] => String::new(),
        [one] => format!("; what was begun is on {one}"),
        [one, rest @ ..] => format!("; what was begun is on {one} and {} more", rest.len()),
    }
}

fn revision_help(error: &RevisionError) -> Option<&'static str> {
    match error {
        RevisionError::Unknown { .. } | RevisionError::NoCommit { .. } => Some(
            "`git branch --all` and `git log --oneline` show which there are; a clone for CI may \
             lack some, until they are fetched",
        ),
        RevisionError::NoMergeBase { .. } => {
            Some("where this clone is a shallow one, `git fetch --unshallow` gets the rest")
        }
        RevisionError::NoMainBranch => {
            Some("name what is to be compared: `orch diff HEAD` shows what is not committed yet")
        }
        RevisionError::NoRepository { .. } => Some("`orch diff` compares what git has on record"),
        RevisionError::Foreign(_) | RevisionError::TooMany { .. } | RevisionError::Read { .. } => {
            None
        }
    }
}
