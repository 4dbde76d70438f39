//! What would happen if the plan were carried out now: the scheduler itself, run on assumed
//! durations instead of workers.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use super::{
    model::{
        attempt::{CheckResult, Digests, Exit},
        id::AttemptId,
        task::CommandLine,
        time::{Now, Tick},
    },
    plan::{Plan, TaskIndex},
    scheduler::{
        Scheduler,
        effect::Effect,
        event::{Event, LandAnswer, MergeAnswer},
    },
};

/// Who starts when, and when all is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    /// The tasks that will be carried out, in the order in which they start.
    pub entries: Vec<Entry>,
    /// Time from now to the end of the last.
    pub end: Duration,
}

/// One task of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The task.
    pub task: TaskIndex,
    /// Time from now to its start; zero for what runs already.
    pub start: Duration,
    /// Time from now to its end.
    pub end: Duration,
    /// Which worker carries it out, from 0.
    pub worker: usize,
}

/// Plays the rest of the plan from where `scheduler` stands: every attempt succeeds after the
/// time that `length` gives, every gate passes at once; closed outside gates stay closed.
pub fn forecast(
    scheduler: &Scheduler,
    now: Now,
    length: impl Fn(TaskIndex) -> Duration,
) -> Forecast {
    // What is only assumed is not stopped for the time it takes.
    // Nor does it matter here what would be started.
    let plan = Plan::clone(scheduler.plan()).without_timeouts();
    let plan = plan.with_worker(&CommandLine::Words(Vec::new()));
    let mut scheduler = scheduler.with_plan(plan, now);
    let plan = Arc::clone(scheduler.plan());
    let mut play = Play {
        plan: &plan,
        length,
        ends: BinaryHeap::new(),
        free: BinaryHeap::new(),
        n_workers: 0,
        entries: Vec::new(),
    };
    for live in scheduler.running() {
        let limit = live.deadline().map(|tick| tick.0.saturating_sub(now.tick.0));
        play.start(&live.assignment.attempt, Tick::default(), limit);
    }
    let mut elapsed = Tick::default();
    let mut event = Event::TimePassed;
    loop {
        let at = Now { tick: now.tick.plus(elapsed.0), wall: now.wall.plus(elapsed.0) };
        let mut events = vec![event];
        while let Some(next) = events.pop() {
            for effect in scheduler.step(at, next) {
                events.extend(play.answer(effect, elapsed));
            }
        }
        let deadline =
            scheduler.next_deadline().map(|tick| Tick(tick.0.saturating_sub(now.tick.0)));
        let end = play.ends.peek().map(|Reverse(end)| end.tick);
        event = match (end, deadline) {
            (None, None) => break,
            (Some(end), Some(deadline)) if deadline < end => {
                elapsed = deadline;
                Event::TimePassed
            }
            (None, Some(deadline)) => {
                elapsed = deadline;
                Event::TimePassed
            }
            (Some(end), _) => {
                elapsed = end;
                let Some(Reverse(end)) = play.ends.pop() else { break };
                play.free.push(Reverse(end.worker));
                Event::exited(end.attempt, Exit::Code(0))
            }
        };
    }
    let end = play.entries.iter().map(|entry| entry.end).max().unwrap_or_default();
    Forecast { entries: play.entries, end }
}

/// Returns, for each task that will be carried out, in which wave it can start at the earliest,
/// from 1: as if every task took equally long and there were a worker for each.
pub fn waves(scheduler: &Scheduler, plan: &Plan, now: Now) -> BTreeMap<TaskIndex, usize> {
    let unit = Duration::from_secs(1);
    let everybody = u32::try_from(plan.n_tasks()).unwrap_or(u32::MAX).max(1);
    let scheduler = scheduler.with_plan(plan.clone().with_max_workers(everybody), now);
    let forecast = forecast(&scheduler, now, |_| unit);
    let wave = |entry: &Entry| usize::try_from(entry.start.as_secs()).unwrap_or(usize::MAX);
    forecast.entries.iter().map(|entry| (entry.task, wave(entry).saturating_add(1))).collect()
}

/// The end of an assumed attempt; the order is that in which they arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    tick: Tick,
    attempt: AttemptId,
    worker: usize,
}

/// The stand-in for the world.
struct Play<'a, F> {
    plan: &'a Plan,
    length: F,
    ends: BinaryHeap<Reverse<End>>,
    /// Workers that have nothing to do, lowest number first.
    free: BinaryHeap<Reverse<usize>>,
    n_workers: usize,
    entries: Vec<Entry>,
}

impl<F: Fn(TaskIndex) -> Duration> Play<'_, F> {
    /// Starts an assumed attempt; `limit` is the time after which a real one would be stopped.
    fn start(&mut self, attempt: &AttemptId, now: Tick, limit: Option<Duration>) {
        let Some(task) = self.plan.find(attempt.task.as_str()) else { return };
        let worker = self.free.pop().map_or_else(
            || {
                self.n_workers += 1;
                self.n_workers - 1
            },
            |Reverse(worker)| worker,
        );
        let limit = limit.unwrap_or(Duration::MAX).saturating_sub(Duration::from_millis(1));
        let tick = now.plus((self.length)(task).min(limit));
        self.entries.push(Entry { task, start: now.0, end: tick.0, worker });
        self.ends.push(Reverse(End { tick, attempt: attempt.clone(), worker }));
    }

    /// Carries one effect out; returns what happens at once.
    fn answer(&mut self, effect: Effect, now: Tick) -> Option<Event> {
        match effect {
            Effect::StartWorker(assignment) => {
                self.start(&assignment.attempt, now, None);
                None
            }
            Effect::PrepareWorktree(assignment) => {
                Some(Event::WorktreeReady { attempt: assignment.attempt.clone() })
            }
            Effect::Merge { attempt } => {
                Some(Event::Merged { attempt, answer: MergeAnswer::Clean(Digests::default()) })
            }
            Effect::Land { works } => {
                let attempts = works.into_iter().map(|(attempt, _)| attempt).collect();
                Some(Event::Landed { attempts, answer: LandAnswer::Done })
            }
            // Nothing moves the branch here, so nobody is overtaken.
            Effect::Combine { .. } | Effect::VerifyBatch { .. } => None,
            Effect::StartVerify { attempt } => {
                Some(Event::VerifyFinished { attempt, results: Vec::new() })
            }
            Effect::StartGate { level, number, .. } => {
                let passed = CheckResult {
                    command: String::new(),
                    exit: Some(Exit::Code(0)),
                    fault: None,
                    duration: Duration::ZERO,
                    output_tail: String::new(),
                };
                Some(Event::GateFinished { level, number, results: vec![passed] })
            }
            Effect::RecordStart(_)
            | Effect::Claim(_)
            | Effect::StopWorker { .. }
            | Effect::StopVerify { .. }
            | Effect::StopLanding { .. }
            | Effect::RemoveWorktree { .. }
            | Effect::RecordEnd { .. }
            | Effect::RecordGate(_)
            | Effect::StopGate { .. }
            | Effect::Announce(_) => None,
        }
    }
}
