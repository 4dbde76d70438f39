//! The user's own settings: what a plan says can only be stricter, and errors in them stop a run.

use super::Guarded;

const CONFIG: &str = "\
max_workers: 8
worker: {command: 'env >> seen', timeout: 2h, isolation: none}
retry: {max_attempts: 9}
env: {pass: [GOOD, BAD]}
run: {budget: {attempts: 100}}
budget: {attempts: 50}
log: {max_size: 10MiB}
";

const OWN: &str = "\
max_workers: 2
worker: {timeout: 1h, isolation: worktree}
retry: {max_attempts: 3}
env: {pass: [GOOD]}
run: {budget: {attempts: 10}}
budget: {attempts: 5}
log: {max_size: 1MiB}
trust: {edits: ask}
";

#[test]
fn what_is_wider_is_refused_with_a_note_for_each_key() {
    let guarded =
        Guarded::approved(&[(".orch/config.yaml", CONFIG), (".orch/tasks/a.md", "---\n---\n")]);
    assert!(!guarded.orch(&["check"]).stdout.contains("your own settings"));
    guarded.settings(OWN);
    let checked = guarded.orch(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    for (key, says, holds) in [
        ("max_workers", "8", "2"),
        ("worker.timeout", "2h", "1h"),
        ("worker.isolation", "none", "worktree"),
        ("retry.max_attempts", "9", "3"),
        ("env.pass", "BAD", "GOOD"),
        ("run.budget.attempts", "100", "10"),
        ("budget.attempts", "50", "5"),
        ("log.max_size", "10485760", "1048576"),
    ] {
        let told = format!("`{key}` is `{says}`, which is more than your own settings allow");
        assert!(checked.stdout.contains(&told), "{key}: {}", checked.stdout);
        assert!(checked.stdout.contains(&format!("`{holds}` holds")), "{key}: {}", checked.stdout);
    }
    // None of it makes the plan another one.
    assert_eq!(guarded.waiting(), "");
    let mut run = guarded.command(&["run", "--plain", "--here"]);
    let run = super::output(run.env("GOOD", "yes").env("BAD", "no"));
    assert_eq!(run.code, 0, "{run:?}");
    let seen = guarded.read("seen");
    assert!(seen.contains("GOOD=yes") && !seen.contains("BAD="), "{seen}");
    // It worked in a worktree, as its user wants it.
    assert!(seen.contains("/worktrees/a\n"), "{seen}");
}

#[test]
fn stricter_settings_of_a_plan_hold_without_a_word() {
    let strict =
        "max_workers: 1\nworker: {command: 'true', timeout: 1m}\nretry: {max_attempts: 1}\n";
    let guarded =
        Guarded::approved(&[(".orch/config.yaml", strict), (".orch/tasks/a.md", "---\n---\n")]);
    guarded.settings(OWN);
    let checked = guarded.orch(&["check"]);
    assert!(!checked.stdout.contains("your own settings"), "{}", checked.stdout);
}

#[test]
fn errors_in_them_stop_a_run_and_no_reader() {
    let guarded = Guarded::approved(&[
        (".orch/config.yaml", "worker: {command: 'true'}\n"),
        (".orch/tasks/a.md", "---\n---\n"),
    ]);
    for (text, told) in [
        ("max_workers: lots\n", "a whole number is expected"),
        ("trust: {edits: never}\n", "write one of `always`, `accept`, `ask`"),
        ("trust: [\n", "config.yaml:"),
    ] {
        guarded.settings(text);
        let refused = guarded.run();
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.stderr.contains(told), "{text}: {refused:?}");
        assert!(refused.stderr.contains("your own settings have errors"), "{refused:?}");
        assert_eq!(guarded.orch(&["status"]).code, 0);
        assert_eq!(guarded.orch(&["list"]).code, 0);
    }
}

#[test]
fn a_folder_of_ones_own_is_approved_with_all_that_is_in_it() {
    let guarded = Guarded::with(&[
        (".orch/config.yaml", "worker: {command: 'true'}\n"),
        (".orch/tasks/a.md", "---\n---\n"),
    ]);
    guarded.settings("trust: {folders: [~/nowhere, relative, /no/such/folder]}\n");
    assert_eq!(guarded.run().code, 3);
    let above = guarded.root().parent().unwrap().display().to_string();
    // A name that begins alike is another folder.
    guarded.settings(&format!("trust: {{folders: [\"{}x\"]}}\n", guarded.root().display()));
    assert_eq!(guarded.run().code, 3);
    guarded.settings(&format!("trust: {{folders: [\"{above}\"]}}\n"));
    assert_eq!(guarded.run().code, 0);
    let told = guarded.orch(&["trust"]).text();
    assert!(told.contains(&format!("everything in {above} is approved")), "{told}");
}
