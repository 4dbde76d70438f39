//! What workers change: nothing of it is executed before a person approved it.

use super::Guarded;

/// What a worker leaves that would be executed, as files below the folder of the plan.
const PLANTED: [(&str, &str, &str); 5] = [
    (".orch/tasks/evil.md", "---\nworker: {command: echo evil >> EFFECT}\n---\n", "task evil"),
    (
        ".orch/tasks/later.md",
        "---\ndepends_on: [first]\nworker: {command: echo evil >> EFFECT}\n---\n",
        "task later",
    ),
    (
        ".orch/tasks/later.md",
        "---\ndepends_on: [first]\ncompletion: {verify: [echo evil >> EFFECT]}\n---\n",
        "task later",
    ),
    (".orch/roles/r.md", "---\nworker: {command: echo evil >> EFFECT}\n---\n", "task later"),
    (
        ".orch/config.yaml",
        "worker: {command: sh work.sh}\nhooks: {done: echo evil >> EFFECT}\n",
        "hook done",
    ),
];

/// A plan whose first worker writes a file below `$WHERE`; the second task depends on it.
fn plan(isolation: &str, target: &str, (path, text, _): (&str, &str, &str)) -> Guarded {
    let guarded = Guarded::bare(&[]);
    let effect = guarded.home.path().join("effect");
    let text = text.replace("EFFECT", &effect.display().to_string());
    let script = format!(
        "if [ \"$ORCH_TASK_ID\" = first ]; then mkdir -p \"{target}/$(dirname {path})\"; \
         cat > \"{target}/{path}\" <<'END'\n{text}END\nfi\necho $ORCH_TASK_ID >> '{}'\n",
        effect.display()
    );
    guarded.write("work.sh", &script);
    guarded.write(".orch/config.yaml", "worker: {command: sh work.sh}\n");
    guarded.write(".orch/roles/r.md", "---\n---\nYou.\n");
    guarded
        .write(".orch/tasks/first.md", &format!("---\nworker: {{isolation: {isolation}}}\n---\n"));
    guarded.write(".orch/tasks/later.md", "---\nrole: r\ndepends_on: [first]\n---\n");
    guarded.write(".orch/.gitignore", "local/\n");
    guarded.git("init -q -b plan");
    guarded.commit("begin");
    guarded.approve();
    guarded
}

fn check(isolation: &str, target: &str) {
    for planted in PLANTED {
        let guarded = plan(isolation, target, planted);
        let effect =
            || std::fs::read_to_string(guarded.home.path().join("effect")).unwrap_or_default();
        let run = guarded.run();
        assert!(effect().contains("first"), "{planted:?}: {run:?}");
        for _ in 0..2 {
            assert!(!effect().contains("evil"), "{isolation} {target} {planted:?}: {run:?}");
            // Or it was done before, by what was approved.
            let is_done = planted.2 == "task later" && effect().contains("later");
            let waits = guarded.waiting().contains(planted.2);
            assert!(waits || is_done, "{isolation} {target} {planted:?}: {run:?}");
            // It is no better later on.
            guarded.run();
        }
        // Nor as the edit of somebody who commits all that is there.
        guarded.commit("mine");
        guarded.run();
        assert!(!effect().contains("evil"), "{isolation} {target} {planted:?}");
        guarded.approve();
        // What was not tried yet needs no second try.
        for task in ["first", "later"] {
            guarded.orch(&["retry", task, "--force"]);
        }
        assert_eq!(guarded.run().code, 0, "{isolation} {target} {planted:?}");
        assert!(effect().contains("evil"), "{isolation} {target} {planted:?}");
    }
}

#[test]
fn what_lands_with_the_work_of_a_worker_waits() {
    check("worktree", ".");
}

#[test]
fn what_a_worker_writes_past_its_worktree_waits() {
    check("worktree", "$ORCH_ROOT");
}

#[test]
fn what_a_worker_without_a_worktree_writes_waits() {
    check("none", ".");
}

#[test]
fn what_a_worker_wrote_before_the_coordinator_died_waits() {
    let planted = PLANTED[1];
    let guarded = plan("none", ".", planted);
    let script = guarded.read("work.sh");
    guarded.write(
        "work.sh",
        &format!("{script}touch written; while [ ! -e go ]; do sleep 0.02; done\n"),
    );
    guarded.commit("mine");
    let mut run = guarded.start(&["run", "--plain", "--here"]);
    crate::cli::wait_for("the file", || guarded.root().join("written").exists());
    run.kill().unwrap();
    run.wait().unwrap();
    guarded.write("go", "");
    guarded.run();
    let effect = std::fs::read_to_string(guarded.home.path().join("effect")).unwrap_or_default();
    assert!(!effect.contains("evil"), "{effect}");
    assert!(guarded.waiting().contains(planted.2));
}

#[test]
fn a_changed_verify_does_not_judge_an_attempt_that_is_taken_up() {
    let guarded = Guarded::approved(&[
        (
            ".orch/tasks/a.md",
            "---\nworker: {command: 'touch begun; while [ ! -e go ]; do sleep 0.02; done', isolation: none}\ncompletion: {verify: ['true']}\n---\n",
        ),
        (".gitignore", "go\nbegun\nevil\n"),
    ]);
    let mut run = guarded.start(&["run", "--plain", "--here"]);
    crate::cli::wait_for("the worker", || guarded.root().join("begun").exists());
    run.kill().unwrap();
    run.wait().unwrap();
    let text = guarded.read(".orch/tasks/a.md");
    guarded.write(".orch/tasks/a.md", &text.replace("'true'", "touch evil"));
    guarded.write("go", "");
    guarded.run();
    assert!(!guarded.root().join("evil").exists());
    let shown = guarded.orch(&["explain", "a"]).text();
    assert!(shown.contains("waits for a person"), "{shown}");
}

/// Ways in which a worker calls `orch trust`, `CALL` standing for that.
const CALLS: [&str; 4] = [
    "CALL",
    "env -i HOME=\"$HOME\" PATH=\"$PATH\" XDG_DATA_HOME=\"$XDG_DATA_HOME\" CALL",
    "cd /; CALL",
    "(setsid env -i HOME=\"$HOME\" PATH=\"$PATH\" XDG_DATA_HOME=\"$XDG_DATA_HOME\" CALL > \"$ORCH_ROOT/told\" 2>&1 &); \
     while [ ! -s \"$ORCH_ROOT/told\" ]; do sleep 0.02; done",
];

#[test]
fn a_worker_cannot_approve_what_it_wrote() {
    for isolation in ["none", "worktree"] {
        for call in CALLS {
            let guarded = Guarded::bare(&[]);
            let orch = env!("CARGO_BIN_EXE_orch");
            let root = guarded.root().display().to_string();
            let trust = format!(
                "{orch} -C '{root}' trust --trust-hash $({orch} -C '{root}' trust --print)"
            );
            let script = format!(
                "printf -- '---\\nworker: {{command: touch evil}}\\n---\\n' > '{root}/.orch/tasks/evil.md'\n{}\n\
                 {orch} -C '{root}' run --here --trust-hash $({orch} -C '{root}' trust --print)\ntrue\n",
                call.replace("CALL", &trust)
            );
            guarded.write("work.sh", &script);
            let settings = format!(
                "env: {{pass: [XDG_DATA_HOME, XDG_CONFIG_HOME]}}\n\
                 worker: {{command: sh work.sh, isolation: {isolation}}}\n"
            );
            guarded.write(".orch/config.yaml", &settings);
            guarded.write(".orch/tasks/a.md", "---\n---\n");
            guarded.write(".orch/.gitignore", "local/\n");
            guarded.git("init -q -b plan");
            guarded.commit("begin");
            guarded.approve();
            let run = guarded.run();
            assert!(guarded.root().join(".orch/tasks/evil.md").exists(), "{call}: {run:?}");
            guarded.run();
            assert!(guarded.waiting().contains("task evil"), "{isolation} {call}: {run:?}");
            assert!(!guarded.root().join("evil").exists(), "{isolation} {call}: {run:?}");
        }
    }
}
