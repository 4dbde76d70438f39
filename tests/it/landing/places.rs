//! Repositories of all kinds: it works there, or refuses with one sentence.

use std::{fs, path::Path};

use super::{Repo, git, told};

const TASK: (&str, &str) = ("T", "worker: {command: 'echo work > new'}");

fn repo(config: &str) -> Repo {
    Repo::new(config, &[TASK], &[("text", "1\n")])
}

#[test]
fn a_protected_branch_is_left_alone_unless_somebody_says_so() {
    let repo = repo("max_workers: 1\n");
    repo.git("branch -m main");
    let output = repo.run();
    assert_eq!(output.status.code(), Some(2));
    expect_test::expect![[r#"
        error: the branch main is protected: what is done would land on it
          = help: `--branch NAME` makes a branch for the plan and works there, `--here` goes on here; `git: {protect: []}` in .orch/config.yaml protects none
    "#]].assert_eq(&told(&output));
    repo.write("text", "mine\n");
    let text = repo.sandbox.orch(&["run", "--branch", "work"]).text();
    assert!(text.contains("land      T on work as "), "{text}");
    assert_eq!((repo.landings("work"), repo.landings("main")), (vec!["T.1".to_owned()], vec![]));
    assert_eq!(repo.git("status --porcelain"), " M text\n");
    repo.git("checkout -q main");
    repo.sandbox.orch(&["run", "--here"]).text();
    assert_eq!(repo.landings("main"), ["T.1"]);
}

#[test]
fn a_branch_that_cannot_begin_is_refused_with_what_to_do() {
    let repo = repo("max_workers: 1\n");
    repo.git("branch folder/inner");
    repo.git("branch linked");
    repo.git("worktree add -q linked linked");
    repo.git("commit -q --allow-empty -m second");
    repo.git("branch moved HEAD^");
    // The name; the exit code; what is said, and what to do.
    let table = [
        ("a b", "`a b` is not a name of a branch", "name another one: `--branch plan`"),
        ("-x", "`-x` is not a name of a branch", "name another one"),
        ("", "`` is not a name of a branch", "name another one"),
        ("HEAD", "`HEAD` is not a name of a branch", "name another one"),
        ("moved", "there is a branch moved at another commit", "`git switch moved` goes there"),
        ("linked", "the branch linked is checked out in ", "name another branch"),
        ("folder", "there can be no branch folder beside the branch folder/inner", "name another"),
        ("plan/a", "there can be no branch plan/a beside the branch plan", "name another one"),
        ("orch", "the branch orch would be in the way of `orch/<id>`", "name another one"),
        ("orch/T", "the branch orch/T would be in the way of `orch/<id>`", "name another one"),
    ];
    let refs = repo.git("for-each-ref");
    let unchanged = |context: &str| {
        assert_eq!(repo.git("for-each-ref"), refs, "{context}");
        assert_eq!(repo.git("symbolic-ref HEAD"), "refs/heads/plan\n", "{context}");
    };
    for (name, cause, help) in table {
        let refused = repo.sandbox.orch(&["run", &format!("--branch={name}")]).error(2);
        let [first, second] = refused.lines().collect::<Vec<_>>()[..] else { panic!("{refused}") };
        assert!(first.starts_with(&format!("error: {cause}")), "{refused}");
        assert!(second.starts_with("  = help: ") && second.contains(help), "{refused}");
        unchanged(name);
    }
    // What is under way goes on on its branch: that is how things stand, not how it was asked.
    repo.git("update-ref CHERRY_PICK_HEAD HEAD");
    expect_test::expect![[r#"
        error: a cherry-pick is under way in this checkout
          = help: finish it or give it up (`git status` says how), then run again
    "#]]
    .assert_eq(&repo.sandbox.orch(&["run", "--branch=new"]).error(3));
    unchanged("cherry-pick");
    repo.git("update-ref -d CHERRY_PICK_HEAD");
    repo.sandbox.orch(&["run", "--branch=plan"]).text();
    assert_eq!(repo.landings("plan"), ["T.1"]);
}

#[test]
fn no_branch_is_checked_out_under_a_coordinator() {
    let worker = "worker: {command: 'echo here; until test -e $ORCH_ROOT/go; do sleep 0.02; done'}";
    let repo = Repo::new("max_workers: 1\n", &[("T", worker)], &[]);
    let run = repo.start();
    repo.wait_for_worker("T");
    let refused = repo.sandbox.orch(&["run", "--branch=new"]).error(3);
    assert!(refused.contains("another coordinator is at work here"), "{refused}");
    assert_eq!(repo.git("symbolic-ref HEAD"), "refs/heads/plan\n");
    assert_eq!(repo.git("branch --list new"), "");
    repo.go();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn a_lock_in_another_checkout_is_left_alone() {
    let repo = repo("max_workers: 1\n");
    repo.git("worktree add -q -b mine orch-mine");
    let lock = repo.path(".git/worktrees/orch-mine/index.lock");
    fs::write(&lock, "").unwrap();
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert!(lock.exists(), "{}", told(&output));
}

/// Prepares a place, and returns the folder to run in.
type Prepare = fn(&Repo) -> std::path::PathBuf;

#[test]
fn every_kind_of_repository_works_or_is_refused_with_a_sentence() {
    // What is done before; what a run says; what has landed.
    let table: [(&str, Prepare, &str, &str); 9] = [
        ("plain", |r| r.root().into(), "land      T on plan", "T.1"),
        (
            "detached",
            |r| {
                r.git("checkout -q --detach");
                r.root().into()
            },
            "workers share this folder, as no branch is checked out for their work to land on",
            "",
        ),
        (
            "empty",
            |r| {
                fs::remove_dir_all(r.path(".git")).unwrap();
                r.git("init -q -b plan");
                r.root().into()
            },
            "workers share this folder, as the git repository has no commit yet",
            "",
        ),
        (
            "none",
            |r| {
                fs::remove_dir_all(r.path(".git")).unwrap();
                r.root().into()
            },
            "workers share this folder, as this folder is not in a git repository",
            "",
        ),
        (
            "shallow",
            |r| {
                r.git("commit -q --allow-empty -m second");
                r.git(&format!("clone -q --depth 1 file://{} shallow", r.root().display()));
                r.path("shallow")
            },
            "land      T on plan",
            "T.1",
        ),
        (
            "a linked worktree",
            |r| {
                r.git("worktree add -q -b other linked");
                r.path("linked")
            },
            "land      T on other",
            "T.1",
        ),
        (
            "sparse",
            |r| {
                r.write("far/away", "1\n");
                r.git("add far");
                r.git("commit -qm far");
                r.git("sparse-checkout set --no-cone /* !/far");
                r.root().into()
            },
            "land      T on plan",
            "T.1",
        ),
        (
            "a submodule in it",
            |r| {
                git(r.root(), "init -q sub");
                git(&r.path("sub"), "commit -q --allow-empty -m sub");
                r.git("-c protocol.file.allow=always submodule add -q ./sub");
                r.git("commit -qm sub");
                r.root().into()
            },
            "land      T on plan",
            "T.1",
        ),
        (
            "a plan in a folder of it",
            |r| {
                fs::create_dir(r.path("deep")).unwrap();
                r.git("mv .orch deep/.orch");
                r.git("commit -qm deep");
                r.path("deep")
            },
            "land      T on plan",
            "T.1",
        ),
    ];
    for (name, prepare, expected, landed) in table {
        let repo = repo("max_workers: 1\n");
        let folder = prepare(&repo);
        let mut command = repo.sandbox.command(&["run", "--plain"]);
        let output = command.current_dir(&folder).output().unwrap();
        let text = told(&output);
        assert!(output.status.success() && text.contains(expected), "{name}: {text}");
        if landed.is_empty() {
            assert_eq!(fs::read_to_string(folder.join("new")).unwrap(), "work\n", "{name}");
            continue;
        }
        let log = git(&folder, "log --format=%(trailers:key=Orch-Task,valueonly)");
        assert_eq!(log.split_whitespace().collect::<Vec<_>>(), ["T"], "{name}");
        assert_eq!(git(&folder, "status --porcelain -uno"), "", "{name}: {text}");
        assert_eq!(fs::read_to_string(folder.join("new")).unwrap(), "work\n", "{name}");
    }
}

/// Plants everything by which a repository can have git run something.
fn plant(root: &Path) {
    let hooks = root.join(".git/hooks");
    let names = [
        "post-checkout",
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
        "post-merge",
        "pre-merge-commit",
        "reference-transaction",
        "post-index-change",
        "post-rewrite",
        "pre-rebase",
        "pre-auto-gc",
        "fsmonitor-watchman",
        "post-applypatch",
    ];
    let canary = root.join("canary.log");
    let script = format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 1\n", canary.display());
    for name in names {
        fs::write(hooks.join(name), &script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(hooks.join(name), mode).unwrap();
    }
    let run = hooks.join("post-checkout").display().to_string();
    for (key, value) in [
        ("core.fsmonitor", run.as_str()),
        ("filter.evil.smudge", &run),
        ("filter.evil.clean", &run),
        ("filter.evil.process", &run),
        ("diff.external", &run),
        ("merge.evil.driver", &run),
        ("diff.evil.textconv", &run),
        ("core.pager", &run),
        ("core.sshCommand", &run),
        ("gpg.program", &run),
        ("commit.gpgSign", "true"),
        ("alias.status", &format!("!{run}")),
    ] {
        git(root, &format!("config {key} {value}"));
    }
}

#[test]
fn nothing_that_the_repository_names_is_run_by_worktrees_and_landings() {
    let repo = Repo::new(
        "max_workers: 2\nretry: {max_attempts: 3, backoff: 0s}\n",
        &[
            TASK,
            ("A", "worker: {command: 'echo a >> text; echo x > data.bin'}"),
            (
                "B",
                "worker: {command: 'if grep -q \"^<\" text; then echo both > text; else echo b >> text; fi'}",
            ),
        ],
        &[
            ("text", "1\n"),
            ("data.bin", "1\n"),
            (".gitattributes", "*.bin filter=evil diff=evil merge=evil\n"),
        ],
    );
    plant(repo.root());
    let output = repo.run();
    let (canary, text) = (repo.read("canary.log"), told(&output));
    assert!(output.status.success(), "{text}");
    assert_eq!(canary, "", "{text}");
    assert!(text.contains("done: 3 of 3 tasks done"), "{text}");
}

#[test]
fn what_a_worker_plants_in_the_git_folder_does_not_run_and_is_told() {
    // As a worker does it, from its worktree.
    let plants = "g=$(git rev-parse --git-common-dir)\n\
        printf '#!/bin/sh\\necho \"$0\" >> \"$ORCH_ROOT/canary.log\"\\n' > $g/hooks/post-checkout\n\
        chmod +x $g/hooks/post-checkout\n\
        cp $g/hooks/post-checkout $g/hooks/a.sample\n\
        git config core.fsmonitor $g/hooks/post-checkout\n\
        git config branch.plan.remote origin; git config gc.recentObjectsHook ./x; git config gc.auto 0\n\
        git config -f $g/worktrees/linked/config.worktree core.fsmonitor ./x\n\
        mkdir -p \"$ORCH_ROOT/else.log\"; git config core.worktree \"$ORCH_ROOT/else.log\"\n\
        mkdir -p $g/info; echo '* filter=x' > $g/info/attributes\n\
        git config -f $g/config.worktree core.worktree /somewhere/else\n\
        echo work > planted\n";
    let repo = Repo::new(
        "max_workers: 2\n",
        &[
            ("A", "worker: {command: ./plant.sh}"),
            ("B", "depends_on: [A]\nworker: {command: 'echo work > other'}"),
        ],
        &[("plant.sh", &format!("#!/bin/sh\nset -e\n{plants}"))],
    );
    repo.git("worktree add -q --detach linked");
    let output = repo.run();
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(repo.read("canary.log"), "");
    let alarms: Vec<&str> = text.lines().filter(|line| line.contains(" alarm ")).collect();
    let [alarm] = alarms[..] else { panic!("{text}") };
    for planted in [
        ".git/hooks/post-checkout is new",
        "`core.fsmonitor` in .git/config is new",
        "`gc.recentobjectshook` in .git/config is new",
        ".git/worktrees/linked/config.worktree is new",
        "`core.worktree` in .git/config is new",
        ".git/info/attributes is new",
        "`core.worktree` in .git/config.worktree is new",
        "nothing of it runs here; where it was not you, look at it before you use git",
    ] {
        assert!(alarm.contains(planted), "{planted}: {alarm}");
    }
    // What landed is where it belongs all the same.
    assert_eq!((repo.read("planted"), repo.read("other")), ("work\n".into(), "work\n".into()));
    assert_eq!(fs::read_dir(repo.path("else.log")).unwrap().count(), 0);
    for harmless in ["branch.plan", "sample", "gc.auto", "worktrees/orch-"] {
        assert!(!alarm.contains(harmless), "{alarm}");
    }
    let events = repo.sandbox.command(&["run", "--json"]).output().unwrap();
    assert!(!told(&events).contains("git-changed"), "{}", told(&events));
}
