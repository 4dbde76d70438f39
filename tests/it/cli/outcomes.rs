//! Outcomes that use up no attempt, and limits that stop work, with real workers and the program.

use std::time::Duration;

use orch::io::clock::Clock;

use super::{
    Sandbox,
    run::{plan, read, start, wait_for},
};

/// Returns one line of the record of an attempt, without its key; empty where there is none.
fn recorded(sandbox: &Sandbox, attempt: &str, key: &str) -> String {
    let record = read(sandbox, &format!(".orch/runs/{attempt}.yaml"));
    let line = record.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
    line.unwrap_or_default().trim_matches('"').to_owned()
}

/// A worker that writes its status file and ends with `code`.
fn reports(keys: &str, code: u8) -> String {
    format!(
        "worker:\n  command: |\n    printf -- '---\\n{keys}\\n---\\n' > $ORCH_STATUS_FILE\n    exit {code}\n"
    )
}

#[test]
fn a_worker_that_is_killed_crashed_and_its_task_fails_by_crashes_alone() {
    let keys = "worker: {command: kill -9 $$}\nretry: {max_attempts: 1, max_crashes: 2}";
    let sandbox = plan(&[("a", keys)]);
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stdout.contains("give up   a after 2 crashes"), "{}", output.stdout);
    assert_eq!(recorded(&sandbox, "a.2", "outcome"), "crashed");
    assert_eq!(recorded(&sandbox, "a.3", "outcome"), "");
    let shown = sandbox.orch(&["show", "a", "--json"]).json();
    assert_eq!((&shown["n_crashed"], &shown["n_failed"]), (&2.into(), &0.into()));
    assert_eq!(sandbox.orch(&["status", "--json"]).json()["n_crashes"], 2);
    let told = sandbox.orch(&["explain", "a"]).text();
    assert!(told.contains("its worker crashed too often, at last in attempt 2"), "{told}");
}

#[test]
fn many_crashes_pause_the_run_which_says_so() {
    let config = "max_workers: 1\nretry: {backoff: 0s, max_crashes: 9}\n\
                  breaker: {crashes: 2, within: 1h, pause: 10ms}\nworker: {command: kill -9 $$}\n";
    let sandbox = plan(&[("a", "retry: {max_crashes: 3}")]);
    sandbox.write(".orch/config.yaml", config);
    let output = sandbox.orch(&["run"]);
    let text = output.stdout;
    assert!(text.contains("2 workers died within 1h 00m: nothing is started for 10ms"), "{text}");
    assert!(text.contains("resume    the pause after many crashes is over"), "{text}");
    assert_eq!(recorded(&sandbox, "a.3", "outcome"), "crashed");
}

#[test]
fn a_silent_worker_is_told_and_stopped() {
    let keys = "worker: {command: exec sleep 600, heartbeat: 1s, heartbeat_limit: 2s}\n\
                retry: {max_attempts: 1}";
    let sandbox = plan(&[("a", keys)]);
    let text = sandbox.orch(&["run"]).stdout;
    assert!(text.contains("silent    a: no sign of life for 1."), "{text}");
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "stalled");
}

#[test]
fn growing_output_is_a_sign_of_life_where_it_is_asked_for() {
    // It would be silent for too long if only its status file counted.
    let command = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.5; done";
    let keys = format!(
        "worker: {{command: '{command}', heartbeat: 1s, heartbeat_limit: 4s, heartbeat_from: output}}"
    );
    let sandbox = plan(&[("a", &keys)]);
    sandbox.orch(&["run"]).text();
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "succeeded");
}

#[test]
fn a_status_file_that_is_written_again_is_a_sign_of_life_whatever_it_says() {
    let command = "for i in 1 2 3 4 5 6 7 8 9 10; do echo --- > $ORCH_STATUS_FILE; sleep 0.5; done";
    let keys = format!("worker: {{command: '{command}', heartbeat: 1s, heartbeat_limit: 4s}}");
    let sandbox = plan(&[("a", &keys)]);
    sandbox.orch(&["run"]).text();
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "succeeded");
}

#[test]
fn a_blocked_worker_goes_on_when_its_gate_opens_also_in_another_run() {
    let waits = "if [ $ORCH_ATTEMPT = 1 ]; then\n      printf -- '---\\nstate: blocked\\nwaiting_for: ci/build\\n---\\n' > $ORCH_STATUS_FILE\n      exit 3\n    fi";
    let sandbox = plan(&[("a", &format!("worker:\n  command: |\n    {waits}"))]);
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "blocked");
    assert_eq!(recorded(&sandbox, "a.1", "waiting_for"), "ci/build");
    let told = sandbox.orch(&["explain", "a"]).text();
    assert!(told.contains("waits for the gate `ci/build`, says its worker"), "{told}");
    let needs = sandbox.orch(&["status", "--json"]).json();
    assert_eq!(needs["needs"][0]["id"], "a", "{needs}");
    sandbox.orch(&["approve", "a", "--gate", "ci/build"]).text();
    sandbox.orch(&["run"]).text();
    assert_eq!(recorded(&sandbox, "a.2", "outcome"), "succeeded");
}

#[test]
fn a_question_is_listed_until_somebody_answers() {
    let sandbox = plan(&[("a", &reports("state: escalate\\nmessage: which port?", 0))]);
    assert_eq!(sandbox.orch(&["run"]).code, 1);
    assert_eq!(recorded(&sandbox, "a.1", "review"), "escalate");
    let listed = sandbox.orch(&["list", "--state", "review"]).text();
    assert!(listed.contains("asks for a decision: which port?"), "{listed}");
    let status = sandbox.orch(&["status"]).text();
    assert!(status.contains("a asks for a decision: which port? (attempt 1)"), "{status}");
    sandbox.orch(&["retry", "a", "--note", "8080"]).text();
    let status = sandbox.orch(&["status", "--json"]).json();
    assert_eq!(status["needs"], serde_json::json!([]));
}

#[test]
fn a_contradiction_is_shown_as_one() {
    let keys = reports("state: done", 1) + "retry: {max_attempts: 1}";
    let sandbox = plan(&[("a", &keys)]);
    assert_eq!(sandbox.orch(&["run"]).code, 1);
    let shown = sandbox.orch(&["show", "a", "--json"]).json();
    assert_eq!(shown["attempts"][0]["contradicted"], "done");
    let text = sandbox.orch(&["show", "a"]).text();
    assert!(text.contains("contradiction: its worker reported `done`"), "{text}");
}

#[test]
fn a_spent_budget_stops_a_worker_and_asks_a_person() {
    let worker = "worker:\n  command: |\n    printf -- '---\\nusage: {input_tokens: 900, cost_usd: 0.5}\\n---\\n' > $ORCH_STATUS_FILE\n    exec sleep 600\n";
    let sandbox = plan(&[("a", &format!("{worker}budget: {{tokens: 500}}\nmilestone: beta"))]);
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let reason = "the budget of its task is spent: 900 of 500 tokens";
    assert_eq!(recorded(&sandbox, "a.1", "outcome"), "over-budget");
    assert_eq!(recorded(&sandbox, "a.1", "reason"), reason);
    let status = sandbox.orch(&["status"]).text();
    assert!(status.contains("a is over its budget: 900 of 500 tokens used"), "{status}");
    let json = sandbox.orch(&["status", "--json"]).json();
    assert_eq!(json["milestones"][0]["tokens"], 900);
    let refused = sandbox.orch(&["approve", "a"]).error(2);
    assert!(refused.contains("task `a` is over its budget"), "{refused}");
    sandbox.orch(&["retry", "a"]).text();
    let shown = sandbox.orch(&["show", "a", "--json"]).json();
    assert_eq!(shown["state"], "ready");
}

#[test]
fn a_run_whose_budget_is_spent_ends_and_says_what_is_left() {
    let config = "max_workers: 1\nrun: {budget: {attempts: 1}}\nworker: {command: 'true'}\n";
    let sandbox = plan(&[("a", ""), ("b", "")]);
    sandbox.write(".orch/config.yaml", config);
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let text = output.stdout;
    assert!(text.contains("budget    that of the run is spent, 1 of 1 attempts used"), "{text}");
    assert!(text.contains("blocked  b: waits: the budget of the run is spent"), "{text}");
    sandbox.orch(&["run"]).text();
}

#[test]
fn a_loop_goes_on_with_what_failed_until_its_checks_hold() {
    let keys = "worker: {command: 'echo x >> work; cat $ORCH_PROMPT_FILE > prompt'}\n\
                completion: {verify: ['echo only $(wc -l < work) of 3; test $(wc -l < work) = 3']}\n\
                loop: {until: verify, max_iterations: 5}\nretry: {max_attempts: 1}";
    let sandbox = plan(&[("a", keys)]);
    sandbox.orch(&["run"]).text();
    let outcomes = ["a.1", "a.2", "a.3"].map(|a| recorded(&sandbox, a, "outcome"));
    assert_eq!(outcomes, ["unfinished", "unfinished", "succeeded"]);
    let iterations = ["a.1", "a.2", "a.3"].map(|a| recorded(&sandbox, a, "iteration"));
    assert_eq!(iterations, ["1", "2", "3"]);
    let prompt = read(&sandbox, "prompt");
    assert!(prompt.contains("ended as *unfinished*") && prompt.contains("only 2 of 3"), "{prompt}");
}

#[test]
fn what_a_provider_limits_is_told_and_goes_on_after_a_restart() {
    let sandbox = plan(&[
        ("a", "worker: {command: 'true', provider: anthropic}"),
        ("b", "worker: {command: 'true', provider: anthropic}"),
        ("c", "worker: {command: 'true'}"),
    ]);
    let now = Clock::new().now().wall;
    let resets = now.plus(Duration::from_secs(48 * 3600));
    let record = format!(
        "version: 1\ntask: a\nattempt: 1\noutcome: limited\nreason: too much\n\
         started: {now}\nended: {now}\nworker: x\n\
         limit:\n  provider: anthropic\n  resets: {resets}\n  words: too much\n"
    );
    sandbox.write(".orch/runs/a.1.yaml", &record);
    let told = sandbox.orch(&["explain", "b"]).text();
    assert!(told.contains("waits for anthropic, whose limit is reached until"), "{told}");
    let mut run = start(&sandbox, &["run"]);
    wait_for("c", || recorded(&sandbox, "c.1", "outcome") == "succeeded");
    assert_eq!(read(&sandbox, ".orch/runs/b.1.yaml"), "");
    // The run waits; a person who knows better sets it going.
    sandbox.orch(&["retry", "a"]).text();
    assert!(run.wait().unwrap().success());
    assert_eq!(recorded(&sandbox, "b.1", "outcome"), "succeeded");
}

#[test]
fn an_escalation_has_a_category_and_is_listed_until_it_is_answered() {
    let orch = env!("CARGO_BIN_EXE_orch");
    let ask = format!("{orch} report --category security --message \"which key?\"");
    let again = "test $ORCH_ATTEMPT = 1";
    let worker = format!("worker: {{command: ['sh', '-c', '{again} && {ask}; true']}}");
    let sandbox = plan(&[("a", &worker)]);
    assert_eq!(sandbox.orch(&["run", "--plain"]).code, 1);
    let told = "asks for a decision (security): which key?";
    for args in [&["status"][..], &["explain", "a"]] {
        let text = sandbox.orch(args).text();
        assert!(text.contains(told), "{text}");
    }
    let record = read(&sandbox, ".orch/runs/a.1.yaml");
    assert!(record.contains("review: escalate\n") && record.contains("category: security\n"));
    sandbox.orch(&["retry", "a", "--note", "the blue one"]).text();
    assert_eq!(sandbox.orch(&["run", "--plain"]).code, 0);
    assert!(!sandbox.orch(&["status"]).text().contains(told));
}

#[test]
fn what_was_reported_to_be_used_stays_used() {
    let orch = env!("CARGO_BIN_EXE_orch");
    let worker = format!(
        "worker: {{command: '{orch} report --usage cost=1.5; while test ! -e go; do sleep 0.01; \
         done; {orch} report --usage cost=0.1'}}"
    );
    let sandbox = plan(&[("a", &worker)]);
    let mut run = start(&sandbox, &["run", "--json"]);
    wait_for("the first report", || sandbox.orch(&["status", "--json"]).json()["cost_usd"] == 1.5);
    // The run has seen it, too: it looks at its running workers each second.
    std::thread::sleep(Duration::from_millis(1_500));
    sandbox.write("go", "");
    run.wait().unwrap();
    let record = read(&sandbox, ".orch/runs/a.1.yaml");
    assert!(record.contains("cost_usd: 1.5}"), "{record}");
}
