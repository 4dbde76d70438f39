//! What workers do to each other: different files, the same file, and what only breaks together.

use std::process::Command;

use super::{Repo, told};

/// A worker that adds a line for its task to a list that all of them add to, and resolves a conflict
/// by keeping both sides.
const AGENT: &str = "#!/bin/sh\n\
    if grep -q '^<<<<<<<' list; then sed -i '/^[<=>][<=>]/d' list\n\
    else echo \"$ORCH_TASK_ID\" >> list; fi\n\
    mkdir -p own; echo mine > \"own/$ORCH_TASK_ID\"\n\
    sleep 0.0$(($$ % 9))\n";

/// Holds where each line of the list has its file, once, and each file its line.
const VERIFY: &str = "#!/bin/sh\n\
    test \"$(sort list)\" = \"$(sort -u list)\" || exit 1\n\
    test \"$(sort list)\" = \"$(ls own | sort)\" || exit 2\n";

#[test]
fn ten_tasks_at_once_land_one_after_the_other_each_commit_verified() {
    let ids: Vec<String> = (0..10).map(|n| format!("T{n}")).collect();
    let tasks: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "title: A title")).collect();
    let repo = Repo::new(
        "max_workers: 10\nworker: {command: ./agent.sh}\nretry: {max_attempts: 20, backoff: 0s}\n",
        &tasks,
        &[("agent.sh", AGENT), ("verify.sh", VERIFY), ("list", ""), ("own/.keep", "")],
    );
    for id in &ids {
        let front = "title: A title\ncompletion: {verify: [./verify.sh]}";
        repo.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{front}\n---\n"));
    }
    repo.git("commit -qam verify");
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    let mut landed: Vec<String> =
        repo.landings("plan").iter().map(|at| at.split('.').next().unwrap().to_owned()).collect();
    landed.sort();
    assert_eq!(landed, ids, "{}", told(&output));
    repo.each_commit("plan", |folder| {
        let held = Command::new("./verify.sh").current_dir(folder).status().unwrap();
        assert!(held.success() || !folder.join("verify.sh").exists());
    });
    assert_eq!(repo.git("status --porcelain"), "");
    repo.check_whole("ten tasks");
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
