//! `orch watch`: stays open, follows the files, and carries the plan out meanwhile.

use super::{
    run::{self, Face, Overrides, Readers, Shown},
    trust::Answer,
};
use crate::{
    app::{
        approval::Grant,
        error::AppError,
        repository::Repository,
        running::{Picture, Run, WhenIdle},
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, login},
            terminal::Terminal,
        },
        live::board::{self, Look, Purpose},
        output::escape::clean_line,
    },
};

/// Stay open: follow the files, and carry out what is ready
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What holds instead of what the files say.
    #[command(flatten)]
    overrides: Overrides,
    /// Only look: start nothing
    #[arg(long, conflicts_with_all = ["workers", "worker", "branch", "here", "trust", "trust_hash"])]
    no_run: bool,
    /// How it is shown.
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let repository = Repository::open(global.folder())?;
    let face = args.shown.face(terminal);
    let mut overrides = args.overrides.clone();
    let grant = match args.no_run {
        true => None,
        false => begin(&mut overrides, &repository, terminal)?,
    };
    let mut options = overrides.options(WhenIdle::Stay, grant.unwrap_or_default());
    if face == Face::Live {
        options.picture = Picture::Board;
    }
    let (mut started, purpose) = match grant.is_none() {
        true => (Run::look(&repository, options)?, Purpose::Look),
        false => (Run::start(&repository, options)?, Purpose::Run),
    };
    if !args.no_run {
        run::warn_of_root(&repository, terminal);
    }
    if face == Face::Live {
        let login = login();
        let is_colored = terminal.style().is_colored;
        let look = Look { purpose, is_colored, login: login.as_deref() };
        if let Err(error) = board::show(&mut started, &repository, look) {
            tracing::debug!(%error, "no full-screen view");
        }
    }
    // What the screen did not show, lines tell: all of it where there is no screen.
    let face = if face == Face::Live { Face::Plain } else { face };
    Ok(run::follow(started, face, Readers::Needed, terminal)?.exit_code)
}

/// Finds out where approval comes from, and on which branch is worked; `None` where nothing may be
/// started, so that it only looks.
fn begin(
    overrides: &mut Overrides,
    repository: &Repository,
    terminal: &Terminal,
) -> Result<Option<Grant>, AppError> {
    match overrides.ask(repository, terminal)? {
        Answer::Begin(grant) => {
            overrides.choose_branch(repository, terminal)?;
            Ok(Some(grant))
        }
        Answer::Look(why) => {
            terminal.err_line(&format!(
                "note: {}; so this only looks\n  = help: `orch trust` shows what would be \
                 executed, and asks; then start `orch watch` again",
                clean_line(&why.to_string())
            ));
            Ok(None)
        }
    }
}
