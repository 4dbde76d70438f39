//! `orch trust`: what the plan would execute, shown and approved.

use crate::{
    app::{
        approval::Grant,
        error::AppError,
        repository::Repository,
        use_case::trust::{self, Consent},
        view::trust::Trusted,
    },
    domain::trust::Fingerprint,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output,
    },
};

/// Show what this plan would execute, and approve it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these: the ids of tasks, or parts as they are listed, as in `hook done`
    parts: Vec<String>,
    /// List what is approved already as well
    #[arg(long)]
    all: bool,
    /// Approve all without being asked, where this is its hash
    #[arg(long, value_name = "HASH", value_parser = hash, conflicts_with_all = ["parts", "revoke"])]
    trust_hash: Option<Fingerprint>,
    /// What else can be done.
    #[command(flatten)]
    instead: Instead,
    #[command(flatten)]
    json: Json,
}

/// What can be done instead of showing and asking.
#[derive(Debug, clap::Args)]
struct Instead {
    /// Print the hash of all that would be executed, and nothing else
    #[arg(long, conflicts_with_all = ["parts", "all", "trust_hash", "revoke"])]
    print: bool,
    /// Take back all that was approved
    #[arg(long, conflicts_with_all = ["parts", "all"])]
    revoke: bool,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let repository = Repository::open(global.folder())?;
    let consent = trust::look(&repository)?;
    if args.instead.print {
        terminal.line(&consent.hash());
        return Ok(0);
    }
    if args.instead.revoke {
        consent.revoke()?;
        terminal.line("nothing of this plan is approved any more");
        return Ok(0);
    }
    if let Some(hash) = args.trust_hash {
        return told(args, &consent.approve_exactly(hash)?, terminal);
    }
    if args.json.json {
        terminal.line(&output::json::pretty(&consent.view(args.all)));
        return Ok(0);
    }
    terminal.out(&output::trust::render(&consent.view(args.all), terminal.style()));
    if args.parts.is_empty() && !consent.has_waiting() {
        return Ok(0);
    }
    if !terminal.can_ask() {
        let message = "nothing is approved: there is nobody to ask".to_owned();
        return Err(AppError::Untrusted { message });
    }
    let what = match args.parts.as_slice() {
        [] => "all of this".to_owned(),
        parts => parts.join(", "),
    };
    if !is_yes(terminal, &format!("Approve {what}? [y/N] ")) {
        terminal.line("nothing is approved");
        return Ok(1);
    }
    told(args, &consent.approve(&args.parts)?, terminal)
}

fn told(args: &Args, trusted: &Trusted, terminal: &Terminal) -> Outcome {
    match args.json.json {
        true => terminal.line(&output::json::pretty(trusted)),
        false => terminal.out(&output::trust::render_approved(trusted)),
    }
    Ok(0)
}

fn is_yes(terminal: &Terminal, question: &str) -> bool {
    let answer = terminal.ask(question).unwrap_or_default();
    matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
}

fn hash(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text)
        .ok_or_else(|| "expected the 64 hexadecimal digits that `orch trust --print` prints".into())
}

/// How whoever starts a run approves of what it would execute.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Given {
    /// Approve for this run what has this hash (see `orch trust --print`)
    #[arg(long, value_name = "HASH", value_parser = hash)]
    trust_hash: Option<Fingerprint>,
    /// Approve for this run all that there is on a protected branch
    #[arg(long, conflicts_with = "trust_hash")]
    trust: bool,
}

/// What came of asking.
pub(super) enum Answer {
    /// It may begin, with what is approved.
    Begin(Grant),
    /// Nothing may be started, for this reason.
    Look(AppError),
}

impl Given {
    /// Returns what was given, as arguments for another call.
    pub(super) fn arguments(&self) -> Vec<String> {
        let hash = self.trust_hash.map(|hash| format!("--trust-hash={hash}"));
        hash.into_iter().chain(self.trust.then(|| "--trust".to_owned())).collect()
    }

    /// As [`Self::ask`], for who refuses by itself where nothing may be started: without anybody to
    /// ask, the plan is not read twice.
    pub(super) fn ask_or_leave(
        &self,
        repository: &Repository,
        terminal: &Terminal,
    ) -> Result<Answer, AppError> {
        match self.is_given() || terminal.can_ask() {
            true => self.ask(repository, terminal),
            false => Ok(Answer::Begin(Grant::Stored)),
        }
    }

    fn is_given(&self) -> bool {
        self.trust || self.trust_hash.is_some()
    }

    /// Finds out whether a run may begin. A person is shown what is new, and asked, where there is
    /// one.
    pub(super) fn ask(
        &self,
        repository: &Repository,
        terminal: &Terminal,
    ) -> Result<Answer, AppError> {
        if let Some(hash) = self.trust_hash {
            return Ok(Answer::Begin(Grant::Exactly(hash)));
        }
        if self.trust {
            trust::require_protected(repository)?;
            return Ok(Answer::Begin(Grant::Present));
        }
        let consent = trust::look(repository)?;
        if consent.has_waiting() && terminal.can_ask() {
            return ask(consent, terminal);
        }
        Ok(answer(&consent))
    }
}

fn answer(consent: &Consent) -> Answer {
    consent.require_beginning().map_or_else(Answer::Look, |()| Answer::Begin(Grant::Stored))
}

fn ask(consent: Consent, terminal: &Terminal) -> Result<Answer, AppError> {
    terminal.out(&output::trust::render(&consent.view(false), terminal.style()));
    let question = match consent.require_beginning().is_ok() {
        true => "Approve all of this? What you do not approve is not started. [y/N] ",
        false => "Approve all of this? Nothing is started before. [y/N] ",
    };
    if is_yes(terminal, question) {
        consent.approve(&[])?;
        return Ok(Answer::Begin(Grant::Stored));
    }
    Ok(answer(&consent))
}
