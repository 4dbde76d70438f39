//! The branch of a plan is renamed or deleted under a run: no work is lost, and nothing is called done.

use super::{Repo, told};
use crate::cli::{signal, start, wait_for};

/// A worker that waits until it may go on, and then changes a file and adds one.
const WAITS: &str = "worker: {command: 'echo here; until test -e $ORCH_ROOT/go; do sleep 0.02; done; \
                     echo work >> text; echo new > new'}";

fn repo() -> Repo {
    let config = "max_workers: 2\nretry: {max_attempts: 1}\n";
    let after = "depends_on: [T]\nworker: {command: 'test -e new'}";
    Repo::new(config, &[("T", WAITS), ("U", after)], &[("text", "1\n")])
}

/// Has the next run land what is there, without its worker, and go on.
fn goes_on(repo: &Repo, branch: &str, context: &str) {
    assert_eq!(repo.git("show orch/T:new"), "new\n", "{context}");
    assert!(repo.read(".orch/runs/T.1.yaml").contains("outcome: unlanded"), "{context}");
    std::fs::remove_file(repo.path("go")).unwrap();
    // A worker would wait for ever.
    let output = repo.run();
    assert!(output.status.success(), "{context}: {}", told(&output));
    assert_eq!(repo.landings(branch), ["T.2", "U.1"], "{context}");
    assert_eq!(repo.git("status --porcelain"), "", "{context}");
    repo.check_whole(context);
}

#[test]
fn a_run_whose_branch_is_gone_says_so_and_the_next_one_lands_its_work() {
    // What is done while a worker is at work, and before the next run; where that lands then.
    let table: [(&[&str], &[&str], &str); 4] = [
        (&["branch -m renamed"], &[], "renamed"),
        (&["branch -m renamed"], &["branch -m plan"], "plan"),
        (&["checkout -q -b other", "branch -q -D plan"], &[], "other"),
        (&["checkout -q --detach", "branch -q -D plan"], &["checkout -q -b plan"], "plan"),
    ];
    for (begin, after, branch) in table {
        let repo = repo();
        let run = repo.start();
        repo.wait_for_worker("T");
        begin.iter().for_each(|command| drop(repo.git(command)));
        repo.go();
        let output = run.wait_with_output().unwrap();
        let text = told(&output);
        assert_eq!(output.status.code(), Some(3), "{begin:?}: {text}");
        let line =
            "error: the branch plan is gone, so nothing can land; what was begun is on orch/T\n";
        assert!(text.contains(line), "{begin:?}: {text}");
        assert!(text.contains("  = help: `git branch plan COMMIT` brings it back"), "{text}");
        after.iter().for_each(|command| drop(repo.git(command)));
        goes_on(&repo, branch, &format!("{begin:?}: {text}"));
    }
}

#[test]
fn a_landing_that_waits_is_given_up_when_its_branch_is_gone() {
    let repo = repo();
    let run = repo.start();
    repo.wait_for_worker("T");
    repo.write("text", "mine\n");
    repo.go();
    wait_for("the wait", || repo.read(".orch/local/waiting.json").contains("text"));
    repo.git("branch -m renamed");
    let output = run.wait_with_output().unwrap();
    let text = told(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("what was begun is on orch/T\n"), "{text}");
    assert_eq!(repo.read("text"), "mine\n", "{text}");
    repo.git("checkout -q text");
    goes_on(&repo, "renamed", &text);
}

#[test]
fn a_run_that_stays_goes_over_to_the_branch_that_takes_the_place() {
    let repo = repo();
    let run = start(&repo.sandbox, &["watch", "--plain"]);
    repo.wait_for_worker("T");
    repo.git("branch -m renamed");
    repo.go();
    wait_for("the landings", || repo.landings("renamed").len() == 2);
    signal(&run, rustix::process::Signal::INT);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    assert_eq!(repo.landings("renamed"), ["T.2", "U.1"], "{}", told(&output));
    repo.check_whole(&told(&output));
}
