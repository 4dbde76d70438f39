//! `orch clean`.

use std::fs;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::{
    Sandbox,
    planted::{Planted, git},
    record, start, wait_for,
};

/// Returns what was found, one line each: its fate, what it is, and why.
fn told(json: &Value) -> String {
    let text = |thing: &Value, key: &str| thing[key].as_str().unwrap().to_owned();
    let line = |thing: &Value| {
        let name = text(thing, "name").replace(".orch/local/worktrees/", "…/");
        let (fate, kind, why) = (text(thing, "fate"), text(thing, "kind"), text(thing, "why"));
        let rescued: Vec<&str> = thing["rescued"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        let kept = if rescued.is_empty() { String::new() } else { format!(" {rescued:?}") };
        format!("{fate} {kind} {name}: {why}{kept}\n")
    };
    json["things"].as_array().unwrap().iter().map(line).collect()
}

/// Runs `orch clean` with these options, and compares what it tells.
fn check(planted: &Planted, options: &[&str], expected: &Expect) -> Value {
    let args = [&["clean", "--json"], options].concat();
    let json = planted.sandbox.orch(&args).json();
    expected.assert_eq(&told(&json));
    json
}

/// Returns all refs but the branch of the plan, and all worktrees.
fn refs(planted: &Planted) -> String {
    let refs = planted.git("for-each-ref --format=%(refname)");
    let others = refs.lines().filter(|name| *name != "refs/heads/plan");
    let trees = planted.git("worktree list --porcelain");
    let trees = trees.lines().filter_map(|line| line.strip_prefix("branch "));
    let trees = trees.filter(|name| *name != "refs/heads/plan").map(|name| format!("at {name}"));
    others.map(str::to_owned).chain(trees).map(|line| line + "\n").collect()
}

/// `done` landed, `off` is cancelled, `bad` failed, `next` is ready, `asks` is in review; `gone` is
/// in no file.
fn planted() -> Planted {
    let planted = Planted::new(&[
        (".orch/config.yaml", "worker: {command: 'true'}\nretry: {max_attempts: 1}\n"),
        (".orch/tasks/done.md", "---\n---\n"),
        (".orch/tasks/off.md", "---\nstatus: cancelled\n---\n"),
        (".orch/tasks/bad.md", "---\n---\n"),
        (".orch/tasks/next.md", "---\n---\n"),
        (".orch/tasks/asks.md", "---\n---\n"),
    ]);
    planted.record("done", 1, "succeeded");
    planted.record("bad", 1, "failed");
    planted.record("asks", 1, "review");
    planted
}

#[test]
fn what_nobody_needs_is_told_and_then_removed_and_no_work_is_lost() {
    let planted = planted();
    planted.begin("done");
    let off = planted.work("off", "a", "off\n");
    fs::write(off.join("new"), "uncommitted\n").unwrap();
    fs::write(off.join("built.o"), vec![0; 100_000]).unwrap();
    planted.work("gone", "g", "gone\n");
    for task in ["bad", "next", "asks"] {
        planted.work(task, task, "work\n");
    }
    let before = refs(&planted);
    let expected = expect![[r#"
        kept worktree …/asks: its task waits for a person
        kept worktree …/bad: its task failed; `git: {keep: …}` in the settings leaves it
        removable worktree …/done: its task is done; all of its work is on plan
        removable worktree …/gone: its task is no longer in the plan; its work is kept as refs/orch/rescue/gone/1 ["refs/orch/rescue/gone/1"]
        kept worktree …/next: the next attempt goes on there
        removable worktree …/off: its task is cancelled; 1 uncommitted file is committed, and kept as refs/orch/rescue/off/1 ["refs/orch/rescue/off/1"]
    "#]];
    let json = check(&planted, &[], &expected);
    assert_eq!((&json["n_removed"], &json["is_done"]), (&3.into(), &false.into()));
    assert!(json["bytes"].as_u64().unwrap() > 100_000, "{json}");
    assert_eq!(refs(&planted), before);
    assert!(off.join("new").exists());

    let json = planted.sandbox.orch(&["clean", "--yes", "--json"]).json();
    assert_eq!((&json["n_removed"], &json["n_failed"]), (&3.into(), &0.into()), "{json}");
    expect![[r#"
        refs/heads/orch/asks
        refs/heads/orch/bad
        refs/heads/orch/next
        refs/orch/rescue/gone/1
        refs/orch/rescue/off/1
        at refs/heads/orch/asks
        at refs/heads/orch/bad
        at refs/heads/orch/next
    "#]]
    .assert_eq(&refs(&planted));
    assert_eq!(planted.git("show refs/orch/rescue/off/1:new"), "uncommitted\n");
    assert_eq!(planted.git("show refs/orch/rescue/off/1:a"), "off\n");
    assert_eq!(planted.git("show refs/orch/rescue/gone/1:g"), "gone\n");
    assert!(!off.exists() && planted.folder("next").join("next").exists());
    assert_eq!(planted.git("status --porcelain -- a b"), "");
    let names = fs::read_dir(planted.sandbox.path(".orch/local/worktrees")).unwrap();
    assert_eq!(names.count(), 3);
    assert!(!planted.sandbox.path(".orch/local/lock").exists());
}

#[test]
fn text_says_what_goes_what_stays_and_how_to_do_it() {
    let planted = planted();
    planted.begin("done");
    planted.begin("next");
    let text = planted.sandbox.orch(&["clean"]).text();
    expect![[r#"
        would be removed
        WHAT NAME ROOM WHY
        worktree .orch/local/worktrees/done 1 KiB its task is done; all of its work is on plan

        stays
        WHAT NAME ROOM WHY
        worktree .orch/local/worktrees/next 1 KiB the next attempt goes on there

        1 thing would be removed, 1 KiB freed: `orch clean --yes` does it
    "#]]
    .assert_eq(&plain(&text));
    let text = plain(&planted.sandbox.orch(&["clean", "-y"]).text());
    assert!(text.ends_with("\n1 thing removed, 1 KiB freed\n"), "{text}");
    assert!(planted.sandbox.orch(&["clean"]).text().ends_with("there is nothing to clean\n"));
}

/// Returns `text` with single blanks, and with sizes made the same everywhere.
fn plain(text: &str) -> String {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let Some(at) = words.iter().position(|word| word.starts_with("KiB")) {
            words[at - 1] = "1";
        }
        words.join(" ") + "\n"
    };
    text.lines().map(line).collect()
}

#[test]
fn of_worktrees_that_did_not_end_well_the_oldest_go_beyond_the_cap() {
    let config =
        "worker: {command: 'true'}\nretry: {max_attempts: 1}\ngit: {keep: {worktrees: 1}}\n";
    let planted = Planted::new(&[
        (".orch/config.yaml", config),
        (".orch/tasks/old.md", "---\n---\n"),
        (".orch/tasks/new.md", "---\n---\n"),
        (".orch/tasks/asks.md", "---\n---\n"),
    ]);
    for task in ["old", "new", "asks"] {
        planted.work(task, task, "work\n");
    }
    let later = record("new", 1, "failed").replace("T10:16", "T10:17");
    planted.sandbox.write(".orch/runs/new.1.yaml", &later);
    planted.record("old", 1, "failed");
    planted.record("asks", 1, "review");
    check(
        &planted,
        &["--yes"],
        &expect![[r#"
            kept worktree …/asks: its task waits for a person
            kept worktree …/new: its task failed; `git: {keep: …}` in the settings leaves it
            removed worktree …/old: its task failed, and a newer one of its like stays; its work is kept as refs/orch/rescue/old/1 ["refs/orch/rescue/old/1"]
        "#]],
    );
    assert_eq!(planted.git("show refs/orch/rescue/old/1:old"), "work\n");
    let config = config.replace("worktrees: 1", "size: 1KiB");
    planted.sandbox.write(".orch/config.yaml", &config);
    let json = planted.sandbox.orch(&["clean", "--json"]).json();
    assert_eq!(json["n_removed"], 1, "{json}");
}

#[test]
fn what_would_be_lost_stays() {
    let planted = planted();
    let off = planted.begin("off");
    git(&off, "init -q inner");
    fs::write(off.join("inner/x"), "x\n").unwrap();
    // What git ignores is no work, wherever it comes from.
    let done = planted.begin("done");
    git(&done, "init -q .cache");
    let gone = planted.work("gone", "g", "1\n");
    git(&gone, "switch -q -c side");
    fs::write(gone.join("g"), "2\n").unwrap();
    git(&gone, "commit -qam side");
    git(&gone, "checkout -q --detach HEAD^");
    fs::write(gone.join("g"), "3\n").unwrap();
    git(&gone, "commit -qam third");
    check(
        &planted,
        &["-y"],
        &expect![[r#"
            removed worktree …/done: its task is done; all of its work is on plan
            removed worktree …/gone: its task is no longer in the plan; its work is kept as refs/orch/rescue/gone/1 ["refs/orch/rescue/gone/1"]
            kept worktree …/off: its task is cancelled, but a git repository lies in it, in inner, which is in no commit
        "#]],
    );
    assert_eq!(planted.git("show refs/orch/rescue/gone/1:g"), "3\n");
    assert_eq!(planted.git("show side:g"), "2\n");
    assert!(off.join("inner/x").exists());
}

#[test]
fn a_task_that_may_be_somewhere_keeps_its_worktree() {
    let planted = planted();
    planted.work("gone", "g", "1\n");
    planted.sandbox.write(".orch/tasks/gone.md", "---\nid: [\n---\n");
    check(
        &planted,
        &["-y"],
        &expect![[r#"
            kept worktree …/gone: its task is not in the plan, but that has errors; see `orch check`
        "#]],
    );
    fs::remove_file(planted.sandbox.path(".orch/tasks/gone.md")).unwrap();
    // On a branch that the worktree was not cut from, nothing is known of its task.
    planted.commit("go on");
    planted.begin("late");
    planted.git("switch -q -c other HEAD^");
    check(
        &planted,
        &["-y"],
        &expect![[r#"
            removed worktree …/gone: its task is no longer in the plan; its work is kept as refs/orch/rescue/gone/1 ["refs/orch/rescue/gone/1"]
            kept worktree …/late: its task is not in the plan, but it is of another branch
        "#]],
    );
}

#[test]
fn branches_folders_and_half_made_worktrees_are_found() {
    let planted = planted();
    planted.git("branch orch/merged");
    planted.git("branch orch/bad");
    planted.work("open", "o", "1\n");
    let open = planted.folder("open");
    planted.ground.remove_worktree("open", &open).unwrap();
    planted.git("worktree add -q elsewhere -b orch/taken");
    planted.begin("half");
    fs::remove_file(planted.sandbox.path(".git/worktrees/orch-half/orch-base")).unwrap();
    planted.work("next", "n", "1\n");
    fs::remove_dir_all(planted.folder("next")).unwrap();
    planted.git("pack-refs --all");
    planted.sandbox.write(".orch/local/worktrees/bad~1/x", "x\n");
    planted.sandbox.write(".orch/local/worktrees/stray/x", "x\n");
    let json = planted.sandbox.orch(&["clean", "-y", "--json"]).json();
    expect![[r#"
        removed half-made …/half: it was made or removed only in part; a branch with work in it stays
        removed half-made …/next: its folder is gone; a branch with work in it stays
        removed branch orch/bad: all of its work is on plan
        removed branch orch/merged: all of its work is on plan
        kept branch orch/open: it holds work that is not on plan
        kept branch orch/taken: it is checked out in ./elsewhere
        kept set-aside …/bad~1: it was in the way of a worktree; what is in it is in no commit: `--set-aside` removes it
        kept set-aside …/stray: git knows nothing of it; what is in it is in no commit: `--set-aside` removes it
    "#]]
    .assert_eq(&told(&json).replace(&planted.root().display().to_string(), "."));
    expect![[r#"
        refs/heads/orch/next
        refs/heads/orch/open
        refs/heads/orch/taken
        at refs/heads/orch/taken
    "#]]
    .assert_eq(&refs(&planted));
    let json = planted.sandbox.orch(&["clean", "-y", "--set-aside", "--json"]).json();
    assert_eq!(json["n_removed"], 2, "{json}");
    assert_eq!(fs::read_dir(planted.sandbox.path(".orch/local/worktrees")).unwrap().count(), 0);
}

#[test]
fn work_that_is_kept_apart_goes_only_when_it_is_asked_for() {
    let planted = planted();
    // Work of an attempt before the one that failed in 2026.
    planted.work("bad", "w", "1\n");
    planted.ground.rescue("bad").unwrap().unwrap();
    planted.work("off", "w", "1\n");
    planted.ground.rescue("off").unwrap().unwrap();
    let late = record("bad", 1, "failed").replace("2026-", "2100-");
    planted.sandbox.write(".orch/runs/bad.1.yaml", &late);
    planted.record("off", 1, "cancelled");
    let before = refs(&planted);
    let expected = expect![[r#"
        kept worktree …/bad: its task failed; `git: {keep: …}` in the settings leaves it
        removable worktree …/off: its task is cancelled; its work is kept apart already
        kept rescue refs/orch/rescue/bad/1: its task has gone on since: `--rescued` removes it; its work is nowhere else
        kept rescue refs/orch/rescue/off/1: newer than all that its task did; its work is nowhere else
    "#]];
    check(&planted, &[], &expected);
    assert_eq!(refs(&planted), before);
    let expected = expect![[r#"
        kept worktree …/bad: its task failed; `git: {keep: …}` in the settings leaves it
        removed worktree …/off: its task is cancelled; its work is kept apart already
        removed rescue refs/orch/rescue/bad/1: its task has gone on since; its work is nowhere else
        kept rescue refs/orch/rescue/off/1: newer than all that its task did; its work is nowhere else
    "#]];
    check(&planted, &["-y", "--rescued"], &expected);
    expect![[r#"
        refs/heads/orch/bad
        refs/orch/rescue/off/1
        at refs/heads/orch/bad
    "#]]
    .assert_eq(&refs(&planted));
}

#[test]
fn work_is_not_counted_as_kept_by_what_goes_itself() {
    let planted = planted();
    planted.work("off", "w", "1\n");
    planted.ground.rescue("off").unwrap().unwrap();
    let late = record("off", 1, "cancelled").replace("2026-", "2100-");
    planted.sandbox.write(".orch/runs/off.1.yaml", &late);
    planted.sandbox.orch(&["clean", "-y", "--rescued"]).text();
    assert_eq!(planted.git("show refs/orch/rescue/off/2:w"), "1\n");
    assert_eq!(refs(&planted), "refs/orch/rescue/off/2\n");
}

#[test]
fn beside_a_coordinator_only_what_it_does_not_take_up_goes() {
    let planted = planted();
    let settings = "worker: {command: 'echo here; exec sleep 600'}\nretry: {max_attempts: 1}\n";
    planted.sandbox.write(".orch/config.yaml", settings);
    for task in ["bad", "off"] {
        planted.work(task, task, "work\n");
    }
    planted.git("branch orch/asks");
    planted.commit("settings");
    let mut child = start(&planted.sandbox, &["run", "--plain"]);
    // Before it is there, its worktree is made only in part.
    let log = planted.sandbox.path(".orch/local/logs/next/1.log");
    wait_for("the worker", || fs::read_to_string(&log).is_ok_and(|text| text.contains("here")));
    check(
        &planted,
        &["-y"],
        &expect![[r#"
            kept worktree …/bad: its task did not end well, but the coordinator at work may take it up
            kept worktree …/next: its task is being worked on
            removed worktree …/off: its task is cancelled; its work is kept as refs/orch/rescue/off/1 ["refs/orch/rescue/off/1"]
            kept branch orch/asks: an attempt may need it just now
        "#]],
    );
    assert!(planted.folder("next").join("a").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let told = told(&planted.sandbox.orch(&["clean", "-y", "--json"]).json());
    let line = "kept worktree …/next: an attempt has no ending on record; `orch run` sees to it\n";
    assert!(told.contains(line), "{told}");
}

#[test]
fn after_a_run_what_failed_stays_until_its_task_is_dropped() {
    let planted = Planted::new(&[
        (
            ".orch/config.yaml",
            "worker: {command: 'echo 1 > made; false'}\nretry: {max_attempts: 1}\n",
        ),
        (".orch/tasks/x.md", "---\n---\n"),
    ]);
    assert_eq!(planted.sandbox.orch(&["run", "--plain"]).code, 1);
    let expected = expect![[r#"
        kept worktree …/x: its task failed; `git: {keep: …}` in the settings leaves it
    "#]];
    check(&planted, &["-y"], &expected);
    planted.sandbox.orch(&["cancel", "x"]).text();
    let expected = expect![[r#"
        removed worktree …/x: its task is cancelled; 1 uncommitted file is committed, and kept as refs/orch/rescue/x/1 ["refs/orch/rescue/x/1"]
    "#]];
    check(&planted, &["-y"], &expected);
    assert_eq!(planted.git("show refs/orch/rescue/x/1:made"), "1\n");
}

#[test]
fn without_git_or_a_branch_there_is_nothing_to_clean() {
    let sandbox = Sandbox::with_plan();
    let expected = "there is nothing to clean: no task works in git here\n";
    assert_eq!(sandbox.orch(&["clean", "--yes"]).text(), expected);
    let planted = planted();
    planted.git("checkout -q --detach");
    let expected = "error: no branch is checked out, so nobody can tell which work has landed\n  \
                    = help: `git switch` to the branch of the plan, then clean\n";
    assert_eq!(planted.sandbox.orch(&["clean"]).error(2), expected);
}
