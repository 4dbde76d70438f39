//! How soon `orch watch` reacts to a saved task file: from the rename to the rebuilt graph, and to
//! the first instruction of the worker that may start by it; beside a loop that listens to raw
//! inotify and starts the same program.
//!
//! `cargo bench --bench watch`; watchexec reacts to the same saves where it is installed.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

#[path = "floor/approval.rs"]
mod approval;
#[path = "floor/arrival.rs"]
mod arrival;
#[path = "floor/follow.rs"]
mod follow;
#[path = "floor/program.rs"]
mod program;
#[path = "floor/table.rs"]
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use approval::approval;
use arrival::Arrivals;
use follow::{Ended, PATIENCE, Times, lines_of, wait_for};
use program::{Failure, ORCH};
use table::Goal;

/// The name under which this program starts itself as a worker.
const WORKER: &str = "worker";

/// The name under which this program starts itself as the loop over raw inotify.
const LOOP: &str = "inotify-loop";

/// Saves that are measured at each size.
const N_SAVES: usize = 200;

/// Quiet time before each save: the one before is settled, checks of the whole plan included.
const PAUSE: Duration = Duration::from_millis(150);

fn main() -> Result<(), Failure> {
    if let Some(arguments) = program::floor_arguments(WORKER) {
        return arrival::announce(&arguments);
    }
    if let Some(arguments) = program::floor_arguments(LOOP) {
        return arrival::react(&arguments);
    }
    if !program::is_bench() {
        println!("a bench: run it with `cargo bench --bench watch`");
        return Ok(());
    }
    let scratch = program::scratch()?;
    for n_tasks in [100, 1_000, 10_000] {
        bench(&scratch.path().join(n_tasks.to_string()), n_tasks)?;
    }
    Ok(())
}

/// Measures a plan of `n_tasks`; each save takes one of them from `hold` to `todo`.
fn bench(folder: &Path, n_tasks: usize) -> Result<(), Failure> {
    table::heading(&format!("watch, {n_tasks} tasks, {N_SAVES} saves"));
    let arrivals = Arrivals::open(folder)?;
    let floor = floor_times(&folder.join("floor"), &arrivals)?;
    let (rebuilt, started) = orch_times(folder, n_tasks, &arrivals)?;
    let limits = [floor.heard.at(50), floor.started.at(50), floor.started.at(99)];
    let [heard, started_half, started_most] = limits;
    table::limit("raw inotify, p50", heard, &format!("p99 {:?}", floor.heard.at(99)));
    table::limit("raw inotify + start, p50", started_half, "");
    table::limit("raw inotify + start, p99", started_most, "");
    let goal = |ratio| Goal { ratio: (n_tasks == 10_000).then_some(ratio), ..Goal::NONE };
    let limit = ("floor", started_half);
    table::time("orch, graph rebuilt, p50", rebuilt.at(50), limit, Goal::NONE, "");
    table::time(
        "orch, graph rebuilt, p99",
        rebuilt.at(99),
        ("floor", started_most),
        Goal::NONE,
        "",
    );
    table::time("orch, worker started, p50", started.at(50), limit, goal(2.0), "");
    table::time(
        "orch, worker started, p99",
        started.at(99),
        ("floor", started_most),
        Goal::NONE,
        "",
    );
    match watchexec_times(&folder.join("peer"), &arrivals) {
        Ok(times) => table::time("watchexec, started, p50", times.at(50), limit, Goal::NONE, ""),
        Err(why) => table::missing("watchexec", &why.to_string()),
    }
    Ok(())
}

/// Saves `text` under `path` as editors do: a temporary file, then a rename. Returns the moment
/// before the rename.
fn save(path: &Path, text: &str) -> Result<Duration, Failure> {
    let next = path.with_file_name(".next");
    fs::write(&next, text)?;
    let before = follow::now();
    fs::rename(&next, path)?;
    Ok(before)
}

struct FloorTimes {
    heard: Times,
    started: Times,
}

/// What a loop over raw inotify takes.
fn floor_times(folder: &Path, arrivals: &Arrivals) -> Result<FloorTimes, Failure> {
    fs::create_dir_all(folder)?;
    let mut command = program::floor(LOOP)?;
    command.args([folder, arrivals.path()]).stdout(Stdio::piped());
    let mut child = Ended(command.spawn()?);
    let lines = lines_of(&mut child.0)?;
    lines.recv_timeout(PATIENCE)?;
    let mut times = FloorTimes { heard: Times::default(), started: Times::default() };
    for number in 0..N_SAVES {
        thread::sleep(PAUSE);
        let before = save(&folder.join("a.md"), &number.to_string())?;
        let (_, heard) = lines.recv_timeout(PATIENCE)?;
        times.heard.0.push(Duration::from_nanos(heard.parse()?).saturating_sub(before));
        times.started.0.push(arrivals.next(PATIENCE)?.saturating_sub(before));
    }
    Ok(times)
}

/// What `orch watch` takes: until it says that the plan changed, and until the worker starts.
fn orch_times(
    folder: &Path,
    n_tasks: usize,
    arrivals: &Arrivals,
) -> Result<(Times, Times), Failure> {
    let (mut rebuilt, mut started) = (Times::default(), Times::default());
    let mut round = 0;
    while started.0.len() < N_SAVES {
        let n_saves = N_SAVES.min(n_tasks).min(N_SAVES - started.0.len());
        let root = folder.join(format!("plan-{round}"));
        write_plan(&root, n_tasks, arrivals)?;
        let mut command = Command::new(ORCH);
        command
            .args(["watch", "--json", &approval(&root)?])
            .current_dir(&root)
            .stdin(Stdio::null());
        let mut child = Ended(command.stdout(Stdio::piped()).spawn()?);
        let lines = lines_of(&mut child.0)?;
        wait_for(&lines, "run-started")?;
        thread::sleep(Duration::from_secs(1));
        for at in 0..n_saves {
            thread::sleep(PAUSE);
            let path = task_path(&root, at);
            let text = fs::read_to_string(&path)?.replace("status: hold", "status: todo");
            let before = save(&path, &text)?;
            rebuilt.0.push(wait_for(&lines, "plan-changed")?.0.saturating_sub(before));
            started.0.push(arrivals.next(PATIENCE)?.saturating_sub(before));
            wait_for(&lines, "ended")?;
        }
        round += 1;
        match peak_memory(&child.0) {
            Ok(peak) => table::memory("orch, peak memory", peak, None),
            Err(why) => table::missing("orch, peak memory", &why.to_string()),
        }
    }
    Ok((rebuilt, started))
}

/// Writes a plan in which everything is held back.
fn write_plan(root: &Path, n_tasks: usize, arrivals: &Arrivals) -> Result<(), Failure> {
    for at in 0..n_tasks {
        let path = task_path(root, at);
        fs::create_dir_all(path.parent().ok_or("a task lies in a folder")?)?;
        // What is released must not wait for what is held back.
        let needs = match at.checked_sub(N_SAVES) {
            Some(above) => format!("[T-{above:06}, T-{:06}]", above / 2),
            None => "[]".to_owned(),
        };
        let head = format!("---\ntitle: Part {at}\ndepends_on: {needs}\nstatus: hold\n---\n");
        let body = "One more sentence of the size that people write.\n".repeat(25);
        fs::write(&path, head + "# The work\n\n" + &body)?;
    }
    let worker = std::env::current_exe()?;
    let words = [&worker.display().to_string(), WORKER, &arrivals.path().display().to_string()];
    let config = format!("worker: {{command: {words:?}}}\n");
    Ok(fs::write(root.join(".orch/config.yaml"), config)?)
}

fn task_path(root: &Path, at: usize) -> PathBuf {
    root.join(format!(".orch/tasks/part-{:03}/T-{at:06}.md", at / 1_000))
}

/// Returns the peak memory of a process, in bytes.
fn peak_memory(child: &Child) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no peak")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// What `watchexec` takes, told to wait as little as it can.
fn watchexec_times(folder: &Path, arrivals: &Arrivals) -> Result<Times, Failure> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new("watchexec");
    command.args(["-n", "-p", "--debounce", "1ms", "-w"]).arg(folder).arg("--");
    command.arg(std::env::current_exe()?).arg(WORKER).arg(arrivals.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("it did not start: {error}"))?;
    let _child = Ended(child);
    thread::sleep(Duration::from_secs(1));
    let mut times = Times::default();
    for number in 0..N_SAVES {
        thread::sleep(PAUSE);
        let before = save(&folder.join("a.md"), &number.to_string())?;
        times.0.push(arrivals.next(PATIENCE)?.saturating_sub(before));
        // One save may start it twice.
        while arrivals.next(Duration::from_millis(20)).is_ok() {}
    }
    Ok(times)
}
