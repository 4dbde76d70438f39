//! `orch retry`: tasks are tried again.

use crate::{
    app::{
        repository::Repository,
        use_case::{change::Author, retry},
        view::write::Retried,
    },
    ui::{
        cli::{
            Outcome,
            args::{Global, Json, login},
            terminal::Terminal,
        },
        output::{escape::clean_line, json},
    },
};

/// Have tasks tried again that failed, were cancelled or are done
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// A few words for the next worker
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Also where the task is done
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let login = login();
    let author = Author { login: login.as_deref(), note: args.note.as_deref() };
    let repository = Repository::open(global.folder())?;
    let retried = retry::retry(&repository, &args.ids, author, args.force)?;
    if args.json.json {
        terminal.line(&json::pretty(&retried));
        return Ok(0);
    }
    for task in &retried {
        terminal.out(&text(task));
    }
    Ok(0)
}

fn text(retried: &Retried) -> String {
    let Retried { task, state, .. } = retried;
    let mut lines = vec![match (*state, retried.is_live) {
        ("ready", true) => format!("`{task}` will be tried again by the running coordinator"),
        ("ready", false) => format!("`{task}` is ready: `orch run` tries it again"),
        (state, _) => format!("`{task}` is {state} now: `orch explain {task}` says why"),
    }];
    lines.extend(retried.event.as_ref().map(|path| format!("  wrote {path}")));
    let edited = retried.edited.as_deref().map(clean_line);
    lines.extend(edited.map(|path| format!("  set `status: todo` in {path}")));
    lines.join("\n") + "\n"
}
