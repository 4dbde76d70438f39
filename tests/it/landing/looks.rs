//! What is in the way of a landing, as those see it who only look.

use serde_json::{Value, json};

use super::{Repo, told};
use crate::cli::{signal, wait_for};

/// A worker that waits until it may go on, and then changes a file and adds one.
const WAITS: &str = "worker: {command: 'echo here; until test -e $ORCH_ROOT/go; do sleep 0.02; done; \
                     echo work >> text; echo new > new'}";

fn repo() -> Repo {
    Repo::new("max_workers: 2\n", &[("T", WAITS)], &[("text", "1\n")])
}

impl Repo {
    /// Returns what is in the way of the only attempt that is at work.
    fn waits(&self) -> Value {
        self.sandbox.orch(&["status", "--json"]).json()["running"][0]["waits"].clone()
    }
}

/// Starts a run whose only landing waits for a change of a person.
fn waiting(repo: &Repo) -> std::process::Child {
    let run = repo.start();
    repo.wait_for_worker("T");
    assert_eq!(repo.waits(), Value::Null);
    repo.write("text", "mine\n");
    repo.go();
    wait_for("the wait", || repo.waits() != Value::Null);
    run
}

#[test]
fn whoever_looks_sees_what_a_landing_waits_for() {
    let repo = repo();
    let run = waiting(&repo);
    let status = repo.sandbox.orch(&["status", "--json"]).json();
    let running = &status["running"][0];
    assert_eq!((&running["state"], &running["attempt"]), (&"landing".into(), &1.into()));
    let since = running["waits"]["since"].as_str().unwrap();
    let expected =
        json!({ "what": "local changes are in the way", "files": ["text"], "since": since });
    assert_eq!(running["waits"], expected);
    assert_eq!(status["states"][0]["state"], "landing");

    let text = |words: &[&str]| repo.sandbox.orch(words).text();
    let shown = text(&["status"]);
    let line = "local changes are in the way: text; commit, stash or revert that";
    assert!(shown.contains("landing  T ") && shown.contains(line), "{shown}");
    for shown in [text(&["explain", "T"]), text(&["show", "T"])] {
        assert!(shown.contains("and its work is verified\n"), "{shown}");
        assert!(shown.contains("it waits to land since "), "{shown}");
        assert!(shown.contains(line), "{shown}");
    }
    let explained = repo.sandbox.orch(&["explain", "T", "--json"]).json();
    assert_eq!(explained["state"], "landing");
    assert_eq!(
        explained["reasons"][0]["sentence"],
        "is verified and waits to land (attempt 1): local changes are in the way: `text`"
    );
    let help = "commit, stash or revert that, and it lands by itself";
    assert_eq!(explained["reasons"][0]["help"], help);
    assert_eq!(repo.sandbox.orch(&["list", "--json"]).json()[0]["state"], "landing");

    repo.git("checkout -q text");
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    repo.check_whole("looks");
}

#[test]
fn what_a_landing_waits_for_is_told_as_it_is_now_and_never_by_a_dead_coordinator() {
    let repo = repo();
    let mut run = waiting(&repo);
    repo.write("new", "mine\n");
    let both = json!(["new", "text"]);
    wait_for("the other file", || repo.waits()["files"] == both);

    // The next one says it anew, for itself.
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(repo.read(".orch/local/waiting.json").contains("local changes"));
    assert_eq!(repo.waits(), Value::Null);
    let shown = repo.sandbox.orch(&["explain", "T"]).text();
    assert!(!shown.contains("waits to land"), "{shown}");
    let run = repo.start();
    wait_for("the wait of the next run", || repo.waits()["files"] == both);
    repo.git("checkout -q text");
    std::fs::remove_file(repo.path("new")).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(!repo.path(".orch/local/waiting.json").exists());
    assert_eq!(repo.landings("plan"), ["T.1"]);
    repo.check_whole("looks");
}

#[test]
fn an_operation_that_a_landing_waits_for_is_seen_until_the_run_is_stopped() {
    let repo = repo();
    repo.git("checkout -q -b side");
    repo.git("commit -q --allow-empty -m aside");
    repo.git("checkout -q plan");
    repo.git("commit -q --allow-empty -m here");
    let run = repo.start();
    repo.wait_for_worker("T");
    repo.git("merge -q --no-commit --no-ff side");
    repo.go();
    wait_for("the wait", || repo.waits() != Value::Null);
    let waits = repo.waits();
    assert_eq!(
        (&waits["what"], &waits["files"]),
        (&"a merge is under way".into(), &Value::Array(vec![]))
    );
    let explained = repo.sandbox.orch(&["explain", "T", "--json"]).json();
    let why = &explained["reasons"][0];
    assert_eq!(why["sentence"], "is verified and waits to land (attempt 1): a merge is under way");
    assert_eq!(why["help"], "it lands by itself when that is over");
    signal(&run, rustix::process::Signal::INT);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    assert_eq!(repo.waits(), Value::Null);
    let shown = repo.sandbox.orch(&["explain", "T"]).text();
    assert!(!shown.contains("waits to land"), "{shown}");
}
