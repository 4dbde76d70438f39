//! Says whether what a run left is right: a second, small implementation that only reads files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What the worker of a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It succeeds.
    Succeeds,
    /// It fails or dies the first time that it runs, and succeeds the second time.
    FailsOnce,
}

/// One record, as far as it matters here.
#[derive(Debug, Clone)]
struct Record {
    task: String,
    attempt: u32,
    outcome: Option<String>,
    exit: Option<String>,
}

/// Checks one plan of tasks `t0`, `t1`, …
pub(crate) struct Checker {
    root: PathBuf,
    effects: PathBuf,
    kinds: Vec<Kind>,
}

impl Checker {
    pub(crate) fn new(root: &Path, effects: &Path, kinds: Vec<Kind>) -> Self {
        Self { root: root.to_owned(), effects: effects.to_owned(), kinds }
    }

    /// Checks what holds at every instant: each record is whole (I4), and nothing follows a
    /// success (I2).
    pub(crate) fn check_whole(&self) {
        let records = self.records();
        for (task, records) in by_task(&records) {
            let success = records.iter().position(|r| r.outcome.as_deref() == Some("succeeded"));
            let follows = success.is_some_and(|at| at + 1 < records.len());
            assert!(!follows, "{task} was started again after its success: {}", self.told());
            let open = records.iter().filter(|r| r.outcome.is_none()).count();
            assert!(open <= 1, "{task} has two attempts without an ending: {}", self.told());
        }
    }

    /// Checks what holds at the end of a plan.
    pub(crate) fn check_end(&self) {
        self.check_whole();
        let records = self.records();
        let log = fs::read_to_string(&self.effects).unwrap();
        let lines: Vec<(&str, &str, u32)> = log.lines().map(parse_line).collect();
        for (n, kind) in self.kinds.iter().enumerate() {
            let task = format!("t{n}");
            let said = |what: &str| {
                let own = lines.iter().filter(|(said, who, _)| *said == what && *who == task);
                own.map(|(.., attempt)| *attempt).collect::<Vec<u32>>()
            };
            let (begins, effects, failures) = (said("begin"), said("effect"), said("failure"));
            let n_runs = if *kind == Kind::FailsOnce { 2 } else { 1 };
            let told = || format!("{task} {kind:?}: {begins:?}\n{}", self.told());
            // I1, I3: it ran as often as it had to, each attempt once.
            assert_eq!(begins.len(), n_runs, "{}", told());
            assert_eq!((effects.len(), failures.len()), (1, n_runs - 1), "{}", told());
            let mut once = begins.clone();
            once.dedup();
            assert_eq!(once, begins, "an attempt was started twice: {}", told());
            let own: Vec<&Record> = records.iter().filter(|r| r.task == task).collect();
            assert!(own.iter().all(|r| r.outcome.is_some()), "no ending: {}", told());
            let success: Vec<&&Record> =
                own.iter().filter(|r| r.outcome.as_deref() == Some("succeeded")).collect();
            assert_eq!(success.len(), 1, "{}", told());
            // The record says of the attempts that ran how they really ended.
            assert_eq!(success[0].attempt, effects[0], "{}", told());
            assert_eq!(success[0].exit.as_deref(), Some("exit_code: 0"), "{}", told());
            for attempt in failures {
                let record = own.iter().find(|r| r.attempt == attempt).unwrap();
                let exit = record.exit.as_deref().unwrap_or_default();
                assert!(["exit_code: 9", "signal: 9"].contains(&exit), "{}", told());
            }
        }
        self.check_order(&lines);
        self.check_no_process();
    }

    /// A task begins after all that it needs have brought about their effects.
    fn check_order(&self, lines: &[(&str, &str, u32)]) {
        let place = |what: &str, task: &str| {
            lines.iter().position(|(said, who, _)| *said == what && *who == task)
        };
        for n in 0..self.kinds.len() {
            let task = format!("t{n}");
            let text = fs::read_to_string(self.root.join(format!(".orch/tasks/{task}.md")));
            let text = text.unwrap();
            let needs = text.lines().find_map(|line| line.strip_prefix("depends_on: ["));
            let needs = needs.unwrap().trim_end_matches(']').split(", ");
            for need in needs.filter(|need| !need.is_empty()) {
                let (begin, effect) = (place("begin", &task), place("effect", need));
                assert!(effect < begin, "{task} began before {need}: {}", self.told());
            }
        }
    }

    /// I5: nothing of any worker runs.
    fn check_no_process(&self) {
        let root = fs::canonicalize(&self.root).unwrap();
        let mark = format!("ORCH_ROOT={}\0", root.display());
        let runs = || {
            let all = fs::read_dir("/proc").unwrap().flatten();
            let environ = all.map(|entry| fs::read(entry.path().join("environ")));
            environ.flatten().any(|text| String::from_utf8_lossy(&text).contains(&mark))
        };
        // A killed process takes a moment to be gone.
        let deadline = Instant::now() + Duration::from_secs(10);
        while runs() {
            assert!(Instant::now() < deadline, "something of a worker runs on");
            std::thread::yield_now();
        }
    }

    fn records(&self) -> Vec<Record> {
        let Ok(folder) = fs::read_dir(self.root.join(".orch/runs")) else { return Vec::new() };
        let mut records = Vec::new();
        for entry in folder {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || !name.ends_with(".yaml") {
                continue;
            }
            // Two files change places when an ending is written: one of them may be gone.
            if let Ok(text) = fs::read_to_string(&path) {
                records.push(parse_record(&name, &text));
            }
        }
        records.sort_by(|a, b| (&a.task, a.attempt).cmp(&(&b.task, b.attempt)));
        records
    }

    /// Returns everything that is known, for the message of a failure.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        for record in self.records() {
            writeln!(text, "{record:?}").unwrap();
        }
        text + &fs::read_to_string(&self.effects).unwrap_or_default()
    }
}

fn parse_record(name: &str, text: &str) -> Record {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let (task, attempt) = name.strip_suffix(".yaml").unwrap().split_once('.').unwrap();
    let is_whole = text.starts_with("version: 1\n") && text.ends_with('\n');
    let nonce = value("nonce").unwrap_or_default();
    assert!(is_whole && nonce.len() == 16, "{name} is not whole:\n{text}");
    assert_eq!(value("task").as_deref(), Some(task), "{name}:\n{text}");
    assert_eq!(value("attempt").as_deref(), Some(attempt), "{name}:\n{text}");
    let (outcome, ended) = (value("outcome"), value("ended"));
    assert_eq!(outcome.is_some(), ended.is_some(), "{name} has half an ending:\n{text}");
    let exit =
        text.lines().find(|line| line.starts_with("exit_code: ") || line.starts_with("signal: "));
    Record {
        task: task.to_owned(),
        attempt: attempt.parse().unwrap(),
        outcome,
        exit: exit.map(str::to_owned),
    }
}

fn parse_line(line: &str) -> (&str, &str, u32) {
    let words: Vec<&str> = line.split(' ').collect();
    let [what, task, attempt, _pid] = words.as_slice() else { panic!("torn line {line:?}") };
    (what, task, attempt.parse().unwrap())
}

fn by_task(records: &[Record]) -> BTreeMap<&str, Vec<&Record>> {
    let mut found: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        found.entry(&record.task).or_default().push(record);
    }
    found
}
