//! How approval is given, kept and taken back.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Guarded;
use crate::landing::git;

const TASK: &str = "---\nworker: {command: echo done >> effect, isolation: none}\n---\nDo it.\n";

fn plan() -> Guarded {
    Guarded::with(&[(".orch/tasks/a.md", TASK)])
}

#[test]
fn what_would_be_executed_is_shown_with_all_that_decides_it() {
    let guarded = Guarded::with(&[
        (
            ".orch/config.yaml",
            "max_workers: 2\nenv: {pass: [TOKEN]}\nhooks:\n  done: ./told.sh\nlevels: {1: {gate: [make lint]}}\n",
        ),
        (".orch/roles/cook.md", "---\nworker:\n  command: ['./cook.sh', 'a b']\n---\nYou cook.\n"),
        (".orch/tasks/a.md", "---\nrole: cook\nworker: {env: {A: secret-value}}\n---\nDo it.\n"),
        (
            ".orch/tasks/b.md",
            "---\nworker: {command: \"x | y\", isolation: none}\ncompletion: {verify: [make check]}\n---\n",
        ),
        (".orch/tasks/off.md", "---\nworker: {command: z}\nstatus: cancelled\n---\n"),
    ]);
    let shown = guarded.orch(&["trust"]);
    assert_eq!(shown.code, 3);
    let text = shown.stdout.replace(&guarded.root().display().to_string(), "ROOT");
    expect_test::expect![[r#"
        settings  .orch/config.yaml
            max_workers: 2
            env.pass: TOKEN

        hook done  .orch/config.yaml:4
            starts: ./told.sh
            in: ROOT
            timeout: 30s

        gate 1  .orch/config.yaml:5
            starts: make lint
            in: ROOT
            timeout: 30m

        role cook  .orch/roles/cook.md
            run: ["./cook.sh", "a b"]
            persona: 1 line (dc3f3cc760f5)

        task a  .orch/roles/cook.md:3
            starts: ./cook.sh 'a b'
            in: .orch/local/worktrees/a (worktree)
            variables: A, TOKEN
            env: A (08d34e341bf5)
            title: a
            prompt: 1 line (040f4785689e)
            role: cook
            persona: 1 line (dc3f3cc760f5)

        task b  .orch/tasks/b.md:2
            starts: sh -c 'x | y'
            verified by: make check
            in: ROOT
            variables: TOKEN
            title: b
            prompt: 0 lines (af5570f5a181)

        nothing of this plan is approved yet: 6 parts
    "#]]
    .assert_eq(&text);
    assert!(!text.contains("secret-value"));
    let told = guarded.orch(&["trust", "--json"]).json();
    let task = &told["parts"][4];
    assert_eq!(task["name"], "task a");
    assert_eq!(task["argv"][0], serde_json::json!(["./cook.sh", "a b"]));
    assert_eq!((&task["path"], &task["line"]), (&".orch/roles/cook.md".into(), &3.into()));
    assert_eq!(task["isolation"], "worktree");
    assert_eq!(task["environment"], serde_json::json!(["A", "TOKEN"]));
}

#[test]
fn a_person_is_asked_and_their_answer_kept() {
    let guarded = plan();
    let Some(refused) = guarded.on_a_terminal("run --plain", "n\n") else { return };
    assert_eq!(refused.code, 3, "{}", refused.stdout);
    assert!(refused.stdout.contains("echo done") && refused.stdout.contains("[y/N]"));
    let left = guarded.on_a_terminal("trust", "\n").unwrap();
    assert_eq!(left.code, 1, "{}", left.stdout);
    assert_eq!(guarded.read("effect"), "");
    let approved = guarded.on_a_terminal("trust", "y\n").unwrap();
    assert_eq!(approved.code, 0, "{}", approved.stdout);
    assert_eq!(guarded.run().code, 0);
    assert_eq!(guarded.read("effect"), "done\n");
    assert_eq!(guarded.orch(&["trust"]).code, 0);
}

#[test]
fn a_hash_stands_for_exactly_what_it_was_printed_for() {
    let guarded = plan();
    let hash = guarded.orch(&["trust", "--print"]).text();
    let run = |hash: &str| guarded.orch(&["run", "--plain", "--here", "--trust-hash", hash]);
    for wrong in ["0".repeat(64), hash.trim().replace(['0', '1'], "2")] {
        let refused = run(&wrong);
        assert!(refused.code == 3 && refused.stderr.contains("its hash is"), "{refused:?}");
    }
    for bad in ["", "yes", "1234"] {
        assert_eq!(run(bad).code, 2, "{bad}");
    }
    assert_eq!(guarded.read("effect"), "");
    assert_eq!(run(hash.trim()).code, 0);
    assert_eq!(guarded.read("effect"), "done\n");
    // It was for that run only.
    guarded.orch(&["retry", "a", "--force"]).text();
    assert_eq!(guarded.run().code, 3);
    guarded.write(".orch/tasks/a.md", &TASK.replace("done", "other"));
    assert_eq!(run(hash.trim()).code, 3);
    assert_eq!(guarded.read("effect"), "done\n");
}

#[test]
fn all_of_a_protected_branch_is_taken_where_that_is_said() {
    let guarded = plan();
    let run = || guarded.orch(&["run", "--plain", "--here", "--trust"]);
    // What the plan itself calls protected does not count.
    guarded.write(".orch/config.yaml", "git: {protect: [plan]}\n");
    assert!(run().error(2).contains("protected branch"));
    guarded.settings("trust: {protect: [plan]}\n");
    assert_eq!(run().code, 0);
    guarded.settings("");
    guarded.git("checkout -q -b main");
    guarded.orch(&["retry", "a", "--force"]).text();
    assert_eq!(run().code, 0);
    assert_eq!(guarded.read("effect"), "done\ndone\n");
    guarded.git("checkout -q --detach");
    assert_eq!(run().code, 2);
}

#[test]
fn what_init_writes_is_approved_and_what_it_finds_is_not() {
    let guarded = Guarded::bare(&[]);
    guarded.orch(&["init"]).text();
    assert_eq!(guarded.orch(&["trust"]).code, 0);
    assert_eq!(guarded.run().code, 0);
    let found = Guarded::bare(&[(".orch/tasks/a.md", TASK)]);
    found.orch(&["init"]).text();
    assert_eq!(found.run().code, 3);
}

#[test]
fn approval_is_taken_back_as_a_whole() {
    let guarded = plan();
    guarded.approve();
    assert_eq!(guarded.orch(&["trust", "--revoke"]).code, 0);
    assert_eq!(guarded.run().code, 3);
    let told = guarded.orch(&["status"]).text();
    assert!(told.contains("nothing of this plan is started before you approve it"), "{told}");
    guarded.approve();
    assert_eq!(guarded.run().code, 0);
}

#[test]
fn single_parts_are_approved_by_name() {
    let guarded = plan();
    guarded.approve();
    guarded.settings("trust: {edits: ask}\n");
    guarded.write(".orch/tasks/b.md", TASK);
    guarded.write(".orch/tasks/c.md", TASK);
    assert_eq!(guarded.waiting(), "task b, task c");
    let unknown = guarded.orch(&["trust", "bb"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
    let Some(approved) = guarded.on_a_terminal("trust b", "y\n") else { return };
    assert_eq!(approved.code, 0, "{}", approved.stdout);
    assert_eq!(guarded.waiting(), "task c");
    let wrong = guarded.on_a_terminal("trust bb", "y\n").unwrap();
    assert_eq!(wrong.code, 2, "{}", wrong.stdout);
}

#[test]
fn approvals_belong_to_a_repository_and_all_its_checkouts() {
    let guarded = plan();
    guarded.approve();
    let places = tempfile::tempdir().unwrap();
    let linked = places.path().join("linked");
    guarded.git(&format!("worktree add -q -b other {}", linked.display()));
    let run = |folder: &std::path::Path| {
        super::output(&mut guarded.command_in(folder, &["run", "--plain", "--here"]))
    };
    assert_eq!(run(&linked).code, 0);
    let copy = places.path().join("copy");
    git(places.path(), &format!("clone -q {} copy", guarded.root().display()));
    assert_eq!(run(&copy).code, 3);
    // A change that came there before anybody looked there is not the edit of anybody.
    fs::write(linked.join(".orch/tasks/b.md"), TASK).unwrap();
    let second = places.path().join("second");
    git(&linked, "add -A");
    git(&linked, "commit -qm other");
    guarded.git(&format!("worktree add -q -b third {} other", second.display()));
    assert_eq!(run(&second).code, 1);
    assert!(!second.join(".orch/runs/b.1.yaml").exists());
}

#[test]
fn approvals_that_others_could_have_written_are_not_used() {
    let guarded = plan();
    guarded.approve();
    let folder = guarded.home.path().join("data/orch/trust");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file:?}");
        fs::set_permissions(file, fs::Permissions::from_mode(0o622)).unwrap();
    }
    let refused = guarded.run();
    assert!(refused.stderr.contains("others can write to it"), "{refused:?}");
    for file in &files {
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(guarded.orch(&["trust"]).code, 0);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(guarded.run().stderr.contains("others can write to it"));
    for file in &files {
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file).unwrap();
    }
    assert_eq!(guarded.run().code, 3);
    assert_eq!(guarded.read("effect"), "");
}
