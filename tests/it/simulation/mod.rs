//! The scheduler against a hostile world: random plans, workers that fail, hang, vanish and report
//! late, and a coordinator that may crash between any two effects.
//!
//! `ORCH_SEED=<n>` plays one seed; a failure names its seed. The bugs in [`Bug`] are planted one
//! at a time at the seam between scheduler and world, to show that the checks would see them.

mod waits;
mod world;

use std::sync::Arc;

use orch::domain::scheduler::{
    Scheduler, Verdict, effect::Effect, event::Event, history::Recorded, phase::TaskState,
};
use world::{Check, World};

/// Faults that a coordinator could have; each must be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// None: what is shipped.
    None,
    /// The worker starts before its record is on disk.
    StartBeforeRecord,
    /// An outcome is recorded after the tasks that depend on it were started.
    OutcomeAfterDependents,
    /// A record without an ending is taken for "never started".
    ForgetUnsettled,
    /// What a dead coordinator left running is not stopped.
    LeaveLeftovers,
    /// A worker that ran out of time is taken for dead without being stopped.
    StopWithoutKilling,
    /// The exit of an older attempt is taken for that of the current one.
    OldAttemptSettles,
    /// Tasks start without what they need.
    IgnoreNeeds,
    /// The end of a back-off is not noticed.
    BackoffNeverEnds,
    /// A worker that a signal ended counts as one that failed.
    CrashIsFailure,
    /// A silent worker is taken for one that lives.
    DeafToSilence,
    /// What attempts used is not known after a restart.
    ForgetUsage,
    /// The gate that an attempt waits for is not known after a restart.
    ForgetGate,
    /// The limit of a provider is not known after a restart.
    ForgetLimit,
}

const BUGS: [Bug; 13] = [
    Bug::StartBeforeRecord,
    Bug::OutcomeAfterDependents,
    Bug::ForgetUnsettled,
    Bug::LeaveLeftovers,
    Bug::StopWithoutKilling,
    Bug::OldAttemptSettles,
    Bug::IgnoreNeeds,
    Bug::BackoffNeverEnds,
    Bug::CrashIsFailure,
    Bug::DeafToSilence,
    Bug::ForgetUsage,
    Bug::ForgetGate,
    Bug::ForgetLimit,
];

const N_SEEDS: u64 = 1500;
const N_STEPS_MAX: usize = 4000;

/// Plants the bugs that are a wrong order of effects.
fn reorder(mut effects: Vec<Effect>, bug: Bug) -> Vec<Effect> {
    match bug {
        Bug::StartBeforeRecord => {
            effects.sort_by_key(|effect| !matches!(effect, Effect::StartWorker(_)));
        }
        Bug::OutcomeAfterDependents => {
            effects.sort_by_key(|effect| matches!(effect, Effect::RecordEnd { .. }));
        }
        _ => {}
    }
    effects
}

/// Returns all records before everything else, each in their order: how the coordinator carries
/// out what several events call for at once.
fn records_first(effects: Vec<Effect>) -> Vec<Effect> {
    let is_record = |effect: &Effect| {
        matches!(effect, Effect::RecordStart(_) | Effect::RecordEnd { .. } | Effect::RecordGate(_))
    };
    let (records, acts): (Vec<_>, Vec<_>) = effects.into_iter().partition(is_record);
    records.into_iter().chain(acts).collect()
}

/// Plays one seed to its end; returns the number of crashes.
fn play(seed: u64, bug: Bug) -> Result<usize, String> {
    let mut world = World::new(seed, bug);
    let mut scheduler = world.boot(seed);
    let mut event = Event::TimePassed;
    for _ in 0..N_STEPS_MAX {
        let effects = scheduler.step(world.now(), event);
        let effects = if seed.is_multiple_of(2) { effects } else { records_first(effects) };
        let effects = reorder(effects, bug);
        let mut has_crashed = false;
        for effect in effects {
            if world.rng.u8(..) < 6 && world.n_crashes < 10 {
                has_crashed = true;
                break;
            }
            world.carry_out(effect)?;
        }
        if has_crashed {
            world.n_crashes += 1;
            world.now_ms += world.rng.u64(0..5000);
            scheduler = world.boot(seed);
            event = Event::TimePassed;
            continue;
        }
        if scheduler.verdict() == Some(Verdict::Finished) {
            return check_end(&world, &scheduler).map(|()| world.n_crashes);
        }
        event = world.next_event(&scheduler).ok_or("the run stands still before its end")?;
    }
    Err("the run did not end".to_owned())
}

/// At the end every task is done, failed, or behind a failed one; the disk agrees.
fn check_end(world: &World, scheduler: &Scheduler) -> Check {
    let plan = scheduler.plan();
    for (task, state) in plan.indices().zip(scheduler.states()) {
        let id = plan.id(task);
        let is_recorded = world.has_success(id);
        match state {
            TaskState::Done if is_recorded => {}
            TaskState::Failed if !is_recorded && world.is_out_of(id) => {}
            TaskState::Review if !is_recorded && world.is_spent(id) => {}
            TaskState::Blocked if !is_recorded => {}
            _ => return Err(format!("{id} ended as {} against the disk", state.as_str())),
        }
    }
    let n_open = world.records.values().filter(|record| record.ending.is_none()).count();
    if n_open > 0 {
        return Err(format!("{n_open} records were left without an ending"));
    }
    let again = Recorded::default()
        .with_attempts(world.records.values().cloned())
        .with_gates(world.gates.values().cloned());
    let again = Recorded { outside: world.facts(), ..again };
    let fresh = Scheduler::recover(Arc::clone(plan), again, world.now());
    if fresh.states() != scheduler.states() {
        return Err("a fresh look at the disk shows other states".to_owned());
    }
    Ok(())
}

/// Plays a seed; an assertion of the scheduler counts as caught, too.
fn play_caught(seed: u64, bug: Bug) -> Result<usize, String> {
    std::panic::catch_unwind(|| play(seed, bug))
        .unwrap_or_else(|_| Err("an invariant of the scheduler did not hold".to_owned()))
}

fn seeds() -> Vec<u64> {
    match std::env::var("ORCH_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..N_SEEDS).collect(),
    }
}

#[test]
fn no_crash_and_no_late_report_breaks_a_run() {
    let mut n_crashes = 0;
    for seed in seeds() {
        match play(seed, Bug::None) {
            Ok(n) => n_crashes += n,
            Err(fault) => panic!("seed {seed}: {fault} (replay with ORCH_SEED={seed})"),
        }
    }
    assert!(n_crashes > 0, "the world is hostile enough to crash the coordinator");
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in BUGS {
        let caught = (0..400).find_map(|seed| play_caught(seed, bug).err().map(|f| (seed, f)));
        let (seed, fault) = caught.unwrap_or_else(|| panic!("{bug:?} was not caught"));
        println!("{bug:?}: seed {seed}: {fault}");
    }
}

#[test]
fn the_same_events_call_for_the_same_effects() {
    for seed in 0..50 {
        let log = |_| {
            let mut world = World::new(seed, Bug::None);
            let mut scheduler = world.boot(seed);
            let mut event = Event::TimePassed;
            let mut log = Vec::new();
            for _ in 0..200 {
                let effects = scheduler.step(world.now(), event);
                log.push(format!("{effects:?}"));
                for effect in effects {
                    world.carry_out(effect).unwrap();
                }
                match world.next_event(&scheduler) {
                    Some(next) => event = next,
                    None => break,
                }
            }
            log
        };
        assert_eq!(log(1), log(2), "seed {seed}");
    }
}
