//! One file per command: its arguments (the help is the doc comment) and how it runs.

mod approve;
mod cancel;
mod check;
mod clean;
mod completions;
mod conflicts;
mod demo;
mod diff;
mod doctor;
mod event;
mod explain;
mod graph;
mod init;
mod list;
mod log;
mod logs;
mod new;
mod plan;
mod pr;
mod report;
mod retry;
mod run;
mod schema;
mod show;
mod status;
mod stop;
mod trust;
mod wait;
mod watch;

use clap::Subcommand;

use super::{Outcome, args::Cli, terminal::Terminal};

/// The commands, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an .orch folder with settings, a role and a first task
    Init(init::Args),
    /// Make a task from a template
    New(new::Args),
    /// Report all faults of the plan, each with its place
    Check(check::Args),
    /// List tasks, one per line
    List(list::Args),
    /// Show everything about one task
    Show(show::Args),
    /// Show the graph of dependencies
    Graph(graph::Args),
    /// Show what `orch run` would do now, and when all would be done
    Plan(plan::Args),
    /// Show what a branch or a range of commits does to the plan
    ///
    /// Both ends are read from git, without a checkout. Nothing is printed where nothing is
    /// different.
    Diff(diff::Args),
    /// Say why a task is not running, and what to do about it
    Explain(explain::Args),
    /// Foretell whose work will not go together, and what to do about it
    ///
    /// Branches of tasks that do not merge with each other or with the branch that is checked out,
    /// and ready tasks whose `files` meet. Only what is committed counts; nothing is changed.
    Conflicts(conflicts::Args),
    /// Show what this plan would execute, and approve it
    ///
    /// Nothing that a repository holds is started before its user has approved it. What you change
    /// yourself stays approved; what comes with a pull, a checkout, a merge or the work of a worker
    /// waits, and is shown as what it was and what it is.
    Trust(trust::Args),
    /// Carry the plan out: start what is ready, check it, record it
    Run(run::Args),
    /// Stay open: follow the files, and carry out what is ready
    Watch(watch::Args),
    /// Show how the plan stands, what runs and what needs a person
    Status(status::Args),
    /// Print what the worker of a task printed
    Logs(logs::Args),
    /// Show the history of a task, or of the plan, as commits tell it
    ///
    /// Landings, how attempts ended and why, and changes of task files, newest first. It is read
    /// from the objects of git alone: there need be no checkout.
    Log(log::Args),
    /// Push the branch of the plan, and open a pull request for it or update the open one
    ///
    /// It says how the plan stands, what is left, and what the branch does to the plan. `gh` opens it
    /// on GitHub, `glab` on GitLab; nothing is ever forced.
    Pr(pr::Args),
    /// Tell how the attempt goes that this is called from
    ///
    /// A worker finds its status file by its environment; what is not said here stays as it was
    /// reported before. Exit code 0 of the worker is still what counts as its claim of success.
    Report(report::Args),
    /// Open the gate that a task waits for, or accept what it left for review
    Approve(approve::Args),
    /// Open or fail a gate that tasks wait for, from a script or from CI
    ///
    /// Saying the same twice changes nothing. `orch approve` is for people: it refuses what no task
    /// waits for.
    Event(event::Args),
    /// Have tasks tried again that failed, were cancelled or are done
    Retry(retry::Args),
    /// Drop tasks from the plan
    Cancel(cancel::Args),
    /// Tell the running coordinator to stop
    Stop(stop::Args),
    /// Wait until the run that is at work has ended, or one task has
    ///
    /// The exit codes are those of `orch run`: 0 where all is done, 1 where something failed, is
    /// blocked, in review or left, and 3 when the time is over.
    Wait(wait::Args),
    /// Remove what tasks left in git that nobody needs there: shows it, and does it with --yes
    ///
    /// Worktrees and branches of tasks that are done, cancelled or no longer in the plan, and those
    /// of failed tasks where there are too many. No work is lost: what the branch of the plan does
    /// not hold is kept under refs/orch/rescue first.
    Clean(clean::Args),
    /// Look at what `orch` finds around it: watching, git, lock, workers, disk
    Doctor(doctor::Args),
    /// Carry out a small plan in a temporary repository, to see how it looks
    Demo(demo::Args),
    /// Print the JSON Schema of a file format, for editors
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// Runs the command that was typed.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: &Cli, terminal: &Terminal) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::run(args, global, terminal),
        Command::New(args) => new::run(args, global, terminal),
        Command::Check(args) => check::run(args, global, terminal),
        Command::List(args) => list::run(args, global, terminal),
        Command::Show(args) => show::run(args, global, terminal),
        Command::Graph(args) => graph::run(args, global, terminal),
        Command::Plan(args) => plan::run(args, global, terminal),
        Command::Diff(args) => diff::run(args, global, terminal),
        Command::Explain(args) => explain::run(args, global, terminal),
        Command::Conflicts(args) => conflicts::run(args, global, terminal),
        Command::Trust(args) => trust::run(args, global, terminal),
        Command::Run(args) => run::run(args, global, terminal),
        Command::Watch(args) => watch::run(args, global, terminal),
        Command::Status(args) => status::run(args, global, terminal),
        Command::Logs(args) => logs::run(args, global, terminal),
        Command::Log(args) => log::run(args, global, terminal),
        Command::Pr(args) => pr::run(args, global, terminal),
        Command::Report(args) => report::run(args, global, terminal),
        Command::Approve(args) => approve::run(args, global, terminal),
        Command::Event(args) => event::run(args, global, terminal),
        Command::Retry(args) => retry::run(args, global, terminal),
        Command::Cancel(args) => cancel::run(args, global, terminal),
        Command::Stop(args) => stop::run(args, global, terminal),
        Command::Wait(args) => wait::run(args, global, terminal),
        Command::Clean(args) => clean::run(args, global, terminal),
        Command::Doctor(args) => doctor::run(args, global, terminal),
        Command::Demo(args) => demo::run(args, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Completions(args) => completions::run(args, terminal),
    }
}
