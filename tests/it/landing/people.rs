//! What a person does in the checkout while work is under way: nothing of it is changed or blocked.

use std::{
    process::Child,
    time::{Duration, UNIX_EPOCH},
};

use super::{Repo, told};

/// A worker that waits until it may go on, and then changes a file and adds one.
const WAITS: &str = "worker: {command: 'echo here; until test -e $ORCH_ROOT/go; do sleep 0.02; done; \
                     echo work >> text; echo new > new'}";

fn repo() -> Repo {
    let config = "max_workers: 2\nretry: {max_attempts: 2, backoff: 0s}\n";
    Repo::new(config, &[("T", WAITS)], &[("text", "1\n2\n3\n"), ("other", "o\n")])
}

fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), told(&output))
}

#[test]
fn what_a_person_does_elsewhere_stays_as_it_is() {
    // What is done: files that are written, then git commands; what git says of the checkout then.
    type Files = &'static [(&'static str, &'static str)];
    let table: [(Files, &[&str], &str); 7] = [
        (&[("other", "mine\n")], &[], " M other\n"),
        (&[("other", "mine\n")], &["add other"], "M  other\n"),
        (&[("note", "mine\n")], &[], "?? note\n"),
        (&[], &["mv other moved"], "R  other -> moved\n"),
        (&[("other", "mine\n")], &["commit -qam mine"], ""),
        (&[("text", "0\n1\n2\n3\n")], &["commit -qam mine"], ""),
        (&[("other", "mine\n")], &["stash -q"], ""),
    ];
    for (files, commands, expected) in table {
        let repo = repo();
        let run = repo.start();
        repo.wait_for_worker("T");
        files.iter().for_each(|(path, text)| repo.write(path, text));
        commands.iter().for_each(|command| drop(repo.git(command)));
        let status = || repo.git("status --porcelain -- . :(exclude).orch");
        assert_eq!(status(), expected, "{commands:?}");
        repo.go();
        let (code, text) = end(run);
        assert_eq!(code, Some(0), "{commands:?} {text}");
        assert_eq!(repo.git("status --porcelain"), expected, "{commands:?} {text}");
        assert_eq!(repo.landings("plan"), ["T.1"], "{text}");
        assert!(repo.read("text").ends_with("3\nwork\n"), "{}", repo.read("text"));
        repo.check_whole("elsewhere");
    }
}

#[test]
fn an_edit_in_the_second_of_the_last_git_command_stays_in_sight() {
    let repo = repo();
    // What the clock of the system would tell, too, if it could be set.
    repo.git("config core.trustctime false");
    let touch = |path: &str, milliseconds: u64| {
        let when = UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + milliseconds);
        let file = std::fs::File::options().append(true).open(repo.path(path)).unwrap();
        file.set_modified(when).unwrap();
    };
    touch("other", 100);
    repo.git("update-index --refresh");
    touch(".git/index", 200);
    // As long as before: only what is in it is different, and the part of the second.
    repo.write("other", "m\n");
    touch("other", 300);
    repo.go();
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan"), ["T.1"]);
    assert_eq!(repo.git("status --porcelain"), " M other\n");
}

#[test]
fn a_local_change_in_the_way_is_named_and_waited_for() {
    // What is in the way, and how it goes away.
    let table: [(&str, &str, &[&str]); 4] = [
        ("text", "mine\n", &["checkout -q text"]),
        ("new", "mine\n", &["stash -qu"]),
        ("new", "mine\n", &["add new", "reset -q --hard"]),
        ("text", "0\n1\n2\n3\n", &["commit -qam mine"]),
    ];
    for (file, text, away) in table {
        let repo = repo();
        let run = repo.start();
        repo.wait_for_worker("T");
        repo.write(file, text);
        repo.go();
        let record = || repo.git("rev-parse plan");
        let begun = record();
        repo.wait_for_commit("T");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!((record(), repo.read(file)), (begun, text.to_owned()), "{file}");
        away.iter().for_each(|command| drop(repo.git(command)));
        let (code, told) = end(run);
        assert_eq!(code, Some(0), "{told}");
        let line =
            format!("T cannot land yet, local changes are in the way: {file}; commit, stash");
        assert!(told.contains(&line), "{told}");
        assert_eq!(repo.landings("plan"), ["T.1"], "{told}");
        repo.check_whole(file);
    }
}

#[test]
fn an_operation_under_way_is_waited_for() {
    // What is begun, and how it ends.
    let table: [(&[&str], &str); 3] = [
        (&["merge -q --no-commit --no-ff side"], "commit -qm merged"),
        (
            &["cherry-pick --no-commit side", "update-ref CHERRY_PICK_HEAD side"],
            "commit -qm picked",
        ),
        (&["rebase -q --exec false side"], "rebase --abort"),
    ];
    for (begin, finish) in table {
        let repo = repo();
        repo.git("checkout -q -b side");
        repo.write("aside", "1\n");
        repo.git("add aside");
        repo.git("commit -qm aside");
        repo.git("checkout -q plan");
        repo.git("commit -q --allow-empty -m here");
        let run = repo.start();
        repo.wait_for_worker("T");
        for command in begin {
            let output = super::git_command(repo.root(), command).output().unwrap();
            assert!(output.status.success() || command.starts_with("rebase"), "{}", told(&output));
        }
        let begun = repo.git("rev-parse plan");
        repo.go();
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(repo.git("rev-parse plan"), begun, "{begin:?}");
        repo.git(finish);
        let (code, told) = end(run);
        assert_eq!(code, Some(0), "{begin:?} {told}");
        assert_eq!(repo.landings("plan"), ["T.1"], "{told}");
        assert_eq!(repo.git("status --porcelain"), "", "{begin:?} {told}");
        repo.check_whole(finish);
    }
}

#[test]
fn work_lands_on_its_branch_wherever_the_checkout_is() {
    for away in ["checkout -q -b elsewhere", "checkout -q --detach"] {
        let repo = repo();
        let run = repo.start();
        repo.wait_for_worker("T");
        repo.git(away);
        repo.go();
        let (code, told) = end(run);
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(repo.landings("plan"), ["T.1"], "{told}");
        assert_eq!(repo.read("new"), "", "the checkout stays where it is");
        // And the way back is free.
        repo.git("checkout -q plan");
        assert_eq!(repo.git("status --porcelain"), "", "{away}");
        repo.check_whole(away);
    }
}

#[test]
fn what_was_stopped_before_it_landed_lands_without_its_worker() {
    let repo = repo();
    let run = repo.start();
    repo.wait_for_worker("T");
    repo.write("text", "mine\n");
    repo.go();
    repo.wait_for_commit("T");
    std::thread::sleep(Duration::from_millis(300));
    crate::cli::signal(&run, rustix::process::Signal::INT);
    let (code, told) = end(run);
    assert_eq!(code, Some(130), "{told}");
    assert!(repo.read(".orch/runs/T.1.yaml").contains("outcome: unlanded"), "{told}");
    repo.git("checkout -q text");
    std::fs::remove_file(repo.path("go")).unwrap();
    // A worker would wait for ever.
    let output = repo.run();
    assert!(output.status.success(), "{}", super::told(&output));
    assert_eq!(repo.landings("plan"), ["T.2"]);
    assert!(repo.read(".orch/runs/T.2.yaml").contains("lands: 1"));
    assert_eq!(repo.git("show plan:text"), "1\n2\n3\nwork\n");
    repo.check_whole("unlanded");
}

#[test]
fn a_run_that_is_left_while_a_landing_waits_ends_and_the_next_one_lands_it() {
    let repo = repo();
    let run = repo.start();
    repo.wait_for_worker("T");
    repo.write("text", "mine\n");
    repo.go();
    repo.wait_for_commit("T");
    crate::cli::signal(&run, rustix::process::Signal::TERM);
    let (code, told) = end(run);
    assert_eq!(code, Some(0), "{told}");
    repo.git("checkout -q text");
    let output = repo.run();
    assert!(output.status.success(), "{}", super::told(&output));
    assert_eq!(repo.landings("plan"), ["T.1"]);
    repo.check_whole("left");
}

#[test]
fn what_a_person_approves_is_what_lands() {
    let front = "worker: {command: 'echo work > new'}\ncompletion: {review: true}";
    let repo = Repo::new(
        "max_workers: 2\n",
        &[("T", front), ("U", "depends_on: [T]\nworker: {command: test -e new}")],
        &[],
    );
    assert_eq!(repo.run().status.code(), Some(1));
    assert_eq!(repo.landings("plan"), Vec::<String>::new());
    repo.sandbox.orch(&["approve", "T"]).text();
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan"), ["T.2", "U.1"]);
    assert_eq!(repo.read("new"), "work\n");
    assert!(repo.git("ls-files .orch").contains(".orch/events/accept/T.1.yaml"));
    assert_eq!(repo.git("status --porcelain"), "");
    repo.check_whole("approved");
}
