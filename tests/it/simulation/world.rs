//! Disk, processes and clock, as hostile as they can be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use orch::domain::{
    model::{
        attempt::{
            AttemptRecord, CheckResult, Exit, GateRecord, Outcome, ReportedState, StatusReport,
            Usage, UsageLimit, WorkerEnd,
        },
        claim::ClaimAnswer,
        config::{Config, LevelGate},
        id::{AttemptId, TaskId},
        outside::OutsideEvent,
        place::Located,
        task::{CommandLine, TaskSpec, WorkerSpec},
        time::{Now, Tick, Timestamp},
    },
    plan::{self, Plan},
    scheduler::{
        Scheduler,
        effect::{Effect, Force},
        event::Event,
        history::Recorded,
    },
};

use super::{
    Bug,
    waits::{USED, gate, watch_over},
};

const N_TASKS: usize = 8;

/// What a worker will do, decided when it starts.
#[derive(Debug, Clone)]
struct Process {
    ends_at: u64,
    exit: Exit,
    has_signal: bool,
    limit: Option<UsageLimit>,
    /// Says, before it ends, that it waits for the gate.
    is_blocked: bool,
}

impl Process {
    /// Says whether it has something to report before it ends; once.
    fn takes_report(&mut self) -> bool {
        std::mem::take(&mut self.is_blocked)
    }
}

/// Disk, processes and clock, with a checker that knows the rules but not the scheduler.
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) bug: Bug,
    pub(super) plan: Arc<Plan>,
    pub(super) now_ms: u64,
    pub(super) records: BTreeMap<AttemptId, AttemptRecord>,
    pub(super) gates: BTreeMap<(u32, u32), GateRecord>,
    processes: BTreeMap<AttemptId, Process>,
    /// Attempts whose process ended with exit code 0 by itself.
    pub(super) succeeded: BTreeSet<AttemptId>,
    /// Attempts whose process was killed by nobody here.
    pub(super) crashed: BTreeSet<AttemptId>,
    pub(super) asked_to_stop: BTreeSet<AttemptId>,
    /// By provider: until when its limit holds, by the records.
    pub(super) limited_until: BTreeMap<String, u64>,
    /// Tasks whose gate is opened, and when.
    pub(super) gates_due: Vec<(u64, TaskId)>,
    pub(super) outside: Vec<OutsideEvent>,
    /// Events under way: `(when, event)`.
    pub(super) mail: Vec<(u64, Event)>,
    pub(super) n_crashes: usize,
}

pub(super) type Check = Result<(), String>;

fn task_id(n: usize) -> TaskId {
    TaskId::parse(&format!("t{n}")).unwrap()
}

fn random_plan(rng: &mut Rng, has_edges: bool) -> Plan {
    let mut specs = Vec::new();
    for n in 0..N_TASKS {
        let mut spec = TaskSpec::new(task_id(n), format!("{n}.md"));
        for dependency in 0..n {
            if rng.u8(..) < 70 && has_edges {
                spec.depends_on.push(Located::nowhere(format!("t{dependency}")));
            }
        }
        let level = u32::try_from(1 + n * 3 / N_TASKS).unwrap();
        spec.level = rng.bool().then(|| Located::nowhere(level)).filter(|_| has_edges);
        spec.workstream = (rng.u8(..) < 60).then(|| "x".to_owned());
        spec.retry.max_attempts = Some(rng.u32(1..4));
        spec.retry.backoff = Some(Duration::from_millis(rng.u64(0..2000)));
        spec.worker.timeout = rng.bool().then(|| Duration::from_millis(1500));
        spec.worker.grace = Some(Duration::from_millis(300));
        if rng.bool() {
            spec.completion.verify.push(CommandLine::Text("check".to_owned()));
        }
        spec.completion.signal = (rng.u8(..) < 40).then(|| "OK".to_owned());
        watch_over(&mut spec, rng);
        specs.push(spec.into());
    }
    let gate = LevelGate {
        run: vec![CommandLine::Text("gate".to_owned())],
        is_required: true,
        timeout: Duration::from_secs(1),
    };
    let levels = BTreeMap::from([(1, gate)]);
    let command = Some(CommandLine::Text("work".to_owned()));
    let worker = WorkerSpec { command, ..WorkerSpec::default() };
    let claim_remote = (rng.u8(0..4) == 0).then(|| "origin".to_owned());
    let config = Config { max_workers: 3, worker, levels, claim_remote, ..Config::default() };
    plan::build(specs, [], config)
}

impl World {
    pub(super) fn new(seed: u64, bug: Bug) -> Self {
        let plan = Arc::new(random_plan(&mut Rng::with_seed(seed), true));
        Self {
            rng: Rng::with_seed(seed ^ 0x9e37_79b9),
            bug,
            plan,
            now_ms: 1_000_000,
            records: BTreeMap::new(),
            gates: BTreeMap::new(),
            processes: BTreeMap::new(),
            succeeded: BTreeSet::new(),
            crashed: BTreeSet::new(),
            asked_to_stop: BTreeSet::new(),
            limited_until: BTreeMap::new(),
            gates_due: Vec::new(),
            outside: Vec::new(),
            mail: Vec::new(),
            n_crashes: 0,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            tick: Tick(Duration::from_millis(self.now_ms)),
            wall: Timestamp(i64::try_from(self.now_ms).unwrap()),
        }
    }

    /// What a new coordinator does: stops what is left, reads the disk, goes on.
    pub(super) fn boot(&mut self, seed: u64) -> Scheduler {
        if self.bug != Bug::LeaveLeftovers {
            for (attempt, _) in std::mem::take(&mut self.processes) {
                self.maybe_report_late(&attempt);
            }
        }
        let records = self.records.values().cloned().map(|record| self.remembered(record));
        let keeps =
            |record: &AttemptRecord| self.bug != Bug::ForgetUnsettled || record.ending.is_some();
        let recorded = Recorded::default()
            .with_attempts(records.filter(keeps))
            .with_gates(self.gates.values().cloned());
        let recorded = Recorded { outside: self.facts(), ..recorded };
        let plan = if self.bug == Bug::IgnoreNeeds {
            Arc::new(random_plan(&mut Rng::with_seed(seed), false))
        } else {
            Arc::clone(&self.plan)
        };
        Scheduler::recover(plan, recorded, self.now())
    }

    /// A stopped process may have sent its exit or a report that is still under way.
    fn maybe_report_late(&mut self, attempt: &AttemptId) {
        let when = self.now_ms + self.rng.u64(0..3000);
        if self.rng.bool() {
            let exit = if self.rng.bool() { Exit::Code(0) } else { Exit::Signal(9) };
            let attempt = attempt.clone();
            self.mail.push((when, Event::exited(attempt, exit)));
        }
        if self.rng.bool() {
            self.mail.push((when, Event::StatusReported(report(attempt, ReportedState::Done))));
        }
    }

    fn start(&mut self, attempt: &AttemptId, timeout: Option<Duration>) -> Check {
        let record = self.records.get(attempt).ok_or("worker started before its record")?;
        if record.ending.is_some() {
            return Err("worker started after its record was closed".to_owned());
        }
        if self.processes.keys().any(|other| other.task == attempt.task) {
            return Err("two workers on one task".to_owned());
        }
        if self.processes.len() >= 3 {
            return Err("more workers than allowed".to_owned());
        }
        let task = self.plan.find(attempt.task.as_str()).unwrap();
        for dependency in self.plan.dependencies(task) {
            if !self.has_success(self.plan.id(*dependency)) {
                return Err("worker started before what it needs was recorded".to_owned());
            }
        }
        if self.has_success(&attempt.task) {
            return Err("task started again after its success".to_owned());
        }
        self.check_waits(&attempt.task)?;
        let spec = self.plan.spec(task);
        let is_watched = timeout.is_some() || spec.worker.heartbeat.is_some();
        let provider = spec.worker.provider.clone();
        let hangs = is_watched && self.rng.u8(..) < 40;
        let ends_at = self.now_ms + if hangs { 1_000_000 } else { self.rng.u64(1..1400) };
        let exit = match self.rng.u8(..10) {
            0..6 => Exit::Code(0),
            6 | 7 => Exit::Code(1),
            _ => Exit::Signal(9),
        };
        let has_signal = self.rng.u8(..) > 30;
        let limit = provider.filter(|_| self.rng.u8(..) < 30).map(|provider| {
            let resets = self.now_ms + self.rng.u64(1_500..20_000);
            let resets = self.rng.bool().then(|| Timestamp(i64::try_from(resets).unwrap()));
            UsageLimit { provider, resets, words: "too much".to_owned() }
        });
        let is_blocked = self.rng.u8(..) < 20;
        let process = Process { ends_at, exit, has_signal, limit, is_blocked };
        self.processes.insert(attempt.clone(), process);
        if self.rng.bool() {
            let usage = Usage { output_tokens: USED, ..Usage::default() };
            let attempt = attempt.clone();
            self.mail.push((self.now_ms + 1, Event::UsageSeen { attempt, usage }));
        }
        Ok(())
    }

    pub(super) fn has_success(&self, task: &TaskId) -> bool {
        self.records.values().any(|record| {
            record.attempt.task == *task
                && record.ending.as_ref().is_some_and(|e| e.outcome == Outcome::Succeeded)
        })
    }

    pub(super) fn carry_out(&mut self, effect: Effect) -> Check {
        let soon = self.now_ms + self.rng.u64(0..200);
        match effect {
            Effect::RecordStart(assignment) => {
                let record = AttemptRecord {
                    attempt: assignment.attempt.clone(),
                    started: self.now().wall,
                    worker: String::new(),
                    executor: "local".to_owned(),
                    nonce: String::new(),
                    log: String::new(),
                    digests: orch::domain::model::attempt::Digests::default(),
                    work: None,
                    ending: None,
                };
                if self.records.insert(assignment.attempt.clone(), record).is_some() {
                    return Err("one attempt was recorded twice".to_owned());
                }
            }
            Effect::StartWorker(assignment) => {
                self.start(&assignment.attempt, assignment.policy.timeout)?;
            }
            Effect::StopWorker { attempt, force } => {
                self.asked_to_stop.insert(attempt.clone());
                let obeys = force == Force::Kill || self.rng.bool();
                if obeys && self.processes.contains_key(&attempt) {
                    if self.bug != Bug::StopWithoutKilling {
                        self.processes.remove(&attempt);
                    }
                    let exit = Exit::Signal(15);
                    let event = Event::exited(attempt, exit);
                    self.mail.push((soon, event));
                }
            }
            Effect::StartVerify { attempt } => {
                let results = vec![check(u8::from(self.rng.u8(..) < 50))];
                self.mail.push((soon, Event::VerifyFinished { attempt, results }));
            }
            Effect::Claim(task) => {
                // Nobody else works on it, but the network fails at times.
                let event = match self.rng.u8(0..8) {
                    0 => Event::ClaimsFailed { cause: "no network".to_owned() },
                    _ => Event::ClaimAnswered { task, answer: ClaimAnswer::Own },
                };
                self.mail.push((soon, event));
            }
            Effect::RecordEnd { attempt, ending } => {
                if self.processes.contains_key(&attempt) {
                    return Err("an attempt was recorded as ended while it ran".to_owned());
                }
                if ending.outcome == Outcome::Succeeded && !self.succeeded.contains(&attempt) {
                    return Err("an attempt was settled by the exit of another".to_owned());
                }
                self.note_ending(&attempt, &ending)?;
                let record = self.records.get_mut(&attempt).ok_or("ending without a start")?;
                if record.ending.replace(*ending).is_some() {
                    return Err("one attempt ended twice".to_owned());
                }
            }
            Effect::RecordGate(record) => {
                self.gates.insert((record.level, record.number), *record);
            }
            Effect::StartGate { level, number, .. } => {
                let results = vec![check(0)];
                self.mail.push((soon, Event::GateFinished { level, number, results }));
            }
            Effect::StopVerify { .. } | Effect::StopGate { .. } | Effect::Announce(_) => {}
            _ => unreachable!("nothing is carried out apart"),
        }
        Ok(())
    }

    /// Returns what happens next, and moves the clock there; `None` when nothing ever will.
    pub(super) fn next_event(&mut self, scheduler: &Scheduler) -> Option<Event> {
        let exit = self.processes.iter().map(|(attempt, p)| (p.ends_at, attempt)).min();
        let exit = exit.map(|(when, attempt)| (when, attempt.clone()));
        let mail = self.mail.iter().enumerate().map(|(at, (when, _))| (*when, at)).min();
        let deadline = scheduler.next_deadline().filter(|_| self.bug != Bug::BackoffNeverEnds);
        let deadline =
            deadline.map(|tick| u64::try_from(tick.0.as_micros().div_ceil(1000)).unwrap());
        let opening = self.gates_due.iter().enumerate().map(|(at, (when, _))| (*when, at)).min();
        let first = [exit.as_ref().map(|e| e.0), mail.map(|m| m.0), opening.map(|g| g.0), deadline]
            .into_iter()
            .flatten()
            .min()?;
        self.now_ms = self.now_ms.max(first);
        if let Some((when, at)) = mail.filter(|(when, _)| *when == first) {
            let _ = when;
            let (_, event) = self.mail.swap_remove(at);
            return Some(self.maybe_confuse(event, scheduler));
        }
        if let Some((_, at)) = opening.filter(|(when, _)| *when == first) {
            return Some(self.open_gate(at));
        }
        if let Some((_, attempt)) = exit.filter(|(when, _)| *when == first) {
            if self.processes.get_mut(&attempt).is_some_and(Process::takes_report) {
                let waiting_for = Some(gate());
                let report = report(&attempt, ReportedState::Blocked);
                return Some(Event::StatusReported(StatusReport { waiting_for, ..report }));
            }
            let process = self.processes.remove(&attempt)?;
            if process.limit.is_none() && matches!(process.exit, Exit::Signal(_)) {
                self.crashed.insert(attempt.clone());
            }
            if process.exit.is_success() {
                self.succeeded.insert(attempt.clone());
            }
            let Process { mut exit, has_signal, limit, .. } = process;
            if self.bug == Bug::CrashIsFailure && matches!(exit, Exit::Signal(_)) {
                exit = Exit::Code(1);
            }
            let end = Box::new(WorkerEnd { has_signal, limit, ..WorkerEnd::of(exit) });
            return Some(Event::WorkerExited { attempt, end });
        }
        // Somebody hears signs of life where there are none.
        if self.bug == Bug::DeafToSilence
            && let Some(live) = scheduler.running().find(|live| live.pulse.is_some())
        {
            return Some(Event::HeartbeatSeen { attempt: live.assignment.attempt.clone() });
        }
        Some(Event::TimePassed)
    }

    fn maybe_confuse(&self, event: Event, scheduler: &Scheduler) -> Event {
        match event {
            Event::WorkerExited { attempt, end } if self.bug == Bug::OldAttemptSettles => {
                let current = scheduler.history(&attempt.task).map_or(0, |history| history.last);
                let attempt = AttemptId::new(attempt.task, current);
                Event::WorkerExited { attempt, end }
            }
            other => other,
        }
    }
}

fn check(code: u8) -> CheckResult {
    CheckResult {
        command: "check".to_owned(),
        exit: Some(Exit::Code(code.into())),
        fault: None,
        duration: Duration::ZERO,
        output_tail: String::new(),
    }
}

fn report(attempt: &AttemptId, state: ReportedState) -> StatusReport {
    StatusReport {
        attempt: attempt.clone(),
        state,
        progress: Some(50),
        message: None,
        updated: None,
        category: None,
        waiting_for: None,
        usage: Usage::default(),
        notes: String::new(),
    }
}
