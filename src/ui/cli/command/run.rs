//! `orch run`: carries the plan out and shows how it goes.

use std::{ffi::OsString, time::Duration};

use super::trust::{Answer, Given};
use crate::{
    app::{
        approval::Grant,
        error::AppError,
        repository::Repository,
        running::{Picture, Run, RunOptions, WhenIdle},
        use_case::{branch, detach},
        view::run::{RunEvent, Summary},
    },
    domain::model::{limits::WORKERS_MAX, task::CommandLine},
    ui::{
        cli::{
            Outcome,
            args::{Global, Json},
            terminal::Terminal,
        },
        live::Screen,
        output::{json, run as text, summary},
    },
};

/// What holds for a run instead of what the files say.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Overrides {
    /// Most workers side by side (default: `max_workers` in .orch/config.yaml)
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(WORKERS_MAX)))]
    workers: Option<u32>,
    /// Use this command for every task
    #[arg(long, value_name = "CMD")]
    worker: Option<String>,
    /// Make this branch where you are, check it out, and have the work land there
    #[arg(long, value_name = "NAME", conflicts_with = "here")]
    branch: Option<String>,
    /// Work on the branch that is checked out, also where it is protected
    #[arg(long)]
    here: bool,
    /// How what would be executed is approved.
    #[command(flatten)]
    given: Given,
}

impl Overrides {
    /// Has the branch checked out that the work is to land on. On one that is protected a person is
    /// asked, where there is one; else the run refuses to begin.
    pub(super) fn choose_branch(
        &mut self,
        repository: &Repository,
        terminal: &Terminal,
    ) -> Result<(), AppError> {
        if let Some(name) = &self.branch {
            return branch::begin(repository, name);
        }
        if self.here || !terminal.can_ask() {
            return Ok(());
        }
        let Some(protected) = branch::protected(repository)? else { return Ok(()) };
        let question = format!(
            "The branch {protected} is protected, and what is done would land on it.\n\
             Name a branch for the plan to begin here [plan], or write `here` to go on on {protected}: "
        );
        match terminal.ask(&question).as_deref() {
            None => Ok(()),
            Some("here") => {
                self.here = true;
                Ok(())
            }
            Some("") => branch::begin(repository, "plan"),
            Some(name) => branch::begin(repository, name),
        }
    }

    /// Finds out whether a run may begin; see [`Given::ask`].
    pub(super) fn ask(
        &self,
        repository: &Repository,
        terminal: &Terminal,
    ) -> Result<Answer, AppError> {
        self.given.ask(repository, terminal)
    }

    /// Returns how a run with them is carried out, and nothing published of it.
    pub(super) fn options(&self, when_idle: WhenIdle, grant: Grant) -> RunOptions {
        RunOptions {
            grant,
            max_workers: self.workers,
            worker: self.worker.clone().map(CommandLine::Text),
            when_idle,
            is_here: self.here,
            handles_signals: true,
            stop_first: None,
            picture: Picture::None,
        }
    }
}

/// Carry the plan out: start what is ready, check it, record it
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What holds instead of what the files say.
    #[command(flatten)]
    overrides: Overrides,
    /// Wait for gates and approvals when nothing else is left to do
    #[arg(long)]
    wait: bool,
    /// Go on in the background: return once it has begun
    #[arg(long)]
    detach: bool,
    /// How it is shown.
    #[command(flatten)]
    shown: Shown,
}

/// How a run is to be shown.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Shown {
    /// Print lines also on a terminal
    #[arg(long)]
    plain: bool,
    /// How it is shown: one JSON object a line for everything that happens
    #[command(flatten)]
    json: Json,
}

impl Shown {
    /// Returns how that is on `terminal`.
    pub(super) fn face(&self, terminal: &Terminal) -> Face {
        if self.json.json { Face::Json } else { face(self.plain, terminal) }
    }
}

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// A view that is drawn anew several times a second.
    Live,
    /// A line for everything that happens.
    Plain,
    /// A JSON object a line.
    Json,
}

pub(super) fn run(args: &Args, global: &Global, terminal: &Terminal) -> Outcome {
    let repository = Repository::open(global.folder())?;
    let mut args = args.clone();
    // Where nothing may be started, the run itself says so.
    let grant = match args.overrides.given.ask_or_leave(&repository, terminal)? {
        Answer::Begin(grant) => grant,
        Answer::Look(why) => return Err(why),
    };
    args.overrides.choose_branch(&repository, terminal)?;
    let args = &args;
    if args.detach {
        return detach(args, &repository, terminal);
    }
    let face = args.shown.face(terminal);
    let when_idle = if args.wait { WhenIdle::Wait } else { WhenIdle::End };
    let mut options = args.overrides.options(when_idle, grant);
    if face == Face::Live {
        options.picture = Picture::Workers;
    }
    let summary = show(&repository, options, face, terminal)?;
    Ok(summary.exit_code)
}

/// Starts the same run in the background.
fn detach(args: &Args, repository: &Repository, terminal: &Terminal) -> Outcome {
    let mut arguments: Vec<OsString> = vec!["run".into(), "--plain".into()];
    if let Some(workers) = args.overrides.workers {
        arguments.extend(["--workers".into(), workers.to_string().into()]);
    }
    if let Some(worker) = &args.overrides.worker {
        arguments.push(format!("--worker={worker}").into());
    }
    if args.overrides.here {
        arguments.push("--here".into());
    }
    if args.wait {
        arguments.push("--wait".into());
    }
    arguments.extend(args.overrides.given.arguments().into_iter().map(OsString::from));
    let detached = detach::detach(repository, &arguments)?;
    let code = detached.exit_code.map_or(0, |code| u8::try_from(code).unwrap_or(3));
    if args.shown.json.json {
        terminal.line(&json::pretty(&detached));
        return Ok(code);
    }
    if detached.exit_code.is_some() {
        // It had something to say, or little to do.
        match code {
            0 => terminal.out(&detached.printed),
            _ => terminal.err(&detached.printed),
        }
        return Ok(code);
    }
    terminal.line(&format!("the run goes on in the background, as process {}", detached.pid));
    terminal.line(&format!(
        "  `orch status` shows it, `orch watch --no-run` looks on, `orch wait` waits for its end,\n  \
         `orch stop` stops it; what it prints goes to {}",
        detached.output
    ));
    Ok(code)
}

/// What a run is when nobody reads what it prints (`orch … | head`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// It goes on to its end.
    Optional,
    /// It would never end: it is left.
    Needed,
}

/// Returns how a run is shown to people.
pub(super) fn face(plain: bool, terminal: &Terminal) -> Face {
    if plain || !terminal.is_interactive() { Face::Plain } else { Face::Live }
}

/// Starts a run and shows it until it has ended.
pub(super) fn show(
    repository: &Repository,
    options: RunOptions,
    face: Face,
    terminal: &Terminal,
) -> Result<Summary, AppError> {
    let run = Run::start(repository, options)?;
    warn_of_root(repository, terminal);
    follow(run, face, Readers::Optional, terminal)
}

/// Says once that workers run as root for somebody who is not root.
pub(super) fn warn_of_root(repository: &Repository, terminal: &Terminal) {
    if let Some(user) = repository.root_works_for() {
        terminal.err_line(&format!(
            "warning: workers run as root here, and what they write will be root's; run this as user \
             {user}, who it is for"
        ));
    }
}

/// Shows a run until it has ended.
pub(super) fn follow(
    run: Run,
    face: Face,
    readers: Readers,
    terminal: &Terminal,
) -> Result<Summary, AppError> {
    match face {
        Face::Json => print(&run, terminal, readers, |event| vec![json::line(event)]),
        Face::Plain => print(&run, terminal, readers, |event| text::lines(event, terminal.style())),
        Face::Live => show_live(&run, terminal),
    }
    let summary = run.wait()?;
    if face != Face::Json && summary.verdict != "looked" {
        terminal.out(&summary::render(&summary, terminal.style()));
    }
    Ok(summary)
}

/// Prints lines for what happens until the run has ended, as many at once as there are.
fn print(
    run: &Run,
    terminal: &Terminal,
    readers: Readers,
    lines: impl Fn(&RunEvent) -> Vec<String>,
) {
    loop {
        let has_ended = run.has_ended();
        let events = run.next_events(Duration::from_secs(1));
        if has_ended && events.is_empty() {
            return;
        }
        let text: String = events.iter().flat_map(&lines).map(|line| line + "\n").collect();
        terminal.out(&text);
        if readers == Readers::Needed && !terminal.is_open() {
            run.leave();
        }
    }
}

fn show_live(run: &Run, terminal: &Terminal) {
    let mut screen = Screen::open();
    // Looks again often enough for the clock on the screen.
    let patience = Duration::from_millis(100);
    loop {
        let has_ended = run.has_ended();
        for event in run.next_events(patience) {
            if screen.is_drawn() {
                screen.print_above(&event);
            } else {
                for line in text::lines(&event, terminal.style()) {
                    terminal.line(&line);
                }
            }
        }
        if has_ended {
            return;
        }
        screen.draw(&run.live());
    }
}
