//! `orch plan`.

use std::{collections::BTreeMap, fs, path::Path};

use expect_test::expect;

use super::Sandbox;

#[test]
fn a_dry_run_tells_waves_forecast_and_what_is_left_out() {
    expect![[r#"
        2 tasks to run in 1 wave (1 of 7 tasks done; dry run, nothing is started)

        wave 1: 2 tasks
        START  END      WORKER  ID    TITLE
        now    15m 00s  1       lint  Lint
        now    2h 00m   2       docs  Write  critical

        forecast: all done in 2h 00m with 2 workers
          with 1 worker: 2h 15m
          however many workers: 2h 00m at least, along the critical path
        critical path (1 task): docs
        durations: estimates × 0.50, from 1 finished task on record

        4 tasks will not run (`orch explain ID` says what to do)
        STATE    ID     TITLE     WHY
        failed   build  Build it  failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
        hold     later  Later     is on hold
        blocked  ship   Ship it   waits for test (blocked), docs (ready)
        blocked  test   Test it   waits for build (failed)
    "#]]
    .assert_eq(&Sandbox::with_plan().orch(&["plan"]).text());
}

#[test]
fn the_number_of_workers_can_be_tried_out() {
    let sandbox = Sandbox::with_plan();
    let end =
        |n: &str| sandbox.orch(&["plan", "--workers", n, "--json"]).json()["end_seconds"].clone();
    // Estimates of 4h and 30m, halved by what `base` took.
    assert_eq!([end("1"), end("2")], [8_100.0, 7_200.0]);
    let output = sandbox.orch(&["plan", "--workers", "0"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
}

/// A real plan of 44 tasks, where it lies beside this repository.
const REAL: &str = "../shared/realdata/tanuki/tasks";

#[test]
fn waves_of_a_real_plan_respect_every_edge() {
    let Some(sandbox) = real_plan() else { return };
    let graph = sandbox.orch(&["graph", "--json"]).json();
    let edges = graph["edges"].as_array().unwrap();
    assert_eq!((graph["tasks"].as_array().unwrap().len(), edges.len()), (44, 44));

    let plan = sandbox.orch(&["plan", "--json"]).json();
    assert_eq!((plan["n_done"].as_u64(), plan["n_to_run"].as_u64()), (Some(26), Some(18)));
    let mut planned = BTreeMap::new();
    for wave in plan["waves"].as_array().unwrap() {
        for task in wave["tasks"].as_array().unwrap() {
            let times = ["start_seconds", "end_seconds"].map(|key| task[key].as_f64().unwrap());
            let number = wave["number"].as_u64().unwrap();
            planned.insert(task["id"].as_str().unwrap().to_owned(), (number, times));
        }
    }
    assert_eq!(planned.len(), 18);
    for edge in edges {
        let [task, before] = ["task", "depends_on"].map(|key| edge[key].as_str().unwrap());
        let Some((wave, [start, _])) = planned.get(task) else { continue };
        let Some((earlier, [_, end])) = planned.get(before) else { continue };
        assert!(earlier < wave && end <= start, "{before} before {task}");
    }
}

/// Copies the real plan into a sandbox; says so where it is not there.
pub(super) fn real_plan() -> Option<Sandbox> {
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join(REAL);
    if !tasks.is_dir() {
        eprintln!("SKIPPED: {REAL} is not there");
        return None;
    }
    let sandbox = Sandbox::new();
    copy(&tasks, &sandbox.path(".orch/tasks"));
    Some(sandbox)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
