//! Hooks and milestones of a run.

use std::fs;

use super::{
    Sandbox,
    run::{plan, read, signal, start, wait_for},
};

/// Appends one line per call to the file `told`.
const TELL: &str = "#!/bin/sh\nset -u\necho \"$ORCH_EVENT|$ORCH_TASK_ID|$ORCH_ATTEMPT|$ORCH_OUTCOME|\
                    $ORCH_MILESTONE|$ORCH_LEVEL|$ORCH_DONE/$ORCH_TOTAL|$ORCH_TITLE|$ORCH_REASON\" >> \
                    \"$ORCH_ROOT/told\"\necho heard\n";

const ALL: &str = "hooks: {started: ./tell, done: ./tell, failed: ./tell, blocked: ./tell, review: \
                   ./tell, level_done: ./tell, milestone: ./tell, plan_finished: ./tell}\n";

fn with_hooks(tasks: &[(&str, &str)], settings: &str) -> Sandbox {
    let sandbox = plan(tasks);
    let config = read(&sandbox, ".orch/config.yaml").replace("max_workers: 2", "max_workers: 1");
    sandbox.write(".orch/config.yaml", &format!("{config}{settings}"));
    sandbox.write("tell", TELL);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(sandbox.path("tell"), mode).unwrap();
    sandbox
}

#[test]
fn every_occasion_has_its_hook() {
    let sandbox = with_hooks(
        &[
            ("a", "title: \"One\\nline\"\nlevel: 1\nmilestone: beta 1\nworker: {command: 'true'}"),
            ("b", "depends_on: [a]\nmilestone: beta 1\nworker: {command: exit 3}"),
            ("c", "depends_on: [b]\nworker: {command: 'true'}"),
            (
                "d",
                "depends_on: [a]\npriority: low\ncompletion: {review: true}\nworker: {command: 'true'}",
            ),
        ],
        &format!(
            "{ALL}milestones: {{beta 1: {{trigger: {{percent: 50}}, run: echo own >> told}}}}\n"
        ),
    );
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let line = "milestone beta 1 (50%): 1 of 2 done\n";
    assert!(output.stdout.contains(line), "{}", output.stdout);
    let told = read(&sandbox, "told");
    let told_lines: Vec<&str> = told.lines().collect();
    for line in [
        "started|a|1||||0/4|One line|",
        "done|a|1|succeeded|beta 1|1|1/4|One line|is done since attempt 1",
        "level_done|||||1|1/4||",
        "milestone|||50%|beta 1||1/4||",
        "own",
        "started|b|1||||1/4|b|",
        "started|b|2||||1/4|b|",
        "failed|b|2|failed|beta 1||1/4|b|failed 2 of 2 attempts: the worker ended with exit code 3",
        "blocked|c|||||1/4|c|waits for `b`, which failed",
        "started|d|1||||1/4|d|",
        "review|d|1|review|||1/4|d|waits for a person to look at attempt 1: ",
        "plan_finished|||finished|||1/4||",
    ] {
        let n = told_lines.iter().filter(|told| told.starts_with(line)).count();
        assert_eq!(n, 1, "{line}\n{told}");
    }
    assert_eq!(told_lines.len(), 12, "{told}");
    assert!(told_lines.last().is_some_and(|line| line.starts_with("plan_finished")), "{told}");
    assert_eq!(told_lines.last(), Some(&"plan_finished|||finished|||1/4||"));
    let log = read(&sandbox, ".orch/local/logs/@hooks.log");
    assert!(log.starts_with("== started a: ./tell\nheard\n"), "{log}");
}

#[test]
fn a_milestone_is_told_once_in_its_life() {
    let settings = "milestones: {m: {run: echo m >> told}, bad: {trigger: first-failure, run: echo bad >> told}}\n";
    let tasks = [
        ("a", "milestone: m\nworker: {command: 'true'}"),
        ("b", "milestone: bad\nworker: {command: 'false'}\nretry: {max_attempts: 1}"),
    ];
    let sandbox = with_hooks(&tasks, settings);
    let json = sandbox.orch(&["run", "--json"]).stdout;
    let reached: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["event"] == "milestone-reached")
        .collect();
    assert_eq!(reached.len(), 2, "{json}");
    assert_eq!((&reached[0]["milestone"], &reached[0]["trigger"]), (&"m".into(), &"all".into()));
    let record = read(&sandbox, &sandbox.find(".orch/runs", "@milestone-bad.").unwrap());
    assert!(
        record.starts_with("version: 1\nmilestone: bad\ntrigger: first-failure\nreached: 20"),
        "{record}"
    );
    assert!(record.ends_with("n_done: 0\nn_tasks: 1\n"), "{record}");
    assert_eq!(read(&sandbox, "told"), "m\nbad\n");
    sandbox.orch(&["retry", "b"]).text();
    sandbox.orch(&["retry", "a", "--force"]).text();
    assert_eq!(sandbox.orch(&["run"]).code, 1);
    assert_eq!(read(&sandbox, "told"), "m\nbad\n");
    let status = sandbox.orch(&["status", "--json"]).json();
    let names: Vec<_> =
        status["milestones"].as_array().unwrap().iter().map(|m| m["reached"].is_string()).collect();
    assert_eq!(names, [true, true]);
    assert!(sandbox.orch(&["status"]).text().contains("REACHED"));
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 2 tasks\n");
}

#[test]
fn no_hook_can_stop_delay_or_fail_a_run() {
    let settings = "hooks: {started: [exit 7, no-such-program], done: {run: 'sleep 600', timeout: 100ms}, \
                    plan_finished: 'yes | head -c 3000000'}\n";
    let tasks =
        [("a", "worker: {command: 'true'}"), ("b", "depends_on: [a]\nworker: {command: 'true'}")];
    let sandbox = with_hooks(&tasks, settings);
    let text = sandbox.orch(&["run"]).text();
    assert!(text.contains("done: 2 of 2 tasks done"), "{text}");
    let help = "· see .orch/local/logs/@hooks.log; the run goes on\n";
    for expected in [
        format!("hook      started of a failed: `exit 7`: exit code 7 {help}"),
        format!("hook      done of a failed: `sleep 600`: timed out after 100ms {help}"),
    ] {
        assert!(text.contains(&expected), "{expected}{text}");
    }
    assert_eq!(text.matches("hook      ").count(), 2, "{text}");
    let log = fs::metadata(sandbox.path(".orch/local/logs/@hooks.log")).unwrap().len();
    assert!((1000..=1024 * 1024).contains(&log), "{log}");
}

#[test]
fn an_interrupt_ends_the_wait_for_hooks() {
    let settings =
        "hooks: {done: {run: ['echo $$ > pid; exec sleep 600', touch late], timeout: 1h}}\n";
    let sandbox = with_hooks(&[("a", "worker: {command: 'true'}")], settings);
    let child = start(&sandbox, &["run"]);
    wait_for("the hook", || read(&sandbox, "pid").ends_with('\n'));
    wait_for("the end of the task", || {
        read(&sandbox, ".orch/runs/a.1.yaml").contains("outcome: succeeded")
    });
    signal(&child, rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("hook      2 commands not run to the end: the run is over\n"), "{text}");
    let pid = read(&sandbox, "pid").trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    let is_gone = || rustix::process::test_kill_process(pid.unwrap()).is_err();
    wait_for("the end of the hook", is_gone);
    assert!(!sandbox.path("late").exists());
}
