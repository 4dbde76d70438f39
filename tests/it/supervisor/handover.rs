//! What one coordinator leaves to the next in the middle of something.

use rustix::process::Signal;

use crate::cli::{Sandbox, plan, read, signal, start, wait_for};

fn record(sandbox: &Sandbox) -> String {
    read(sandbox, ".orch/runs/a.1.yaml")
}

/// Waits until `file` is there, as the worker of `a` has come that far, and kills the coordinator.
fn wait_and_kill(sandbox: &Sandbox, mut run: std::process::Child, file: &str) {
    wait_for(file, || sandbox.path(file).exists());
    run.kill().unwrap();
    run.wait().unwrap();
}

/// Waits until the supervisor has written down that a worker ended.
fn wait_for_end(sandbox: &Sandbox) {
    wait_for("the end of the worker", || {
        let ledgers = std::fs::read_dir(sandbox.path(".orch/local/supervisors")).unwrap();
        ledgers.flatten().any(|ledger| {
            std::fs::read_to_string(ledger.path()).unwrap_or_default().contains("\"exited\"")
        })
    });
}

#[test]
fn work_that_was_stopped_half_way_is_not_taken_for_done() {
    let worker = "worker: {command: 'trap \"touch trapped\" TERM; touch up; while test ! -e go; do sleep 0.01; done', grace: 30s}";
    let sandbox = plan(&[("a", worker)]);
    let run = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    signal(&run, Signal::INT);
    wait_and_kill(&sandbox, run, "trapped");
    sandbox.write("go", "");
    wait_for_end(&sandbox);
    sandbox.write(".orch/tasks/a.md", "---\nstatus: hold\nworker: {command: 'true'}\n---\n");
    sandbox.orch(&["run", "--plain"]);
    assert!(record(&sandbox).contains("outcome: interrupted\n"), "{}", record(&sandbox));
}

#[test]
fn what_has_ended_is_judged_before_anything_is_stopped() {
    for (exit, outcome) in [("0", "succeeded"), ("3", "failed")] {
        let worker = format!(
            "worker: {{command: 'touch up; while test ! -e go; do sleep 0.01; done; exit {exit}'}}"
        );
        let sandbox = plan(&[("a", &worker)]);
        let run = start(&sandbox, &["run"]);
        wait_and_kill(&sandbox, run, "up");
        sandbox.write("go", "");
        wait_for_end(&sandbox);
        let text = sandbox.orch(&["stop"]).text();
        assert!(record(&sandbox).contains(&format!("outcome: {outcome}\n")), "{text}");
    }
}

#[test]
fn a_worker_that_ended_before_it_was_to_be_stopped_is_judged_by_its_end() {
    let worker = "worker: {command: 'touch up; while test ! -e go; do sleep 0.01; done'}";
    let sandbox = plan(&[("a", worker)]);
    let mut run = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    signal(&run, Signal::STOP);
    sandbox.write("go", "");
    wait_for_end(&sandbox);
    signal(&run, Signal::INT);
    signal(&run, Signal::CONT);
    run.wait().unwrap();
    assert!(record(&sandbox).contains("outcome: succeeded\n"), "{}", record(&sandbox));
}

#[test]
fn the_time_of_a_worker_is_over_also_without_a_coordinator() {
    let worker = "worker: {command: 'touch up; exec sleep 600', timeout: 1s, grace: 1s}\nretry: {max_attempts: 1}";
    let sandbox = plan(&[("a", worker)]);
    let run = start(&sandbox, &["run"]);
    wait_and_kill(&sandbox, run, "up");
    wait_for_end(&sandbox);
    assert_eq!(sandbox.orch(&["run", "--plain"]).code, 1);
    let record = record(&sandbox);
    assert!(record.contains("outcome: failed\nreason: timed out after 1.0s\n"), "{record}");
}

#[test]
fn a_budget_of_time_counts_until_the_end_and_not_until_it_is_noticed() {
    let worker = "worker: {command: 'touch up; while test ! -e go; do sleep 0.01; done'}\nbudget: {time: 1h}";
    let sandbox = plan(&[("a", worker)]);
    let run = start(&sandbox, &["run"]);
    wait_and_kill(&sandbox, run, "up");
    sandbox.write("go", "");
    wait_for_end(&sandbox);
    // As if it had ended long ago, well within its budget.
    let folder = sandbox.path(".orch/local/supervisors");
    for ledger in std::fs::read_dir(folder).unwrap() {
        let path = ledger.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let earlier = |key: &str, by: u64, text: String| {
            let mark = format!("\"{key}\":");
            let mut parts = text.split(&mark).map(str::to_owned);
            let first = parts.next().unwrap();
            parts.fold(first, |text, part| {
                let end = part.find(|c: char| !c.is_ascii_digit()).unwrap();
                let n: u64 = part[..end].parse().unwrap();
                format!("{text}\"{key}\":{}{}", n.saturating_sub(by), &part[end..])
            })
        };
        std::fs::write(
            path,
            earlier("wall_ms", 7_200_000, earlier("tick_us", 7_200_000_000, text)),
        )
        .unwrap();
    }
    let text = sandbox.orch(&["run", "--plain"]).text();
    assert!(record(&sandbox).contains("outcome: succeeded\n"), "{text}");
    assert!(!text.contains("stop "), "{text}");
}

#[test]
fn what_nobody_sees_to_any_more_is_stopped_by_stop_too() {
    let sandbox = plan(&[("a", "worker: {command: 'touch up; exec sleep 600'}")]);
    let run = start(&sandbox, &["run"]);
    wait_and_kill(&sandbox, run, "up");
    super::signal_all(sandbox.root(), Signal::KILL);
    let text = sandbox.orch(&["stop"]).text();
    assert!(text.ends_with("were stopped: a.1\n"), "{text}");
    assert!(record(&sandbox).contains("outcome: lost\n"), "{}", record(&sandbox));
}
