//! Golden folders: a whole `.orch` in, the text of `orch check` out.
//!
//! `UPDATE_EXPECT=1 cargo test --test it fixtures` writes `expected.txt` anew; the difference is
//! then reviewed as any other.

use std::{
    fs,
    path::{Path, PathBuf},
};

use expect_test::expect_file;

use crate::{cli::Sandbox, source};

#[test]
fn every_plan_is_told_as_expected() {
    check_all("fixtures/check");
}

#[test]
fn every_bad_input_is_told_as_expected() {
    check_all("fixtures/input");
}

/// Checks every folder below `subject`. The last line of `expected.txt` is the exit code.
fn check_all(subject: &str) {
    let cases = source::folders(subject);
    assert!(!cases.is_empty(), "{subject} is empty");
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    for case in cases {
        let folder = source::root().join(subject).join(&case);
        let expected = folder.join("expected.txt");
        assert!(is_update || expected.is_file(), "{} is missing", expected.display());
        let sandbox = Sandbox::new();
        copy(&folder.join(".orch"), &sandbox.path(".orch"));
        let output = sandbox.orch(&["check"]);
        assert_eq!(output.stderr, "", "{subject}/{case}");
        let told = format!("{}exit code {}\n", output.stdout, output.code);
        expect_file![expected].assert_eq(&told);
        if folder.join(".orch/tasks/good.md").is_file() {
            let listed = sandbox.orch(&["list"]);
            assert_eq!(listed.code, 0, "{case}: {}", listed.stderr);
            let is_good = |line: &str| line.split_whitespace().take(2).eq(["ready", "good"]);
            assert!(listed.stdout.lines().any(is_good), "{case}: {}", listed.stdout);
        }
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn the_plan_of_this_project_has_no_faults() {
    let sandbox = Sandbox::new();
    for part in ["tasks", "roles"] {
        let path = format!(".orch/{part}");
        copy(&source::root().join(&path), &sandbox.path(&path));
    }
    fs::copy(source::root().join(".orch/config.yaml"), sandbox.path(".orch/config.yaml")).unwrap();
    assert_eq!(sandbox.orch(&["check", "--strict"]).text(), "no faults in 5 tasks\n");
}
