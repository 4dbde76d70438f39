//! `orch log`.

use std::process::Command;

use expect_test::{Expect, expect};

use super::{
    Output, Sandbox,
    planted::{Planted, git},
};

/// Compares what `orch log` prints, without dates and names of commits.
fn check(text: &str, expected: &Expect) {
    let plain = |line: &str| match line.split_once(" UTC") {
        Some((_, rest)) => rest.split_whitespace().skip(1).collect::<Vec<_>>().join(" ") + "\n",
        None => line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n",
    };
    expected.assert_eq(&text.lines().map(plain).collect::<String>());
}

/// A plan that was carried out, with what people did before and after.
fn planted() -> Planted {
    let planted = Planted::new(&[
        (".orch/config.yaml", "worker: {command: 'true'}\nretry: {max_attempts: 1}\n"),
        (".orch/tasks/good.md", "---\ntitle: Good\nworker: {command: echo 1 > made}\n---\n"),
        (".orch/tasks/late.md", "---\nid: L-1\nstatus: hold\n---\n"),
    ]);
    // One after the other: state is committed when there is time for it.
    planted.sandbox.orch(&["run", "--plain"]);
    planted.sandbox.write(".orch/tasks/bad.md", "---\nworker: {command: exit 3}\n---\n");
    planted.commit("One more");
    assert_eq!(planted.sandbox.orch(&["run", "--plain"]).code, 1);
    let path = planted.sandbox.path(".orch/tasks/deep/late.md");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    planted.git("mv .orch/tasks/late.md .orch/tasks/deep/late.md");
    planted.git("rm -q .orch/tasks/good.md");
    planted.sandbox.write(".orch/tasks/bad.md", "---\nworker: {command: exit 4}\n---\n");
    planted.commit("Sharpen it");
    planted.sandbox.orch(&["retry", "bad", "--note", "mind the cache"]).text();
    planted.commit("orch: state");
    planted.sandbox.write("a", "code\n");
    planted.commit("code only");
    planted
}

#[test]
fn the_history_of_a_plan_tells_landings_endings_and_edits() {
    let planted = planted();
    let text = planted.sandbox.orch(&["log"]).text();
    check(
        &text,
        &expect![[r#"
            WHEN COMMIT WHO WHAT
            A bad: a retry after attempt 1, by A: mind the cache
            A bad is changed: Sharpen it
            A L-1 is moved to .orch/tasks/deep/late.md: Sharpen it
            A good is removed: Sharpen it
            A bad.1 failed: the worker ended with exit code 3
            A bad is new: One more
            A good.1 landed, succeeded: exit code 0
            A good is new: begin
            A L-1 is new: begin
        "#]],
    );
    let json = planted.sandbox.orch(&["log", "--json", "-n", "3"]).json();
    let kinds: Vec<&str> =
        json["entries"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["state", "edit", "state"]);
    assert_eq!(json["has_more"], true);
    let tip = planted.git("rev-parse HEAD^");
    assert_eq!(json["entries"][0]["commit"], tip.trim());
    let text = planted.sandbox.orch(&["log", "-n1"]).text();
    assert!(text.ends_with("\nolder ones are left out: `-n 0` shows all\n"), "{text}");
}

#[test]
fn the_history_of_a_task_is_its_own() {
    let planted = planted();
    let log = |id: &str| planted.sandbox.orch(&["log", id]).text();
    check(
        &log("good"),
        &expect![[r#"
            WHEN COMMIT WHO WHAT
            A good is removed: Sharpen it
            A good.1 landed, succeeded: exit code 0
            A good is new: begin
        "#]],
    );
    check(
        &log("bad"),
        &expect![[r#"
            WHEN COMMIT WHO WHAT
            A bad: a retry after attempt 1, by A: mind the cache
            A bad is changed: Sharpen it
            A bad.1 failed: the worker ended with exit code 3
            A bad is new: One more
        "#]],
    );
    check(
        &log("L-1"),
        &expect![[r#"
            WHEN COMMIT WHO WHAT
            A L-1 is moved to .orch/tasks/deep/late.md: Sharpen it
            A L-1 is new: begin
        "#]],
    );
    planted.sandbox.write(".orch/tasks/new.md", "---\n---\n");
    assert_eq!(log("new"), "no commit is about `new` yet\n");
    let expected = "error: no task has the id `nwe`\n  = help: did you mean `new`?\n";
    assert_eq!(planted.sandbox.orch(&["log", "nwe"]).error(2), expected);
}

#[test]
fn without_a_checkout_it_is_the_same() {
    let planted = planted();
    let here = planted.sandbox.orch(&["log", "--json"]).json();
    let elsewhere = Sandbox::new();
    let url = format!("file://{}", planted.root().display());
    git(elsewhere.root(), &format!("clone -q --bare {url} bare"));
    git(elsewhere.root(), &format!("clone -q --no-checkout {url} empty"));
    git(elsewhere.root(), &format!("clone -q --depth 1 {url} shallow"));
    for folder in ["bare", "empty"] {
        assert_eq!(elsewhere.orch(&["-C", folder, "log", "--json"]).json(), here, "{folder}");
    }
    let expected =
        "error: no commit is about a task `x`\n  = help: `orch log` shows all that commits tell\n";
    assert_eq!(elsewhere.orch(&["-C", "bare", "log", "x"]).error(2), expected);
    // What came with the only commit of a shallow clone is not known.
    let text = elsewhere.orch(&["-C", "shallow", "log"]).text();
    assert_eq!(text, "no commit is about the plan yet\n");
    let landing = "-c user.name=A -c user.email=a@x commit -q --allow-empty -m T:~x\n\nOrch-Task:~T\nOrch-Attempt:~2";
    git(planted.root(), landing);
    git(elsewhere.root(), &format!("clone -q --depth 1 {url} landed"));
    let text = elsewhere.orch(&["-C", "landed", "log"]).text();
    assert!(text.ends_with("  A    T.2 landed\n"), "{text}");
}

#[test]
fn a_plan_in_a_folder_below_has_its_own_history() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/top.md", "---\n---\n"),
        ("sub/.orch/tasks/below.md", "---\n---\n"),
        ("sub/deep/x", ""),
    ]);
    git(sandbox.root(), "init -q -b plan");
    let text = |folder: &str| {
        let Output { code, stdout, stderr } = sandbox.orch(&["-C", folder, "log"]);
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout
    };
    assert_eq!(text("."), "no commit is about the plan yet\n");
    git(sandbox.root(), "config user.name A");
    git(sandbox.root(), "config user.email a@example.com");
    git(sandbox.root(), "add -A");
    git(sandbox.root(), "commit -qm begin");
    assert!(text(".").contains(" top is new: begin\n") && !text(".").contains("below"));
    assert!(text("sub/deep").contains(" below is new: begin\n"));
    std::fs::remove_dir_all(sandbox.path("sub/.orch")).unwrap();
    // The plan above is the nearest one now.
    assert!(text("sub/deep").contains(" top is new: begin\n"));
}

#[test]
fn without_a_plan_or_git_it_says_so() {
    let sandbox = Sandbox::with_plan();
    let expected = "error: the plan lies in no git repository\n  \
                    = help: `git init` makes one; what is committed there has a history\n";
    assert_eq!(sandbox.orch(&["log"]).error(2), expected);
    let sandbox = Sandbox::new();
    git(sandbox.root(), "init -q");
    let text = sandbox.orch(&["log"]).error(2);
    assert!(text.starts_with("error: there is no .orch folder in "), "{text}");
}

#[test]
fn foreign_words_cannot_reach_the_terminal() {
    let planted = Planted::new(&[(".orch/tasks/x.md", "---\n---\n")]);
    planted.sandbox.write(".orch/tasks/x.md", "---\ntitle: X\n---\n");
    planted.git("add -A");
    let commit = ["commit", "-qm", "evil \u{1b}[31m\u{202e}", "--author", "E\u{1b}ve <e@x>"];
    assert!(
        Command::new("git").args(commit).current_dir(planted.root()).status().unwrap().success()
    );
    for args in [&["log"][..], &["log", "--json"]] {
        let text = planted.sandbox.orch(args).text();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}
