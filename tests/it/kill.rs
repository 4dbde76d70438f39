//! The coordinator is killed again and again at random moments, and started again each time: at
//! the end every task is done, none was started again after its success was on record, nothing
//! runs on, and every file is whole.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fastrand::Rng;
use orch::Repository;

/// Tasks of the plan.
const N_TASKS: usize = 30;

/// How often the coordinator is killed.
const N_KILLS: usize = 50;

/// No run may take longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A worker tells the effects file when it begins and ends; some ask for a second attempt.
const WORKER: &str = r#"#!/bin/sh
echo "begin $ORCH_TASK_ID $ORCH_ATTEMPT $$" >> "$EFFECTS"
sleep 0.0$(( ($$ % 8) + 1 ))
echo "end $ORCH_TASK_ID $ORCH_ATTEMPT $$" >> "$EFFECTS"
"#;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Makes a plan in which every task needs up to two of those before it.
fn make_plan(root: &Path) {
    let config = "max_workers: 3\nenv: {pass: [EFFECTS]}\nworker: {command: ./worker.sh, grace: 1s}\nretry: {max_attempts: 2, backoff: 0s}\n";
    write(root, ".orch/config.yaml", config);
    write(root, "worker.sh", WORKER);
    let mut permissions = fs::metadata(root.join("worker.sh")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(root.join("worker.sh"), permissions).unwrap();
    for n in 0..N_TASKS {
        let needs: Vec<String> = [n.checked_sub(2), n.checked_sub(5)]
            .iter()
            .flatten()
            .map(|d| format!("t{d}"))
            .collect();
        let text = format!("---\ndepends_on: [{}]\n---\nTask {n}.\n", needs.join(", "));
        write(root, &format!(".orch/tasks/t{n}.md"), &text);
    }
}

fn start(root: &Path, effects: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_orch"))
        .args(["run", "--plain"])
        .current_dir(root)
        .env("EFFECTS", effects)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until `holds`, or until the run has ended; returns whether it has ended.
fn wait(child: &mut Child, holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        if holds() {
            return false;
        }
        assert!(Instant::now() < deadline, "a run takes too long");
        std::thread::yield_now();
    }
}

/// Returns the outcomes on record; fails where a record is not whole.
fn outcomes(root: &Path) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    let Ok(folder) = fs::read_dir(root.join(".orch/runs")) else { return outcomes };
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let is_whole = text.starts_with("version: 1\n") && text.contains("nonce: ");
        assert!(is_whole && text.ends_with('\n'), "{name} is not whole:\n{text}");
        let outcome = text.lines().find_map(|line| line.strip_prefix("outcome: "));
        outcomes.insert(name, outcome.unwrap_or("").to_owned());
    }
    outcomes
}

#[test]
fn fifty_kills_lose_nothing_and_repeat_nothing() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let effects = root.join("effects.txt");
    make_plan(root);
    let mut n_kills = 0;
    while n_kills < N_KILLS {
        let mut child = start(root, &effects);
        // A number of passes instead of a time: the moment depends on the machine all the same.
        let n_passes = std::cell::Cell::new(rng.u32(0..40_000));
        let has_ended = wait(&mut child, || {
            n_passes.set(n_passes.get().saturating_sub(1));
            n_passes.get() == 0
        });
        child.kill().unwrap();
        child.wait().unwrap();
        outcomes(root);
        n_kills += 1;
        if has_ended {
            // All was done before the kills were used up: go on with a fresh plan.
            check_end(root, &effects);
            fs::remove_dir_all(root.join(".orch/runs")).unwrap();
            fs::remove_file(&effects).unwrap();
        }
    }
    let mut child = start(root, &effects);
    assert!(wait(&mut child, || false));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    check_end(root, &effects);
}

/// Checks records and effects with nothing but the files.
fn check_end(root: &Path, effects: &Path) {
    let outcomes = outcomes(root);
    let log = fs::read_to_string(effects).unwrap();
    for n in 0..N_TASKS {
        let own = outcomes.iter().filter(|(name, _)| name.starts_with(&format!("t{n}.")));
        let successes: Vec<&String> =
            own.filter(|(_, outcome)| *outcome == "succeeded").map(|(name, _)| name).collect();
        assert_eq!(successes.len(), 1, "t{n} succeeded once: {outcomes:?}");
        let number: u32 = successes[0].split('.').nth(1).unwrap().parse().unwrap();
        let begins = log.lines().filter_map(|line| line.strip_prefix(&format!("begin t{n} ")));
        let last = begins.map(|rest| rest.split(' ').next().unwrap().parse::<u32>().unwrap()).max();
        assert_eq!(last, Some(number), "t{n} was not started again after its success");
    }
    check_one_at_a_time(&log);
    let open: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_empty()).collect();
    assert!(open.is_empty(), "records without an ending: {open:?}");
    for line in log.lines().filter_map(|line| line.strip_prefix("begin ")) {
        let pid = line.rsplit(' ').next().unwrap();
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        assert!(!environment.contains("ORCH_NONCE"), "worker {pid} runs on");
    }
    let snapshot = Repository::open(root).unwrap();
    let read = snapshot.read(orch::domain::format::task_file::Reading::Whole).unwrap();
    assert!(!read.has_errors(), "{:?}", read.diagnostics);
}

/// An attempt that ends after the next one began ran beside it.
fn check_one_at_a_time(log: &str) {
    let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, task, number, _] = words.as_slice() else { panic!("torn line {line:?}") };
        let number: u32 = number.parse().unwrap();
        let newest = newest.entry(task).or_default();
        assert!(number >= *newest, "attempt {number} of {task} ran beside attempt {newest}");
        if *what == "begin" {
            assert!(number > *newest, "attempt {number} of {task} began twice");
            *newest = number;
        }
    }
}
