//! What lies below `.orch` is removed, renamed or replaced while a run goes on.

use std::{fs, path::Path, process::Stdio};

use super::{Field, run_script};
use crate::{cli::wait_for, supervisor};

/// What becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It says that its lock is gone, and nothing of it runs on.
    Gone,
    /// It goes on to its end.
    Done,
    /// Either, as it looked at its lock in between or not.
    Either,
}

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

#[test]
fn whatever_becomes_of_the_folder_the_run_ends_cleanly_or_goes_on() {
    let cases = [
        ("rm -rf .orch", End::Gone),
        ("mv .orch moved", End::Gone),
        ("mv .orch moved; echo > .orch", End::Gone),
        ("mv .orch moved; ln -s moved .orch", End::Gone),
        ("mv .orch moved; cp -r moved .orch", End::Gone),
        ("rm -rf .orch/local", End::Gone),
        ("rm .orch/local/lock", End::Gone),
        ("mv .orch/local .orch/l; ln -s l .orch/local", End::Gone),
        ("rm -rf .orch/runs/* .orch/status", End::Done),
        ("rm -rf .orch/local/logs .orch/local/spare .orch/local/prompts", End::Done),
        ("rm -rf .orch/local/supervisors/*", End::Done),
        ("mv .orch moved; sleep 0.1; mv moved .orch", End::Either),
    ];
    std::thread::scope(|scope| {
        for (change, end) in cases {
            scope.spawn(move || check(change, end));
        }
    });
}

fn check(change: &str, end: End) {
    let field = Field::new("");
    let hold = field.outside.path().join("effects.txt.hold");
    fs::write(&hold, "").unwrap();
    let mut run = field.sandbox.command(&["run", "--plain"]);
    run.env("EFFECTS", field.effects()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run.spawn().unwrap();
    wait_for("two workers", || workers(&field.effects()).len() == 2);
    let changed = run_script(&format!("{change}; exec true"), field.sandbox.root(), &hold);
    assert_eq!(changed.code, Some(0), "{change}: {}", changed.text);
    if end != End::Gone {
        fs::remove_file(&hold).unwrap();
    }
    let output = run.wait_with_output().unwrap();
    let is_done = output.status.success();
    let end = match end {
        End::Either if is_done => End::Done,
        End::Either => End::Gone,
        end => end,
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match end {
        End::Gone => {
            assert_eq!(output.status.code(), Some(3), "{change}: {text}");
            assert!(text.contains("`.orch/local/lock` was removed"), "{change}: {text}");
            let all = workers(&field.effects());
            wait_for("the end of the workers", || !all.iter().any(|pid| runs(pid)));
            wait_for("the end of the supervisor", || {
                supervisor::of(field.sandbox.root()).is_empty()
            });
            let orch = field.sandbox.path(".orch");
            assert!(change != "rm -rf .orch" || !orch.exists(), "{change}: made anew");
        }
        End::Done | End::Either => assert!(is_done, "{change}: {text}"),
    }
    fs::write(&hold, "").unwrap();
    fs::remove_file(&hold).unwrap();
    if end == End::Gone && field.sandbox.path(".orch/config.yaml").exists() {
        let again = field.run("exec");
        let is_told = again.code == Some(3) && again.text.contains("symbolic link");
        assert!(again.code == Some(0) || is_told, "{change}: {}", again.text);
    }
    field.check_no_false_failure();
}
