//! Files that want to do harm, and what stands in the place of a plan.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    process::{Command, Stdio},
};

use expect_test::expect;

use super::{BASE, Repo, git};
use crate::cli::escaping;

#[test]
fn hostile_files_are_faults_and_nothing_else() {
    let repo = Repo::with(BASE);
    let root = repo.sandbox.root();
    symlink("/etc/passwd", root.join(".orch/tasks/link.md")).unwrap();
    fs::write(root.join(".orch/tasks/huge.md"), vec![b'x'; 5 * 1024 * 1024]).unwrap();
    fs::write(root.join(".orch/tasks/binary.md"), b"---\n\xff\x00\n---\n").unwrap();
    let name = OsStr::from_bytes(b".orch/tasks/\xff.md");
    fs::write(root.join(name), "---\n---\n").unwrap();
    repo.write(".orch/tasks/folder.md/x.md", "---\n---\n");
    repo.write(
        ".orch/tasks/a.md",
        "---\ntitle: First\n<<<<<<< ours\nestimate: 2h\n=======\nestimate: 3h\n>>>>>>> theirs\n---\n",
    );
    repo.commit("hostile");
    let found = repo.json(&["HEAD~1..HEAD"]);
    let told: Vec<String> = found["faults_new"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            let text = |key: &str| fault[key].as_str().unwrap().to_owned();
            format!("{} {} [{}]", text("severity"), text("message"), text("code"))
        })
        .collect();
    expect![[r#"
        error the file holds a merge conflict [merge-conflict]
        error task `b` depends on `a`, whose file could not be read [unknown-dependency]
        error byte 0xff is not UTF-8 [not-utf8]
        error task `c` depends on `a`, whose file could not be read [unknown-dependency]
        error `.orch/tasks/folder.md` is a folder [unreadable-file]
        error `.orch/tasks/huge.md` is larger than 4 MiB [unreadable-file]
        error `.orch/tasks/link.md` is a symbolic link [unreadable-file]
        error `.orch/tasks/�.md` has a name that is not UTF-8 [unreadable-file]"#]]
    .assert_eq(&told.join("\n"));
    // On disk it is the same.
    assert_eq!(repo.diff(&["HEAD"]).text(), "");
    assert_eq!(repo.json(&["HEAD~1"])["faults_new"], found["faults_new"]);
}

#[test]
fn what_stands_in_the_place_of_the_plan_is_a_fault() {
    let repo = Repo::with(BASE);
    let other = Repo::with(&[("tasks/x.md", "---\n---\n")]);
    repo.git(&["rm", "-r", "--quiet", ".orch"]);
    let url = other.sandbox.root().to_str().unwrap();
    repo.git(&["submodule", "--quiet", "add", url, ".orch"]);
    repo.commit("a submodule");
    repo.git(&["rm", "--quiet", "--force", ".orch"]);
    symlink("elsewhere", repo.sandbox.path(".orch")).unwrap();
    repo.commit("a link");
    for range in ["HEAD~2..HEAD~1", "HEAD~2..HEAD"] {
        let found = repo.json(&[range]);
        assert_eq!(found["after"]["n_tasks"], 0, "{found:#}");
        assert_eq!(found["faults_new"][0]["message"], "`.orch` is not a folder");
    }
    // A folder that holds itself, as often as it is asked.
    let tree = repo.git(&["rev-parse", "HEAD~2:.orch/tasks"]);
    let mut inner = tree;
    for _ in 0..40 {
        let entries: String = (0..8).map(|n| format!("040000 tree {inner}\td{n}\n")).collect();
        inner = mktree(&repo, &entries);
    }
    let orch = mktree(&repo, &format!("040000 tree {inner}\ttasks\n"));
    let top = mktree(&repo, &format!("040000 tree {orch}\t.orch\n"));
    let error = repo.diff(&[&format!("HEAD~2..{top}")]).error(3);
    assert!(error.contains("holds more than 1000000 files"), "{error}");
}

fn mktree(repo: &Repo, entries: &str) -> String {
    let mut command = Command::new("git");
    let piped = Stdio::piped;
    command.arg("mktree").current_dir(repo.sandbox.root()).stdin(piped()).stdout(piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn nothing_that_was_committed_reaches_a_terminal_as_it_is() {
    let sandbox = escaping::sandbox();
    git(&sandbox, &["init", "--quiet"]);
    git(&sandbox, &["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    git(&sandbox, &["add", "--all"]);
    git(&sandbox, &["commit", "--quiet", "--message", "everything"]);
    for range in ["HEAD~1..HEAD", "HEAD..HEAD~1", "HEAD~1"] {
        for format in ["text", "markdown", "json"] {
            let output = escaping::check(&sandbox, &["diff", range, "--format", format]);
            assert!(output.stdout.len() > 1_000, "{range} {format}: {}", output.stderr);
        }
    }
    let all = escaping::corpus().concat();
    for typed in [&["diff", &all][..], &["diff", "HEAD", "--plan", &all]] {
        assert_eq!(escaping::check(&sandbox, typed).code, 2, "{typed:?}");
    }
}
