//! Work that was overtaken, verified together: as one commit, split where it does not hold together.

use std::process::Command;

use super::{Repo, told};
use crate::cli::wait_for;

/// Each task leaves a file of its own.
const AGENT: &str = "#!/bin/sh\nmkdir -p own; echo mine > \"own/$ORCH_TASK_ID\"\n";

/// All are verified as they began. T1 lands then; T2 is overtaken, and has its turn until the four
/// others, which are overtaken as well, wait. Each is counted, and then `check.sh` is asked.
const VERIFY: &str = "#!/bin/sh\n\
    file() { test -e \"$ORCH_ROOT/$1.log\"; }\n\
    until_all() { for one in $1; do until file \"$2-$one\"; do sleep 0.02; done; done; }\n\
    own=$(ls own | tr '\\n' ' ')\n\
    echo \"$own\" >> \"$ORCH_ROOT/verified.log\"\n\
    touch \"$ORCH_ROOT/there-$ORCH_TASK_ID.log\"\n\
    case \"$own\" in\n\
    'T1 ') until_all 'T2 T3 T4 T5 T6' there;;\n\
    'T2 ') until git cat-file -e plan:own/T1 2> /dev/null; do sleep 0.02; done;;\n\
    'T1 T2 ') touch \"$ORCH_ROOT/turn-T2.log\"; until_all 'T3 T4 T5 T6' done;;\n\
    T?' ') until_all T2 turn;;\n\
    esac\n\
    touch \"$ORCH_ROOT/done-$ORCH_TASK_ID.log\"\n\
    ./check.sh\n";

const IDS: [&str; 6] = ["T1", "T2", "T3", "T4", "T5", "T6"];

/// Makes a plan of six tasks that are overtaken by one of them.
fn repo(git: &str, check: &str, agent: &str) -> Repo {
    let config = format!(
        "max_workers: 6\nworker: {{command: ./agent.sh}}\nretry: {{max_attempts: 1, backoff: 0s}}\n\
         git: {{{git}}}\n"
    );
    let front = "completion: {verify: [./verify.sh]}";
    let tasks = IDS.map(|id| (id, front));
    let check = format!("#!/bin/sh\n{check}\n");
    let files = [("agent.sh", agent), ("verify.sh", VERIFY), ("check.sh", &check)];
    Repo::new(&config, &tasks, &files)
}

/// Returns the tasks that landed with each commit, oldest first.
fn landed(repo: &Repo) -> Vec<Vec<String>> {
    let format = "%(trailers:key=Orch-Task,valueonly,separator=~)".replace('~', "%x2C");
    let range = "--first-parent --reverse plan -- .orch/runs";
    let log = repo.git(&format!("log --format={format} {range}"));
    let lines = log.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Checks that all tasks but `without` landed, each once, and that what is recorded of them is there.
fn check_landed(repo: &Repo, without: &[&str]) {
    let mut all: Vec<String> = landed(repo).into_iter().flatten().collect();
    all.sort_unstable();
    let expected: Vec<&str> = IDS.into_iter().filter(|id| !without.contains(id)).collect();
    assert_eq!(all, expected);
    for id in expected {
        let record = repo.git(&format!("show plan:.orch/runs/{id}.1.yaml"));
        assert!(record.contains("outcome: succeeded"), "{record}");
        assert!(record.contains("./verify.sh"), "{record}");
        assert_eq!(repo.read(&format!("own/{id}")), "mine\n");
    }
}

/// Checks that every commit that the branch was at holds.
fn check_green(repo: &Repo) {
    repo.each_commit("--first-parent plan", |folder| {
        let held = Command::new("./check.sh").current_dir(folder).status().unwrap();
        assert!(held.success(), "{}", folder.display());
    });
}

#[test]
fn one_verification_of_all_takes_the_place_of_one_for_each() {
    for mode in ["squash", "merge", "rebase"] {
        let repo = repo(&format!("batch: 6, landing: {mode}"), "true", AGENT);
        let output = repo.run();
        assert!(output.status.success(), "{}", told(&output));
        assert!(told(&output).contains("together, as the branch went on"), "{}", told(&output));
        check_landed(&repo, &[]);
        let n_together: Vec<usize> = landed(&repo).iter().map(Vec::len).collect();
        assert_eq!(n_together, [1, 1, 4], "{mode}");
        // Each as it began, T2 once more, and the others together.
        assert_eq!(repo.read("verified.log").lines().count(), 6 + 1 + 1, "{mode}");
        check_green(&repo);
        assert_eq!(repo.git("status --porcelain"), "");
        repo.check_whole(mode);
        let log = repo.sandbox.command(&["log", "T3", "--json"]).output().unwrap();
        let log = String::from_utf8(log.stdout).unwrap();
        let text = repo.sandbox.orch(&["log"]).text();
        assert!(IDS.iter().all(|id| text.contains(&format!("{id}.1 landed"))), "{text}");
        assert!(log.contains("\"task\": \"T3\",\n          \"attempt\": 1"), "{log}");
    }
}

#[test]
fn what_does_not_hold_with_the_others_is_found_and_fails_alone() {
    // T4 holds alone, and with nobody else.
    let repo = repo("batch: 6", "test ! -e own/T4 || test \"$(ls own)\" = T4", AGENT);
    let output = repo.run();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    check_landed(&repo, &["T4"]);
    let record = repo.read(".orch/runs/T4.1.yaml");
    assert!(record.contains("outcome: failed") && record.contains("./verify.sh"), "{record}");
    let said = "do not hold together: verify `./verify.sh` failed: exit code 1";
    assert!(told(&output).contains(said), "{}", told(&output));
    check_green(&repo);
}

#[test]
fn a_command_that_several_have_runs_as_that_of_none_of_them() {
    // It asks about its task, so it cannot hold for several: each lands alone.
    let check =
        "echo \"$ORCH_BATCH\" >> \"$ORCH_ROOT/batch.log\"; test -e \"own/${ORCH_TASK_ID:?}\"";
    let repo = repo("batch: 6", check, AGENT);
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    check_landed(&repo, &[]);
    assert!(landed(&repo).iter().all(|together| together.len() == 1), "{:?}", landed(&repo));
    let batch = repo.read("batch.log");
    let four = batch.lines().find(|line| line.split(' ').count() == 4).unwrap_or_default();
    let mut ids: Vec<&str> = four.split(' ').collect();
    ids.sort_unstable();
    assert_eq!(ids, ["T3", "T4", "T5", "T6"], "{batch}");
}

#[test]
fn a_conflict_among_them_is_left_to_the_one_who_comes_later() {
    // All write the same line of the same file; a second attempt keeps what is there.
    let agent = "#!/bin/sh\n\
        mkdir -p own; echo mine > \"own/$ORCH_TASK_ID\"\n\
        case $ORCH_TASK_ID.$ORCH_ATTEMPT in\n\
        T3.1|T5.1) echo \"$ORCH_TASK_ID\" > text;;\n\
        T3.*|T5.*) echo both > text;;\n\
        esac\n";
    let repo = repo("batch: 6", "true", agent);
    let front = "retry: {max_attempts: 2, backoff: 0s}\ncompletion: {verify: [./verify.sh]}";
    for id in ["T3", "T5"] {
        repo.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{front}\n---\n"));
    }
    repo.git("commit -qam retry");
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    let mut all: Vec<String> = landed(&repo).into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, IDS);
    assert_eq!(repo.read("text"), "both\n");
    let n_conflicts = ["T3", "T5"]
        .iter()
        .filter(|id| repo.read(&format!(".orch/runs/{id}.1.yaml")).contains("outcome: conflict"));
    assert_eq!(n_conflicts.count(), 1);
    repo.check_whole("conflict");
}

#[test]
fn a_coordinator_that_is_killed_meanwhile_leaves_all_of_it_to_the_next_one() {
    // The verification of several together waits, in the first run.
    let check = "if test \"$(ls own | wc -l)\" -gt 2 && test ! -e \"$ORCH_ROOT/go\"; then\n\
        touch \"$ORCH_ROOT/together.log\"\n\
        until test -e \"$ORCH_ROOT/go\"; do sleep 0.02; done; fi";
    let repo = repo("batch: 6", check, AGENT);
    let mut run = repo.start();
    wait_for("a batch", || repo.path("together.log").exists());
    assert!(repo.path(".orch/local/worktrees/@batch/own").exists());
    run.kill().unwrap();
    run.wait().unwrap();
    repo.go();
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    let mut all: Vec<String> = landed(&repo).into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, IDS, "{}", told(&output));
    assert!(!repo.path(".orch/local/worktrees/@batch").exists());
    repo.check_whole("killed");
}

#[test]
fn work_that_was_begun_for_another_branch_is_not_taken_along() {
    // T1 goes on from a run on `plan`; T2 lands on `other`, and T3 has its turn until T4 and T1 wait.
    let agent = "#!/bin/sh\n\
        echo here; test $ORCH_TASK_ID != T1 || until test -e \"$ORCH_ROOT/go\"; do sleep 0.02; done\n\
        mkdir -p own; echo mine > \"own/$ORCH_TASK_ID\"\n";
    let verify = "#!/bin/sh\n\
        until_there() { until test -e \"$ORCH_ROOT/$1.log\"; do sleep 0.02; done; }\n\
        case \"$ORCH_TASK_ID:$(ls own | tr '\\n' ' ')\" in\n\
        'T3:T3 ') until git cat-file -e other:own/T2 2> /dev/null; do sleep 0.02; done;;\n\
        'T3:T2 T3 ') touch \"$ORCH_ROOT/turn.log\"; until_there done-T4; until_there done-T1;;\n\
        T4:*) until_there turn;;\n\
        T1:*) until_there done-T4; sleep 0.1;;\n\
        esac\n\
        touch \"$ORCH_ROOT/done-$ORCH_TASK_ID.log\"\n";
    let config = "max_workers: 1\nworker: {command: ./agent.sh}\ngit: {batch: 6}\n";
    let tasks = ["T1", "T2", "T3", "T4"].map(|id| (id, "completion: {verify: [./verify.sh]}"));
    let repo = Repo::new(config, &tasks, &[("agent.sh", agent), ("verify.sh", verify)]);
    let mut run = repo.start();
    repo.wait_for_worker("T1");
    run.kill().unwrap();
    run.wait().unwrap();
    repo.git("checkout -q -b other");
    repo.go();
    let output = repo.sandbox.command(&["run", "--plain", "-j", "4"]).output().unwrap();
    let on = |branch: &str| repo.git(&format!("ls-tree --name-only {branch} own/"));
    assert_eq!(on("plan"), "own/T1\n", "{}", told(&output));
    assert_eq!(on("other"), "own/T2\nown/T3\nown/T4\n", "{}", told(&output));
}
