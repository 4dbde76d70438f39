//! Status files as workers and programs beside them write them: torn, empty, garbage, huge, and at
//! odds with how the worker ends.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fastrand::Rng;

use rustix::process::Signal;

use super::{plan, read, recorded, running_in, send};
use crate::cli::wait_for;

/// A worker that reports once, and ends with `code` when it is told to.
fn reporting(keys: &str, code: &str) -> String {
    format!(
        "worker:\n  command: |\n    printf -- '---\\n{keys}\\n---\\nnotes\\n' > tmp.$ORCH_TASK_ID\n    mv tmp.$ORCH_TASK_ID $ORCH_STATUS_FILE\n    touch up.$ORCH_TASK_ID\n    until [ -e go ]; do sleep 0.01; done\n    {code}"
    )
}

/// Settings under which nothing is tried again.
const ONCE: &str = "max_workers: 8\nretry: {max_attempts: 1, max_crashes: 1}\n";

/// What a careless program may leave in a status file at some moment.
fn garbage(rng: &mut Rng) -> Vec<u8> {
    let whole =
        b"---\nstate: working\nprogress: 100\nmessage: never\nusage: {input_tokens: 1}\n---\n";
    match rng.u8(0..7) {
        0 => Vec::new(),
        1 => whole[..rng.usize(1..20)].to_vec(),
        2 => (0..rng.usize(1..500)).map(|_| rng.u8(..)).collect(),
        3 => [&b"---\nstate: "[..], &b"[".repeat(rng.usize(1..60_000)), b"\n---\n"].concat(),
        4 => vec![b'x'; 5 * 1024 * 1024],
        5 => b"---\nstate: dancing\nprogress: -3\n---\n".to_vec(),
        _ => [&b"---\n"[..], &vec![0; rng.usize(1..1000)], b"\n---\n"].concat(),
    }
}

/// Writes over a file in place, as a program that knows no better.
fn write_in_place(path: &PathBuf, bytes: &[u8], rng: &mut Rng) {
    let mut file = File::create(path).unwrap();
    let cut = if bytes.is_empty() { 0 } else { rng.usize(..bytes.len()) };
    file.write_all(&bytes[..cut]).unwrap();
    file.write_all(&bytes[cut..]).unwrap();
}

#[test]
fn whatever_stands_in_a_status_file_the_last_good_word_counts() {
    let keys = reporting("state: failed\\nmessage: no key\\nusage: {input_tokens: 700}", "exit 0");
    let sandbox = plan(ONCE, &[("a", &keys), ("b", &reporting("state: working", "exit 0"))]);
    let told = File::create(sandbox.path("told")).unwrap();
    let mut run = sandbox.command(&["run", "--plain"]).stdout(told).spawn().unwrap();
    wait_for("the reports", || {
        let told = read(&sandbox, "told");
        told.contains("report    a failed: no key") && told.contains("report    b working")
    });
    let path = sandbox.path(".orch/status/a.1.md");
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    for round in 0..300 {
        let bytes = garbage(&mut rng);
        write_in_place(&path, &bytes, &mut rng);
        if round % 30 == 0 {
            let output = sandbox.orch(&["show", "a", "--json"]);
            assert_eq!(output.code, 0, "{}", output.stderr);
            let shown: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            assert_eq!(shown["state"], "running");
        }
    }
    sandbox.write("go", "");
    let code = run.wait().unwrap().code();
    let text = read(&sandbox, "told");
    assert_eq!(code, Some(1), "{text}");
    assert!(!text.contains("never") && !text.contains("panicked"), "{text}");
    let record = |attempt, key| recorded(&sandbox, attempt, key);
    assert_eq!(record("a.1", "outcome"), "failed", "{text}");
    let reason = "the worker ended with exit code 0, although it reported `failed`: no key";
    assert_eq!(record("a.1", "reason"), reason);
    assert!(read(&sandbox, ".orch/runs/a.1.yaml").contains("input_tokens: 700"), "{text}");
    assert_eq!(record("b.1", "outcome"), "succeeded", "{text}");
    // The next reader says what is wrong with the file, and reads everything else.
    write_in_place(&path, b"---\nstate: dancing\n---\n", &mut rng);
    let checked = sandbox.orch(&["check"]);
    assert!(checked.stdout.contains("status/a.1.md") || checked.stderr.contains("status/a.1.md"));
}

#[test]
fn what_is_claimed_is_one_thing_and_how_it_ends_another() {
    let table = [
        // (claim, ending, outcome, claimed, reason)
        ("done", "exit 0", "succeeded", "", "exit code 0"),
        ("working", "exit 0", "succeeded", "", "exit code 0"),
        ("done", "exit 1", "failed", "done", "with exit code 1, although it reported `done`"),
        ("failed", "exit 0", "failed", "failed", "with exit code 0, although it reported `failed`"),
        ("failed", "exit 4", "failed", "", "with exit code 4"),
        ("done", "kill -KILL $$", "crashed", "done", "signal 9 (SIGKILL), although it reported"),
        ("review", "exit 0", "review", "", "the worker asks for a review"),
        ("review", "exit 1", "failed", "", "with exit code 1"),
    ];
    let keys: Vec<(String, String)> = table
        .iter()
        .enumerate()
        .map(|(n, (claim, code, ..))| {
            (format!("t{n}"), reporting(&format!("state: {claim}"), code))
        })
        .collect();
    let tasks: Vec<(&str, &str)> = keys.iter().map(|(id, keys)| (&**id, &**keys)).collect();
    let sandbox = plan(ONCE, &tasks);
    sandbox.write("go", "");
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for (n, (claim, code, outcome, claimed, reason)) in table.into_iter().enumerate() {
        let record = |key| recorded(&sandbox, &format!("t{n}.1"), key);
        let case = format!("{claim}, {code}: {}", record("reason"));
        assert_eq!((&*record("outcome"), &*record("claimed")), (outcome, claimed), "{case}");
        assert!(record("reason").contains(reason), "{case}");
    }
}

/// Makes something of the status file `path`.
type Make = fn(&Path);

#[test]
fn a_status_file_that_cannot_be_read_is_shown_as_such_until_it_can() {
    let table: [(&str, Make, &str); 8] = [
        ("empty", |path| fs::write(path, "").unwrap(), "the report has no front matter"),
        ("torn", |path| fs::write(path, "---\nstate: work").unwrap(), "is not closed"),
        ("garbage", |path| fs::write(path, [0xff, 0, 7]).unwrap(), "UTF-8"),
        ("no state", |path| fs::write(path, "---\nstate: dancing\n---\n").unwrap(), "dancing"),
        (
            "100 MB",
            |path| File::create(path).unwrap().set_len(100 * 1024 * 1024).unwrap(),
            "is larger than",
        ),
        ("folder", |path| fs::create_dir(path).unwrap(), "is a folder"),
        ("link", |path| symlink("nowhere", path).unwrap(), "is a symbolic link"),
        ("cut", |path| fs::write(path, "---\nstate: working\nmessage: \"a").unwrap(), ""),
    ];
    let worker = reporting("state: working\\nprogress: 10\\nusage: {input_tokens: 700}", "exit 0");
    let sandbox = plan(ONCE, &[("a", &worker)]);
    let told = File::create(sandbox.path("told")).unwrap();
    let mut run = sandbox.command(&["run", "--plain"]).stdout(told).spawn().unwrap();
    wait_for("the report", || read(&sandbox, "told").contains("report    a working 10%"));
    let path = sandbox.path(".orch/status/a.1.md");
    for (n, (name, make, why)) in table.into_iter().enumerate() {
        fs::remove_file(&path).unwrap();
        make(&path);
        for command in [&["show", "a"][..], &["explain", "a"], &["status"]] {
            let output = sandbox.orch(command);
            assert_eq!(output.code, 0, "{name}: {}", output.stderr);
            let says = "status file: unreadable since ";
            assert!(output.stdout.contains(says), "{name}, {command:?}: {}", output.stdout);
            assert!(output.stdout.contains(why), "{name}, {command:?}: {}", output.stdout);
        }
        let shown: serde_json::Value = sandbox.orch(&["show", "a", "--json"]).json();
        let unreadable = &shown["unreadable_report"];
        assert_eq!(unreadable["path"], ".orch/status/a.1.md", "{name}");
        assert_eq!(&shown["running"]["unreadable_report"], unreadable, "{name}");
        // It is read again as soon as it changes.
        drop(fs::remove_dir(&path).or_else(|_| fs::remove_file(&path)));
        let progress = n + 11;
        fs::write(&path, format!("---\nstate: working\nprogress: {progress}\n---\n")).unwrap();
        let says = format!("report    a working {progress}%");
        wait_for(&says, || read(&sandbox, "told").contains(&says));
        let output = sandbox.orch(&["show", "a"]).text();
        assert!(!output.contains("unreadable"), "{name}: {output}");
    }
    fs::write(&path, "---\n").unwrap();
    sandbox.write("go", "");
    let code = run.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", read(&sandbox, "told"));
    assert!(read(&sandbox, ".orch/runs/a.1.yaml").contains("input_tokens: 700"));
    let output = sandbox.orch(&["show", "a"]).text();
    assert!(output.contains("last report\n  status file: unreadable since"), "{output}");
}

#[test]
fn a_reader_never_believes_what_a_writer_in_place_has_written_half() {
    let worker = reporting("state: working\\nprogress: 1", "exit 0");
    let sandbox = plan(ONCE, &[("a", &worker)]);
    let told = File::create(sandbox.path("told")).unwrap();
    let mut run = sandbox.command(&["run", "--json"]).stdout(told).spawn().unwrap();
    wait_for("the report", || read(&sandbox, "told").contains("\"progress\":1,"));
    let path = sandbox.path(".orch/status/a.1.md");
    // Whatever is read of it, all three say the same; and each piece is written on its own.
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut last = 0;
    while Instant::now() < deadline {
        last = rng.u32(10..100);
        let text = format!(
            "---\nstate: working\nprogress: {last}\nmessage: at {last}\nusage: {{input_tokens: {last}}}\n---\n"
        );
        let mut file = File::create(&path).unwrap();
        for piece in text.as_bytes().chunks(rng.usize(1..40)) {
            file.write_all(piece).unwrap();
        }
    }
    let says = format!("\"message\":\"at {last}\"");
    wait_for(&says, || read(&sandbox, "told").contains(&says));
    sandbox.write("go", "");
    assert_eq!(run.wait().unwrap().code(), Some(0), "{}", read(&sandbox, "told"));
    let told = read(&sandbox, "told");
    let progress: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["event"] == "progress")
        .collect();
    assert!(progress.len() > 10, "{}", progress.len());
    for event in &progress[1..] {
        let percent = event["progress"].as_u64().unwrap_or_default();
        assert_eq!(event["message"], format!("at {percent}"), "{event}");
    }
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "succeeded");
}

#[test]
fn a_worker_that_somebody_stopped_is_shown_as_stopped_and_keeps_its_slot() {
    let worker =
        "worker: {command: 'touch up.$ORCH_TASK_ID; until [ -e go ]; do sleep 0.01; done'}";
    let sandbox = plan("max_workers: 1\n", &[("a", worker), ("b", worker)]);
    let told = File::create(sandbox.path("told")).unwrap();
    let mut run = sandbox.command(&["run", "--plain"]).stdout(told).spawn().unwrap();
    wait_for("the worker", || sandbox.path("up.a").exists());
    let told = || read(&sandbox, "told");
    let leader = || {
        let ledgers = fs::read_dir(sandbox.path(".orch/local/supervisors")).unwrap().flatten();
        let text: String = ledgers.map(|file| fs::read_to_string(file.path()).unwrap()).collect();
        let started = text.lines().rfind(|line| line.contains("\"started\""))?;
        let line: serde_json::Value = serde_json::from_str(started).ok()?;
        u32::try_from(line["pid"].as_u64()?).ok()
    };
    wait_for("its process", || leader().is_some());
    let pid = leader().unwrap();
    send(pid, Signal::STOP);
    let says = format!("stopped   a: process {pid} stands still");
    wait_for(&says, || told().contains(&says));
    assert_eq!(told().matches("stands still").count(), 1, "{}", told());
    for command in [&["show", "a"][..], &["explain", "a"]] {
        let output = sandbox.orch(command).text();
        assert!(output.contains("its process stands still: it is stopped"), "{output}");
    }
    let status = sandbox.orch(&["status"]).text();
    assert!(status.lines().any(|line| line.starts_with("stopped  a")), "{status}");
    assert!(!sandbox.path("up.b").exists(), "its slot was given away");
    send(pid, Signal::CONT);
    wait_for("resume", || told().contains("resume    a goes on"));
    // One that is stopped can be killed all the same.
    send(pid, Signal::STOP);
    wait_for("the second time", || told().matches("stands still").count() == 2);
    let cancelled = sandbox.orch(&["cancel", "a"]);
    assert_eq!(cancelled.code, 0, "{}", cancelled.stderr);
    wait_for("the next worker", || sandbox.path("up.b").exists());
    sandbox.write("go", "");
    assert_eq!(run.wait().unwrap().code(), Some(0), "{}", told());
    assert_eq!(running_in(&sandbox), Vec::<u32>::new());
}
