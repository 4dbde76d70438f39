//! Which branch is pushed where, and why it cannot be.

use std::path::{Path, PathBuf};

use crate::{
    app::error::AppError,
    domain::{
        host::{Address, Host, without_secrets},
        model::{commit::CommitId, landing::GitSpec, remote::RemoteSpec, suggest},
    },
    io::{
        environment,
        git::{Base, Ground, Head, Remotes},
        process,
    },
};

/// Most names that are listed in a help.
const NAMES_MAX: usize = 8;

/// A branch, and where it is to be pushed and merged.
pub(super) struct Place {
    pub(super) remotes: Remotes,
    pub(super) branch: String,
    pub(super) commit: CommitId,
    pub(super) remote: String,
    pub(super) push_url: String,
    pub(super) address: Address,
    pub(super) host: Host,
    pub(super) base: Base,
    pub(super) n_commits: usize,
}

impl Place {
    /// Finds all of it for the plan in `root`, as the settings want it.
    pub(super) fn find(
        root: &Path,
        settings: &GitSpec,
        base: Option<&str>,
    ) -> Result<Self, AppError> {
        let (branch, commit) = branch(root)?;
        if settings.protect.contains(&branch) {
            return Err(AppError::usage(
                format!("`{branch}` is protected: others are merged into it"),
                "check out the branch of the plan, or make one: `git switch -c NAME`",
            ));
        }
        let remotes = Remotes::open(root)?;
        let spec = &settings.remote;
        let push_url = push_url(&remotes, &branch, spec)?;
        let address = address(spec, &push_url)?;
        let host = host(root, spec, &address)?;
        let base = find_base(&remotes, &spec.name, &branch, base)?;
        let n_commits = remotes.n_ahead(&base, &commit)?;
        if n_commits == 0 {
            return Err(AppError::usage(
                format!("`{branch}` has no commit that `{}` has not", base.shown),
                "there is nothing to propose yet; `git status` shows what is not committed",
            ));
        }
        let remote = spec.name.clone();
        Ok(Self { remotes, branch, commit, remote, push_url, address, host, base, n_commits })
    }
}

/// Finds a program as a shell would; `None` where it is not installed.
pub(super) fn program(name: &str, folder: &Path) -> Option<PathBuf> {
    process::find_program(name.as_ref(), folder, &environment::named(&["PATH"])).ok()
}

/// Returns what is checked out: a branch and its commit.
fn branch(root: &Path) -> Result<(String, CommitId), AppError> {
    let none = "`git init` makes one, `git remote add origin URL` names where it is pushed";
    let Some(ground) = Ground::find(root)? else {
        return Err(AppError::usage("the plan lies in no git repository", none));
    };
    let branch = match ground.head()? {
        Head::Branch(branch) => branch,
        Head::Unborn => {
            let help = "make one: `git add -A`, `git commit`";
            return Err(AppError::usage("the git repository has no commit yet", help));
        }
        Head::Detached => {
            return Err(AppError::usage(
                "a commit is checked out, and no branch that could be pushed",
                "`git switch BRANCH` checks one out, `git switch -c NAME` makes one",
            ));
        }
    };
    let commit = ground.tip(&branch)?;
    let gone = || AppError::usage(format!("the branch `{branch}` is gone"), "try it once more");
    Ok((branch.clone(), commit.ok_or_else(gone)?))
}

/// Returns where the remote of the settings leads, and refuses where that is not where the branch
/// belongs.
fn push_url(remotes: &Remotes, branch: &str, spec: &RemoteSpec) -> Result<String, AppError> {
    let (name, names) = (&spec.name, remotes.names()?);
    if !names.contains(name) {
        let there = listed(&names).unwrap_or_else(|| "there is none yet".to_owned());
        return Err(AppError::usage(
            format!("there is no git remote `{name}`"),
            format!(
                "`git remote add {name} URL` makes it, `git: {{remote: …}}` in .orch/config.yaml \
                 names another; {there}"
            ),
        ));
    }
    if let Some(other) = remotes.push_remote(branch).filter(|other| other != name) {
        let other = without_secrets(&other);
        return Err(AppError::usage(
            format!(
                "git pushes `{branch}` to `{other}`, and the settings of the plan name `{name}`"
            ),
            format!(
                "`git config branch.{branch}.pushRemote {name}` sends it there, or change `git: \
                 {{remote: …}}` in .orch/config.yaml"
            ),
        ));
    }
    let mut urls = remotes.push_urls(name)?;
    match (urls.pop(), urls.len()) {
        (Some(url), 0) => Ok(url),
        (_, n_more) => Err(AppError::usage(
            format!("the git remote `{name}` leads to {} places, not to one", n_more + 1),
            format!("`git remote get-url --push --all {name}` shows them"),
        )),
    }
}

/// Returns the repository that a URL leads to, and refuses one that is not that of the settings.
fn address(spec: &RemoteSpec, push_url: &str) -> Result<Address, AppError> {
    let (name, shown) = (&spec.name, without_secrets(push_url));
    let Some(address) = Address::parse(push_url) else {
        return Err(AppError::usage(
            format!("the git remote `{name}` leads to `{shown}`, which is on no host"),
            "a request needs one that is reached by https or ssh, as in git@github.com:team/plan.git",
        ));
    };
    let Some(wanted) = &spec.push_url else { return Ok(address) };
    let is_wanted = Address::parse(wanted).is_some_and(|wanted| wanted.is_same(&address));
    if is_wanted {
        return Ok(address);
    }
    let wanted = without_secrets(wanted);
    Err(AppError::usage(
        format!("the git remote `{name}` leads to `{shown}`, and the settings name `{wanted}`"),
        format!(
            "`git remote get-url --push {name}` shows where it leads; where that is right, change \
             `git: {{push_url: …}}` in .orch/config.yaml"
        ),
    ))
}

fn host(root: &Path, spec: &RemoteSpec, address: &Address) -> Result<Host, AppError> {
    let Some(host) = Host::of(spec.host, address, |name| program(name, root).is_some()) else {
        return Err(AppError::usage(
            format!("nothing tells whether `{}` is a GitHub or a GitLab", address.host()),
            "say it in .orch/config.yaml: `git: {host: github}` or `git: {host: gitlab}`",
        ));
    };
    if host.repository(address).is_none() {
        return Err(AppError::usage(
            format!("`{}` is no repository of GitHub: those are OWNER/NAME", address.path()),
            "say what it is on in .orch/config.yaml: `git: {host: gitlab}`",
        ));
    }
    Ok(host)
}

/// Returns the branch that it is for.
fn find_base(
    remotes: &Remotes,
    remote: &str,
    branch: &str,
    named: Option<&str>,
) -> Result<Base, AppError> {
    let Some(base) = remotes.base(remote, named) else {
        let Some(named) = named else {
            return Err(AppError::usage(
                format!("nothing tells which branch of `{remote}` this is for"),
                format!(
                    "name it: `--base BRANCH`; `git remote set-head {remote} --auto` asks for it"
                ),
            ));
        };
        let known = remotes.branches(remote);
        let behind = named.strip_prefix(remote).and_then(|rest| rest.strip_prefix('/'));
        let behind = behind.filter(|rest| known.iter().any(|known| known == rest));
        let near =
            behind.or_else(|| suggest::did_you_mean(named, known.iter().map(String::as_str)));
        let help = near.map_or_else(
            || format!("`git fetch {remote}` gets those that are new there"),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("this clone knows no branch `{named}` of `{remote}`");
        return Err(AppError::usage(message, help));
    };
    if base.branch == branch {
        return Err(AppError::usage(
            format!("`{branch}` is the branch that it would be merged into"),
            "check out the branch of the plan, or name what it is for: `--base BRANCH`",
        ));
    }
    Ok(base)
}

/// Lists some names; `None` where there are none.
fn listed(names: &[String]) -> Option<String> {
    let some: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    let others = if names.len() > NAMES_MAX { " and others" } else { "" };
    (!some.is_empty()).then(|| format!("there is {}{others}", some.join(", ")))
}
