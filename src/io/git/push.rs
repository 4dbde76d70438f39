//! The branch that is checked out, on its way to a remote.
//!
//! Git pushes as the user would, with the user's access, but nothing of the user's runs and nobody
//! is asked for a password; see [`super::program`]. A branch is never forced.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use git2::Repository;

use super::{GitError, program};
use crate::domain::model::commit::CommitId;

/// What git may go through: nothing that starts a program of its own, and no path on this machine,
/// whose hooks would run here.
const PROTOCOLS: &str = "https:http:ssh";

/// What a default branch is called where no remote tells.
const MAIN: [&str; 2] = ["main", "master"];

/// What every push begins with.
const PUSH: [&str; 6] =
    ["push", "--porcelain", "--no-verify", "--no-recurse-submodules", "--no-follow-tags", "--"];

/// A repository, as far as it is about its remotes.
pub struct Remotes {
    repository: Repository,
    root: PathBuf,
}

/// A branch that another one is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What it is called at the remote.
    pub branch: String,
    /// What it is called here, in full.
    pub reference: String,
    /// The same, for people.
    pub shown: String,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The branch is there now.
    Moved,
    /// It was there already.
    UpToDate,
    /// It has commits there that it does not have here.
    Behind,
    /// The remote did not take it, or was not reached; what was said last comes last.
    Refused(Vec<String>),
}

impl Remotes {
    /// Opens the repository that `root` lies in.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn open(root: &Path) -> Result<Self, GitError> {
        let repository = Repository::discover(root)
            .map_err(|error| GitError::failed("open the git repository", error))?;
        Ok(Self { repository, root: root.to_owned() })
    }

    /// Returns the names of all remotes.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn names(&self) -> Result<Vec<String>, GitError> {
        let failed = |error| GitError::failed("list the git remotes", error);
        let names = self.repository.remotes().map_err(failed)?;
        Ok(names.iter().filter_map(|name| name.ok().flatten().map(str::to_owned)).collect())
    }

    /// Returns where `git push` goes for a remote: as many addresses as it has, after all that the
    /// settings of git put in their place (`pushurl`, `insteadOf`).
    ///
    /// # Errors
    /// [`GitError::File`] where `git` cannot be started, [`GitError::Refused`] with what it says.
    pub fn push_urls(&self, remote: &str) -> Result<Vec<String>, GitError> {
        let mut command = program::git(&self.root);
        command.args(["remote", "get-url", "--push", "--all", "--", remote]);
        let output = command.output().map_err(not_started)?;
        if !output.status.success() {
            return Err(GitError::Refused(said(&output).join("; ")));
        }
        let told = String::from_utf8_lossy(&output.stdout);
        Ok(told.lines().map(str::to_owned).collect())
    }

    /// Returns the remote that `git push` would go to for a branch; `None` where nothing is said.
    pub fn push_remote(&self, branch: &str) -> Option<String> {
        let config = self.repository.config().ok()?.snapshot().ok()?;
        let keys = [
            format!("branch.{branch}.pushRemote"),
            "remote.pushDefault".to_owned(),
            format!("branch.{branch}.remote"),
        ];
        let said = keys.iter().find_map(|key| config.get_string(key).ok());
        // An upstream in the repository itself is no remote.
        said.filter(|name| name != ".")
    }

    /// Finds a branch at a remote, or of the same name here; the default branch of the remote where
    /// none is named. `None` where this clone knows of none.
    pub fn base(&self, remote: &str, named: Option<&str>) -> Option<Base> {
        let is_there = |name: &str| self.repository.find_reference(name).is_ok();
        let find = |branch: &str| {
            let at_remote = format!("refs/remotes/{remote}/{branch}");
            let here = format!("refs/heads/{branch}");
            let (reference, shown) = match (is_there(&at_remote), is_there(&here)) {
                (true, _) => (at_remote, format!("{remote}/{branch}")),
                (false, true) => (here, branch.to_owned()),
                (false, false) => return None,
            };
            Some(Base { branch: branch.to_owned(), reference, shown })
        };
        if let Some(branch) = named {
            return find(branch);
        }
        let head = self.repository.find_reference(&format!("refs/remotes/{remote}/HEAD")).ok();
        let target = head.and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
        let default = target.as_deref().and_then(|target| {
            target.strip_prefix("refs/remotes/")?.strip_prefix(remote)?.strip_prefix('/')
        });
        default.into_iter().chain(MAIN).find_map(find)
    }

    /// Returns the names of branches that a base may be, those of the remote first.
    pub fn branches(&self, remote: &str) -> Vec<String> {
        let prefixes = [format!("refs/remotes/{remote}/"), "refs/heads/".to_owned()];
        let mut names = Vec::new();
        for prefix in prefixes {
            let Ok(all) = self.repository.references_glob(&format!("{prefix}*")) else { continue };
            let all = all.filter_map(Result::ok);
            let all: Vec<String> =
                all.filter_map(|one| Some(one.name().ok()?.to_owned())).collect();
            names
                .extend(all.iter().filter_map(|name| Some(name.strip_prefix(&prefix)?.to_owned())));
        }
        names.retain(|name| name != "HEAD");
        names
    }

    /// Returns how many commits `commit` has that `base` has not.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn n_ahead(&self, base: &Base, commit: &CommitId) -> Result<usize, GitError> {
        let count = || {
            let base = self.repository.find_reference(&base.reference)?.peel_to_commit()?.id();
            let commit = git2::Oid::from_str(&commit.0)?;
            self.repository.graph_ahead_behind(commit, base).map(|(n_ahead, _)| n_ahead)
        };
        count().map_err(|error| GitError::failed("compare the branch with its base", error))
    }

    /// Pushes `commit` as the tip of `branch`, where that loses nothing.
    ///
    /// # Errors
    /// [`GitError::File`] where `git` cannot be started.
    pub fn push(&self, remote: &str, commit: &CommitId, branch: &str) -> Result<Pushed, GitError> {
        let mut command = program::to_remote(&self.root, &self.repository);
        command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS);
        command.args(PUSH).args([remote, &refspec(commit, branch)]);
        let output = command.output().map_err(not_started)?;
        let told = String::from_utf8_lossy(&output.stdout);
        let flag = told.lines().find_map(|line| {
            let (flag, rest) = line.split_once('\t')?;
            let (_, summary) = rest.split_once('\t')?;
            Some((flag.trim().to_owned(), summary.to_owned()))
        });
        Ok(match flag {
            Some((flag, _)) if output.status.success() && flag == "=" => Pushed::UpToDate,
            _ if output.status.success() => Pushed::Moved,
            Some((_, summary))
                if summary.contains("(fetch first)") || summary.contains("(non-fast-forward)") =>
            {
                Pushed::Behind
            }
            Some((_, summary)) => {
                let mut said = said(&output);
                said.push(summary);
                Pushed::Refused(said)
            }
            None => Pushed::Refused(said(&output)),
        })
    }
}

/// Returns what is pushed where, as git is told it.
pub fn refspec(commit: &CommitId, branch: &str) -> String {
    format!("{}:refs/heads/{branch}", commit.0)
}

/// Returns what git said, without the advice that is not for this program.
fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().map(str::trim_end);
    lines.filter(|line| !line.is_empty() && !line.starts_with("hint:")).map(str::to_owned).collect()
}

fn not_started(source: std::io::Error) -> GitError {
    GitError::file("start `git`", source)
}
