//! Tables: a plan and a script of events in, the whole list of effects out.

use std::time::Duration;

use expect_test::{Expect, expect};

use super::{
    effect::Uses,
    event::{CombineAnswer, LandAnswer, MergeAnswer},
    *,
};
use crate::domain::model::{
    attempt::{
        AttemptRecord, CheckResult, Digests, Ending, Exit, ReportedState, StatusReport, Usage,
        UsageLimit, WorkerEnd,
    },
    claim::ClaimAnswer,
    config::{BreakerSpec, Config, LevelGate, OnChange, Role},
    glob::Glob,
    id::GateName,
    outside::{EventKind, OutsideEvent},
    place::Located,
    task::{
        AuthorStatus, Budget, CommandLine, Isolation, LoopSpec, Priority, TaskSpec, WorkerSpec,
    },
    time::Timestamp,
};

fn id(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

pub(super) fn attempt(text: &str) -> AttemptId {
    let (task, number) = text.rsplit_once('.').unwrap();
    AttemptId::new(id(task), number.parse().unwrap())
}

/// Reads `name key=value …`; see the match for the keys.
fn task(line: &str) -> TaskSpec {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap();
    let mut spec = TaskSpec::new(id(name), format!(".orch/tasks/{name}.md"));
    spec.retry.backoff = Some(Duration::from_secs(10));
    for word in words {
        let (key, value) = word.split_once('=').unwrap();
        let owned = value.to_owned();
        match key {
            "needs" => {
                spec.depends_on.extend(value.split(',').map(|d| Located::nowhere(d.to_owned())));
            }
            "level" => spec.level = Some(Located::nowhere(value.parse().unwrap())),
            "prio" => spec.priority = Priority(value.parse().unwrap()),
            "hours" => {
                let time = Duration::from_secs(3600 * value.parse::<u64>().unwrap());
                spec.estimate = Some(crate::domain::model::task::Estimate::Time(time));
            }
            "stream" => spec.workstream = Some(owned),
            "role" => spec.role = Some(Located::nowhere(RoleName(owned))),
            "files" => spec.files.push(Glob::parse(value).unwrap()),
            "verify" => spec.completion.verify.push(CommandLine::Text(owned)),
            "signal" => spec.completion.signal = Some(owned),
            "file" => spec.path = format!(".orch/tasks/{value}.md").into(),
            "digest" => spec.digest = owned.into(),
            "review" => spec.completion.review = true,
            "timeout" => spec.worker.timeout = Some(Duration::from_secs(value.parse().unwrap())),
            "attempts" => spec.retry.max_attempts = Some(value.parse().unwrap()),
            "crashes" => spec.retry.max_crashes = Some(value.parse().unwrap()),
            "isolation" => {
                let named = Isolation::NAMED.iter().find(|(name, _)| *name == value);
                spec.worker.isolation = Some(named.unwrap().1);
            }
            "write" => spec.worker.sandbox.write.push(owned),
            "heartbeat" => spec.worker.heartbeat = Some(seconds(value)),
            "provider" => spec.worker.provider = Some(owned),
            "milestone" => spec.milestone = Some(owned),
            "loop" => spec.repeat = Some(LoopSpec { max_iterations: Some(value.parse().unwrap()) }),
            "tokens" | "dollars" | "time" | "tries" => set_budget(&mut spec.budget, key, value),
            "waits" => spec.waits_for.push(Located::nowhere(GateName(owned))),
            "status" => {
                let named = AuthorStatus::NAMED.iter().find(|(name, _)| *name == value);
                spec.status = Located::nowhere(named.unwrap().1);
            }
            other => panic!("unknown key {other}"),
        }
    }
    spec
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.parse().unwrap())
}

fn set_budget(budget: &mut Budget, key: &str, value: &str) {
    match key {
        "tokens" => budget.tokens = Some(value.parse().unwrap()),
        "dollars" => budget.cost_usd = Some(value.parse().unwrap()),
        "time" => budget.time = Some(seconds(value)),
        "tries" => budget.attempts = Some(value.parse().unwrap()),
        other => panic!("unknown budget {other}"),
    }
}

/// Reads `@batch N`, `@workers N`, `@claims REMOTE`, `@run key=value …`, `@milestone NAME key=value …` and `@breaker CRASHES WITHIN PAUSE`.
fn set_limit(config: &mut Config, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let set = |budget: &mut Budget, words: &[&str]| {
        for (key, value) in words.iter().map(|word| word.split_once('=').unwrap()) {
            set_budget(budget, key, value);
        }
    };
    match words.as_slice() {
        ["@run", words @ ..] => set(&mut config.run_budget, words),
        ["@milestone", name, words @ ..] => {
            set(&mut config.milestones.entry((*name).to_owned()).or_default().budget, words);
        }
        ["@breaker", crashes, within, pause] => {
            let crashes = crashes.parse().unwrap();
            config.breaker =
                BreakerSpec { crashes, within: seconds(within), pause: seconds(pause) };
        }
        ["@batch", most] => config.git.batch = most.parse().unwrap(),
        ["@workers", most] => config.max_workers = most.parse().unwrap(),
        ["@claims", remote] => config.claim_remote = Some((*remote).to_owned()),
        _ => panic!("unknown limit {line}"),
    }
}

fn work() -> WorkerSpec {
    WorkerSpec { command: Some(CommandLine::Text("work".to_owned())), ..WorkerSpec::default() }
}

fn config() -> Config {
    let gate = |command: &str, is_required| LevelGate {
        run: vec![CommandLine::Text(command.to_owned())],
        is_required,
        timeout: Duration::from_secs(60),
    };
    Config {
        max_workers: 2,
        worker: work(),
        levels: BTreeMap::from([(1, gate("lint", true)), (2, gate("audit", false))]),
        ..Config::default()
    }
}

pub(super) fn plan(text: &str) -> Plan {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let (limits, tasks): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with('@'));
    let specs = tasks.into_iter().map(|line| task(line).into()).collect();
    let mut config = config();
    limits.into_iter().for_each(|line| set_limit(&mut config, line));
    let role = Role {
        name: RoleName("solo".to_owned()),
        path: ".orch/roles/solo.md".into(),
        max_workers: Some(1),
        worker: WorkerSpec::default(),
        retry: crate::domain::model::task::RetrySpec::default(),
        completion: crate::domain::model::task::Completion::default(),
        repeat: None,
        persona: String::new(),
        digest: Arc::default(),
    };
    crate::domain::plan::build(specs, [role], config)
}

pub(super) fn at(seconds: u64) -> Now {
    Now {
        tick: Tick(Duration::from_secs(seconds)),
        wall: Timestamp(i64::try_from(seconds).unwrap() * 1000),
    }
}

pub(super) fn result(command: &str, code: i32) -> CheckResult {
    CheckResult {
        command: command.to_owned(),
        exit: Some(Exit::Code(code)),
        fault: None,
        duration: Duration::ZERO,
        output_tail: String::new(),
    }
}

/// Reads what waits for approval: tasks by name, gates by level.
fn unapproved(parts: &[&str]) -> Unapproved {
    let mut unapproved = Unapproved::default();
    for part in parts {
        match part.parse() {
            Ok(level) => drop(unapproved.gates.insert(level, "it is new".to_owned())),
            Err(_) => drop(unapproved.tasks.insert(id(part), "it is new".to_owned())),
        }
    }
    unapproved
}

/// Reads one line of a script, without its time.
pub(super) fn event(line: &str, plan_text: &mut String) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["pass"] => Event::TimePassed,
        ["exit", who, code] => Event::exited(attempt(who), Exit::Code(code.parse().unwrap())),
        ["exit-unsigned", who] => {
            let end = WorkerEnd { has_signal: false, ..WorkerEnd::of(Exit::Code(0)) };
            Event::WorkerExited { attempt: attempt(who), end: Box::new(end) }
        }
        ["killed", who] => Event::exited(attempt(who), Exit::Signal(15)),
        ["no-start", who, kind] => Event::WorkerNotStarted {
            attempt: attempt(who),
            cause: "no such program `x`".to_owned(),
            is_passing: *kind == "passing",
        },
        ["started", who] => Event::WorkerStarted { attempt: attempt(who) },
        ["short"] => Event::ShortageSeen { cause: "no room".to_owned() },
        ["verified", who, code] => Event::VerifyFinished {
            attempt: attempt(who),
            results: vec![result("check", code.parse().unwrap())],
        },
        ["gate", level, number, code] => Event::GateFinished {
            level: level.parse().unwrap(),
            number: number.parse().unwrap(),
            results: vec![result("lint", code.parse().unwrap())],
        },
        ["says", who, state] => Event::StatusReported(report(who, state)),
        ["says", who, state, gate] => {
            let waiting_for = Some(GateName((*gate).to_owned()));
            Event::StatusReported(StatusReport { waiting_for, ..report(who, state) })
        }
        ["used", who, tokens] => {
            Event::StatusReported(StatusReport { usage: used(tokens), ..report(who, "working") })
        }
        ["seen", who, tokens] => Event::UsageSeen { attempt: attempt(who), usage: used(tokens) },
        ["beat", who] => Event::HeartbeatSeen { attempt: attempt(who) },
        ["lost", who] => {
            Event::WorkerLost { attempt: attempt(who), cause: "nobody knows".to_owned() }
        }
        ["limited", who, provider, resets] => {
            let resets = resets.parse().ok().map(|seconds: i64| Timestamp(seconds * 1000));
            let words = "too much".to_owned();
            let limit = UsageLimit { provider: (*provider).to_owned(), resets, words };
            let end = WorkerEnd { limit: Some(limit), ..WorkerEnd::of(Exit::Code(1)) };
            Event::WorkerExited { attempt: attempt(who), end: Box::new(end) }
        }
        ["own", task] => Event::ClaimAnswered { task: id(task), answer: ClaimAnswer::Own },
        ["other", task, who] => {
            let answer = ClaimAnswer::Other((*who).to_owned());
            Event::ClaimAnswered { task: id(task), answer }
        }
        ["no-answer"] => Event::ClaimsFailed { cause: "no network".to_owned() },
        ["others", tasks @ ..] => {
            let others = tasks.iter().map(|task| (id(task), "them".to_owned())).collect();
            Event::ClaimsSeen { others }
        }
        ["unapproved", parts @ ..] => Event::ApprovalSeen(unapproved(parts)),
        ["stop"] => Event::StopAsked(StopMode::Polite),
        ["stop-now"] => Event::StopAsked(StopMode::Now),
        ["hold"] => Event::Held(Hold::Person),
        ["hold-git"] => Event::Held(Hold::Checkout),
        ["release"] => Event::Released(Hold::Person),
        ["release-git"] => Event::Released(Hold::Checkout),
        _ => landing_event(&words).unwrap_or_else(|| plan_event(line, plan_text)),
    }
}

/// Reads one line of a script about worktrees and landings.
fn landing_event(words: &[&str]) -> Option<Event> {
    Some(match words {
        ["there", who] => Event::WorktreeReady { attempt: attempt(who) },
        ["merged", who, files @ ..] => Event::Merged {
            attempt: attempt(who),
            answer: match files {
                [] => MergeAnswer::Clean(Digests::default()),
                ["no-branch"] => MergeAnswer::NoBranch,
                files => MergeAnswer::Conflict(files.iter().map(ToString::to_string).collect()),
            },
        },
        ["combined", who, with @ ..] => Event::Combined {
            attempt: attempt(who),
            answer: match with {
                ["failed"] => CombineAnswer::Failed("no room".to_owned()),
                with => CombineAnswer::Together(with.iter().map(|who| attempt(who)).collect()),
            },
        },
        ["batch-verified", who @ .., code] => {
            let results = |who: &&str| (attempt(who), vec![result("check", code.parse().unwrap())]);
            let results: Vec<_> = who.iter().map(results).collect();
            Event::BatchVerified { attempt: results[0].0.clone(), results }
        }
        ["landed", who @ .., answer] => Event::Landed {
            attempts: who.iter().map(|who| attempt(who)).collect(),
            answer: match *answer {
                "done" => LandAnswer::Done,
                "moved" => LandAnswer::MovedOn,
                "waits" => LandAnswer::Waits,
                "given-up" => LandAnswer::GivenUp,
                "no-branch" => LandAnswer::NoBranch,
                cause => LandAnswer::Failed(cause.to_owned()),
            },
        },
        ["away"] => Event::Away(true),
        ["no-sandbox"] => Event::SandboxSeen(Some(sandbox::tests::missing("no bwrap"))),
        ["sandbox"] => Event::SandboxSeen(None),
        ["back"] => Event::Away(false),
        _ => return None,
    })
}

fn report(who: &str, state: &str) -> StatusReport {
    StatusReport {
        attempt: attempt(who),
        state: ReportedState::NAMED.iter().find(|(name, _)| *name == state).unwrap().1,
        progress: None,
        message: None,
        updated: None,
        category: None,
        waiting_for: None,
        usage: Usage::default(),
        notes: String::new(),
    }
}

fn used(tokens: &str) -> Usage {
    Usage { output_tokens: tokens.parse().unwrap(), ..Usage::default() }
}

/// Reads one line of a script that changes the plan, or the facts around it.
fn plan_event(line: &str, plan_text: &mut String) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["open", gate, who] => changed(plan_text, gate_event(gate, who)),
        ["retry", who, after] => {
            changed(plan_text, EventKind::Retry { task: id(who), after: after.parse().unwrap() })
        }
        ["accept", who] => {
            let AttemptId { task, number } = attempt(who);
            changed(plan_text, EventKind::Accept { task, attempt: number })
        }
        ["cancel", who] => changed(plan_text, EventKind::Cancel(attempt(who))),
        ["edit", ..] => {
            let line = line.trim_start_matches("edit").trim();
            let name = line.split_whitespace().next().unwrap();
            let kept = plan_text.lines().filter(|l| l.split_whitespace().next() != Some(name));
            *plan_text = kept.chain([line]).collect::<Vec<_>>().join("\n");
            Event::PlanChanged { plan: Arc::new(plan(plan_text)), outside: OutsideFacts::default() }
        }
        ["remove", name] => {
            let kept = plan_text.lines().filter(|l| l.split_whitespace().next() != Some(*name));
            *plan_text = kept.collect::<Vec<_>>().join("\n");
            Event::PlanChanged { plan: Arc::new(plan(plan_text)), outside: OutsideFacts::default() }
        }
        ["rename", from, to] => {
            let line = |line: &str| match line.strip_prefix(from) {
                Some(keys) => format!("{to} file={from}{keys}"),
                None => line.to_owned(),
            };
            *plan_text = plan_text.lines().map(str::trim).map(line).collect::<Vec<_>>().join("\n");
            Event::PlanChanged { plan: Arc::new(plan(plan_text)), outside: OutsideFacts::default() }
        }
        _ => panic!("unknown event {line}"),
    }
}

fn gate_event(gate: &str, who: &str) -> EventKind {
    EventKind::Gate { gate: GateName(gate.to_owned()), task: Some(id(who)), is_open: true }
}

fn changed(plan_text: &str, kind: EventKind) -> Event {
    let event = OutsideEvent { kind, by: None, at: None, note: None };
    Event::PlanChanged { plan: Arc::new(plan(plan_text)), outside: OutsideFacts::gather([event]) }
}

fn names(attempts: &[AttemptId]) -> String {
    attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

pub(super) fn tell(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::RecordStart(a) => format!("record-start {}", a.attempt),
        Effect::Claim(task) => format!("claim {task}"),
        Effect::PrepareWorktree(a) => format!("prepare {}", a.attempt),
        Effect::Merge { attempt } => format!("merge {attempt}"),
        Effect::Combine { attempts } => format!("combine {}", names(attempts)),
        Effect::VerifyBatch { attempts } => format!("verify-batch {}", names(attempts)),
        Effect::Land { works } => {
            let land = |(attempt, ending): &(AttemptId, Box<Ending>)| {
                format!("land {attempt}: {}", ending.reason)
            };
            works.iter().map(land).collect::<Vec<_>>().join(" + ")
        }
        Effect::StopLanding { attempt } => format!("stop-landing {attempt}"),
        Effect::RemoveWorktree { attempt } => format!("remove {attempt}"),
        Effect::StartWorker(a) => format!("start {}", a.attempt),
        Effect::StopWorker { attempt, force } => format!("stop {attempt} {force:?}"),
        Effect::StartVerify { attempt } => format!("verify {attempt}"),
        Effect::StopVerify { attempt, force } => format!("stop-verify {attempt} {force:?}"),
        Effect::RecordEnd { attempt, ending } => {
            format!("record-end {attempt} {}: {}", ending.outcome.as_str(), ending.reason)
        }
        Effect::RecordGate(gate) => format!(
            "record-gate {}.{} ended={} passed={}",
            gate.level,
            gate.number,
            gate.ended.is_some(),
            gate.is_passed
        ),
        Effect::StartGate { level, number, .. } => format!("gate {level}.{number}"),
        Effect::StopGate { force } => format!("stop-gate {force:?}"),
        Effect::Announce(Notice::Ended { attempt, retry_in: Some(wait), .. }) => {
            format!("retry {attempt} in {}s", wait.as_secs())
        }
        Effect::Announce(Notice::GaveUp { task, n_failed, of, n_blocked }) => {
            let of = match of {
                Uses::Attempts => "",
                Uses::Crashes => " crashes",
                Uses::Iterations => " iterations",
            };
            format!("gave-up {task} after {n_failed}{of}, {n_blocked} blocked")
        }
        Effect::Announce(Notice::Silent { attempt, silent_for, stopped_in }) => {
            let (silent_for, rest) = (silent_for.as_secs(), stopped_in.as_secs());
            format!("silent {attempt} for {silent_for}s, stopped in {rest}s")
        }
        Effect::Announce(Notice::LimitReached { provider, until, .. }) => {
            format!("limit {provider} until {}s", until.0 / 1000)
        }
        Effect::Announce(Notice::BreakerOpened { n_crashes, pause, .. }) => {
            format!("breaker opened after {n_crashes} for {}s", pause.as_secs())
        }
        Effect::Announce(Notice::ShortageBegan { cause }) => format!("short: {cause}"),
        Effect::Announce(Notice::ShortageEnded) => "short no more".to_owned(),
        Effect::Announce(Notice::BreakerClosed) => "breaker closed".to_owned(),
        Effect::Announce(Notice::BudgetSpent { task, milestone, words }) => {
            let task = task.as_ref().map(TaskId::as_str);
            let whose = task.or(milestone.as_deref()).unwrap_or("of the run");
            format!("budget {whose} spent: {words}")
        }
        Effect::Announce(_) => return None,
    })
}

/// Plays `script` (lines `<second> <event>`) on the plan and compares effects and final states.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the many calls")]
pub(super) fn check(plan_text: &str, script: &str, expected: Expect) {
    check_recovered(plan_text, Recorded::default(), script, &expected);
}

pub(super) fn check_recovered(
    plan_text: &str,
    recorded: Recorded,
    script: &str,
    expected: &Expect,
) {
    let mut plan_text: String = plan_text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let mut scheduler = Scheduler::recover(Arc::new(plan(&plan_text)), recorded, at(0));
    let log = play(&mut scheduler, &mut plan_text, script);
    compare(&scheduler, log, expected);
}

/// Plays `script`; returns its lines, each with the effects that follow.
pub(super) fn play(scheduler: &mut Scheduler, plan_text: &mut String, script: &str) -> Vec<String> {
    let mut log = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (second, line) = line.split_once(' ').unwrap();
        log.push(format!("{second} {line}"));
        let event = event(line, plan_text);
        let effects = scheduler.step(at(second.parse().unwrap()), event);
        log.extend(effects.iter().filter_map(tell).map(|told| format!("    {told}")));
    }
    log
}

/// Compares what was played, and the states at its end.
pub(super) fn compare(scheduler: &Scheduler, mut log: Vec<String>, expected: &Expect) {
    let plan = Arc::clone(scheduler.plan());
    let states = plan.indices().zip(scheduler.states());
    let states: Vec<String> =
        states.map(|(task, state)| format!("{}={}", plan.id(task), state.as_str())).collect();
    log.push(format!("{} {:?}", states.join(" "), scheduler.verdict()));
    expected.assert_eq(&(log.join("\n") + "\n"));
}

#[test]
fn dependents_start_when_all_they_need_is_done() {
    check(
        "a\nb needs=a\nc needs=a,b",
        "0 pass\n1 exit a.1 0\n2 exit b.1 0\n3 exit c.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 0
                record-end a.1 succeeded: exit code 0
                record-start b.1
                start b.1
            2 exit b.1 0
                record-end b.1 succeeded: exit code 0
                record-start c.1
                start c.1
            3 exit c.1 0
                record-end c.1 succeeded: exit code 0
            a=done b=done c=done Some(Finished)
        "#]],
    );
}

#[test]
fn priority_then_longest_path_then_id_decide() {
    check(
        "a\nb\nc prio=75\nd hours=9\ne needs=b hours=20",
        "0 pass\n1 exit c.1 0\n2 exit b.1 0",
        expect![[r#"
            0 pass
                record-start c.1
                start c.1
                record-start b.1
                start b.1
            1 exit c.1 0
                record-end c.1 succeeded: exit code 0
                record-start d.1
                start d.1
            2 exit b.1 0
                record-end b.1 succeeded: exit code 0
                record-start e.1
                start e.1
            a=ready b=done c=done d=running e=running None
        "#]],
    );
}

#[test]
fn a_failed_task_is_retried_and_then_blocks_its_dependents() {
    check(
        "a attempts=2\nb needs=a\nc needs=b\nd",
        "0 pass\n1 exit a.1 1\n5 exit d.1 0\n9 pass\n20 pass\n21 exit a.2 3",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start d.1
                start d.1
            1 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            5 exit d.1 0
                record-end d.1 succeeded: exit code 0
            9 pass
            20 pass
                record-start a.2
                start a.2
            21 exit a.2 3
                record-end a.2 failed: the worker ended with exit code 3
                gave-up a after 2, 2 blocked
            a=failed b=blocked c=blocked d=done Some(Finished)
        "#]],
    );
}

#[test]
fn limits_of_role_workstream_and_files_hold() {
    check(
        "a role=solo\nb role=solo\nc",
        "0 pass\n1 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
            record-start c.1
            start c.1
        1 exit a.1 0
            record-end a.1 succeeded: exit code 0
            record-start b.1
            start b.1
        a=done b=running c=running None
    "#]],
    );
    check(
        "a stream=x\nb stream=x\nc",
        "0 pass\n1 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
            record-start c.1
            start c.1
        1 exit a.1 0
            record-end a.1 succeeded: exit code 0
            record-start b.1
            start b.1
        a=done b=running c=running None
    "#]],
    );
    check(
        "a files=src/**\nb files=src/x.rs\nc files=doc/*",
        "0 pass\n1 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
            record-start c.1
            start c.1
        1 exit a.1 0
            record-end a.1 succeeded: exit code 0
            record-start b.1
            start b.1
        a=done b=running c=running None
    "#]],
    );
}

#[test]
fn levels_wait_for_all_lower_tasks_and_their_gate() {
    check(
        "a level=1\nb level=1\nc level=2\nd level=3\ne",
        "0 pass\n1 exit a.1 0\n2 exit b.1 0\n3 gate 1 1 0\n4 exit c.1 0\n5 gate 2 1 1\n6 exit e.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 exit a.1 0
                record-end a.1 succeeded: exit code 0
                record-start e.1
                start e.1
            2 exit b.1 0
                record-end b.1 succeeded: exit code 0
                record-gate 1.1 ended=false passed=false
                gate 1.1
            3 gate 1 1 0
                record-gate 1.1 ended=true passed=true
                record-start c.1
                start c.1
            4 exit c.1 0
                record-end c.1 succeeded: exit code 0
                record-gate 2.1 ended=false passed=false
                gate 2.1
            5 gate 2 1 1
                record-gate 2.1 ended=true passed=false
                record-start d.1
                start d.1
            6 exit e.1 0
                record-end e.1 succeeded: exit code 0
            a=done b=done c=done d=running e=done None
        "#]],
    );
}

#[test]
fn a_required_gate_that_fails_blocks_higher_levels() {
    check(
        "a level=1\nb level=2",
        "0 pass\n1 exit a.1 0\n3 gate 1 1 2",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 exit a.1 0
            record-end a.1 succeeded: exit code 0
            record-gate 1.1 ended=false passed=false
            gate 1.1
        3 gate 1 1 2
            record-gate 1.1 ended=true passed=false
        a=done b=blocked Some(Finished)
    "#]],
    );
}

#[test]
fn completion_is_exit_code_then_signal_then_verify() {
    check(
        "a verify=check signal=OK",
        "0 pass\n1 exit a.1 0\n2 verified a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 exit a.1 0
            verify a.1
        2 verified a.1 0
            record-end a.1 succeeded: exit code 0, verify command passed
        a=done Some(Finished)
    "#]],
    );
    check(
        "a verify=check signal=OK attempts=1",
        "0 pass\n1 exit-unsigned a.1",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 exit-unsigned a.1
            record-end a.1 failed: exit code 0, but the signal `OK` is not in the output
            gave-up a after 1, 0 blocked
        a=failed Some(Finished)
    "#]],
    );
    check(
        "a verify=check attempts=1",
        "0 pass\n1 exit a.1 0\n2 verified a.1 7",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 exit a.1 0
            verify a.1
        2 verified a.1 7
            record-end a.1 failed: verify `check` failed: exit code 7
            gave-up a after 1, 0 blocked
        a=failed Some(Finished)
    "#]],
    );
}

#[test]
fn what_the_worker_says_can_only_make_it_stricter() {
    check(
        "a attempts=1",
        "0 pass\n1 says a.1 done\n2 exit a.1 1",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 says a.1 done
        2 exit a.1 1
            record-end a.1 failed: the worker ended with exit code 1, although it reported `done`
            gave-up a after 1, 0 blocked
        a=failed Some(Finished)
    "#]],
    );
    check(
        "a attempts=1",
        "0 pass\n1 says a.1 failed\n2 exit a.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 says a.1 failed
            2 exit a.1 0
                record-end a.1 failed: the worker ended with exit code 0, although it reported `failed`
                gave-up a after 1, 0 blocked
            a=failed Some(Finished)
        "#]],
    );
    check(
        "a attempts=1\nb needs=a",
        "0 pass\n1 says a.1 review\n2 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 says a.1 review
        2 exit a.1 0
            record-end a.1 review: the worker asks for a review
        a=review b=blocked Some(Finished)
    "#]],
    );
}

#[test]
fn a_review_is_accepted_by_its_own_attempt_only() {
    check(
        "a review=yes\nb needs=a",
        "0 pass\n1 exit a.1 0\n3 accept a.1",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 0
                record-end a.1 review: exit code 0; a person must approve it
            3 accept a.1
                record-start b.1
                start b.1
            a=done b=running None
        "#]],
    );
    // The gate of the same name is about the start, not about what came of it.
    check(
        "a review=yes waits=approval",
        "0 open approval a\n1 exit a.1 0\n3 open approval a",
        expect![[r#"
            0 open approval a
                record-start a.1
                start a.1
            1 exit a.1 0
                record-end a.1 review: exit code 0; a person must approve it
            3 open approval a
            a=review Some(Finished)
        "#]],
    );
    let accepted_first = OutsideEvent {
        kind: EventKind::Accept { task: id("a"), attempt: 1 },
        by: None,
        at: None,
        note: None,
    };
    let recorded = Recorded { outside: OutsideFacts::gather([accepted_first]), ..reviewed(2) };
    check_recovered(
        "a\nb needs=a",
        recorded,
        "0 pass\n1 accept a.2",
        &expect![[r#"
        0 pass
        1 accept a.2
            record-start b.1
            start b.1
        a=done b=running None
    "#]],
    );
}

/// Returns records after which attempt `last` of `a` is in review.
fn reviewed(last: u32) -> Recorded {
    let record = |number: u32| AttemptRecord {
        attempt: attempt(&format!("a.{number}")),
        started: Timestamp(0),
        worker: "x".to_owned(),
        executor: "local".to_owned(),
        nonce: String::new(),
        log: String::new(),
        digests: Digests::default(),
        work: None,
        ending: Some(Ending {
            exit: Some(Exit::Code(0)),
            ..Ending::new(Timestamp(0), Outcome::Review, "a person must approve it")
        }),
    };
    Recorded::default().with_attempts((1..=last).map(record))
}

#[test]
fn a_timeout_asks_first_and_kills_later() {
    check(
        "a timeout=30 attempts=1",
        "0 pass\n29 pass\n30 pass\n40 pass\n41 killed a.1",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            29 pass
            30 pass
                stop a.1 Ask
            40 pass
                stop a.1 Kill
            41 killed a.1
                record-end a.1 failed: timed out after 30.0s
                gave-up a after 1, 0 blocked
            a=failed Some(Finished)
        "#]],
    );
}

#[test]
fn a_stop_interrupts_without_using_up_attempts() {
    check(
        "a\nb\nc",
        "0 pass\n1 stop\n2 killed a.1\n3 stop-now\n4 killed b.1",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
            record-start b.1
            start b.1
        1 stop
            stop a.1 Ask
            stop b.1 Ask
        2 killed a.1
            record-end a.1 interrupted: the run was stopped
        3 stop-now
            stop b.1 Kill
        4 killed b.1
            record-end b.1 interrupted: the run was stopped
        a=ready b=ready c=ready Some(Stopped)
    "#]],
    );
}

#[test]
fn an_older_attempt_has_no_say() {
    check(
        "a attempts=3",
        "0 pass\n1 exit a.1 1\n20 pass\n21 exit a.1 0\n22 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            20 pass
                record-start a.2
                start a.2
            21 exit a.1 0
            22 exit a.2 0
                record-end a.2 succeeded: exit code 0
            a=done Some(Finished)
        "#]],
    );
}

#[test]
fn gates_from_outside_open_a_task() {
    check(
        "a waits=approval\nb needs=a",
        "0 pass\n1 open approval a",
        expect![[r#"
        0 pass
        1 open approval a
            record-start a.1
            start a.1
        a=running b=waiting None
    "#]],
    );
}

#[test]
fn a_retry_revives_a_failed_task() {
    check(
        "a attempts=1\nb needs=a",
        "0 pass\n1 exit a.1 1\n2 retry a 1\n3 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                gave-up a after 1, 1 blocked
            2 retry a 1
                record-start a.2
                start a.2
            3 exit a.2 0
                record-end a.2 succeeded: exit code 0
                record-start b.1
                start b.1
            a=done b=running None
        "#]],
    );
}

#[test]
fn cancelling_a_running_task_stops_it() {
    check(
        "a\nb needs=a",
        "0 pass\n1 edit a status=cancelled\n2 killed a.1",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 edit a status=cancelled
            stop a.1 Ask
        2 killed a.1
            record-end a.1 cancelled: the task was cancelled
        a=cancelled b=blocked Some(Finished)
    "#]],
    );
}

#[test]
fn a_removed_task_runs_to_its_end() {
    check(
        "a\nb",
        "0 pass\n1 remove a\n2 exit a.1 0\n3 exit b.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 remove a
            2 exit a.1 0
                record-end a.1 succeeded: exit code 0
            3 exit b.1 0
                record-end b.1 succeeded: exit code 0
            a=cancelled b=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_removed_task_is_stopped_by_naming_its_attempt_and_does_not_start_again() {
    check(
        "a\nb verify=x\nc",
        "0 pass\n1 exit b.1 0\n2 remove a\n3 remove b\n4 cancel c.7\n5 cancel a.1\n6 pass\n7 killed a.1\n8 cancel b.1\n9 verified b.1 1\n10 exit c.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 exit b.1 0
                verify b.1
            2 remove a
            3 remove b
            4 cancel c.7
            5 cancel a.1
                stop a.1 Ask
            6 pass
            7 killed a.1
                record-end a.1 cancelled: the task was cancelled
                record-start c.1
                start c.1
            8 cancel b.1
                stop-verify b.1 Ask
            9 verified b.1 1
                record-end b.1 cancelled: the task was cancelled
            10 exit c.1 0
                record-end c.1 succeeded: exit code 0
            b=cancelled c=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_retry_of_attempts_to_come_is_not_heard() {
    check(
        "a\nb needs=a",
        "0 pass\n1 retry a 9\n2 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 retry a 9
        2 exit a.1 0
            record-end a.1 succeeded: exit code 0
            record-start b.1
            start b.1
        a=done b=running None
    "#]],
    );
}

#[test]
fn a_cancelled_attempt_keeps_its_task_back_until_a_retry() {
    check(
        "a",
        "0 pass\n1 cancel a.1\n2 killed a.1\n3 cancel a.1\n4 retry a 1\n5 cancel a.1\n6 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 cancel a.1
                stop a.1 Ask
            2 killed a.1
                record-end a.1 cancelled: the task was cancelled
            3 cancel a.1
            4 retry a 1
                record-start a.2
                start a.2
            5 cancel a.1
            6 exit a.2 0
                record-end a.2 succeeded: exit code 0
            a=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_start_that_fails_for_want_of_processes_uses_up_nothing() {
    check(
        "a attempts=1",
        "0 pass\n1 no-start a.1 passing\n3 pass\n4 no-start a.2 lasting",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 no-start a.1 passing
                short: no such program `x`
                record-end a.1 not-started: no such program `x`
            3 pass
                record-start a.2
                start a.2
            4 no-start a.2 lasting
                record-end a.2 failed: no such program `x`
                gave-up a after 1, 0 blocked
                short no more
            a=failed Some(Finished)
        "#]],
    );
}

#[test]
fn what_a_dead_coordinator_left_running_is_settled_first() {
    let record = AttemptRecord {
        attempt: attempt("a.1"),
        started: Timestamp(0),
        worker: "x".to_owned(),
        executor: "local".to_owned(),
        nonce: String::new(),
        log: String::new(),
        digests: Digests::default(),
        work: None,
        ending: None,
    };
    let recorded = Recorded::default().with_attempts([record]);
    check_recovered(
        "a attempts=1",
        recorded,
        "0 pass\n1 exit a.1 0\n2 exit a.2 0",
        &expect![[r#"
        0 pass
            record-end a.1 lost: the coordinator ended while it ran
            record-start a.2
            start a.2
        1 exit a.1 0
        2 exit a.2 0
            record-end a.2 succeeded: exit code 0
        a=done Some(Finished)
    "#]],
    );
}

#[test]
fn drafts_and_holds_block_what_needs_them() {
    check(
        "a status=draft\nb status=hold\nc needs=a\nd needs=b\ne status=done\nf needs=e\ng needs=nowhere",
        "0 pass",
        expect![[r#"
            0 pass
                record-start f.1
                start f.1
            a=draft b=hold c=blocked d=blocked e=done f=running g=blocked None
        "#]],
    );
}

#[test]
fn a_done_task_runs_again_only_where_asked_and_changed_after_its_end() {
    let table = [
        // (on_change, digest while it runs, digest after its end, runs again)
        (OnChange::Rerun, "one", "two", true),
        (OnChange::Keep, "one", "two", false),
        (OnChange::Rerun, "one", "one", false),
        // Its worker ticks a checkbox: that must not have it run for ever.
        (OnChange::Rerun, "two", "two", false),
        (OnChange::Rerun, "two", "three", true),
    ];
    for (on_change, during, after, runs_again) in table {
        let with = |digest: &str| {
            let mut spec = task("a");
            spec.digest = digest.into();
            let config = Config { on_change, worker: work(), ..Config::default() };
            Arc::new(crate::domain::plan::build(vec![spec.into()], [], config))
        };
        let changed =
            |digest| Event::PlanChanged { plan: with(digest), outside: OutsideFacts::default() };
        let mut scheduler = Scheduler::recover(with("one"), Recorded::default(), at(0));
        scheduler.step(at(1), Event::TimePassed);
        scheduler.step(at(2), changed(during));
        scheduler.step(at(3), Event::exited(attempt("a.1"), Exit::Code(0)));
        assert_eq!(scheduler.running().len(), 0, "{during}");
        scheduler.step(at(4), changed(after));
        let running: Vec<_> =
            scheduler.running().map(|live| live.assignment.attempt.number).collect();
        let expected: &[u32] = if runs_again { &[2] } else { &[] };
        assert_eq!(running, expected, "{on_change:?} {during} {after}");
        let stale = scheduler.is_stale(scheduler.plan().find("a").unwrap());
        assert_eq!(stale, !runs_again && after != "one", "{on_change:?} {during} {after}");
    }
}

#[test]
fn nothing_starts_while_it_is_held() {
    check(
        "a\nb level=1\nc level=2",
        "0 hold\n1 hold-git\n2 release\n3 release-git\n4 hold\n5 exit b.1 0\n6 exit a.1 1\n20 pass\n21 release",
        expect![[r#"
            0 hold
            1 hold-git
            2 release
            3 release-git
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            4 hold
            5 exit b.1 0
                record-end b.1 succeeded: exit code 0
            6 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            20 pass
            21 release
                record-gate 1.1 ended=false passed=false
                gate 1.1
                record-start a.2
                start a.2
            a=running b=done c=waiting None
        "#]],
    );
}

#[test]
fn a_renamed_task_waits_for_the_attempt_that_it_had_before() {
    check(
        "a\nc",
        "0 pass\n1 rename a b\n2 exit c.1 0\n3 exit a.1 0\n4 exit b.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start c.1
                start c.1
            1 rename a b
            2 exit c.1 0
                record-end c.1 succeeded: exit code 0
            3 exit a.1 0
                record-end a.1 succeeded: exit code 0
                record-start b.1
                start b.1
            4 exit b.1 0
                record-end b.1 succeeded: exit code 0
            a=cancelled b=done c=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_removed_task_is_not_tried_again() {
    check(
        "a\nb needs=a",
        "0 pass\n1 remove a\n2 exit a.1 1\n20 pass",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 remove a
        2 exit a.1 1
            record-end a.1 failed: the worker ended with exit code 1
        20 pass
        a=cancelled b=blocked Some(Finished)
    "#]],
    );
}
