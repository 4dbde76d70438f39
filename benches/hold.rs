//! How `orch run` holds a plan of a thousand tasks with fifty workers that all give signs of life:
//! how soon it sees an end and starts the next, what it takes, and how soon a new one goes on where
//! one was killed.
//!
//! `cargo bench --bench hold`; it takes less than two minutes.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

#[path = "floor/approval.rs"]
mod approval;
#[path = "floor/crew.rs"]
mod crew;
#[path = "floor/follow.rs"]
mod follow;
#[path = "floor/process.rs"]
mod process;
#[path = "floor/program.rs"]
mod program;
#[path = "floor/table.rs"]
mod table;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use approval::approval;
use crew::Crew;
use follow::{Ended, Lines, PATIENCE, Times, lines_of, wait_for};
use program::{Failure, ORCH};
use table::Goal;

/// The name under which this program starts itself as a worker.
const WORKER: &str = "hold-worker";

const N_TASKS: usize = 1_000;

const N_SLOTS: usize = 50;

/// How long workers live where their ends are measured, in milliseconds.
const LIVES: [u64; 2] = [2_000, 4_000];

/// How often the coordinator is killed.
const N_KILLS: usize = 10;

/// For how long it is looked at what idling takes.
const IDLE: Duration = Duration::from_secs(10);

const DECISION_MOST: Duration = Duration::from_millis(250);
const NOTICED_MOST: Duration = Duration::from_secs(1);
const RECOVERY_MOST: Duration = Duration::from_secs(2);
const MEMORY_MOST: u64 = 100_000_000;

fn main() -> Result<(), Failure> {
    if let Some(arguments) = program::floor_arguments(WORKER) {
        return crew::work(&arguments);
    }
    if !program::is_bench() {
        println!("a bench: run it with `cargo bench --bench hold`");
        return Ok(());
    }
    let scratch = program::scratch()?;
    turnover(&scratch.path().join("turnover"))?;
    kills(&scratch.path().join("kills"))
}

/// A coordinator at work.
struct Coordinator {
    child: Ended,
    lines: Lines,
}

impl Coordinator {
    fn start(root: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(ORCH);
        command.args(["run", "--json", &approval(root)?]).current_dir(root).stdin(Stdio::null());
        let mut child = Ended(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let lines = lines_of(&mut child.0)?;
        Ok(Self { child, lines })
    }

    fn pid(&self) -> u32 {
        self.child.0.id()
    }
}

/// Runs the whole plan: what passes between the end of a worker, its record, and the next worker.
fn turnover(root: &Path) -> Result<(), Failure> {
    table::heading(&format!("hold, {N_TASKS} tasks, {N_SLOTS} at once, to the end"));
    let mut crew = Crew::open(root)?;
    write_plan(root, &crew, LIVES)?;
    let begin = Instant::now();
    let mut coordinator = Coordinator::start(root)?;
    let mut peaks = Peaks::default();
    let mut cpu = Duration::ZERO;
    // The figures are read while everybody is at work; a last time before the last workers end.
    for n_ended in (0..N_TASKS).step_by(N_SLOTS).skip(1).chain([N_TASKS - 1, N_TASKS]) {
        crew.hear(PATIENCE, |crew| crew.ended.len() >= n_ended)?;
        if n_ended < N_TASKS {
            peaks.read(&coordinator, root)?;
            cpu = process::cpu(coordinator.pid())?;
            for supervisor in process::supervisors(root)? {
                cpu += process::cpu(supervisor)?;
            }
        }
    }
    wait_for(&coordinator.lines, "run-ended")?;
    let wall = begin.elapsed();
    coordinator.child.0.wait()?;
    let mut ends: Vec<Duration> = crew.ended.values().copied().collect();
    ends.sort_unstable();
    crew.began.sort_unstable();
    // All slots are taken, so each end makes room for exactly one start.
    let pairs = ends.iter().zip(crew.began.iter().skip(N_SLOTS));
    let decisions = Times(pairs.map(|(end, start)| start.saturating_sub(*end)).collect());
    let mut noticed = Times::default();
    for (id, end) in &crew.ended {
        let about = fs::metadata(root.join(format!(".orch/runs/{id}.1.yaml")))?;
        let recorded = Duration::new(about.ctime().try_into()?, about.ctime_nsec().try_into()?);
        noticed.0.push(recorded.saturating_sub(*end));
    }
    if decisions.0.len() != N_TASKS - N_SLOTS {
        return Err(format!("{} starts instead of {N_TASKS}", crew.began.len()).into());
    }
    let [decision, exit] = ["end to next start, p99", "end to its record, p99"];
    report(decision, decisions.at(99), &decisions, DECISION_MOST);
    report(exit, noticed.at(99), &noticed, NOTICED_MOST);
    peaks.report();
    share("both, share of a processor", cpu, wall);
    Ok(())
}

/// Kills the coordinator over and over, and looks how soon the next one is at work.
fn kills(root: &Path) -> Result<(), Failure> {
    table::heading(&format!("hold, {N_TASKS} tasks, {N_SLOTS} at work, {N_KILLS} kills"));
    let mut crew = Crew::open(root)?;
    write_plan(root, &crew, [0, 0])?;
    let mut coordinator = Coordinator::start(root)?;
    crew.hear(PATIENCE, |crew| crew.began.len() == N_SLOTS)?;
    let mut peaks = Peaks::default();
    idle("idle", &coordinator, root)?;
    peaks.read(&coordinator, root)?;
    let (mut taken_up, mut decided) = (Times::default(), Times::default());
    for n_kills in 1..=N_KILLS {
        coordinator.child.0.kill()?;
        coordinator.child.0.wait()?;
        // One worker ends while nobody is there, so that there is something to decide.
        let one = crew.anyone().ok_or("nobody is at work")?;
        crew.end(&one)?;
        crew.hear(PATIENCE, |crew| crew.ended.len() == n_kills)?;
        let begin = follow::now();
        coordinator = Coordinator::start(root)?;
        let (at, line) = wait_for(&coordinator.lines, "taken-up")?;
        taken_up.0.push(at.saturating_sub(begin));
        let n_named = line.matches("T-").count();
        if n_named != N_SLOTS || !line.contains("\"lost\":[]") {
            return Err(format!("{n_named} of {N_SLOTS} were taken up: {line}").into());
        }
        crew.hear(PATIENCE, |crew| crew.began.len() == N_SLOTS + n_kills)?;
        let start = crew.began.last().copied().unwrap_or_default();
        decided.0.push(start.saturating_sub(begin));
    }
    report("start to all taken up, most", taken_up.at(100), &taken_up, RECOVERY_MOST);
    report("start to next worker, most", decided.at(100), &decided, RECOVERY_MOST);
    idle("idle after the kills", &coordinator, root)?;
    peaks.read(&coordinator, root)?;
    peaks.report();
    let mut stop = Command::new(ORCH);
    stop.args(["stop", "--now"]).current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    stop.status()?;
    wait_for(&coordinator.lines, "run-ended")?;
    Ok(())
}

/// Prints what coordinator and supervisors take while nothing happens but signs of life.
fn idle(what: &str, coordinator: &Coordinator, root: &Path) -> Result<(), Failure> {
    let supervisors = process::supervisors(root)?;
    let used = || -> Result<[Duration; 2], Failure> {
        let all: Result<Vec<_>, _> = supervisors.iter().map(|pid| process::cpu(*pid)).collect();
        Ok([process::cpu(coordinator.pid())?, all?.iter().sum()])
    };
    // What the start set going comes to rest.
    thread::sleep(Duration::from_secs(1));
    let (begin, [own, others]) = (Instant::now(), used()?);
    thread::sleep(IDLE);
    let (wall, [own_then, others_then]) = (begin.elapsed(), used()?);
    share(&format!("{what}, coordinator"), own_then.saturating_sub(own), wall);
    let n = supervisors.len();
    let what = format!("{what}, {n} supervisor{}", if n == 1 { "" } else { "s" });
    share(&what, others_then.saturating_sub(others), wall);
    Ok(())
}

/// Most memory that was seen.
#[derive(Default)]
struct Peaks {
    coordinator: u64,
    supervisor: u64,
}

impl Peaks {
    fn read(&mut self, coordinator: &Coordinator, root: &Path) -> Result<(), Failure> {
        self.coordinator = self.coordinator.max(process::peak_memory(coordinator.pid())?);
        for supervisor in process::supervisors(root)? {
            self.supervisor = self.supervisor.max(process::peak_memory(supervisor)?);
        }
        Ok(())
    }

    fn report(&self) {
        table::memory("peak memory, coordinator", self.coordinator, Some(MEMORY_MOST));
        if self.supervisor == 0 {
            return table::missing("peak memory, supervisor", "there was none");
        }
        table::memory("peak memory, supervisor", self.supervisor, Some(MEMORY_MOST));
    }
}

fn report(what: &str, time: Duration, times: &Times, most: Duration) {
    let goal = Goal { time: Some(most), ..Goal::NONE };
    table::time(what, time, ("p50", times.at(50)), goal, "");
}

fn share(what: &str, cpu: Duration, wall: Duration) {
    let percent = 100.0 * cpu.as_secs_f64() / wall.as_secs_f64();
    table::limit(what, cpu, &format!("of {:.1} s: {percent:.2} %", wall.as_secs_f64()));
}

/// Writes a plan of tasks that do not depend on each other.
fn write_plan(root: &Path, crew: &Crew, [shortest, longest]: [u64; 2]) -> Result<(), Failure> {
    let tasks = root.join(".orch/tasks");
    fs::create_dir_all(&tasks)?;
    let body = "One more sentence of the size that people write.\n".repeat(25);
    for at in 0..N_TASKS {
        let text = format!("---\ntitle: Part {at}\n---\n# The work\n\n{body}");
        fs::write(tasks.join(format!("T-{at:06}.md")), text)?;
    }
    let mut worker = program::floor(WORKER)?;
    worker.arg(crew.place()).args([shortest.to_string(), longest.to_string()]);
    let words = [worker.get_program()].into_iter().chain(worker.get_args());
    let words: Vec<String> = words.map(|word| format!("{:?}", word.to_string_lossy())).collect();
    let config = format!(
        "max_workers: {N_SLOTS}\nworker: {{command: [{}], heartbeat: 10s}}\n",
        words.join(", ")
    );
    Ok(fs::write(root.join(".orch/config.yaml"), config)?)
}
