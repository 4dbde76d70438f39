//! `orch init`: an `.orch` folder to start from.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::{
    app::{
        use_case::{ci::Host, init},
        view::write::Initialized,
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        output::{escape::clean_line, json},
    },
};

/// Make an .orch folder with settings, a role and a first task
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that is to hold it, made where it is missing [default: this folder]
    dir: Option<PathBuf>,
    /// Write a workflow that checks the plan and tells what a pull request does to it
    #[arg(long, value_enum, value_name = "HOST")]
    ci: Option<CiHost>,
    #[command(flatten)]
    json: Json,
}

/// Where pull requests are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CiHost {
    /// GitHub Actions: .github/workflows/orch.yml and orch-comment.yml
    Github,
    /// GitLab CI: .gitlab-ci.yml, or .gitlab/ci/orch.yml beside one that is there
    Gitlab,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let folder = match &args.dir {
        Some(dir) => global.folder().join(dir),
        None => global.folder(),
    };
    let made = init::init(
        &folder,
        args.ci.map(|host| match host {
            CiHost::Github => Host::Github,
            CiHost::Gitlab => Host::Gitlab,
        }),
    )?;
    if args.json.json {
        terminal.line(&json::pretty(&made));
        return Ok(0);
    }
    for file in &made.files {
        let (verb, path) = (if file.is_new { "wrote" } else { "kept " }, clean_line(&file.path));
        terminal.line(&format!("{verb} {path}"));
    }
    if let Some(note) = &made.note {
        terminal.line(&format!("note: {}", clean_line(note)));
    }
    if let Some(outer) = &made.outer {
        let outer = clean_line(outer);
        terminal.line(&format!(
            "note: {outer} holds an .orch, too; from here on commands below {} use the new one",
            clean_line(&made.root)
        ));
    }
    terminal.out(&next_steps(&made));
    Ok(0)
}

/// Says what to do next.
fn next_steps(made: &Initialized) -> String {
    let is_new = |part: &str| made.files.iter().any(|file| file.is_new && file.path.contains(part));
    let mut steps = vec![("orch check", "see whether the plan has faults")];
    if is_new("/tasks/") {
        steps.push(("orch run", "carry the first task out; it needs no worker"));
    }
    if is_new("/roles/") {
        steps.push(("$EDITOR .orch/roles/worker.md", "say what works on your tasks"));
    }
    steps.push(("orch new \"Title\" --role worker", "write a task of your own"));
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let lines = steps.iter().map(|(command, why)| format!("  {command:width$}  # {why}\n"));
    format!("\nnext:\n{}", lines.collect::<String>())
}
