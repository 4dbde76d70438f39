//! How long `orch list --ready` takes, beside a plain loop that reads the same files.
//!
//! `cargo bench --bench load`; with `-- full`, or `ORCH_BENCH_FULL=1`, 100,000 tasks as well.
//! The limit is the read loop as a process of its own with one thread: whole process against whole
//! process; how a figure stands to the bare loop within this process is told beside it. "Cold" is without any cache of `orch`, "warm" the run after it; the operating system has
//! the files in memory in both.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

mod floor;
#[path = "floor/read.rs"]
mod read;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use floor::{
    Failure, ORCH,
    measure::{self, Cost, Samples},
    plan::{Plan, Shape},
    table::{self, Goal},
};
use read::Touch;

/// The name under which this program starts itself as the read or stat loop.
const LOOP: &str = "touch-loop";

/// The number of tasks that the goals speak of.
const GOAL_TASKS: usize = 10_000;

/// Most memory that listing the largest plan may take.
const MEMORY_MOST: u64 = 250_000_000;

fn main() -> Result<(), Failure> {
    if let Some(arguments) = floor::floor_arguments(LOOP) {
        return touch_loop(&arguments);
    }
    if !floor::is_bench() {
        println!("a bench: run it with `cargo bench --bench load`");
        return Ok(());
    }
    let sizes: &[usize] =
        if floor::is_full() { &[1_000, 10_000, floor::FULL] } else { &[1_000, 10_000] };
    for n_tasks in sizes {
        bench(*n_tasks)?;
    }
    Ok(())
}

/// All that is measured on one plan.
#[derive(Default)]
struct Figures {
    /// The loops within this process, by threads.
    inside: [Samples; 2],
    /// The read loop as a process, by threads.
    process: [Samples; 2],
    /// The stat loop as a process with two threads.
    stat: Samples,
    cold: Samples,
    warm: Samples,
}

fn bench(n_tasks: usize) -> Result<(), Failure> {
    let scratch = floor::scratch()?;
    let mut plan = Plan::write(scratch.path().join("plan"), n_tasks, Shape::Layered)?;
    let tasks = plan.root.join(".orch/tasks");
    let (_, n_bytes) = read::touch_all(&tasks, Touch::Read, 1)?;
    let shape = plan.shape.name();
    table::heading(&format!("load, {} tasks, {shape}, {} KB", plan.n_tasks, n_bytes / 1_000));
    let n_rounds: u32 = if n_tasks < floor::FULL { 7 } else { 3 };
    let listed = check_list(&plan.root);
    let mut figures = Figures::default();
    for round in 0..n_rounds {
        // Every second round goes the other way, so that a drift of the machine hits both sides.
        for step in 0..2 {
            if (step + round).is_multiple_of(2) {
                measure_loops(&tasks, &mut figures)?;
            } else {
                plan.put_aside()?;
                let list = || listed.clone().and_then(|()| measure::run(&mut list(&plan.root)));
                figures.cold.add(list);
                figures.warm.add(list);
            }
        }
    }
    report(&figures, n_tasks)?;
    let what = format!("peak memory, {n_tasks} tasks");
    let peak = listed
        .and_then(|()| measure::peak_memory(Path::new(ORCH), &["list", "--ready"], &plan.root));
    match peak {
        Ok(peak) => table::memory(&what, peak, (n_tasks == floor::FULL).then_some(MEMORY_MOST)),
        Err(why) => table::missing(&what, &why),
    }
    Ok(())
}

fn measure_loops(tasks: &Path, figures: &mut Figures) -> Result<(), Failure> {
    for (threads, (inside, process)) in
        (1..).zip(figures.inside.iter_mut().zip(&mut figures.process))
    {
        let (wall, _) = read::touch_all(tasks, Touch::Read, threads)?;
        inside.add(|| Ok(Cost { wall, cpu: Duration::ZERO }));
        let mut command = floor::program::floor(LOOP)?;
        command.arg("read").arg(threads.to_string()).arg(tasks);
        process.add(|| measure::run(&mut command));
    }
    let mut command = floor::program::floor(LOOP)?;
    command.args(["stat", "2"]).arg(tasks);
    figures.stat.add(|| measure::run(&mut command));
    Ok(())
}

fn report(figures: &Figures, n_tasks: usize) -> Result<(), Failure> {
    let [inside_one, inside_two] = &figures.inside;
    let [process_one, process_two] = &figures.process;
    let limit = process_one.median()?.wall;
    table::limit("read loop, process, 1 thread", limit, "the limit");
    let others = [
        ("read loop, process, 2 threads", process_two),
        ("read loop, inside, 1 thread", inside_one),
        ("read loop, inside, 2 threads", inside_two),
        ("stat loop, process, 2 threads", &figures.stat),
    ];
    for (what, samples) in others {
        table::time(what, samples.median()?.wall, ("read loop", limit), Goal::NONE, "");
    }
    let is_goal = n_tasks == GOAL_TASKS;
    let four_times = Goal { ratio: is_goal.then_some(4.0), time: None };
    let quick = Goal { ratio: None, time: is_goal.then_some(Duration::from_millis(25)) };
    for (name, samples, goal) in
        [("cold", &figures.cold, four_times), ("warm", &figures.warm, quick)]
    {
        let what = format!("list --ready {n_tasks} {name}");
        match samples.median() {
            Ok(cost) => {
                let inside = inside_one.median()?.wall.as_secs_f64().max(1e-9);
                let strict = cost.wall.as_secs_f64() / inside;
                let cpu = cost.cpu.as_millis();
                let note = format!("cpu {cpu} ms; {strict:.2}x the loop inside");
                table::time(&what, cost.wall, ("read loop", limit), goal, &note);
            }
            Err(why) => table::missing(&what, &why),
        }
    }
    Ok(())
}

fn list(root: &Path) -> Command {
    let mut command = Command::new(ORCH);
    command.args(["list", "--ready"]).current_dir(root);
    command
}

/// Says whether the command works at all: it must end well and name the first task.
fn check_list(root: &Path) -> Result<(), String> {
    let output = list(root).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map_err(|e| format!("did not start: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(0) if text.contains(&floor::plan::id(0)) => Ok(()),
        Some(0) => Err("it did not list the first task".to_owned()),
        Some(code) => Err(format!("exit code {code}")),
        None => Err(output.status.to_string()),
    }
}

/// Runs as the loop: what to do with each file, how many threads, which folder.
fn touch_loop(arguments: &[String]) -> Result<(), Failure> {
    let [touch, n_threads, tasks] = arguments else { return Err("three arguments".into()) };
    let touch = if touch == "stat" { Touch::Stat } else { Touch::Read };
    read::touch_all(&PathBuf::from(tasks), touch, n_threads.parse()?)?;
    Ok(())
}
