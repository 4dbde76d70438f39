//! `orch graph`: the dependencies as a tree, DOT, mermaid or JSON.

use clap::ValueEnum;

use crate::{
    app::use_case::graph::{self, Part},
    domain::format::task_file::Reading,
    ui::{
        cli::{
            Outcome,
            args::Global,
            reading::{shown_width, stand},
            terminal::Terminal,
        },
        output::{
            graph::{dot, mermaid, tree},
            json,
        },
    },
};

/// Show the graph of dependencies
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what lies around these tasks
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// At most N steps towards what they depend on (default: all)
    #[arg(long, value_name = "N", requires = "ids")]
    up: Option<usize>,
    /// At most N steps towards what waits for them (default: all)
    #[arg(long, value_name = "N", requires = "ids")]
    down: Option<usize>,
    /// Hide tasks that are done or cancelled
    #[arg(long)]
    open: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Tree, conflicts_with = "json")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

/// How a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Tree,
    /// For Graphviz (`| dot -Tsvg`)
    Dot,
    /// For markdown on GitHub and GitLab
    Mermaid,
    /// One JSON object
    Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let standing = stand(global, terminal, Reading::Head)?;
    let part =
        Part { ids: args.ids.clone(), up: args.up, down: args.down, is_open_only: args.open };
    let graph = graph::graph(&standing, &part)?;
    match if args.json { Format::Json } else { args.format } {
        Format::Tree => {
            terminal.out(&tree::render(&graph, shown_width(terminal), terminal.style()));
        }
        Format::Dot => terminal.out(&dot::render(&graph)),
        Format::Mermaid => terminal.out(&mermaid::render(&graph)),
        Format::Json => terminal.line(&json::pretty(&graph)),
    }
    Ok(0)
}
