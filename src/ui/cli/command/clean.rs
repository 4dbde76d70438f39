//! `orch clean`: what tasks left in git is shown, and removed.

use crate::{
    app::{
        repository::Repository,
        use_case::clean::{self, Also, Wanted},
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output,
    },
};

/// Remove what tasks left in git that nobody needs there: shows it, and does it with --yes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do it
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    also: AlsoArgs,
    #[command(flatten)]
    json: Json,
}

/// What goes only where it is asked for.
#[derive(Debug, Clone, Copy, clap::Args)]
struct AlsoArgs {
    /// Remove folders that were in the way of worktrees, too: what is in them is in no commit
    #[arg(long)]
    set_aside: bool,
    /// Remove work that is kept under refs/orch/rescue, too, where its task has gone on since
    #[arg(long)]
    rescued: bool,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let AlsoArgs { set_aside, rescued } = args.also;
    let wanted = Wanted { is_done: args.yes, also: Also { set_aside, rescued } };
    let found = clean::clean(&Repository::open(global.folder())?, wanted)?;
    if args.json.json {
        terminal.line(&output::json::pretty(&found));
    } else {
        terminal.out(&output::clean::render(&found, terminal.style()));
    }
    // As with other failures of the world.
    Ok(if found.n_failed > 0 { 3 } else { 0 })
}
