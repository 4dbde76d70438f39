//! The coordinator is killed at every call by which it changes something, one after the other: the
//! program itself runs under `strace`, which kills it there. The next run goes on from what is left.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Repo, side_by_side, told, whole_machine};
use crate::own::AtEase as _;

/// Calls that change files.
const CALLS: [&str; 9] =
    ["openat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "link", "linkat"];

/// Returns a repository with tasks that change different files and the same one, some of which land
/// together, and what a person has done in the checkout.
fn repo() -> Repo {
    let config = "max_workers: 4\nretry: {max_attempts: 4, backoff: 0s}\ngit: {batch: 3}\n";
    let both = "worker: {command: 'if grep -q \"^<<<<<<<\" list; then sed -i \"/^[<=>][<=>]/d\" list; \
                else echo $ORCH_TASK_ID >> list; fi; mkdir -p deep/er; echo x > deep/er/$ORCH_TASK_ID'}";
    let tasks = [
        ("A", both),
        ("B", both),
        ("D", "worker: {command: 'echo x > D'}\ncompletion: {verify: ['test -e D']}"),
        ("E", "worker: {command: 'echo x > E'}\ncompletion: {verify: ['test -e E']}"),
        ("C", "depends_on: [A, B]\nworker: {command: 'rm gone; sort list > sorted'}"),
    ];
    let repo = Repo::new(
        config,
        &tasks,
        &[("list", ""), ("gone", "1\n"), ("text", "1\n"), ("staged", "1\n")],
    );
    repo.write("text", "mine\n");
    repo.write("staged", "mine\n");
    repo.git("add staged");
    repo.write("note", "mine\n");
    repo
}

/// What git says of the checkout, whatever the coordinator does.
const OF_USER: &str = "M  staged\n M text\n?? note\n";

/// Returns the call that runs `orch run` under `strace`, which writes what it sees to a file.
fn traced(repo: &Repo, options: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-qq", "-o"]).arg(repo.path("trace.log"));
    strace.args(options.split(' ')).arg(env!("CARGO_BIN_EXE_orch")).args(["run", "--plain"]);
    strace.current_dir(repo.root()).stdin(Stdio::null()).at_ease();
    strace
}

/// Returns how often a call is made by the thread that makes it most often.
fn count(call: &str) -> usize {
    let repo = repo();
    let output = traced(&repo, &format!("-e trace={call}")).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let trace = repo.read("trace.log");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (thread, rest) in trace.lines().filter_map(|line| line.split_once(' ')) {
        let writes = call != "openat" || rest.contains("O_CREAT");
        if rest.trim_start().starts_with(&format!("{call}(")) && writes {
            *counts.entry(thread).or_default() += 1;
        }
    }
    counts.into_values().max().unwrap_or(0)
}

/// Kills the coordinator at the `n`th call of each thread, and again in the run after that where
/// `again`; then has a run end in peace. Returns whether the first came about.
fn kill_at(call: &str, n: usize, again: Option<usize>) -> bool {
    let repo = repo();
    let inject = |n: usize| format!("-e trace={call} -e inject={call}:signal=SIGKILL:when={n}");
    let first = traced(&repo, &inject(n)).output().unwrap();
    let mut story = told(&first);
    if let Some(again) = again {
        story += &told(&traced(&repo, &inject(again)).output().unwrap());
    }
    let output = repo.run();
    story += &told(&output);
    assert!(output.status.success(), "{call} {n} {again:?}: {story}");
    let all = repo.landings("plan").join("\n");
    let tasks = all.lines().filter_map(|line| line.split('.').next());
    let mut landed: Vec<&str> = tasks.flat_map(|tasks| tasks.split(',')).collect();
    landed.sort_unstable();
    assert_eq!(landed, ["A", "B", "C", "D", "E"], "{call} {n} {again:?}: {story}");
    assert_eq!(repo.git("show plan:sorted"), "A\nB\n", "{call} {n} {again:?}: {story}");
    assert_eq!(repo.git("status --porcelain"), OF_USER, "{call} {n} {again:?}: {story}");
    repo.check_whole(&format!("{call} {n} {again:?}: {story}"));
    !first.status.success()
}

#[test]
fn whichever_step_it_is_killed_at_nothing_is_lost_and_nothing_lands_twice() {
    if fs::metadata("/usr/bin/strace").is_err() {
        eprintln!("skipped: there is no strace");
        return;
    }
    let _machine = whole_machine();
    let steps = Mutex::new(Vec::new());
    side_by_side(&CALLS, |call| {
        steps.lock().unwrap().extend((1..=count(call)).map(|n| (call, n)));
    });
    let mut steps = steps.into_inner().unwrap();
    // All of them, over a few runs, or in one where somebody asks for it.
    let all = std::env::var_os("ORCH_ALL_STEPS").is_some();
    let part = fastrand::usize(..4);
    let mut n_seen = 0;
    steps.retain(|(call, n)| {
        n_seen += 1;
        all || n_seen % 4 == part || (*call != "openat" && *n <= 2)
    });
    let (n_killed, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    side_by_side(&steps, |(call, n)| {
        // Every other one once more, at a step of the run that goes on from there.
        let again = (n % 2 == 0).then(|| 1 + fastrand::usize(..n));
        match std::panic::catch_unwind(|| kill_at(call, n, again)) {
            Ok(is_killed) => drop(n_killed.fetch_add(is_killed.into(), Ordering::Relaxed)),
            Err(_) => wrong.lock().unwrap().push((call, n)),
        }
    });
    let (n_killed, wrong) = (n_killed.into_inner(), wrong.into_inner().unwrap());
    eprintln!("killed at {n_killed} of {} steps", steps.len());
    assert!(wrong.is_empty(), "{} of {} did harm: {wrong:?}", wrong.len(), steps.len());
    assert!(n_killed * 2 > steps.len(), "killed at {n_killed} of {} steps", steps.len());
}
