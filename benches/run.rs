//! How long `orch run` takes over tasks that do nothing, beside a plain loop that starts the same
//! processes in the same order and keeps no record.
//!
//! `cargo bench --bench run`; with `-- full`, or `ORCH_BENCH_FULL=1`, 100,000 tasks as well.
//! Ninja and make run the same graph where they are installed.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

#[path = "floor/approval.rs"]
mod approval;
mod floor;
#[path = "floor/peers.rs"]
mod peers;
#[path = "floor/spawn.rs"]
mod spawn;

use std::{fs, path::Path, process::Command};

use approval::approval;
use floor::{
    Failure, ORCH,
    measure::{self, Cost, Samples},
    plan::{Plan, Shape},
    table::{self, Goal},
};
use peers::Peer;

/// The name under which this program starts itself as the spawn loop.
const LOOP: &str = "spawn-loop";

/// The number of tasks that the goals speak of.
const GOAL_TASKS: usize = 1_000;

/// What a record must survive, as `config.yaml` says it, and the goal that comes with it.
const MODES: [(&str, &str, f64); 2] =
    [("record", "process", 1.15), ("record, power-safe", "power", 1.5)];

fn main() -> Result<(), Failure> {
    if let Some(arguments) = floor::floor_arguments(LOOP) {
        return spawn_loop(&arguments);
    }
    if !floor::is_bench() {
        println!("a bench: run it with `cargo bench --bench run`");
        return Ok(());
    }
    for peer in Peer::ALL.into_iter().filter(|peer| !peer.is_installed()) {
        table::missing(peer.name(), "it is not installed");
    }
    // Nothing is removed before the end: ext4 is slow to create files for minutes after many were
    // removed, because it does not give their inodes out again at once.
    let scratch = floor::scratch()?;
    for (_, shape) in Shape::NAMED {
        bench(scratch.path(), (GOAL_TASKS, shape), &[2, 8], 5)?;
    }
    bench(scratch.path(), (10_000, Shape::Layered), &[2], 3)?;
    if floor::is_full() {
        bench(scratch.path(), (floor::FULL, Shape::Layered), &[2], 3)?;
    }
    Ok(())
}

/// Measures one plan with each number of slots.
fn bench(
    scratch: &Path,
    (n_tasks, shape): (usize, Shape),
    slots: &[usize],
    n_rounds: usize,
) -> Result<(), Failure> {
    let folder = scratch.join(format!("{n_tasks}-{}", shape.name()));
    let mut plan = Plan::write(folder, n_tasks, shape)?;
    for peer in Peer::ALL {
        peer.write(&plan)?;
    }
    for n_slots in slots {
        let mut figures = Figures::default();
        for round in 0..n_rounds {
            figures.measure(&mut plan, *n_slots, round)?;
        }
        figures.report(&plan, *n_slots)?;
    }
    let what = format!("peak memory, {n_tasks} tasks");
    configure(&plan, 2, "process")?;
    plan.put_aside()?;
    let arguments = ["run", "--json", &approval(&plan.root)?];
    let peak = measure::peak_memory(Path::new(ORCH), &arguments, &plan.root)
        .and_then(|peak| check_records(&plan).map(|()| peak));
    match peak {
        Ok(peak) => table::memory(&what, peak, None),
        Err(why) => table::missing(&what, &why),
    }
    Ok(())
}

/// All that is measured on one plan with one number of slots.
#[derive(Default)]
struct Figures {
    spawn: Samples,
    modes: [Samples; 2],
    peers: [Samples; 2],
}

impl Figures {
    /// Measures everything once; every second round goes the other way.
    fn measure(&mut self, plan: &mut Plan, n_slots: usize, round: usize) -> Result<(), Failure> {
        let mut spawn_loop = floor::program::floor(LOOP)?;
        spawn_loop.args([plan.shape.name(), &plan.n_tasks.to_string(), &n_slots.to_string()]);
        if round.is_multiple_of(2) {
            self.spawn.add(|| measure::run(&mut spawn_loop));
        }
        for (samples, (_, durability, _)) in self.modes.iter_mut().zip(MODES) {
            configure(plan, n_slots, durability)?;
            plan.put_aside()?;
            samples.add(|| run_orch(plan));
        }
        if !round.is_multiple_of(2) {
            self.spawn.add(|| measure::run(&mut spawn_loop));
        }
        for (samples, peer) in self.peers.iter_mut().zip(Peer::ALL) {
            if peer.is_installed() && round < 3 {
                samples.add(|| measure::run(&mut peer.command(plan, n_slots)));
            }
        }
        Ok(())
    }

    fn report(&self, plan: &Plan, n_slots: usize) -> Result<(), Failure> {
        let (n_tasks, shape) = (plan.n_tasks, plan.shape.name());
        table::heading(&format!("run, {n_tasks} tasks, {shape}, {n_slots} at once"));
        let limit = self.spawn.median()?;
        let note = |cost: Cost| {
            let each = |time: std::time::Duration| time.as_micros() / n_tasks.max(1) as u128;
            format!("{} us/task, cpu {} us/task", each(cost.wall), each(cost.cpu))
        };
        table::limit("spawn loop", limit.wall, &note(limit));
        let modes = self.modes.iter().zip(MODES);
        let modes = modes.map(|(samples, (name, _, most))| {
            (format!("orch run, {name}"), samples, (n_tasks == GOAL_TASKS).then_some(most))
        });
        let peers = self.peers.iter().zip(Peer::ALL).filter(|(_, peer)| peer.is_installed());
        let peers = peers.map(|(samples, peer)| (peer.name().to_owned(), samples, None));
        for (what, samples, most) in modes.chain(peers) {
            let goal = Goal { ratio: most, ..Goal::NONE };
            match samples.median() {
                Ok(cost) => {
                    let limit = ("spawn loop", limit.wall);
                    table::time(&what, cost.wall, limit, goal, &note(cost));
                }
                Err(why) => table::missing(&what, &why),
            }
        }
        Ok(())
    }
}

fn configure(plan: &Plan, n_slots: usize, durability: &str) -> Result<(), Failure> {
    let program = spawn::nothing();
    let config = format!(
        "max_workers: {n_slots}\nworker: {{command: {}}}\nretry: {{max_attempts: 1}}\ndurability: {durability}\n",
        program.display(),
    );
    Ok(fs::write(plan.root.join(".orch/config.yaml"), config)?)
}

fn run_orch(plan: &Plan) -> Result<Cost, String> {
    let mut command = Command::new(ORCH);
    let given = approval(&plan.root).map_err(|error| error.to_string())?;
    let cost = measure::run(command.args(["run", "--json", &given]).current_dir(&plan.root))?;
    check_records(plan).map(|()| cost)
}

/// Says whether every task has its record: a run that skipped some was not measured.
fn check_records(plan: &Plan) -> Result<(), String> {
    let is_record = |entry: &walkdir::DirEntry| {
        entry.file_type().is_file() && entry.path().extension().is_some_and(|e| e == "yaml")
    };
    let files = walkdir::WalkDir::new(plan.root.join(".orch/runs")).into_iter().flatten();
    match files.filter(is_record).count() {
        n if n == plan.n_tasks => Ok(()),
        n => Err(format!("{n} records of {} tasks", plan.n_tasks)),
    }
}

/// Runs as the loop: shape, number of tasks, number of slots.
fn spawn_loop(arguments: &[String]) -> Result<(), Failure> {
    let [shape, n_tasks, n_slots] = arguments else { return Err("three arguments".into()) };
    let known = Shape::NAMED.into_iter().find(|(name, _)| name == shape);
    let (_, shape) = known.ok_or("no such shape")?;
    spawn::spawn_all(shape, n_tasks.parse()?, n_slots.parse()?)
}
