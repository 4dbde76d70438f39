//! Nothing that a file or a name says reaches a shell, or is taken for an option.

use std::{fmt::Write as _, fs, process::Command};

use super::{
    assert_no_canary,
    corpus::{file_names, payloads},
    quoted,
};
use crate::{cli::Sandbox, landing::git};

/// Says to whom it may concern what it was called with: as many words as were written, as they were.
const WORKER: &str = "#!/bin/sh\nset -eu\nprintf '%s' \"$1\" > \"$ORCH_ROOT/told/$ORCH_TASK_ID\"\n\
    [ $# = 1 ] && [ \"$1\" = \"$TEXT\" ]\nprintf '%s\\n' \"$1\"\n\
    if [ -e name ]; then printf x > \"$1\"; rm name; fi\n\
    { printf -- '---\\nstate: done\\nmessage: '; cat \"$ORCH_ROOT/quoted/$ORCH_TASK_ID\"; \
    printf -- '\\n---\\n%s\\n' \"$1\"; } > \"$ORCH_STATUS_FILE\"\n";

/// Notes what a hook was told.
const HOOK: &str = "#!/bin/sh\nprintf '%s\\n' \"$ORCH_TITLE\" >> \"$ORCH_ROOT/titles\"\n";

fn program(sandbox: &Sandbox, path: &str, text: &str) {
    sandbox.write(path, text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(sandbox.path(path), mode).unwrap();
}

/// Makes a repository with a task for each payload, which stands in everything that a task has. Every
/// twentieth task works apart, and lands.
fn repository(payloads: &[(String, String)]) -> Sandbox {
    let sandbox = Sandbox::large();
    program(&sandbox, "work", WORKER);
    program(&sandbox, "hook", HOOK);
    let mut milestones = String::new();
    for (n, (_, text)) in payloads.iter().enumerate() {
        let text = quoted(text);
        let isolation = if n % 20 == 0 { "worktree" } else { "none" };
        writeln!(milestones, "  {text}: {{trigger: all, run: [[./hook, {text}]]}}").unwrap();
        sandbox.write(&format!("quoted/t{n}"), &text);
        sandbox.write(
            &format!(".orch/tasks/t{n}.md"),
            &format!(
                "---\ntitle: {text}\nmilestone: {text}\nphase: {text}\nworkstream: {text}\n\
                 tags: [{text}]\nfiles: ['src/{n}/**']\n\
                 worker: {{command: [./work, {text}], env: {{TEXT: {text}}}, isolation: {isolation}}}\n\
                 completion: {{signal: {text}, verify: [[test, -n, {text}]]}}\nodd: {text}\n---\n\
                 {raw}\n\n## Acceptance criteria\n- [ ] {raw}\n",
                raw = payloads[n].1.replace('\n', " "),
            ),
        );
        let note = format!("kind: retry\ntask: t{n}\nafter: 0\nby: {text}\nnote: {text}\n");
        sandbox.write(&format!(".orch/events/retry/t{n}.0.yaml"), &note);
    }
    sandbox.write(
        ".orch/config.yaml",
        &format!(
            "max_workers: 12\nretry: {{max_attempts: 1}}\n\
             hooks: {{started: ./hook, done: [[./hook, '$(touch canary)']]}}\nmilestones:\n{milestones}"
        ),
    );
    sandbox.write(".orch/.gitignore", "local/\n");
    sandbox.write(".gitignore", "/told\n/quoted\n/titles\n");
    fs::create_dir(sandbox.path("told")).unwrap();
    sandbox
}

fn commit(sandbox: &Sandbox) {
    for command in ["init -q -b plan", "add -A", "commit -qm begin"] {
        git(sandbox.root(), command);
    }
}

#[test]
fn no_text_of_a_task_is_a_command_or_an_option() {
    let payloads = payloads();
    let sandbox = repository(&payloads);
    commit(&sandbox);
    // The branch that work lands on, and whoever it lands for, are foreign text, too.
    git(sandbox.root(), "config user.name $(touch~canary)");
    git(sandbox.root(), "config user.email ;touch~canary@example.com");
    let tip = git(sandbox.root(), "rev-parse HEAD").trim().to_owned();
    let branch = "refs/heads/a'b\"$(touch${IFS}canary)`>canary`;|&";
    git(sandbox.root(), &format!("update-ref {branch} {tip}"));
    git(sandbox.root(), &format!("symbolic-ref HEAD {branch}"));
    let output = sandbox.orch(&["run", "--plain"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert_no_canary(sandbox.root(), "run");
    for (n, (name, text)) in payloads.iter().enumerate() {
        let told = fs::read_to_string(sandbox.path(&format!("told/t{n}"))).unwrap();
        assert_eq!(told, *text, "{name}: an argument was split or expanded");
    }
    let titles = fs::read_to_string(sandbox.path("titles")).unwrap();
    assert!(titles.lines().count() >= 2 * payloads.len(), "hooks were told of every task");
    let log = git(sandbox.root(), "log --format=%B");
    assert!(log.matches("Orch-Task: ").count() >= payloads.len() / 20, "{log}");
    for args in [
        &["list"][..],
        &["status"],
        &["graph"],
        &["check"],
        &["log"],
        &["diff", "HEAD~2..HEAD"],
        &["conflicts"],
        &["clean", "--yes"],
        &["doctor"],
        &["retry", "t0", "t1", "--note", "$(touch canary)"],
        &["plan"],
    ] {
        let output = sandbox.orch(args);
        assert!(output.code < 3, "{args:?}: {}", output.stderr);
    }
    assert_no_canary(sandbox.root(), "reading commands");
}

#[test]
fn no_name_of_a_file_is_a_command_or_an_option() {
    let sandbox = Sandbox::large();
    let names = file_names();
    program(
        &sandbox,
        "work",
        "#!/bin/sh\nmkdir -p deep\ncp -- \"$ORCH_ROOT\"/names/* .\ncp -- \"$ORCH_ROOT\"/names/* deep\n",
    );
    sandbox.write(".orch/config.yaml", "max_workers: 1\nretry: {max_attempts: 1}\n");
    sandbox.write(".orch/tasks/a.md", "---\nworker: {command: ./work}\n---\n");
    sandbox.write(".orch/tasks/b.md", "---\ndepends_on: a\nworker: {command: 'rm -r deep'}\n---\n");
    sandbox.write(".orch/.gitignore", "local/\n");
    sandbox.write(".gitignore", "/names\n");
    for name in &names {
        sandbox.write(&format!("names/{name}"), "x");
    }
    commit(&sandbox);
    let output = sandbox.orch(&["run", "--plain"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let landed = git(sandbox.root(), "ls-tree -z --name-only HEAD");
    let landed: Vec<&str> = landed.split('\0').collect();
    let missing: Vec<&String> = names.iter().filter(|name| !landed.contains(&&***name)).collect();
    assert_eq!(missing, [""; 0], "every file has landed under its name");
    for args in [&["log"][..], &["diff", "HEAD~2..HEAD"], &["clean"], &["conflicts"]] {
        assert!(sandbox.orch(args).code < 3, "{args:?}");
    }
    assert_no_canary(sandbox.root(), "files that landed");
    // The same as names of tasks, roles, templates, events, records and folders.
    for name in &names {
        for (folder, end, text) in [
            ("tasks", ".md", "---\n---\n"),
            ("tasks/$(touch canary)", ".md", "---\n---\n"),
            ("roles", ".md", "---\n---\n"),
            ("templates", ".md", "---\n---\n"),
            ("events", ".yaml", "state: passed\n"),
            ("runs", ".1.yaml", "outcome: succeeded\n"),
            ("status", ".1.md", "---\nstate: done\n---\n"),
        ] {
            sandbox.write(&format!(".orch/{folder}/{name}{end}"), text);
        }
    }
    for args in [
        &["check"][..],
        &["list"],
        &["run"],
        &["event", "--list"],
        &["doctor"],
        &["clean", "--yes"],
    ] {
        sandbox.orch(args);
    }
    assert_no_canary(sandbox.root(), "names");
}

#[test]
fn no_name_that_a_task_gives_is_a_command_or_an_option() {
    let sandbox = Sandbox::large();
    let payloads = payloads();
    for (n, (_, text)) in payloads.iter().enumerate() {
        let text = quoted(text);
        for (what, front) in [
            ("id", format!("id: {text}")),
            ("needs", format!("depends_on: [{text}]")),
            ("role", format!("role: {text}")),
            ("gate", format!("waits_for: [{text}]")),
            ("agent", format!("worker: {{agent: {text}, model: {text}, executor: {text}}}")),
        ] {
            let path = format!(".orch/tasks/{what}-{n}.md");
            sandbox.write(&path, &format!("---\n{front}\n---\n"));
        }
    }
    for args in [&["check"][..], &["list"], &["graph"], &["run"], &["status"], &["plan"]] {
        let output = sandbox.orch(args);
        assert!(output.code < 3, "{args:?}: {}", output.stderr);
    }
    assert_no_canary(sandbox.root(), "names in front matter");
}

#[test]
fn nothing_that_is_typed_is_a_command_or_an_option() {
    let sandbox = Sandbox::with(&[
        (
            ".orch/config.yaml",
            "max_workers: 4\nretry: {max_attempts: 1}\nworker: {command: 'true'}\n",
        ),
        (".orch/tasks/a.md", "---\nworker: {command: ./work}\n---\n"),
        ("work", ""),
    ]);
    // As a worker does it, with everything that it may say.
    program(
        &sandbox,
        "work",
        "#!/bin/sh\nset -e\nfor file in \"$ORCH_ROOT\"/texts/*; do\n\
         text=$(cat \"$file\"; echo .); text=${text%.}\n\
         orch report --message=\"$text\" --note=\"$text\" >/dev/null\ndone\n",
    );
    let payloads = payloads();
    // The commands are the same for all of them: every eighth one is enough, each kind is among those.
    for (n, (_, text)) in payloads.iter().enumerate().filter(|(n, _)| n % 8 == 0) {
        sandbox.write(&format!("texts/{n}"), text);
        let output = sandbox.orch(&["new", &format!("--id=n-{n}"), "--", text]);
        assert!(output.code < 3, "{text:?}: {}", output.stderr);
    }
    commit(&sandbox);
    let output = sandbox.orch(&["run", "--plain"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let ids: Vec<String> = (0..payloads.len()).step_by(8).map(|n| format!("n-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (_, text) in payloads.iter().step_by(40) {
        let note = format!("--note={text}");
        for args in [&["retry", &note][..], &["hold", &note], &["cancel", &note]] {
            assert!(sandbox.orch(&[args, &ids[..3]].concat()).code <= 2);
        }
    }
    assert_no_canary(sandbox.root(), "typed");
}

#[test]
fn the_corpus_does_what_it_says_where_a_shell_gets_it() {
    let n_effective = payloads()
        .iter()
        .filter(|(_, text)| {
            let folder = tempfile::tempdir().unwrap();
            let mut shell = Command::new("sh");
            shell.args(["-c", text]).current_dir(folder.path()).env("x", "0");
            drop(shell.output().unwrap());
            folder.path().join(super::CANARY).exists()
        })
        .count();
    assert!(n_effective >= 80, "only {n_effective} would be noticed");
}
