//! `orch pr`: pushes the branch of the plan, and opens or updates the request to merge it.

use crate::{
    app::{
        error::AppError,
        use_case::pr::{self, Wanted},
    },
    domain::format::task_file::Reading,
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            reading::{stand, warn},
            terminal::Terminal,
        },
        output::{self, figures::counted},
    },
};

/// Push the branch of the plan, and open a pull request for it or update the open one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make it about this milestone: it is named in the title, and its tasks come first
    #[arg(long, value_name = "NAME")]
    milestone: Option<String>,
    /// The branch that it is for [default: the default branch of the remote]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// The title [default: how many tasks are done]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Open it as a draft; one that is open stays what it is
    #[arg(long)]
    draft: bool,
    /// Show what would be pushed and opened, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let (milestone, base) = (args.milestone.clone(), args.base.clone());
    let proposal = pr::propose(&standing, Wanted { milestone, base, is_draft: args.draft })?;
    let title = match args.title.as_deref().map(str::trim) {
        Some("") => return Err(AppError::usage("the title is empty", "leave `--title` out")),
        Some(title) => output::escape::clean_line(title).into_owned(),
        None => output::pr::title(&proposal.view),
    };
    let body = output::pr::body(&proposal.view);
    if proposal.view.n_uncommitted > 0 {
        let n = counted(proposal.view.n_uncommitted, "change");
        let (are, them) =
            if proposal.view.n_uncommitted == 1 { ("is", "it") } else { ("are", "them") };
        let what =
            format!("{n} of tasks, roles or settings {are} not committed, and so not pushed");
        warn(terminal, &format!("{what}: `orch diff HEAD` shows {them}"));
    }
    let view = match args.dry_run {
        true => proposal.dry_run(&title, &body),
        false => proposal.open(&title, &body)?,
    };
    match (args.json.json, args.dry_run) {
        (true, _) => terminal.line(&output::json::pretty(&view)),
        (false, true) => terminal.out(&output::pr::render_dry_run(&view)),
        (false, false) => terminal.out(&output::pr::render(&view)),
    }
    Ok(0)
}
