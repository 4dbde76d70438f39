//! Files and folders of the plan give way to links that lead out of it, again and again, while it is
//! read, written and carried out: nothing outside is read, and nothing is written there.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::listing;
use crate::cli::{Sandbox, record};

/// Stands in everything outside, and is never to be seen.
const OUTSIDE: &str = "OUTSIDE-OF-THE-PLAN";

/// What gives way, below `.orch`.
const SWAPPED: [&str; 17] = [
    "tasks",
    "tasks/a.md",
    "tasks/deep",
    "roles",
    "config.yaml",
    "status",
    "status/a.1.md",
    "runs",
    "runs/old.1.yaml",
    "events",
    "events/ci.yaml",
    "local/logs",
    "local/logs/a",
    "local/logs/old/1.log",
    "local/prompts",
    "local/supervisors",
    "local/spare",
];

/// How long this goes on: for long where everything is asked for.
fn time() -> Duration {
    let is_all = std::env::var_os("ORCH_ALL_STEPS").is_some();
    Duration::from_secs(if is_all { 60 } else { 4 })
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[
        (
            ".orch/config.yaml",
            "max_workers: 2\nretry: {max_attempts: 1}\nrescan: 100ms\nhooks: {done: echo hook}\n\
             worker: {command: 'echo here; sleep 0.05; echo there'}\n",
        ),
        (".orch/tasks/a.md", "---\ntitle: A\n---\n"),
        (".orch/tasks/old.md", "---\ntitle: Old\n---\n"),
        (".orch/tasks/deep/b.md", "---\ntitle: B\n---\n"),
        (".orch/roles/r.md", "---\n---\nA role.\n"),
        (".orch/events/ci.yaml", "state: pass\n"),
        (".orch/status/a.1.md", "---\nstate: working\n---\n"),
        (".orch/runs/old.1.yaml", &record("old", 1, "failed")),
        (".orch/local/logs/old/1.log", "old\n"),
        (".orch/local/prompts/x.1.md", "x"),
        (".orch/local/supervisors/.x", "x"),
        (".orch/local/spare/.x", "x"),
        (".orch/local/logs/a/.x", "x"),
    ]);
    for id in ["c", "d"] {
        sandbox.write(&format!(".orch/tasks/{id}.md"), "---\n---\n");
    }
    sandbox
}

/// Makes a folder that has under every name that is swapped what would be believed there.
fn outside() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let task = format!("---\ntitle: {OUTSIDE}\n---\n{OUTSIDE}\n");
    for path in ["tasks/a.md", "tasks/b.md", "tasks/evil.md", "tasks/deep/b.md", "roles/r.md"] {
        write(path, &task);
    }
    write("config.yaml", &format!("worker: {{command: 'echo {OUTSIDE}'}}\n"));
    write("status/a.1.md", &format!("---\nstate: working\nmessage: {OUTSIDE}\n---\n"));
    write("runs/old.1.yaml", &record("old", 1, "failed").replace("planted", OUTSIDE));
    write("events/ci.yaml", &format!("state: fail\nnote: {OUTSIDE}\n"));
    for path in ["logs/a/1.log", "logs/old/1.log", "logs/@hooks.log", "prompts/a.1.md"] {
        write(&format!("local/{path}"), &format!("{OUTSIDE}\n"));
    }
    for path in ["local/supervisors", "local/spare"] {
        fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    folder
}

/// Has one after the other give way to a link to its like outside, for an instant, until all is over.
fn swap(orch: &Path, outside: &Path, is_over: &AtomicBool, n_swaps: &AtomicUsize) {
    for (n, name) in SWAPPED.iter().cycle().enumerate() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let (path, aside) = (orch.join(name), orch.join("aside"));
        // Every other time it stands there for longer than any command takes to open it.
        let pause = Duration::from_micros(if n % 2 == 0 { 100 } else { 5_000 });
        if fs::rename(&path, &aside).is_err() {
            continue;
        }
        if symlink(outside.join(name), &path).is_ok() {
            n_swaps.fetch_add(1, Ordering::Relaxed);
            thread::sleep(pause);
            fs::remove_file(&path).unwrap_or_default();
        }
        // Somebody may have made a new one meanwhile: then that goes.
        if fs::rename(&aside, &path).is_err() {
            fs::remove_dir_all(&path).unwrap_or_default();
            fs::rename(&aside, &path).unwrap_or_default();
        }
        thread::sleep(Duration::from_micros(300));
    }
}

/// Gives commands that read and write, until all is over; returns how many.
fn command_on(sandbox: &Sandbox, commands: &[&[&str]], until: Instant) -> usize {
    let mut n_commands = 0;
    for args in commands.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let output = sandbox.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains(OUTSIDE), "{args:?}: {said}");
        assert_ne!(output.status.code(), Some(101), "{args:?}: {said}");
        n_commands += 1;
    }
    n_commands
}

/// Returns the files below `.orch` that hold what stands outside.
fn taken_in(orch: &Path) -> Vec<PathBuf> {
    let files = listing(orch).into_keys().filter(|path| path.is_file());
    files.filter(|path| fs::read(path).unwrap().windows(7).any(|w| w == b"OUTSIDE")).collect()
}

#[test]
fn links_that_come_and_go_lead_nowhere() {
    let (sandbox, outside) = (sandbox(), outside());
    let before = listing(outside.path());
    let orch = sandbox.path(".orch");
    let (is_over, n_swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let until = Instant::now() + time();
    let readers: [&[&str]; 6] = [
        &["logs", "old"],
        &["show", "a"],
        &["list"],
        &["explain", "old"],
        &["event", "--list"],
        &["show", "old", "--json"],
    ];
    let writers: [&[&str]; 8] = [
        &["run", "--plain"],
        &["retry", "a", "c", "d"],
        &["run", "--json"],
        &["event", "ci"],
        &["report", "--task=a", "--message=x"],
        &["new", "A task"],
        &["hold", "d"],
        &["retry", "old"],
    ];
    let counts = thread::scope(|scope| {
        scope.spawn(|| swap(&orch, outside.path(), &is_over, &n_swaps));
        let reading = scope.spawn(|| command_on(&sandbox, &readers, until));
        let writing = scope.spawn(|| command_on(&sandbox, &writers, until));
        let counts = (reading.join(), writing.join());
        is_over.store(true, Ordering::Relaxed);
        (counts.0.unwrap(), counts.1.unwrap())
    });
    assert_eq!(listing(outside.path()), before, "something was written outside");
    assert_eq!(taken_in(&orch), [""; 0].map(PathBuf::from), "something outside was read");
    let n_swaps = n_swaps.into_inner();
    eprintln!("{n_swaps} links, {} commands that read, {} that write", counts.0, counts.1);
    assert!(n_swaps > 50 && counts.0 > 5 && counts.1 > 5, "{n_swaps}, {counts:?}");
}

#[test]
fn links_that_stay_are_refused_with_a_word() {
    // What is a link, and which command has to say so.
    let table: [(&str, &[&str], &str); 9] = [
        ("tasks", &["list"], "`tasks` is not a folder, or is a symbolic link"),
        ("status", &["run"], "`status` is not a folder, or is a symbolic link"),
        ("runs", &["run"], "`runs` is not a folder, or is a symbolic link"),
        ("events", &["event", "ci"], "`events` is not a folder, or is a symbolic link"),
        ("local", &["run"], "`local` is not a folder, or is a symbolic link"),
        ("local/logs/old", &["logs", "old"], "`old` is not a folder, or is a symbolic link"),
        ("local/logs/old/1.log", &["logs", "old"], "`1.log` is a symbolic link"),
        ("local/prompts", &["run"], "`prompts` is not a folder, or is a symbolic link"),
        ("local/supervisors", &["run"], "`supervisors` is not a folder, or is a symbolic link"),
    ];
    for (name, args, expected) in table {
        let (sandbox, outside) = (sandbox(), outside());
        let before = listing(outside.path());
        let path = sandbox.path(".orch").join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(outside.path().join(name), &path).unwrap();
        let output = sandbox.orch(args);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains(expected) && !said.contains(OUTSIDE), "{name}: {said}");
        assert!(output.code != 0, "{name}: {said}");
        assert_eq!(listing(outside.path()), before, "{name}");
    }
}
