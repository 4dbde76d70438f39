//! What came with a commit waits also where it is reached, read or mended only later.

use super::Guarded;

const CONFIG: &str = "\
worker: {command: echo common >> effect, isolation: none}
retry: {max_attempts: 1}
git: {commit_state: false}
";
const EVIL: &str = "---\nworker: {command: echo evil >> effect}\n---\n";
const ROLE: &str = "---\nworker: {isolation: worktree}\ncompletion: {verify: ['false']}\n---\n";

/// A plan of which a branch `theirs` has another version.
fn plan(theirs: &[(&str, &str)]) -> Guarded {
    let guarded = Guarded::approved(&[
        (".orch/config.yaml", CONFIG),
        (".orch/roles/r.md", ROLE),
        (".orch/tasks/a.md", "---\nrole: r\nstatus: hold\n---\n"),
        (".gitignore", "effect\n.orch/runs\n.orch/status\n"),
    ]);
    guarded.git("checkout -q -b theirs");
    for (path, text) in theirs {
        guarded.write(path, text);
    }
    guarded.commit("theirs");
    guarded.git("checkout -q plan");
    guarded
}

fn check(guarded: &Guarded, expected: &str) {
    for _ in 0..2 {
        let run = guarded.run();
        assert_eq!(guarded.read("effect"), "", "{run:?}");
        assert_eq!(guarded.waiting(), expected, "{run:?}");
    }
}

#[test]
fn a_role_or_a_default_that_no_task_has_yet() {
    let guarded = plan(&[(".orch/roles/new.md", EVIL)]);
    guarded.git("merge -q --ff-only theirs");
    check(&guarded, "role new");
    guarded.write(".orch/tasks/own.md", "---\nrole: new\n---\n");
    check(&guarded, "role new, task own");
    guarded.approve();
    assert_eq!(guarded.run().code, 0);
    assert_eq!(guarded.read("effect"), "evil\n");
}

#[test]
fn a_role_that_is_taken_away_and_then_not_named_any_more() {
    let guarded = plan(&[]);
    guarded.git("checkout -q theirs");
    guarded.git("rm -q .orch/roles/r.md");
    guarded.commit("one");
    guarded.write(".orch/tasks/a.md", "---\n---\n");
    guarded.commit("two");
    guarded.git("checkout -q plan");
    guarded.git("merge -q --ff-only theirs^");
    check(&guarded, "task a");
    guarded.git("merge -q --ff-only theirs");
    check(&guarded, "task a");
}

#[test]
fn a_task_with_an_error_that_its_reader_mends() {
    let broken = EVIL.replace("---\nw", "---\npriority: hihg\nw");
    let guarded = plan(&[(".orch/tasks/e.md", &broken)]);
    guarded.git("merge -q --ff-only theirs");
    check(&guarded, "task e");
    guarded.write(".orch/tasks/e.md", EVIL);
    check(&guarded, "task e");
}

#[test]
fn hooks_beside_settings_that_wait() {
    let evil = "env: {pass: [EVIL]}\nhooks: {done: echo evil >> effect}\n";
    let guarded = plan(&[(".orch/config.yaml", &format!("{CONFIG}{evil}"))]);
    guarded.write(".orch/tasks/b.md", "---\nworker: {command: 'true'}\n---\n");
    let mut watch = super::changes::Watch::start(&guarded);
    watch.wait("ended");
    guarded.git("merge -q --ff-only theirs");
    watch.wait("waits-for-approval");
    drop(watch);
    check(&guarded, "settings, hook done");
    // Not even where what they wait for is taken back.
    guarded.write(".orch/config.yaml", &format!("{CONFIG}hooks: {{done: echo evil >> effect}}\n"));
    check(&guarded, "hook done");
}

#[test]
fn a_merge_that_is_not_committed_yet() {
    let guarded = plan(&[(".orch/tasks/e.md", EVIL)]);
    guarded.git("commit -q --allow-empty -m mine");
    guarded.git("merge -q --no-commit --no-ff theirs");
    assert_eq!(guarded.waiting(), "task e");
    let mut watch = super::changes::Watch::start(&guarded);
    watch.wait("held");
    guarded.git("commit -q -m merged");
    watch.wait("waits-for-approval");
    drop(watch);
    check(&guarded, "task e");
}

#[test]
fn a_repository_within_the_plan() {
    let guarded = plan(&[]);
    crate::landing::git(&guarded.sandbox.path(".orch/tasks"), "init -q");
    guarded.write(".orch/tasks/e.md", EVIL);
    check(&guarded, "task e");
}
