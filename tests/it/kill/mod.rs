//! The coordinator is killed again and again at random moments, and started again each time. Its
//! workers go on meanwhile: at the end every task is done, every effect has come about exactly
//! once, nothing was started again after its success was on record, and nothing runs on.
//!
//! `ORCH_SEED=…` repeats the plan and the moments of one run, as far as the machine allows.

pub(crate) mod checker;

use std::{
    cell::Cell,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use checker::{Checker, Kind};
use fastrand::Rng;

use crate::own::AtEase as _;
use crate::{cli::wait_for, supervisor};

/// How often the coordinator is killed in one test.
const N_KILLS: usize = 500;

/// No run may take longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// A worker tells the effects file when it begins, what it brings about, and when it ends. By the
/// number of its task it fails or dies the first time, reports, or leaves something running.
const WORKER: &str = r#"#!/bin/sh
say() { echo "$1 $ORCH_TASK_ID $ORCH_ATTEMPT $$" >> "$EFFECTS"; }
say begin
n=${ORCH_TASK_ID#t}
sleep 0.0$(( ($$ % 8) + 1 ))
if [ $((n % 7)) -eq 3 ]; then
  printf -- '---\nstate: done\nprogress: 100\n---\nnotes\n' > "$ORCH_STATUS_FILE.tmp"
  mv "$ORCH_STATUS_FILE.tmp" "$ORCH_STATUS_FILE"
fi
if [ $((n % 6)) -eq 1 ]; then setsid sleep 600 & fi
if [ $((n % 5)) -eq 2 ] && [ ! -e "$EFFECTS.$n" ]; then
  : > "$EFFECTS.$n"; say failure; exit 9
fi
if [ $((n % 11)) -eq 4 ] && [ ! -e "$EFFECTS.$n" ]; then
  : > "$EFFECTS.$n"; say failure; kill -KILL $$
fi
say effect
say end
"#;

/// Returns what the worker of task `n` does.
fn kind(n: usize) -> Kind {
    if n % 5 == 2 || n % 11 == 4 { Kind::FailsOnce } else { Kind::Succeeds }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Makes a plan of 30 to 60 tasks in which every task needs up to three of those before it.
fn make_plan(root: &Path, rng: &mut Rng) -> usize {
    let config = "max_workers: 4\nenv: {pass: [EFFECTS]}\nworker: {command: ./worker.sh, grace: 1s}\n\
                  retry: {max_attempts: 3, backoff: 0s}\n";
    write(root, ".orch/config.yaml", config);
    write(root, "worker.sh", WORKER);
    fs::set_permissions(root.join("worker.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let n_tasks = rng.usize(30..=60);
    for n in 0..n_tasks {
        let needs: Vec<String> = (0..rng.usize(0..=3))
            .filter(|_| n > 0)
            .map(|_| format!("t{}", rng.usize(..n)))
            .collect();
        let needs: std::collections::BTreeSet<String> = needs.into_iter().collect();
        let needs: Vec<String> = needs.into_iter().collect();
        let verify = if n % 4 == 0 { "completion: {verify: [\"true\"]}\n" } else { "" };
        let text = format!("---\ndepends_on: [{}]\n{verify}---\nTask {n}.\n", needs.join(", "));
        write(root, &format!(".orch/tasks/t{n}.md"), &text);
    }
    n_tasks
}

fn start(root: &Path, effects: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_orch"))
        .at_ease()
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

/// Kills coordinators until they were killed often enough, over as many plans as that takes.
fn kill_again_and_again(number: u64) {
    let seed = std::env::var("ORCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("ORCH_SEED={seed}");
    let mut rng = Rng::with_seed(seed.wrapping_add(number));
    let (mut n_kills, mut n_plans) = (0, 0);
    while n_kills < N_KILLS {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let effects = root.join("effects.txt");
        let n_tasks = make_plan(root, &mut rng);
        let checker = Checker::new(root, &effects, (0..n_tasks).map(kind).collect());
        n_plans += 1;
        // A plan that is cut short is brought to its end, too.
        while n_kills < N_KILLS {
            let mut child = start(root, &effects);
            // A number of looks instead of a time: the moment depends on the machine all the same.
            let n_looks = Cell::new(rng.u32(0..30_000));
            let has_ended = wait(&mut child, || {
                n_looks.set(n_looks.get().saturating_sub(1));
                n_looks.get() == 0
            });
            child.kill().unwrap();
            child.wait().unwrap();
            checker.check_whole();
            n_kills += usize::from(!has_ended);
            if has_ended {
                break;
            }
        }
        let mut child = start(root, &effects);
        assert!(wait(&mut child, || false));
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", checker.told());
        checker.check_end();
        // One that an earlier coordinator left ends with its last worker, but not at once.
        wait_for("the end of all supervisors", || supervisor::of(root).is_empty());
    }
    eprintln!("{n_kills} kills over {n_plans} plans");
}

#[test]
fn five_hundred_kills_lose_nothing_and_repeat_nothing() {
    kill_again_and_again(0);
}

#[test]
fn five_hundred_more_kills_lose_nothing_and_repeat_nothing() {
    kill_again_and_again(1);
}
