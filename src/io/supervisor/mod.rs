//! Starts workers by way of a process that outlives the coordinator: the supervisor.
//!
//! One supervisor serves one coordinator. It starts workers when told to, carries their output
//! into their logs, waits for them, kills what they leave running, and writes how they ended into
//! its ledger (`.orch/local/supervisors/<name>.jsonl`), all of it whether or not its coordinator
//! still lives. When that is gone it takes no more orders, and ends with its last worker. The next
//! coordinator reads the ledger, and follows it as long as the supervisor lives.

mod child;
mod children;
mod ear;
pub mod ledger;
mod orders;
mod output;
mod place;
mod pump;
mod serve;
mod tell;
pub mod wire;

use std::{
    cell::Cell,
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::{ExitCode, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    sync::mpsc,
};

pub use self::wire::{Line, Order};

use crate::io::shortage;

/// After so many orders a supervisor gives way to a new one when it is idle, so that ledgers stay
/// short: they are read whole.
const ORDERS_MAX: u32 = 1_000;

/// How long a supervisor waits for `.orch` to be put back where someone took it away.
const AWAY_MAX: Duration = Duration::from_secs(10 * 60);

/// Time between two looks for it.
const AWAY_LOOK: Duration = Duration::from_millis(500);

/// The first argument of a process that is to serve as a supervisor.
const ARGUMENT: &str = "@supervise";

/// Set in the environment of a supervisor: should its program not know what is asked of it, the
/// run that it starts instead must not start a supervisor in turn.
const VARIABLE: &str = "ORCH_SUPERVISOR";

/// The program of this process, also where its file was replaced meanwhile.
#[cfg(target_os = "linux")]
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Something that a supervisor tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The name of its ledger.
    pub supervisor: String,
    /// What it tells; `None` where it is gone.
    pub line: Option<Line>,
}

/// Why there is no supervisor.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// Its process cannot be started.
    #[error("failed to start the supervisor of the workers")]
    Start(#[source] io::Error),
    /// This process was itself started to be one.
    #[error("this program was started to supervise workers, and started a run instead")]
    WrongProgram,
}

impl SupervisorError {
    /// Says whether the same may work later by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Start(source) if shortage::is_passing(source))
    }
}

/// Serves as a supervisor where this process was started to be one, and then returns with what
/// it has come to. Programs that start runs call it first of all in `main`.
pub fn serve_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return None;
    }
    let served = match arguments.next() {
        Some(ledger) => serve::serve(Path::new(&ledger)),
        None => Err(io::ErrorKind::InvalidInput.into()),
    };
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Takes `secrets` out of what a check wrote into the log `path`, behind `offset`.
///
/// # Errors
/// Why it cannot be read or written.
pub fn mask_file(path: &Path, offset: u64, secrets: Vec<Vec<u8>>) -> io::Result<()> {
    output::mask_file(path, offset, secrets)
}

/// A supervisor that was started by this process. Dropping it lets it go: it ends with its last
/// worker.
#[derive(Debug)]
pub struct Supervisor {
    name: String,
    n_orders: Cell<u32>,
    /// Whether it told that it is at work; for the owner to note.
    pub has_begun: bool,
    orders: mpsc::UnboundedSender<Vec<u8>>,
}

impl Supervisor {
    /// Starts a supervisor with the ledger `ledger`, called `name`, in a tokio runtime with its IO
    /// enabled. What it tells is sent to `told`.
    ///
    /// # Errors
    /// [`SupervisorError`].
    pub fn start(
        name: String,
        ledger: &Path,
        told: mpsc::Sender<Told>,
    ) -> Result<Self, SupervisorError> {
        if std::env::var_os(VARIABLE).is_some() {
            return Err(SupervisorError::WrongProgram);
        }
        let mut command = Command::new(own_program().map_err(SupervisorError::Start)?);
        command
            .arg0("orch")
            .args([OsStr::new(ARGUMENT), ledger.as_os_str()])
            .env_clear()
            .env(VARIABLE, "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(SupervisorError::Start)?;
        let missing = || SupervisorError::Start(io::ErrorKind::BrokenPipe.into());
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let (orders, waiting) = mpsc::unbounded_channel();
        tokio::spawn(send(stdin, waiting));
        tokio::spawn(listen(name.clone(), stdout, told));
        Ok(Self { name, n_orders: Cell::new(0), has_begun: false, orders })
    }

    /// Returns the name of its ledger.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says whether its ledger is long enough to begin another one, when it is idle.
    pub fn is_worn(&self) -> bool {
        self.n_orders.get() >= ORDERS_MAX
    }

    /// Orders a worker to be started. Where the supervisor is gone that is told as for all of its
    /// workers.
    pub fn order(&self, order: &Order) {
        self.n_orders.set(self.n_orders.get().saturating_add(1));
        if self.orders.send(order.render()).is_err() {
            tracing::debug!("the supervisor is gone");
        }
    }
}

fn own_program() -> io::Result<OsString> {
    #[cfg(target_os = "linux")]
    if Path::new(OWN_PROGRAM).exists() {
        return Ok(OWN_PROGRAM.into());
    }
    std::env::current_exe().map(Into::into)
}

async fn send(mut stdin: ChildStdin, mut waiting: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(order) = waiting.recv().await {
        if let Err(error) = stdin.write_all(&order).await {
            tracing::debug!(%error, "the supervisor takes no orders");
            return;
        }
    }
}

async fn listen(supervisor: String, stdout: ChildStdout, told: mpsc::Sender<Told>) {
    let mut reader = BufReader::new(stdout);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let n = reader.read_until(b'\n', &mut bytes).await.unwrap_or(0);
        let line = Line::parse(&bytes);
        let is_gone = n == 0;
        if !is_gone && line.is_none() {
            continue;
        }
        let told_line = Told { supervisor: supervisor.clone(), line };
        if told.send(told_line).await.is_err() || is_gone {
            return;
        }
    }
}
