//! Pushes the branch of the plan, and opens or updates the request to merge it.
//!
//! What can be refused without asking anybody is refused first, and nothing is pushed before the
//! host has answered.

mod left;
mod place;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use self::place::Place;
use super::{diff, status};
use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::pr::{ProposalView, RequestView},
    },
    domain::{
        host::{self, Call, Open, Request, without_secrets},
        model::{attempt::Exit, limits::REQUEST_TIMEOUT, time::render_duration},
    },
    io::{
        environment,
        git::{Pushed, refspec},
        process::call,
    },
};

/// Most lines that are shown of what a program said.
const SAID_MAX: usize = 20;

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The milestone that it is about.
    pub milestone: Option<String>,
    /// The branch that it is for; that of the remote where none is named.
    pub base: Option<String>,
    /// Whether a new request is opened as a draft.
    pub is_draft: bool,
}

/// A request that could be made.
pub struct Proposal {
    /// What it tells.
    pub view: ProposalView,
    place: Place,
    wanted: Wanted,
    root: PathBuf,
    /// The program of the host; `None` where it is not installed.
    program: Option<PathBuf>,
}

/// Looks at the branch of the plan, and at what merging it would bring. Nothing is asked of anybody.
///
/// # Errors
/// [`AppError::Usage`] where there is nothing to propose, or nothing to propose it to, as things
/// stand or as the settings want it; [`AppError::Git`], [`AppError::Revision`].
pub fn propose(standing: &Standing, wanted: Wanted) -> Result<Proposal, AppError> {
    let left = left::left(standing, wanted.milestone.as_deref())?;
    let root = standing.repository.root();
    let place = Place::find(root, &standing.plan().config().git, wanted.base.as_deref())?;
    let (base, branch) = (&place.base, place.branch.as_str());
    let head = (place.commit.0.as_str(), branch);
    let view = ProposalView {
        branch: branch.to_owned(),
        milestone: wanted.milestone.clone(),
        diff: diff::since(root, (&base.reference, &base.shown), head)?,
        status: status::status(standing),
        n_uncommitted: n_uncommitted(root)?,
        left,
    };
    let (root, program) = (root.to_owned(), place::program(place.host.program(), root));
    Ok(Proposal { view, place, wanted, root, program })
}

impl Proposal {
    /// Tells what [`Self::open`] would do with this title and body.
    pub fn dry_run(&self, title: &str, body: &str) -> RequestView {
        let (request, host) = (self.request(title, body), self.place.host);
        let commands = vec![
            self.push_command(),
            self.shown(&host.list(&request)),
            self.shown(&host.create(&request)),
        ];
        let is_there = self.program.is_some();
        RequestView {
            action: "none",
            program_home: (!is_there).then(|| host.program_home()),
            commands,
            ..self.told(title, body)
        }
    }

    /// Pushes the branch, and opens a request with this title and body, or gives them to the one
    /// that is open.
    ///
    /// # Errors
    /// [`AppError::Refused`] where the program is not installed, or it, the remote or the host does
    /// not do its part; [`AppError::Usage`] where the open request is for another branch than the
    /// default one; [`AppError::Git`], [`AppError::Process`].
    pub fn open(&self, title: &str, body: &str) -> Result<RequestView, AppError> {
        let (request, host) = (self.request(title, body), self.place.host);
        let program = self.program.clone().ok_or_else(|| self.no_program(&request))?;
        let noun = host.noun();
        let list = host.list(&request);
        let listed = self.ask(&program, &list, &format!("say which {noun}s are open"), None)?;
        let listed =
            host.read_list(&listed).map_err(|said| self.refused(said, Vec::new(), None))?;
        let open = self.choose(listed)?;
        let is_pushed = self.push()?;
        let (action, call) = match &open {
            Some(open) => ("updated", host.update(&request, open)),
            None => ("created", host.create(&request)),
        };
        let what = match &open {
            Some(open) => format!("update the {noun} {}{}", host.sign(), open.number),
            None => format!("open a {noun}"),
        };
        let by_hand = host.compare_url(&request);
        let answer = self.ask(&program, &call, &what, Some(&by_hand))?;
        let found = open.map(|open| (open.url, open.number)).or_else(|| host::created(&answer));
        let (url, number) = found.unzip();
        let commands = vec![self.shown(&list), self.push_command(), self.shown(&call)];
        let told = self.told(title, body);
        Ok(RequestView { action, number, url, is_pushed, commands, ..told })
    }

    fn request<'a>(&'a self, title: &'a str, body: &'a str) -> Request<'a> {
        let Place { address, branch, base, .. } = &self.place;
        let is_draft = self.wanted.is_draft;
        Request { address, branch, base: &base.branch, title, body, is_draft }
    }

    fn told(&self, title: &str, body: &str) -> RequestView {
        let place = &self.place;
        RequestView {
            title: title.to_owned(),
            body: body.to_owned(),
            branch: place.branch.clone(),
            base: place.base.branch.clone(),
            commit: place.commit.0.clone(),
            n_commits: place.n_commits,
            n_uncommitted: self.view.n_uncommitted,
            milestone: self.wanted.milestone.clone(),
            remote: place.remote.clone(),
            push_url: without_secrets(&place.push_url),
            refspec: refspec(&place.commit, &place.branch),
            host: place.host.word().as_str(),
            noun: place.host.noun(),
            sign: place.host.sign(),
            program: place.host.program(),
            ..RequestView::default()
        }
    }

    /// Returns the open request that is to be updated.
    fn choose(&self, open: Vec<Open>) -> Result<Option<Open>, AppError> {
        let (host, base) = (self.place.host, &self.place.base.branch);
        let other = open.first().map(|open| (open.number, open.base.clone()));
        let same = open.into_iter().find(|open| open.base == *base);
        match (same, other) {
            // To open a second one, somebody has to name what it is for.
            (None, Some((number, other))) if self.wanted.base.is_none() => {
                let named = format!("the {} {}{number}", host.noun(), host.sign());
                Err(AppError::usage(
                    format!("{named} is open for `{other}`, and this one would be for `{base}`"),
                    format!("`--base={other}` updates it, `--base={base}` opens a second one"),
                ))
            }
            (same, _) => Ok(same),
        }
    }

    /// Pushes the branch; says whether the remote did not have it yet.
    fn push(&self) -> Result<bool, AppError> {
        let Place { remotes, remote, commit, branch, .. } = &self.place;
        match remotes.push(remote, commit, branch)? {
            Pushed::Moved => Ok(true),
            Pushed::UpToDate => Ok(false),
            Pushed::Behind => Err(AppError::Refused {
                message: format!(
                    "`{branch}` has commits at `{remote}` that are not here, and is never forced"
                ),
                said: Vec::new(),
                help: Some(format!("`git pull --no-rebase {remote} {branch}` merges them")),
            }),
            Pushed::Refused(said) => Err(AppError::Refused {
                message: format!("failed to push `{branch}` to `{remote}`"),
                said: last(said),
                help: Some(format!(
                    "nothing may ask here for a password: where `git push {remote} {branch}` works \
                     without, so does this"
                )),
            }),
        }
    }

    /// Calls the program, which is to do `what`; returns what it printed. Behind a push, `by_hand`
    /// is where a person goes on without it.
    fn ask(
        &self,
        program: &Path,
        call: &Call,
        what: &str,
        by_hand: Option<&str>,
    ) -> Result<String, AppError> {
        let variables = self.variables();
        let answer = call::Call {
            program,
            arguments: &call.arguments,
            folder: &self.root,
            variables: &variables,
            input: &call.input,
            timeout: REQUEST_TIMEOUT,
        };
        let answer = answer.answer()?;
        let name = self.place.host.program();
        let how = match answer.exit {
            Some(exit) if exit.is_success() => return Ok(answer.stdout),
            Some(Exit::Code(code)) => format!("exit code {code}"),
            Some(exit) => exit.to_string(),
            None => format!("no answer within {}", render_duration(REQUEST_TIMEOUT)),
        };
        let lines = answer.stderr.lines().map(str::trim_end);
        let said = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Err(self.refused(format!("`{name}` did not {what}: {how}"), said, by_hand))
    }

    fn refused(&self, message: String, said: Vec<String>, by_hand: Option<&str>) -> AppError {
        let (branch, name) = (&self.place.branch, self.place.host.program());
        let help = match by_hand {
            Some(url) => {
                format!("`{branch}` is pushed; the same again goes on from there, or {url}")
            }
            None => format!("nothing was pushed; `{name} auth status` says who you are there"),
        };
        AppError::Refused { message, said: last(said), help: Some(help) }
    }

    fn no_program(&self, request: &Request<'_>) -> AppError {
        let (host, Place { remote, branch, .. }) = (self.place.host, &self.place);
        let name = host.program();
        AppError::Refused {
            message: format!("`{name}` is not installed: nothing was pushed"),
            said: Vec::new(),
            help: Some(format!(
                "it comes from {}; by hand: `git push {remote} {branch}`, then {}",
                host.program_home(),
                host.compare_url(request)
            )),
        }
    }

    /// Returns the variables of the program: no settings of the repository have its calls of git
    /// start anything.
    fn variables(&self) -> Vec<(OsString, Option<OsString>)> {
        let own = self.place.host.variables().iter();
        let own = own.map(|(name, value)| ((*name).into(), value.map(Into::into)));
        let git = environment::quiet_git().into_iter().map(|(name, value)| (name, Some(value)));
        own.chain(git).collect()
    }

    fn push_command(&self) -> Vec<String> {
        let Place { remote, commit, branch, .. } = &self.place;
        vec!["git".to_owned(), "push".to_owned(), remote.clone(), refspec(commit, branch)]
    }

    fn shown(&self, call: &Call) -> Vec<String> {
        let arguments = call.arguments.iter().map(|argument| match argument.split_once('=') {
            Some((option @ "--description", _)) => format!("{option}=…"),
            _ => argument.clone(),
        });
        [self.place.host.program().to_owned()].into_iter().chain(arguments).collect()
    }
}

/// Counts what people wrote and did not commit. Records are committed in their own time.
fn n_uncommitted(root: &Path) -> Result<usize, AppError> {
    let here = diff::diff(root, Some("HEAD"), None)?;
    Ok(here.tasks.len() + here.roles.len() + here.settings.len())
}

/// Returns the last lines of what was said.
fn last(mut said: Vec<String>) -> Vec<String> {
    said.split_off(said.len().saturating_sub(SAID_MAX))
}
