//! `orch run`, with real workers.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use super::{Output, Sandbox};

/// No test waits longer for something that must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

const CONFIG: &str = "max_workers: 2\nretry: {max_attempts: 2, backoff: 0s}\nworker: {grace: 1s}\n";

/// Makes a plan from `(id, front matter)`; the body of each task is `Do <id>.`.
pub(crate) fn plan(tasks: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(&[(".orch/config.yaml", CONFIG)]);
    for (id, keys) in tasks {
        sandbox.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{keys}\n---\nDo {id}.\n"));
    }
    sandbox
}

/// Returns what stands in a file of the sandbox; nothing where there is none.
pub(crate) fn read(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.path(path)).unwrap_or_default()
}

/// Returns how an attempt ended: `outcome: reason`.
fn ending(sandbox: &Sandbox, attempt: &str) -> String {
    let record = read(sandbox, &format!(".orch/runs/{attempt}.yaml"));
    let value = |key: &str| record.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("-");
    format!("{}: {}", value("outcome: "), value("reason: ").trim_matches('"'))
}

fn state(sandbox: &Sandbox, id: &str) -> String {
    let shown = sandbox.orch(&["show", id, "--json"]).json();
    shown["state"].as_str().unwrap().to_owned()
}

/// Runs and returns the exit code with what was printed.
fn run(sandbox: &Sandbox) -> Output {
    sandbox.orch(&["run"])
}

pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    signal(child, rustix::process::Signal::INT);
}

pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn a_plan_is_carried_out_in_order_and_on_record() {
    let sandbox = plan(&[
        ("a", "worker: {command: echo a >> order}"),
        ("b", "depends_on: [a]\nworker: {command: echo b >> order}"),
        ("c", "depends_on: [b]\nworker: {command: echo c >> order}"),
    ]);
    let text = run(&sandbox).text();
    assert!(text.contains("done: 3 of 3 tasks done · 3 attempts in"), "{text}");
    assert_eq!(read(&sandbox, "order"), "a\nb\nc\n");
    assert_eq!(ending(&sandbox, "c.1"), "succeeded: exit code 0");
    let again = run(&sandbox).text();
    assert!(again.contains("done: 3 of 3 tasks done · 0 attempts"), "{again}");
    assert_eq!(read(&sandbox, "order"), "a\nb\nc\n");
}

#[test]
fn completion_is_exit_code_then_signal_then_verify() {
    let sandbox = plan(&[
        ("code", "worker: {command: exit 3}"),
        ("killed", "worker: {command: kill -9 $$}"),
        ("signal", "worker: {command: echo nearly}\ncompletion: {signal: DONE}"),
        ("signaled", "worker: {command: echo DONE}\ncompletion: {signal: DONE}"),
        ("verify", "worker: {command: 'true'}\ncompletion: {verify: ['true', 'exit 4', 'true']}"),
        ("both", "worker: {command: echo DONE}\ncompletion: {signal: DONE, verify: [exit 5]}"),
        ("missing", "worker: {command: no-such-program}"),
        (
            "slow",
            "worker: {command: sleep 60}\ncompletion: {verify: ['true']}\nretry: {max_attempts: 1}",
        ),
    ]);
    let slow =
        read(&sandbox, ".orch/tasks/slow.md").replace("sleep 60", "sleep 60, timeout: 100ms");
    sandbox.write(".orch/tasks/slow.md", &slow);
    let output = run(&sandbox);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let expected = [
        ("code.2", "failed: the worker ended with exit code 3"),
        ("killed.2", "crashed: the worker ended with signal 9 (SIGKILL)"),
        ("signal.2", "failed: exit code 0, but the signal `DONE` is not in the output"),
        ("signaled.1", "succeeded: exit code 0"),
        ("verify.2", "failed: verify `exit 4` failed: exit code 4"),
        ("both.2", "failed: verify `exit 5` failed: exit code 5"),
        (
            "missing.2",
            "failed: failed to start `no-such-program`: no such program `no-such-program` in PATH",
        ),
        ("slow.1", "failed: timed out after 100ms"),
    ];
    for (attempt, words) in expected {
        assert_eq!(ending(&sandbox, attempt), words, "{attempt}");
    }
    let log = sandbox.orch(&["logs", "missing"]).text();
    assert!(log.starts_with("orch: failed to start `no-such-program`"), "{log}");
}

#[test]
fn the_next_attempt_is_told_what_went_wrong() {
    let worker = "worker: {command: cp $ORCH_PROMPT_FILE prompt.$ORCH_ATTEMPT; cat > stdin.$ORCH_ATTEMPT; echo lost the key; test $ORCH_ATTEMPT = 2}";
    let sandbox = plan(&[("a", worker)]);
    sandbox.write(".orch/roles/smith.md", "---\n---\nYou forge keys.\n");
    sandbox.write(".orch/tasks/a.md", &format!("---\nrole: smith\n{worker}\n---\nForge a key.\n"));
    run(&sandbox).text();
    let (first, second) = (read(&sandbox, "prompt.1"), read(&sandbox, "prompt.2"));
    assert_eq!(read(&sandbox, "stdin.2"), second);
    assert!(first.contains("You forge keys.") && first.contains("Forge a key."), "{first}");
    assert!(!first.contains("What happened before"), "{first}");
    assert!(second.contains("the worker ended with exit code 1"), "{second}");
    assert!(second.contains("lost the key"), "{second}");
}

#[test]
fn workers_get_an_allow_list_and_their_own_variables() {
    let sandbox = plan(&[("a", "worker: {command: env > env.txt, env: {OWN: x}}")]);
    sandbox.write(".orch/config.yaml", "env: {pass: [WANTED]}\n");
    let mut command = sandbox.command(&["run"]);
    command.env("SECRET_TOKEN", "canary").env("WANTED", "yes");
    assert!(command.output().unwrap().status.success());
    let text = read(&sandbox, "env.txt");
    let env: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(
        (env["WANTED"], env["OWN"], env["ORCH_TASK_ID"], env["ORCH_ATTEMPT"]),
        ("yes", "x", "a", "1")
    );
    assert!(Path::new(env["ORCH_ROOT"]).join(".orch").is_dir());
    assert!(env["ORCH_STATUS_FILE"].ends_with(".orch/status/a.1.md"));
    assert!(Path::new(env["ORCH_TASK_FILE"]).is_file());
}

#[test]
fn a_failed_task_blocks_what_needs_it_and_nothing_else() {
    let sandbox = plan(&[
        ("a", "worker: {command: exit 1}"),
        ("b", "depends_on: [a]\nworker: {command: touch b.txt}"),
        ("c", "worker: {command: touch c.txt}"),
    ]);
    let output = run(&sandbox);
    assert_eq!(output.code, 1);
    assert!(
        output.stdout.contains("finished: 1 of 3 tasks done · 1 failed · 1 blocked"),
        "{}",
        output.stdout
    );
    assert_eq!((read(&sandbox, "b.txt"), sandbox.path("c.txt").exists()), (String::new(), true));
    sandbox.write(".orch/tasks/a.md", "---\nworker: {command: 'true'}\n---\n");
    assert_eq!(run(&sandbox).code, 1, "a new command alone does not revive a task");
    sandbox.orch(&["retry", "a", "--note", "mind the gap"]).text();
    run(&sandbox).text();
    assert!(read(&sandbox, ".orch/local/prompts/a.3.md").contains("mind the gap"));
    assert!(sandbox.path("b.txt").exists());
}

#[test]
fn gates_between_levels_are_run_recorded_and_required() {
    let sandbox = plan(&[
        ("a", "level: 1\nworker: {command: 'true'}"),
        ("b", "level: 2\nworker: {command: 'true'}"),
    ]);
    let gate = |command: &str| format!("{CONFIG}levels: {{1: {{gate: [{command}]}}}}\n");
    sandbox.write(".orch/config.yaml", &gate("exit 7"));
    let output = run(&sandbox);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert_eq!(state(&sandbox, "b"), "blocked");
    let record = sandbox.find(".orch/runs", "@level-1.1.").unwrap();
    assert!(read(&sandbox, &record).contains("exit_code: 7"));
    sandbox.write(".orch/config.yaml", &gate("'true'"));
    run(&sandbox).text();
    assert_eq!(state(&sandbox, "b"), "done");
    assert!(sandbox.find(".orch/runs", "@level-1.2.").is_some());
}

#[test]
fn an_event_or_an_approval_opens_a_gate_while_the_run_goes_on() {
    let sandbox = plan(&[
        ("a", "waits_for: [ci/build]\nworker: {command: touch a.txt}"),
        ("b", "waits_for: [approval]\nworker: {command: touch b.txt}"),
        ("c", "worker: {command: touch c.txt}"),
    ]);
    let output = run(&sandbox);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("orch approve b"), "{}", output.stdout);
    let mut child = start(&sandbox, &["run", "--wait"]);
    wait_for("the lock", || sandbox.path(".orch/local/lock").exists());
    sandbox.write(".orch/events/ci/build.yaml", "state: pass\n");
    wait_for("the task behind the event", || sandbox.path("a.txt").exists());
    sandbox.orch(&["approve", "b"]).text();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(sandbox.path("b.txt").exists());
}

#[test]
fn a_review_is_settled_by_a_person() {
    let sandbox = plan(&[
        ("a", "completion: {review: true}\nworker: {command: 'true'}"),
        ("b", "depends_on: [a]\nworker: {command: 'true'}"),
    ]);
    assert_eq!(run(&sandbox).code, 1);
    assert_eq!(
        (state(&sandbox, "a"), state(&sandbox, "b")),
        ("review".to_owned(), "blocked".to_owned())
    );
    sandbox.orch(&["approve", "a"]).text();
    run(&sandbox).text();
    assert_eq!(state(&sandbox, "b"), "done");
}

#[test]
fn an_interrupt_stops_politely_a_second_one_at_once() {
    let stubborn =
        "worker: {command: \"trap '' TERM; touch up; sleep 60 & wait; sleep 60\", grace: 60s}";
    let sandbox = plan(&[("a", stubborn), ("b", "depends_on: [a]\nworker: {command: 'true'}")]);
    let mut child = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    interrupt(&child);
    // Two signals at once count as one: the second comes when the first was taken.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.by_ref().take_while(|line| !line.contains("stopping")).collect();
    assert!(!told.is_empty() && child.try_wait().unwrap().is_none(), "{told:?}");
    interrupt(&child);
    assert!(lines.any(|line| line.contains("kill ")), "the second one kills");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(ending(&sandbox, "a.1"), "interrupted: the run was stopped");
    sandbox.write(".orch/tasks/a.md", "---\nworker: {command: 'true'}\n---\n");
    run(&sandbox).text();
    assert_eq!(ending(&sandbox, "a.2"), "succeeded: exit code 0");
}

#[test]
fn hand_edits_are_noticed_while_the_run_goes_on() {
    let sandbox = plan(&[
        ("a", "worker: {command: touch up; sleep 60}"),
        ("b", "status: hold\nworker: {command: touch b.txt}"),
    ]);
    let mut child = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    sandbox.write(".orch/tasks/b.md", "---\nworker: {command: touch b.txt}\n---\n");
    wait_for("the released task", || sandbox.path("b.txt").exists());
    sandbox.write(".orch/tasks/a.md", "---\nstatus: cancelled\n---\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(ending(&sandbox, "a.1"), "cancelled: the task was cancelled");
}

#[test]
fn a_broken_file_does_not_hide_what_happens_to_the_others() {
    let sandbox = plan(&[("a", "worker: {command: touch up; sleep 60}"), ("b", "status: hold")]);
    let mut child = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    sandbox.write(".orch/tasks/b.md", "---\nid: [\n---\n");
    sandbox.write(".orch/tasks/new.md", "---\nid: [\n---\n");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for path in ["b.md:2:", "new.md:2:"] {
        assert!(lines.any(|line| line.contains("error") && line.contains(path)), "{path}");
    }
    sandbox.orch(&["cancel", "a"]).text();
    assert!(lines.any(|line| line.starts_with("done: 0 of")), "the end was not told");
    child.wait().unwrap();
    assert_eq!(ending(&sandbox, "a.1"), "cancelled: the task was cancelled");
}

#[test]
fn a_second_coordinator_is_told_who_is_at_work() {
    let sandbox = plan(&[("a", "worker: {command: touch up; sleep 60}")]);
    let mut child = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    let text = run(&sandbox).error(3);
    assert!(text.contains(&format!("process {}", child.id())), "{text}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_stream_is_one_json_object_a_line() {
    let sandbox = plan(&[("a", "worker: {command: 'true'}"), ("b", "worker: {command: exit 1}")]);
    let output = sandbox.orch(&["run", "--json"]);
    assert_eq!(output.code, 1);
    let events: Vec<serde_json::Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("run-started", "run-ended"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "ended").count(), 3);
    assert_eq!(events[events.len() - 1]["failed"][0]["task"], "b");
}

#[test]
fn a_plan_that_cannot_be_run_is_refused_before_anything_starts() {
    let sandbox = plan(&[
        ("a", "depends_on: [b]\nworker: {command: touch a.txt}"),
        ("c", "worker: {command: touch c.txt}"),
    ]);
    let text = run(&sandbox).error(1);
    assert!(text.contains("error[unknown-dependency]") && text.contains("orch check"), "{text}");
    assert!(!sandbox.path("c.txt").exists());
    let nobody = plan(&[("a", "title: x")]);
    let text = run(&nobody).error(2);
    assert!(
        text.contains("neither a command nor an agent is given for task `a`")
            && text.contains("--worker"),
        "{text}"
    );
    assert!(Sandbox::new().orch(&["run"]).error(2).contains("orch init"));
    assert!(plan(&[]).orch(&["run", "-j", "0"]).error(2).contains("0 is not in 1..=1024"));
}

#[test]
fn a_power_safe_run_leaves_the_same_records() {
    let sandbox = plan(&[
        ("a", "worker: {command: 'true'}"),
        ("b", "depends_on: a\nworker: {command: 'true'}"),
    ]);
    sandbox.write(".orch/config.yaml", "durability: power\n");
    run(&sandbox).text();
    assert_eq!(
        (ending(&sandbox, "a.1"), ending(&sandbox, "b.1")),
        ("succeeded: exit code 0".into(), "succeeded: exit code 0".into())
    );
    assert_eq!(read(&sandbox, ".orch/local/journal.jsonl"), "");
}

#[test]
fn a_real_plan_is_carried_out_along_its_edges() {
    let Some(sandbox) = super::plan::real_plan() else { return };
    sandbox.write("work.sh", "echo $ORCH_TASK_ID >> order\n");
    let text = sandbox.orch(&["run", "--worker", "sh work.sh"]).text();
    assert!(text.contains("done: 44 of 44 tasks done · 18 attempts"), "{text}");
    let order = read(&sandbox, "order");
    let order: Vec<&str> = order.lines().collect();
    let graph = sandbox.orch(&["graph", "--json"]).json();
    let edges = graph["edges"].as_array().unwrap();
    assert_eq!((order.len(), edges.len()), (18, 44));
    let at = |id: &serde_json::Value| order.iter().position(|ran| Some(*ran) == id.as_str());
    for edge in edges {
        if let (Some(first), Some(then)) = (at(&edge["depends_on"]), at(&edge["task"])) {
            assert!(first < then, "{edge}");
        }
    }
}

#[test]
fn the_demo_fails_once_and_comes_to_its_end() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["demo"]);
    let output = command.env("TMPDIR", sandbox.root()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("done: 12 of 12 tasks done · 13 attempts"), "{text}");
    assert!(
        text.contains("fail      BUILD-2") && text.contains("gate      after level 1 passed"),
        "{text}"
    );
}
