//! What lies below `.orch` is removed, renamed or replaced while a run goes on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Field, run_script, told::Told};
use crate::{cli::wait_for, supervisor};

/// Says whether a process runs, and is no ended one that nobody waited for.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Returns the processes of all workers that began.
fn workers(effects: &Path) -> Vec<String> {
    let text = fs::read_to_string(effects).unwrap_or_default();
    let begins = text.lines().filter(|line| line.starts_with("begin"));
    begins.filter_map(|line| line.rsplit(' ').next().map(str::to_owned)).collect()
}

/// What is done to the folder, what the run says of it, and what brings it back.
const CHANGES: [(&str, &str, &str); 15] = [
    ("rm -rf .orch", "`.orch", "cp -r ../plan .orch"),
    ("rm -rf .orch", "`.orch", "mkdir .orch; cp -r ../plan/. .orch"),
    ("mv .orch moved", "`.orch` is gone", "mv moved .orch"),
    ("mv .orch moved", "`.orch` is gone", "cp -r moved .orch"),
    ("mv .orch moved; echo > .orch", "`.orch", "rm .orch; mv moved .orch"),
    ("mv .orch moved; ln -s moved .orch", "`.orch", "rm .orch; mv moved .orch"),
    ("rm -rf .orch; echo > .orch", "`.orch", "rm .orch; cp -r ../plan .orch"),
    ("mv .orch moved; cp -r moved .orch", "`.orch", "true"),
    ("rm -rf .orch/local", "`.orch/local", "true"),
    ("rm .orch/local/lock", "`.orch/local/lock` was removed", "true"),
    (
        "mv .orch/local l; ln -s ../l .orch/local",
        "`.orch/local",
        "rm .orch/local; mv l .orch/local",
    ),
    ("mv .orch moved; mkdir .orch", "`.orch", "rm -r .orch; mv moved .orch"),
    (
        "mv .orch/local l; echo > .orch/local",
        "`.orch/local",
        "sleep 3; rm .orch/local; mv l .orch/local",
    ),
    (
        "mv .orch/local l; mkdir -p .orch/local/lock",
        "`.orch/local",
        "sleep 3; rmdir .orch/local/lock",
    ),
    ("cp -r .orch older; rm -rf .orch", "`.orch", "mv older .orch"),
];

/// A run of the small plan whose first two workers have begun, and wait.
struct Begun {
    field: Field,
    run: Told,
    hold: PathBuf,
}

impl Begun {
    fn new() -> Self {
        let field = Field::new("");
        let hold = field.outside.path().join("effects.txt.hold");
        fs::write(&hold, "").unwrap();
        let script = format!("exec '{}' run --plain 2>&1", env!("CARGO_BIN_EXE_orch"));
        let copied = run_script(
            "exec cp -r .orch ${EFFECTS%effects.txt}plan",
            field.sandbox.root(),
            &field.effects(),
        );
        assert_eq!(copied.code, Some(0), "{}", copied.text);
        let run = Told::start(&script, &field);
        wait_for("two workers", || workers(&field.effects()).len() == 2);
        Self { field, run, hold }
    }

    /// Runs a shell script in the repository; `../plan` in it is the plan as it was at first.
    fn change(&self, script: &str) {
        let plan = self.field.outside.path().join("plan");
        let script = script.replace("../plan", plan.to_str().unwrap());
        let changed =
            run_script(&format!("{script}; exec true"), self.field.sandbox.root(), &self.hold);
        assert_eq!(changed.code, Some(0), "{script}: {}", changed.text);
    }
}

#[test]
fn a_folder_that_is_taken_away_is_waited_for() {
    std::thread::scope(|scope| {
        for change in CHANGES {
            scope.spawn(move || check_waits(change));
        }
    });
}

fn check_waits((change, said, back): (&str, &str, &str)) {
    let mut begun = Begun::new();
    begun.change(change);
    assert!(begun.run.waits_for("pause "), "{change}: {:?}", begun.run.seen);
    assert!(begun.run.seen.last().unwrap().contains(said), "{change}: {:?}", begun.run.seen);
    // What they do meanwhile is not forgotten.
    let n_effects = || {
        let text = fs::read_to_string(begun.field.effects()).unwrap();
        text.lines().filter(|line| line.starts_with("effect")).count()
    };
    fs::remove_file(&begun.hold).unwrap();
    wait_for("the effects of both", || n_effects() == 2);
    begun.change(back);
    let (code, text) = begun.run.end();
    assert_eq!(code, Some(0), "{change}: {text}");
    assert_eq!(text.matches("pause ").count(), 1, "{change}: {text}");
    assert_eq!(text.matches("resume ").count(), 1, "{change}: {text}");
    begun.field.check_no_false_failure();
    begun.field.checker().check_end();
    for log in ["t0/1.log", "t2/1.log"] {
        let path = begun.field.sandbox.path(&format!(".orch/local/logs/{log}"));
        let log = fs::read_to_string(path).unwrap_or_default();
        assert!(log.contains("output of t"), "{change}: {log:?}");
    }
    // Nothing is left to do, and all of it is known.
    let again = begun.field.run("exec");
    assert_eq!(again.code, Some(0), "{change}: {}", again.text);
    begun.field.checker().check_end();
}

#[test]
fn a_run_whose_folder_was_taken_away_can_be_stopped() {
    std::thread::scope(|scope| {
        for (change, ..) in CHANGES.into_iter().filter(|(.., back)| *back != "true") {
            scope.spawn(move || check_stops(change));
        }
    });
}

fn check_stops(change: &str) {
    let mut begun = Begun::new();
    begun.change(change);
    assert!(begun.run.waits_for("pause "), "{change}: {:?}", begun.run.seen);
    crate::cli::signal(&begun.run.child, rustix::process::Signal::INT);
    let (code, text) = begun.run.end();
    assert_eq!(code, Some(130), "{change}: {text}");
    assert!(text.contains("stopped while `.orch` was not in its place"), "{change}: {text}");
    let all = workers(&begun.field.effects());
    wait_for("the end of the workers", || !all.iter().any(|pid| runs(pid)));
    wait_for("the end of the supervisor", || supervisor::of(begun.field.sandbox.root()).is_empty());
    let orch = begun.field.sandbox.path(".orch");
    assert!(change != "rm -rf .orch" || !orch.exists(), "{change}: made anew");
}

#[test]
fn what_is_removed_beside_the_lock_is_made_again() {
    let changes = [
        "rm -rf .orch/runs/* .orch/status",
        "rm -rf .orch/local/logs .orch/local/spare .orch/local/prompts",
        "rm -rf .orch/local/supervisors/*",
        "mv .orch moved; mv moved .orch",
    ];
    std::thread::scope(|scope| {
        for change in changes {
            scope.spawn(move || {
                let begun = Begun::new();
                begun.change(change);
                fs::remove_file(&begun.hold).unwrap();
                let (code, text) = begun.run.end();
                assert_eq!(code, Some(0), "{change}: {text}");
                begun.field.check_no_false_failure();
                begun.field.checker().check_end();
            });
        }
    });
}

#[test]
fn workers_that_end_without_a_coordinator_and_without_a_folder_are_not_started_again() {
    let mut begun = Begun::new();
    begun.change("mv .orch moved");
    begun.run.child.kill().unwrap();
    begun.run.child.wait().unwrap();
    fs::remove_file(&begun.hold).unwrap();
    let all = workers(&begun.field.effects());
    wait_for("the end of the workers", || !all.iter().any(|pid| runs(pid)));
    // With the records, but nothing of what is local to this machine.
    begun.change("cp -r moved .orch; rm -rf .orch/local; mkdir -p .orch/local");
    wait_for("the end of the supervisor", || supervisor::of(begun.field.sandbox.root()).is_empty());
    let again = begun.field.run("exec");
    assert_eq!(again.code, Some(0), "{}", again.text);
    begun.field.checker().check_end();
}

#[test]
fn a_folder_of_people_that_cannot_be_read_holds_what_was_not_started() {
    let changes = [
        ("mv .orch/tasks t; echo > .orch/tasks", "rm .orch/tasks; mv t .orch/tasks"),
        ("mv .orch/tasks t; ln -s ../t .orch/tasks", "rm .orch/tasks; mv t .orch/tasks"),
    ];
    std::thread::scope(|scope| {
        for (change, back) in changes {
            scope.spawn(move || {
                let mut begun = Begun::new();
                begun.change(change);
                assert!(begun.run.waits_for("pause "), "{change}: {:?}", begun.run.seen);
                let said = begun.run.seen.last().unwrap();
                assert!(said.contains("`tasks` is not a folder"), "{change}: {said}");
                fs::remove_file(&begun.hold).unwrap();
                assert!(begun.run.waits_for("done      t2"), "{change}: {:?}", begun.run.seen);
                begun.change(back);
                let (code, text) = begun.run.end();
                assert_eq!(code, Some(0), "{change}: {text}");
                assert_eq!(text.matches("pause ").count(), 1, "{change}: {text}");
                begun.field.check_no_false_failure();
                begun.field.checker().check_end();
            });
        }
    });
}

#[test]
fn a_second_run_in_a_folder_that_was_put_back_does_not_start_anything_beside_the_first() {
    let begun = Begun::new();
    begun.change("rm -rf .orch; cp -r ../plan .orch");
    let second = begun.field.run("exec");
    // Either the first was faster to take its place up, or its workers are seen.
    assert_eq!(second.code, Some(3), "{}", second.text);
    let says = ["workers are at work here that no record names", "another coordinator is at work"];
    assert!(says.iter().any(|says| second.text.contains(says)), "{}", second.text);
    fs::remove_file(&begun.hold).unwrap();
    let (code, text) = begun.run.end();
    assert_eq!(code, Some(0), "{text}");
    begun.field.checker().check_end();
}
