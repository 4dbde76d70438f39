//! `orch demo`: a small plan, carried out before one's eyes.

use super::run::{Face, face, show};
use crate::{
    app::{
        running::{Picture, RunOptions, WhenIdle},
        use_case::demo,
    },
    ui::cli::{Outcome, terminal::Terminal},
};

/// Carry out a small plan in a temporary repository, to see how it looks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print lines also on a terminal
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Outcome {
    let (folder, repository) = demo::make()?;
    let place = folder.display().to_string();
    terminal.line(&format!("A plan of twelve tasks in {place}:"));
    terminal.line("three levels, one task that fails once, one gate that a task opens.\n");
    let face = face(args.plain, terminal);
    let options = RunOptions {
        when_idle: WhenIdle::End,
        handles_signals: true,
        picture: if face == Face::Live { Picture::Workers } else { Picture::None },
        ..RunOptions::default()
    };
    let summary = show(&repository, options, face, terminal)?;
    terminal.out(&format!(
        "
The record is in files that git can diff. Look at it:

  cd {place}
  orch status                      # what is done, by level and milestone
  orch graph                       # who waits for whom
  orch show BUILD-2                # both attempts of the task that failed once
  orch logs BUILD-2 --attempt 1    # what the first one printed
  cat .orch/runs/BUILD-2.1.yaml    # its record
  git status                       # what a commit of the record would hold
"
    ));
    Ok(summary.exit_code)
}
