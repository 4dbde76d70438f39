//! Supervisors and workers are killed again and again at random moments, and some coordinators
//! with them: no task is lost, no two attempts of one task are ever at work at once, and in the
//! end everything is done and nothing runs on.
//!
//! `ORCH_SEED=…` repeats the plan and the moments of one run, as far as the machine allows.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use fastrand::Rng;
use rustix::process::Signal;

use super::{end, of, plan, read, recorded, running_in, script, send, signal_all, start};
use crate::cli::{Sandbox, wait_for};

/// How many supervisors and workers are killed.
const N_KILLS: usize = 200;

const N_TASKS: usize = 30;

/// No wait may take longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

const CONFIG: &str = "max_workers: 4\nworker: {command: ./worker.sh, grace: 1s}\n\
                      retry: {max_attempts: 1000, max_crashes: 1000, backoff: 0s}\n\
                      breaker: {crashes: 1000, within: 1s, pause: 1ms}\n";

/// A worker says when it begins and when it ends, and first of all whether another one of its task
/// is at work: the number in the folder is that of a process that is proven to be one. By the
/// number of its task it leaves something running that cannot be known by its marks.
const WORKER: &str = r#"#!/bin/sh
say() { echo "$1 $ORCH_TASK_ID $ORCH_ATTEMPT $$" >> effects.txt; }
lock=at-work.$ORCH_TASK_ID
if ! mkdir $lock 2> /dev/null; then
  other=$(cat $lock/pid 2> /dev/null)
  if tr '\0' '\n' < /proc/$other/environ 2> /dev/null | grep -qx "ORCH_TASK_ID=$ORCH_TASK_ID"; then
    say overlap
  fi
fi
echo $$ > $lock/pid
say begin
n=${ORCH_TASK_ID#t}
case $((n % 5)) in
  1) setsid sleep 600 > /dev/null & ;;
  2) env -i PATH="$PATH" setsid sleep 600 > /dev/null 2>&1 & ;;
esac
sleep 0.0$(( ($$ % 9) + 1 ))
say effect
rm -rf $lock
"#;

/// Makes a plan in which every task needs up to two of those before it.
fn make_plan(rng: &mut Rng) -> Sandbox {
    let keys = (0..N_TASKS).map(|n| {
        let needs = (0..rng.usize(0..=2)).filter(|_| n > 0).map(|_| rng.usize(..n.max(1)));
        let needs: std::collections::BTreeSet<String> = needs.map(|n| format!("t{n}")).collect();
        let needs: Vec<String> = needs.into_iter().collect();
        (format!("t{n}"), format!("depends_on: [{}]", needs.join(", ")))
    });
    let keys: Vec<(String, String)> = keys.collect();
    let tasks: Vec<(&str, &str)> = keys.iter().map(|(id, keys)| (&**id, &**keys)).collect();
    let sandbox = plan(CONFIG, &tasks);
    script(&sandbox, "worker.sh", WORKER);
    sandbox
}

fn run(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(&["run", "--plain"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills one victim that is chosen by `rng`; returns whether there was one.
fn kill_one(sandbox: &Sandbox, rng: &mut Rng) -> bool {
    if rng.bool() {
        return signal_all(sandbox.root(), Signal::KILL) > 0;
    }
    let coordinators = |pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        !line.contains("worker.sh")
    };
    let mut workers = running_in(sandbox);
    workers.retain(|pid| !coordinators(pid));
    match rng.choice(workers) {
        Some(pid) => {
            send(pid, Signal::KILL);
            true
        }
        None => false,
    }
}

/// Waits for a number of looks, or for the end of the run; returns whether it has ended.
fn wait(child: &mut Child, n_looks: usize) -> bool {
    let deadline = Instant::now() + PATIENCE;
    for _ in 0..n_looks {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        assert!(Instant::now() < deadline, "a run takes too long");
        std::thread::yield_now();
    }
    false
}

/// Checks what holds when a plan was carried out.
fn check(sandbox: &Sandbox) {
    let log = read(sandbox, "effects.txt");
    assert!(!log.contains("overlap"), "two attempts at once:\n{log}");
    let mut begun: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    for line in log.lines().filter_map(|line| line.strip_prefix("begin ")) {
        let words: Vec<&str> = line.split(' ').collect();
        *begun.entry((words[0], words[1].parse().unwrap())).or_default() += 1;
    }
    assert!(begun.values().all(|n| *n == 1), "an attempt was started twice: {begun:?}\n{log}");
    for n in 0..N_TASKS {
        let task = format!("t{n}");
        let attempts = 1..=begun.keys().filter(|(t, _)| *t == task).map(|(_, n)| *n).max().unwrap();
        let last = *attempts.end();
        let outcomes: Vec<String> =
            attempts.map(|n| recorded(sandbox, &format!("{task}.{n}"), "outcome")).collect();
        let (success, before) = outcomes.split_last().unwrap();
        assert_eq!(success, "succeeded", "{task}: {outcomes:?}");
        for (outcome, number) in before.iter().zip(1..) {
            let has_begun = begun.contains_key(&(&*task, number));
            let is_death = ["lost", "crashed"].contains(&&**outcome);
            let reason = recorded(sandbox, &format!("{task}.{number}"), "reason");
            // A part of it was killed before it became another program: its shell says so.
            let is_part = outcome == "failed" && reason.contains("exit code 137");
            let is_right = is_death || is_part || outcome == "not-started" && !has_begun;
            assert!(
                is_right,
                "{task}.{number} begun: {has_begun}; {outcome}: {reason}; {outcomes:?}"
            );
        }
        let next = format!(".orch/runs/{task}.{}.yaml", last + 1);
        assert!(!sandbox.path(&next).exists(), "{task} was started again after its success");
        assert!(log.contains(&format!("effect {task} {last} ")), "{task}");
    }
    wait_for("the end of every process", || running_in(sandbox).is_empty());
    wait_for("the end of every supervisor", || of(sandbox.root()).is_empty());
}

#[test]
fn two_hundred_deaths_of_supervisors_and_workers_lose_nothing() {
    let seed = std::env::var("ORCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("ORCH_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let (mut n_kills, mut n_plans, mut n_restarts) = (0, 0, 0);
    while n_kills < N_KILLS {
        let sandbox = make_plan(&mut rng);
        let mut child = run(&sandbox);
        n_plans += 1;
        while n_kills < N_KILLS && !wait(&mut child, rng.usize(..30_000)) {
            n_kills += usize::from(kill_one(&sandbox, &mut rng));
            if rng.u8(..8) == 0 {
                child.kill().unwrap();
                child.wait().unwrap();
                n_restarts += 1;
                child = run(&sandbox);
            }
        }
        assert!(wait(&mut child, usize::MAX));
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", read(&sandbox, "effects.txt"));
        check(&sandbox);
    }
    eprintln!("{n_kills} deaths and {n_restarts} restarts over {n_plans} plans");
}

#[test]
fn a_coordinator_goes_on_with_a_new_supervisor() {
    let keys = "worker: {command: '[ $ORCH_ATTEMPT = 2 ] || exec sleep 600'}";
    let config = "max_workers: 2\nretry: {backoff: 0s, max_attempts: 1}\n";
    let sandbox = plan(config, &[("a", keys), ("b", keys)]);
    let mut run = start(&sandbox, &["run", "--plain"]);
    wait_for("both workers", || {
        let n_sleeping = running_in(&sandbox).into_iter().filter(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with("sleep")
        });
        n_sleeping.count() == 2
    });
    assert_eq!(signal_all(sandbox.root(), Signal::KILL), 1);
    assert!(wait(&mut run, usize::MAX));
    let (code, text) = end(run);
    assert_eq!(code, Some(0), "{text}");
    let reason = "its supervisor was killed; so was what it left running";
    for task in ["a", "b"] {
        assert_eq!(recorded(&sandbox, &format!("{task}.1"), "outcome"), "lost");
        assert_eq!(recorded(&sandbox, &format!("{task}.1"), "reason"), reason);
        assert_eq!(recorded(&sandbox, &format!("{task}.2"), "outcome"), "succeeded");
    }
    assert_eq!(running_in(&sandbox), [0; 0]);
}

/// A worker that ends with code 3 when it is told to.
const WAITING: &str = "worker: {command: 'touch up.$ORCH_ATTEMPT; until [ -e go ]; do sleep 0.01; done; exit 3'}\n\
     retry: {max_attempts: 1, backoff: 0s}";

#[test]
fn a_supervisor_that_somebody_stopped_is_set_going_again() {
    let sandbox = plan("", &[("a", WAITING)]);
    let mut first = run(&sandbox);
    wait_for("the worker", || sandbox.path("up.1").exists());
    assert_eq!(signal_all(sandbox.root(), Signal::STOP), 1);
    first.kill().unwrap();
    first.wait().unwrap();
    sandbox.write("go", "");
    let (code, text) = end(start(&sandbox, &["run", "--plain"]));
    assert_eq!(code, Some(1), "{text}");
    // It was not started again, and how it ended is known.
    assert_eq!(recorded(&sandbox, "a.1", "exit_code"), "3", "{text}");
    assert!(!sandbox.path("up.2").exists(), "{text}");
}

#[test]
fn a_supervisor_that_does_nothing_any_more_is_killed() {
    let sandbox = plan("retry: {backoff: 0s}\n", &[("a", WAITING)]);
    let mut first = run(&sandbox);
    wait_for("the worker", || sandbox.path("up.1").exists());
    first.kill().unwrap();
    first.wait().unwrap();
    wait_for("the orphaned supervisor", || ledger(&sandbox).contains("orphaned"));
    // In its place there is one that writes nothing, and looks as the ledger says.
    assert_eq!(signal_all(sandbox.root(), Signal::KILL), 1);
    wait_for("the end of the supervisor", || of(sandbox.root()).is_empty());
    let mut stuck = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", stuck.id())).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    let forged: Vec<String> = ledger(&sandbox)
        .lines()
        .filter(|line| !line.contains("orphaned"))
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            if line["kind"] == "hello" {
                line["pid"] = stuck.id().into();
                line["start_ticks"] = ticks.parse::<u64>().unwrap().into();
            }
            format!("{line}\n")
        })
        .collect();
    fs::write(ledger_path(&sandbox), forged.concat()).unwrap();
    let second = start(&sandbox, &["run", "--plain"]);
    wait_for("the second attempt", || sandbox.path("up.2").exists());
    assert!(!stuck.wait().unwrap().success());
    sandbox.write("go", "");
    let (_, text) = end(second);
    assert!(text.contains("a supervisor did nothing any more, and was killed"), "{text}");
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "lost", "{text}");
    assert_eq!(recorded(&sandbox, "a.2", "exit_code"), "3", "{text}");
    assert_eq!(running_in(&sandbox), [0; 0]);
}

fn ledger_path(sandbox: &Sandbox) -> std::path::PathBuf {
    let mut ledgers = fs::read_dir(sandbox.path(".orch/local/supervisors")).unwrap();
    ledgers.next().unwrap().unwrap().path()
}

fn ledger(sandbox: &Sandbox) -> String {
    fs::read_to_string(ledger_path(sandbox)).unwrap()
}

#[test]
fn of_two_coordinators_started_at_once_one_works_and_the_other_says_who() {
    let command = "echo $ORCH_TASK_ID.$ORCH_ATTEMPT >> begun; until [ -e go ]; do sleep 0.01; done";
    let keys = format!("worker: {{command: '{command}'}}");
    for round in 0..50 {
        let sandbox = plan("", &[("a", &keys), ("b", &keys), ("c", "worker: {command: 'true'}")]);
        let mut runs = [start(&sandbox, &["run"]), start(&sandbox, &["run"])];
        let ended = |run: &mut Child| run.try_wait().unwrap().is_some();
        let deadline = Instant::now() + PATIENCE;
        let loser = loop {
            if let Some(loser) = runs.iter_mut().position(ended) {
                break loser;
            }
            assert!(Instant::now() < deadline, "both work");
            std::thread::yield_now();
        };
        sandbox.write("go", "");
        let [one, two] = runs;
        let (loser, winner) = if loser == 0 { (one, two) } else { (two, one) };
        let holder = winner.id();
        let (code, text) = end(loser);
        assert_eq!(code, Some(3), "round {round}: {text}");
        assert!(text.contains(&format!("process {holder}")), "round {round}: {text}");
        let (code, text) = end(winner);
        assert_eq!(code, Some(0), "round {round}: {text}");
        let mut begun: Vec<String> = read(&sandbox, "begun").lines().map(str::to_owned).collect();
        begun.sort();
        assert_eq!(begun, ["a.1", "b.1"], "round {round}: {text}");
    }
}
