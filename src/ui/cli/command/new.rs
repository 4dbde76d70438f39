//! `orch new`: a task file from a template.

use crate::{
    app::{
        repository::Repository,
        use_case::new::{self, Wanted},
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

/// Make a task from a template
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What it is about
    title: String,
    /// Its id [default: the next number of the plan, or one made from the title]
    #[arg(long)]
    id: Option<String>,
    /// Who works on it: a file of .orch/roles
    #[arg(long)]
    role: Option<String>,
    /// Ids of the tasks that must be done first
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    depends_on: Vec<String>,
    /// critical, high, medium, low, or a whole number
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<String>,
    /// S, M, L, XL, or a duration such as 2h
    #[arg(long)]
    estimate: Option<String>,
    /// A named target that it belongs to
    #[arg(long)]
    milestone: Option<String>,
    /// Barrier: it waits for all tasks of lower levels
    #[arg(long)]
    level: Option<String>,
    /// A file of .orch/templates [default: task, or the built-in one]
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let wanted = Wanted {
        title: args.title.clone(),
        id: args.id.clone(),
        role: args.role.clone(),
        depends_on: args.depends_on.clone(),
        priority: args.priority.clone(),
        estimate: args.estimate.clone(),
        milestone: args.milestone.clone(),
        level: args.level.clone(),
        template: args.template.clone(),
    };
    let created = new::new(&Repository::open(global.folder())?, &wanted)?;
    if args.json.json {
        terminal.line(&json::pretty(&created));
    } else {
        terminal.line(&clean_line(&created.path));
    }
    Ok(0)
}
