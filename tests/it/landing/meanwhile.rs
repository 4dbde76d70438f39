//! What workers do to each other: different files, the same file, and what only breaks together.

use std::process::Command;

use super::{Repo, told};

/// A worker that adds a line for its task to a list that all of them add to, and resolves a conflict
/// by keeping both sides. Some commit what they do, step by step, and one is in nobody's way.
const AGENT: &str = "#!/bin/sh\n\
    step() { git add -A; git -c user.name=A -c user.email=a@b.c commit -qm step; }\n\
    if test $ORCH_TASK_ID = T9; then\n\
    mkdir -p steps; echo 1 > steps/1; step; echo 2 > steps/2; exit 0; fi\n\
    if grep -q '^<<<<<<<' list; then sed -i '/^[<=>][<=>]/d' list\n\
    else echo \"$ORCH_TASK_ID\" >> list; fi\n\
    case $ORCH_TASK_ID in *[1357]) step;; esac\n\
    mkdir -p own; echo mine > \"own/$ORCH_TASK_ID\"\n\
    sleep 0.0$(($$ % 9))\n";

/// Holds where each line of the list has its file, once, and each file its line.
const VERIFY: &str = "#!/bin/sh\n\
    test \"$(sort list)\" = \"$(sort -u list)\" || exit 1\n\
    test \"$(sort list)\" = \"$(ls own | sort)\" || exit 2\n";

/// Has ten tasks land in a mode, each of which changes what the others do, and verifies all commits of
/// the branch that `which` names once more.
fn ten_at_once(mode: &str, which: &str) {
    let ids: Vec<String> = (0..10).map(|n| format!("T{n}")).collect();
    let front = "title: A title\ncompletion: {verify: [./verify.sh]}";
    let tasks: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), front)).collect();
    let config = format!(
        "max_workers: 10\nworker: {{command: ./agent.sh}}\nretry: {{max_attempts: 20, backoff: 0s}}\n\
         git: {{landing: {mode}}}\n"
    );
    let files = [
        ("agent.sh", AGENT),
        ("verify.sh", VERIFY),
        ("list", ""),
        ("own/.keep", ""),
        ("mode", mode),
    ];
    let repo = Repo::new(&config, &tasks, &files);
    let output = repo.run();
    assert!(output.status.success(), "{mode}: {}", told(&output));
    let mut landed: Vec<String> =
        repo.landings("plan").iter().map(|at| at.split('.').next().unwrap().to_owned()).collect();
    landed.sort();
    // Their own commits name their task, too.
    let n_landed = if mode == "squash" { landed.len() } else { ids.len() };
    landed.dedup();
    assert_eq!((&landed, n_landed), (&ids, ids.len()), "{mode}: {}", told(&output));
    let n_commits = repo.each_commit(which, |folder| {
        let held = Command::new("./verify.sh").current_dir(folder).status().unwrap();
        assert!(held.success(), "{mode}: {}", told(&output));
    });
    assert!(n_commits >= ids.len(), "{mode}: {n_commits} commits");
    let has_steps = !repo.git("log --format=%s --grep=^step$ plan").is_empty();
    assert_eq!(has_steps, mode != "squash", "{mode}");
    assert_eq!(repo.git("status --porcelain"), "", "{mode}");
    repo.check_whole(mode);
}

#[test]
fn ten_tasks_at_once_land_as_a_commit_each_and_each_commit_was_verified() {
    ten_at_once("squash", "plan");
}

#[test]
fn ten_tasks_at_once_land_as_a_merge_each_and_each_merge_was_verified() {
    ten_at_once("merge", "--first-parent plan");
}

#[test]
fn ten_tasks_at_once_land_as_their_own_commits_and_the_last_of_each_was_verified() {
    // What a worker commits on the way to there is its own.
    ten_at_once("rebase", "plan -- .orch/runs");
}

#[test]
fn what_holds_alone_and_not_together_does_not_land() {
    // `caller` calls a function by the name that it had when it began.
    let wait = "echo here; until git cat-file -p plan:lib | grep -q new; do sleep 0.02; done";
    let call = format!(
        "if test $ORCH_ATTEMPT = 1; then {wait}; echo old > main; else echo new > main; fi"
    );
    let repo = Repo::new(
        "max_workers: 2\nretry: {max_attempts: 2, backoff: 0s}\n",
        &[
            ("rename", "worker: {command: sleep 0.1; echo new > lib}"),
            (
                "caller",
                &format!(
                    "worker: {{command: '{call}'}}\ncompletion: {{verify: ['test $(cat main) = $(cat lib)']}}"
                ),
            ),
        ],
        &[("lib", "old\n")],
    );
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan"), ["rename.1", "caller.2"]);
    assert!(repo.read(".orch/runs/caller.1.yaml").contains("outcome: failed"));
    let prompt = repo.read(".orch/local/prompts/caller.2.md");
    assert!(prompt.contains("verify `test $(cat main) = $(cat lib)` failed"), "{prompt}");
    repo.check_whole("caller");
}

#[test]
fn a_conflict_is_resolved_by_the_second_attempt_in_the_merge() {
    let wait = "echo here; until git cat-file -p plan:text | grep -q first; do sleep 0.02; done";
    let second = format!(
        "if grep -q \"^<<<\" text; then git status --porcelain text > ../../seen.log; echo both > text; \
         else {wait}; echo second > text; fi"
    );
    let repo = Repo::new(
        "max_workers: 2\nretry: {max_attempts: 2, backoff: 0s}\n",
        &[
            ("first", "worker: {command: sleep 0.1; echo first > text}"),
            ("second", &format!("worker: {{command: '{second}'}}")),
            ("third", "depends_on: [second]\nworker: {command: cp text copy}"),
        ],
        &[("text", "neither\n")],
    );
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan"), ["first.1", "second.2", "third.1"]);
    assert_eq!(repo.read(".orch/local/seen.log"), "UU text\n");
    assert_eq!(repo.read("copy"), "both\n");
    let record = repo.read(".orch/runs/second.1.yaml");
    assert!(record.contains("outcome: conflict") && record.contains("- text"), "{record}");
    let prompt = repo.read(".orch/local/prompts/second.2.md");
    assert!(prompt.contains("## A conflict to resolve") && prompt.contains("- `text`"), "{prompt}");
    // The failure is in the history, too.
    assert!(repo.git("ls-files .orch/runs").contains("second.1.yaml"));
    repo.check_whole("conflict");
}

#[test]
fn marks_of_a_conflict_do_not_land_and_a_person_is_asked_in_the_end() {
    let wait = "until git cat-file -p plan:text | grep -q first; do sleep 0.02; done";
    let second =
        format!("if grep -q \"^<<<\" text; then echo left; else {wait}; echo second > text; fi");
    let repo = Repo::new(
        "max_workers: 2\nretry: {max_attempts: 2, backoff: 0s}\n",
        &[
            ("first", "worker: {command: sleep 0.1; echo first > text}"),
            ("second", &format!("worker: {{command: '{second}'}}")),
        ],
        &[("text", "neither\n")],
    );
    let output = repo.run();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let record = repo.read(".orch/runs/second.2.yaml");
    assert!(record.contains("marks of a conflict are left in text"), "{record}");
    assert_eq!(repo.git("show plan:text"), "first\n");
}

#[test]
fn a_worker_that_edits_its_own_task_does_not_run_again_for_it() {
    let repo = Repo::new(
        "max_workers: 1\non_change: rerun\nworker: {command: 'sed -i s/open/ticked/ $ORCH_TASK_FILE'}\n",
        &[("T", "title: open")],
        &[],
    );
    for _ in 0..2 {
        let output = repo.run();
        assert!(output.status.success(), "{}", told(&output));
        assert_eq!(repo.landings("plan"), ["T.1"], "{}", told(&output));
    }
    assert!(repo.read(".orch/tasks/T.md").contains("title: ticked"));
}
