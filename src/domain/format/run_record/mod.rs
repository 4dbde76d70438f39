//! Run records: `.orch/runs/<id>.<n>.yaml` and `.orch/runs/@level-<level>.<n>.<mark>.yaml`, written by the
//! coordinator.

mod gate;

pub use self::gate::{RawGateRun, parse_gate, render_gate};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    decode::{UnknownKeys, decode},
    document::{open_yaml, refusal},
    fault::{Fault, in_file},
    field::{Field, List},
    node::Node,
    number::{Code, Count, Time, Version},
    parts::{RawLimit, RawUsage},
    render, status_file,
    value::{Flag, Word},
};
use crate::domain::model::{
    attempt::{
        AttemptRecord, CheckResult, Digests, Ending, Exit, Outcome, ReportedState, ReviewKind, Work,
    },
    commit::CommitId,
    diagnostic::Diagnostic,
    id::{GateName, TaskId},
    limits::DURATION_MAX,
    place::Span,
    time::Timestamp,
};

/// The version of the format that is written.
const VERSION: u32 = 1;

/// The record of an attempt, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `outcome`")]
#[schemars(title = "Run", description = "Record of one attempt (.orch/runs/<id>.<n>.yaml)")]
pub struct RawRun {
    /// Version of this format: 1.
    pub version: Field<Version>,
    /// The task.
    pub task: Field<TaskId>,
    /// The attempt, from 1.
    pub attempt: Field<Count>,
    /// How it ended; missing while it runs, or where the coordinator died.
    pub outcome: Field<Outcome>,
    /// Why, in words.
    pub reason: Field<Word>,
    /// When the decision to start it was recorded.
    pub started: Field<Timestamp>,
    /// When it ended.
    pub ended: Field<Timestamp>,
    /// How long it took; for reading, follows from the two above.
    pub duration: Field<Time>,
    /// The command, as written.
    pub worker: Field<Word>,
    /// The kind of executor.
    pub executor: Field<Word>,
    /// How the process ended: its exit code.
    pub exit_code: Field<Code>,
    /// How the process ended: the signal that killed it.
    pub signal: Field<Code>,
    /// The branch of its worktree.
    pub branch: Field<Word>,
    /// The branch that its work lands on.
    pub onto: Field<Word>,
    /// The last commit of its branch: what was verified.
    pub commit: Field<Word>,
    /// The attempt whose work it lands, where it does nothing else.
    pub lands: Field<Count>,
    /// The files that somebody else changed, too, so that its work could not be merged.
    pub conflicts: Field<List<Word>>,
    /// The verify commands that ran, in order.
    pub verify: Field<List<RawCheck>>,
    /// What the worker reported to have used.
    pub usage: Field<RawUsage>,
    /// The limit of its provider that ended it.
    pub limit: Field<RawLimit>,
    /// The gate that it waits for.
    pub waiting_for: Field<GateName>,
    /// What kind of decision its worker asks for.
    pub category: Field<Word>,
    /// What a person is asked for, where it is in review.
    pub review: Field<ReviewKind>,
    /// What its worker claimed last, where that contradicts how it ended.
    pub claimed: Field<ReportedState>,
    /// Which iteration of a loop it was, from 1.
    pub iteration: Field<Count>,
    /// How many processes its worker left running; they were killed.
    pub leaked: Field<Count>,
    /// Whether the system killed its worker, or a part of it, as memory had run out.
    pub oom: Field<Flag>,
    /// Digest of the task file as it was run.
    pub digest: Field<Word>,
    /// Digest of the file of its role as it was run.
    pub role_digest: Field<Word>,
    /// Digest of the task file when the attempt ended, where it is another one.
    pub digest_at_end: Field<Word>,
    /// Digest of the file of its role when the attempt ended, where it is another one.
    pub role_digest_at_end: Field<Word>,
    /// Where the output is, relative to the repository root.
    pub log: Field<Word>,
    /// A random word by which the worker's processes are found again.
    pub nonce: Field<Word>,
}

/// The result of one command, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `command`")]
#[schemars(rename = "Check")]
pub struct RawCheck {
    /// The command, as written.
    pub command: Field<Word>,
    /// Its exit code.
    pub exit_code: Field<Code>,
    /// The signal that killed it.
    pub signal: Field<Code>,
    /// Why it has no exit.
    pub fault: Field<Word>,
    /// How long it took.
    pub duration: Field<Time>,
}

/// Reads the record of an attempt; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Option<AttemptRecord>, Vec<Diagnostic>) {
    let (text, root) = match open_known(path, bytes) {
        Ok(opened) => opened,
        Err(found) => return (None, found),
    };
    let mut faults = Vec::new();
    let raw: RawRun = decode(&root, UnknownKeys::Ignore, &mut faults);
    let record = record(path, raw, &mut faults);
    (record, in_file(faults, path, text))
}

fn record(path: &str, raw: RawRun, faults: &mut Vec<Fault>) -> Option<AttemptRecord> {
    let word = |field: Field<Word>| field.value.map(|word| word.0).unwrap_or_default();
    let attempt = status_file::attempt(path, raw.task.value, &raw.attempt);
    let (Some(attempt), Some(started)) = (attempt, raw.started.value) else {
        if faults.is_empty() {
            faults.push(cut_short());
        }
        return None;
    };
    // Without its outcome a record would pass for one of a running attempt.
    if raw.outcome.is_faulty() {
        return None;
    }
    let optional = |field: Field<Word>| field.value.map(|word| word.0);
    let digests = Digests { task: optional(raw.digest), role: optional(raw.role_digest) };
    let at_end = Digests {
        task: optional(raw.digest_at_end).or_else(|| digests.task.clone()),
        role: optional(raw.role_digest_at_end).or_else(|| digests.role.clone()),
    };
    let work = raw.branch.value.map(|branch| Work {
        branch: branch.0,
        onto: word(raw.onto),
        commit: optional(raw.commit).map(CommitId),
        lands: small(&raw.lands),
    });
    let ending = raw.outcome.value.map(|outcome| Ending {
        ended: raw.ended.value.unwrap_or(started),
        outcome,
        reason: word(raw.reason),
        exit: exit(&raw.exit_code, &raw.signal),
        verify: checks(raw.verify),
        conflicts: words(raw.conflicts),
        usage: raw.usage.value.map(|usage| usage.usage()).unwrap_or_default(),
        digests: at_end,
        limit: raw.limit.value.map(RawLimit::limit),
        waiting_for: raw.waiting_for.value,
        category: raw.category.value.map(|word| word.0),
        review: raw.review.value,
        claimed: raw.claimed.value,
        iteration: small(&raw.iteration).filter(|n| *n > 0),
        n_leaked: small(&raw.leaked).unwrap_or_default(),
        is_oom: raw.oom.value.is_some_and(|flag| flag.0),
    });
    Some(AttemptRecord {
        attempt,
        started,
        worker: word(raw.worker),
        executor: word(raw.executor),
        nonce: word(raw.nonce),
        log: word(raw.log),
        digests,
        work,
        ending,
    })
}

/// Opens a record; one that a newer program wrote is refused as one that is no YAML.
fn open_known<'a>(path: &str, bytes: &'a [u8]) -> Result<(&'a str, Node<'a>), Vec<Diagnostic>> {
    let (text, root) = open_yaml(bytes).map_err(|fault| refusal(fault, path, bytes))?;
    match newer_version(&root) {
        Some(fault) => Err(in_file(vec![fault], path, text)),
        None => Ok((text, root)),
    }
}

/// Refuses a record that a newer program wrote.
fn newer_version(root: &Node<'_>) -> Option<Fault> {
    let version = &root.entry("version")?.value;
    let number: u32 = version.as_text()?.parse().ok()?;
    (number > VERSION).then(|| {
        let message = format!("the record has version {number}; this program knows {VERSION}");
        Fault::error("newer-version", version.span, message).with_help("use a newer `orch`")
    })
}

fn small(count: &Field<Count>) -> Option<u32> {
    count.value.and_then(|count| u32::try_from(count.0).ok())
}

fn cut_short() -> Fault {
    Fault::error(
        "missing-key",
        Span::new(1, 1, 0),
        "the record does not say when and what it is of",
    )
    .with_help("restore it from git, or delete it")
}

fn exit(code: &Field<Code>, signal: &Field<Code>) -> Option<Exit> {
    let code = code.value.map(|code| Exit::Code(code.0));
    code.or_else(|| signal.value.map(|signal| Exit::Signal(signal.0)))
}

fn words(list: Field<List<Word>>) -> Vec<String> {
    let words = list.value.map(List::values).into_iter().flatten();
    words.map(|word| word.0).collect()
}

fn checks(list: Field<List<RawCheck>>) -> Vec<CheckResult> {
    let checks = list.value.map(List::values).into_iter().flatten();
    checks
        .map(|check| CheckResult {
            exit: exit(&check.exit_code, &check.signal),
            command: check.command.value.map(|word| word.0).unwrap_or_default(),
            fault: check.fault.value.map(|word| word.0),
            duration: check.duration.value.map(|time| time.0).unwrap_or_default(),
            output_tail: String::new(),
        })
        .collect()
}

/// Renders the record of an attempt.
pub fn render(record: &AttemptRecord) -> String {
    let mut out = String::with_capacity(512);
    let ending = record.ending.as_ref();
    render::bare(&mut out, "version", VERSION);
    render::key(&mut out, "task", record.attempt.task.as_str());
    render::bare(&mut out, "attempt", record.attempt.number);
    if let Some(ending) = ending {
        render::bare(&mut out, "outcome", ending.outcome.as_str());
        render::key(&mut out, "reason", &ending.reason);
    }
    render::bare(&mut out, "started", record.started);
    if let Some(ending) = ending {
        render::bare(&mut out, "ended", ending.ended);
        let duration = ending.ended.since(record.started);
        // Longer ones come of a clock that was wrong, and no reader takes them.
        if duration <= DURATION_MAX {
            render::duration(&mut out, "duration", duration);
        }
    }
    render::key(&mut out, "worker", &record.worker);
    render::key(&mut out, "executor", &record.executor);
    if let Some(work) = &record.work {
        render_work(&mut out, work);
    }
    if let Some(ending) = ending {
        render_exit(&mut out, "", ending.exit);
        render_checks(&mut out, "verify", &ending.verify);
        render::usage(&mut out, &ending.usage);
        render_circumstances(&mut out, ending);
    }
    render_digests(&mut out, &record.digests, ending.map(|ending| &ending.digests));
    render::key(&mut out, "log", &record.log);
    render::key(&mut out, "nonce", &record.nonce);
    out
}

fn render_work(out: &mut String, work: &Work) {
    render::key(out, "branch", &work.branch);
    render::key(out, "onto", &work.onto);
    if let Some(commit) = &work.commit {
        render::key(out, "commit", &commit.0);
    }
    if let Some(lands) = work.lands {
        render::bare(out, "lands", lands);
    }
}

/// Renders what only some endings have.
fn render_circumstances(out: &mut String, ending: &Ending) {
    if !ending.conflicts.is_empty() {
        out.push_str("conflicts:\n");
        for file in &ending.conflicts {
            render::item(out, "  ", file);
        }
    }
    if let Some(limit) = &ending.limit {
        render::limit(out, limit);
    }
    if let Some(gate) = &ending.waiting_for {
        render::key(out, "waiting_for", &gate.0);
    }
    if let Some(category) = &ending.category {
        render::key(out, "category", category);
    }
    if let Some(review) = ending.review {
        render::bare(out, "review", review.as_str());
    }
    if let Some(claimed) = ending.claimed {
        render::bare(out, "claimed", claimed.as_str());
    }
    if let Some(iteration) = ending.iteration {
        render::bare(out, "iteration", iteration);
    }
    if ending.n_leaked > 0 {
        render::bare(out, "leaked", ending.n_leaked);
    }
    if ending.is_oom {
        render::bare(out, "oom", true);
    }
}

fn render_digests(out: &mut String, at_start: &Digests, at_end: Option<&Digests>) {
    let changed = |start: &Option<String>, end: Option<&Option<String>>| {
        end.cloned().flatten().filter(|end| start.as_ref() != Some(end))
    };
    for (key, digest) in [
        ("digest", at_start.task.clone()),
        ("role_digest", at_start.role.clone()),
        ("digest_at_end", changed(&at_start.task, at_end.map(|end| &end.task))),
        ("role_digest_at_end", changed(&at_start.role, at_end.map(|end| &end.role))),
    ] {
        if let Some(digest) = digest {
            render::key(out, key, &digest);
        }
    }
}

fn render_exit(out: &mut String, indent: &str, exit: Option<Exit>) {
    if exit.is_some() {
        out.push_str(indent);
    }
    match exit {
        Some(Exit::Code(code)) => render::bare(out, "exit_code", code),
        Some(Exit::Signal(signal)) => render::bare(out, "signal", signal),
        None => {}
    }
}

fn render_checks(out: &mut String, key: &str, checks: &[CheckResult]) {
    if checks.is_empty() {
        return;
    }
    out.push_str(key);
    out.push_str(":\n");
    for check in checks {
        out.push_str("  - ");
        render::key(out, "command", &check.command);
        render_exit(out, "    ", check.exit);
        if let Some(fault) = &check.fault {
            out.push_str("    ");
            render::key(out, "fault", fault);
        }
        out.push_str("    ");
        render::duration(out, "duration", check.duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        format::scan,
        model::{
            attempt::{GateRecord, Usage, UsageLimit},
            id::{AttemptId, TaskId},
        },
    };
    use std::time::Duration;

    fn word(rng: &mut fastrand::Rng) -> String {
        const PIECES: [&str; 20] = [
            "a", "true", " ", ": ", "#", "\n", "\"", "\\", "'", "ä", "\u{1}", "\u{2028}",
            "\u{feff}", "007", "- ", "[", "{", "\t", "~", "😀",
        ];
        (0..rng.usize(..6)).map(|_| PIECES[rng.usize(..PIECES.len())]).collect()
    }

    fn checks(rng: &mut fastrand::Rng) -> Vec<CheckResult> {
        let exits = [None, Some(Exit::Code(-1)), Some(Exit::Code(0)), Some(Exit::Signal(9))];
        (0..rng.usize(..3))
            .map(|_| CheckResult {
                command: word(rng),
                exit: exits[rng.usize(..4)],
                fault: rng.bool().then(|| format!("x{}", word(rng))),
                duration: Duration::from_millis(rng.u64(..100_000_000)),
                output_tail: String::new(),
            })
            .collect()
    }

    fn record(rng: &mut fastrand::Rng) -> AttemptRecord {
        let ending = |rng: &mut fastrand::Rng| Ending {
            ended: Timestamp(1_800_000_000_000 + rng.i64(0..1_000_000)),
            outcome: Outcome::NAMED[rng.usize(..Outcome::NAMED.len())].1,
            reason: word(rng),
            exit: rng.bool().then_some(Exit::Code(rng.i32(..))),
            verify: checks(rng),
            conflicts: (0..rng.usize(..3)).map(|_| format!("x{}", word(rng))).collect(),
            usage: Usage { output_tokens: rng.u64(..), cost_usd: rng.f64(), ..Usage::default() },
            digests: Digests::default(),
            limit: rng.bool().then(|| UsageLimit {
                provider: word(rng),
                resets: rng.bool().then_some(Timestamp(1_800_000_000_000)),
                words: word(rng),
            }),
            waiting_for: rng.bool().then(|| GateName("ci/build".to_owned())),
            category: rng.bool().then(|| word(rng)),
            review: rng.choice(ReviewKind::NAMED).filter(|_| rng.bool()).map(|kind| kind.1),
            claimed: rng.choice(ReportedState::NAMED).filter(|_| rng.bool()).map(|s| s.1),
            iteration: rng.bool().then(|| rng.u32(1..)),
            n_leaked: rng.u32(..3),
            is_oom: rng.bool(),
        };
        let digest = |rng: &mut fastrand::Rng| rng.bool().then(|| format!("0e{}", rng.u8(..)));
        let at_start = Digests { task: digest(rng), role: digest(rng) };
        AttemptRecord {
            attempt: AttemptId::new(TaskId::parse("007").unwrap(), rng.u32(1..)),
            started: Timestamp(1_800_000_000_000),
            worker: word(rng),
            executor: "local".to_owned(),
            nonce: "1e3".to_owned(),
            log: ".orch/local/logs/007/1.log".to_owned(),
            digests: at_start.clone(),
            work: rng.bool().then(|| Work {
                branch: word(rng),
                onto: word(rng),
                commit: rng.bool().then(|| CommitId("0e1".to_owned())),
                lands: rng.bool().then(|| rng.u32(1..)),
            }),
            ending: rng.bool().then(|| ending(rng)).map(|ending| Ending {
                // One that is not written at the end is that of the start.
                digests: Digests {
                    task: digest(rng).or(at_start.task),
                    role: digest(rng).or(at_start.role),
                },
                ..ending
            }),
        }
    }

    #[test]
    fn records_survive_the_round_trip() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..1_000 {
            let record = record(&mut rng);
            let text = render(&record);
            assert!(scan::scan(&text, 1).is_some(), "{text}");
            let read = parse(".orch/runs/007.1.yaml", text.as_bytes());
            assert_eq!(read, (Some(record), Vec::new()), "{text}");
        }
        for _ in 0..100 {
            let checks = checks(&mut rng);
            let (started, ended) = (Timestamp(1), rng.bool().then_some(Timestamp(2)));
            let is_passed = ended.is_some() && rng.bool();
            let judged = word(&mut rng);
            let record =
                GateRecord { level: 0, number: 3, started, ended, is_passed, judged, checks };
            let text = render_gate(&record);
            let read = parse_gate(".orch/runs/@level-0.3.yaml", text.as_bytes());
            assert_eq!(read, (Some(record), Vec::new()), "{text}");
        }
    }

    #[test]
    fn a_record_reads_well() {
        let record = AttemptRecord {
            attempt: AttemptId::new(TaskId::parse("API-1").unwrap(), 2),
            started: Timestamp(1_795_169_700_000),
            worker: "./work.sh --fast".to_owned(),
            executor: "local".to_owned(),
            nonce: "k3x".to_owned(),
            log: ".orch/local/logs/API-1/2.log".to_owned(),
            digests: Digests::default(),
            work: None,
            ending: Some(Ending {
                exit: Some(Exit::Code(0)),
                verify: vec![CheckResult {
                    command: "cargo test".to_owned(),
                    exit: Some(Exit::Code(1)),
                    fault: None,
                    duration: Duration::from_millis(4_200),
                    output_tail: "not kept".to_owned(),
                }],
                usage: Usage { input_tokens: 5, cost_usd: 0.02, ..Usage::default() },
                limit: Some(UsageLimit {
                    provider: "anthropic".to_owned(),
                    resets: Some(Timestamp(1_795_173_300_000)),
                    words: "limit reached".to_owned(),
                }),
                iteration: Some(2),
                ..Ending::new(
                    Timestamp(1_795_169_761_250),
                    Outcome::Failed,
                    "`cargo test` ended with exit code 1",
                )
            }),
        };
        expect_test::expect![[r#"
            version: 1
            task: API-1
            attempt: 2
            outcome: failed
            reason: "`cargo test` ended with exit code 1"
            started: 2026-11-20T10:15:00.000Z
            ended: 2026-11-20T10:16:01.250Z
            duration: 1m1s250ms
            worker: "./work.sh --fast"
            executor: local
            exit_code: 0
            verify:
              - command: cargo test
                exit_code: 1
                duration: 4s200ms
            usage: {input_tokens: 5, output_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: 0.02}
            limit:
              provider: anthropic
              resets: 2026-11-20T11:15:00.000Z
              words: limit reached
            iteration: 2
            log: ".orch/local/logs/API-1/2.log"
            nonce: k3x
        "#]].assert_eq(&render(&record));
    }

    #[test]
    fn a_record_of_the_future_is_refused() {
        let (record, faults) = parse(".orch/runs/a.1.yaml", b"version: 2\nfoo: bar\n");
        assert_eq!((record, faults.first().map(|f| f.code)), (None, Some("newer-version")));
    }
}
