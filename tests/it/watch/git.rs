//! Git moves thousands of files below a watcher: what is told is what was in the end, and nothing
//! is started from a tree that is half one branch and half another.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{MARK, NO_RESCAN, Watched, changed_tasks, text, with_title};
use crate::cli::{Sandbox, wait_for};

/// Tasks on each branch of the large repository.
const N_TASKS: usize = 10_000;

/// Tasks that both branches have, with other content.
const N_SHARED: usize = 3_000;

/// A large change may be told in a few parts, not in hundreds.
const PARTS_MAX: usize = 4;

/// Returns a git command that heeds no settings of this machine.
fn git_command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "gc.auto=0", "-c", "user.name=t", "-c", "user.email=t@localhost"]);
    command.args(words).current_dir(folder).stdin(Stdio::null());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command
}

pub(super) fn git(folder: &Path, words: &[&str]) {
    let output = git_command(folder, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit_all(folder: &Path, message: &str) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-qm", message]);
}

/// Writes tasks, 500 to a folder.
fn fill(sandbox: &Sandbox, prefix: &str, numbers: std::ops::Range<usize>, title: &str) {
    for number in numbers {
        let folder = sandbox.path(&format!(".orch/tasks/{prefix}{}", number / 500));
        if number % 500 == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        let path = folder.join(format!("{prefix}-{number}.md"));
        // Few contents: git is slow in writing many objects.
        fs::write(path, with_title(&format!("{title} {}", number % 100))).unwrap();
    }
}

/// Makes a repository with `main`, which is checked out, and `other`.
fn large() -> Sandbox {
    let sandbox = Sandbox::large();
    git(sandbox.root(), &["init", "-q", "-b", "main"]);
    sandbox.write(".orch/config.yaml", NO_RESCAN);
    fill(&sandbox, "both", 0..N_SHARED, "Both");
    fill(&sandbox, "main", 0..N_TASKS - N_SHARED, "Main");
    commit_all(sandbox.root(), "main");
    git(sandbox.root(), &["checkout", "-q", "-b", "other"]);
    fs::remove_dir_all(sandbox.path(".orch/tasks")).unwrap();
    fill(&sandbox, "both", 0..N_SHARED, "Changed");
    fill(&sandbox, "other", 0..N_TASKS - N_SHARED, "Other");
    commit_all(sandbox.root(), "other");
    git(sandbox.root(), &["checkout", "-q", "main"]);
    sandbox
}

/// Checks what was told since: nothing that was undone, nothing twice, in few parts. Returns how
/// many tasks were added, removed and changed.
#[track_caller]
fn judge(watched: &mut Watched, since: usize, name: &str) -> [usize; 3] {
    watched.assert_is_fresh();
    let mut told = BTreeSet::new();
    let mut counts = [0; 3];
    let mut n_parts = 0;
    for line in watched.events(since, "plan-changed") {
        let tasks: Vec<_> = changed_tasks(line).filter(|task| task["id"] != MARK).collect();
        n_parts += usize::from(!tasks.is_empty());
        for task in tasks {
            let (id, change) = (text(&task["id"]), text(&task["change"]));
            let is_there = watched.view.contains_key(&id);
            assert_eq!(is_there, change != "removed", "{name}: {id} was {change} for a moment");
            let kind = ["added", "removed", "changed"].iter().position(|kind| *kind == change);
            counts[kind.unwrap_or_else(|| panic!("{name}: {task}"))] += 1;
            assert!(told.insert(id), "{name}: told twice: {task}");
        }
    }
    assert!(n_parts <= PARTS_MAX, "{name}: {n_parts} parts");
    counts
}

#[test]
fn whatever_git_does_to_ten_thousand_tasks_is_told_as_it_ends() {
    let mut watched = Watched::look(large());
    let root = watched.sandbox.root().to_owned();
    watched.settle();
    let n_own = N_TASKS - N_SHARED;
    let there = [n_own, n_own, N_SHARED];
    let since = watched.now();
    git(&root, &["checkout", "-q", "other"]);
    assert_eq!(judge(&mut watched, since, "checkout"), there);
    let moved = watched.events(since, "head-moved").map(|line| text(&line["to"]));
    assert_eq!(moved.collect::<Vec<_>>(), ["other"]);
    let since = watched.now();
    git(&root, &["checkout", "-q", "main"]);
    assert_eq!(judge(&mut watched, since, "back"), there);
    for number in 0..200 {
        let path = watched.path(&format!(".orch/tasks/both0/both-{number}.md"));
        fs::write(path, with_title(&format!("Edited {number}"))).unwrap();
    }
    fs::remove_dir_all(watched.path(".orch/tasks/main3")).unwrap();
    watched.assert_is_fresh();
    let steps: [(&[&str], [usize; 3]); 6] = [
        (&["stash", "-q"], [500, 0, 200]),
        (&["stash", "pop", "-q"], [0, 500, 200]),
        (&["reset", "-q", "--hard"], [500, 0, 200]),
        (&["reset", "-q", "--hard", "other"], there),
        (&["worktree", "add", "-q", "-f", ".orch/local/worktrees/one", "other"], [0, 0, 0]),
        (&["worktree", "move", ".orch/local/worktrees/one", "two"], [0, 0, 0]),
    ];
    for (words, expected) in steps {
        let since = watched.now();
        git(&root, words);
        assert_eq!(judge(&mut watched, since, &words.join(" ")), expected, "{words:?}");
    }
}

/// Makes a repository with few tasks.
pub(super) fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    git(sandbox.root(), &["init", "-q", "-b", "main"]);
    fill(&sandbox, "main", 0..50, "Main");
    sandbox.write(".orch/config.yaml", NO_RESCAN);
    commit_all(sandbox.root(), "first");
    sandbox
}

#[test]
fn a_rebase_a_merge_and_a_clean_are_told_as_they_end() {
    let sandbox = small();
    let root = sandbox.root().to_owned();
    git(&root, &["checkout", "-q", "-b", "feature"]);
    for step in 0..5 {
        fill(&sandbox, &format!("feature{step}"), 0..20, "Feature");
        commit_all(&root, "feature");
    }
    git(&root, &["checkout", "-q", "main"]);
    fill(&sandbox, "main", 0..10, "Newer");
    commit_all(&root, "newer");
    git(&root, &["checkout", "-q", "feature"]);
    let mut watched = Watched::look(sandbox);
    watched.settle();
    let steps: [(&[&str], [usize; 3]); 5] = [
        (&["rebase", "-q", "main"], [0, 0, 10]),
        (&["checkout", "-q", "main"], [0, 100, 0]),
        (&["merge", "-q", "--no-ff", "-m", "merge", "feature"], [100, 0, 0]),
        (&["revert", "--no-edit", "-m", "1", "HEAD"], [0, 100, 0]),
        (&["cherry-pick", "feature~4", "feature~3"], [40, 0, 0]),
    ];
    for (words, expected) in steps {
        let since = watched.now();
        git(&root, words);
        assert_eq!(judge(&mut watched, since, &words.join(" ")), expected, "{words:?}");
    }
    fill(&watched.sandbox, "loose", 0..30, "Loose");
    watched.assert_is_fresh();
    let since = watched.now();
    git(&root, &["clean", "-qfdx"]);
    assert_eq!(judge(&mut watched, since, "clean"), [0, 30, 0]);
}

#[test]
fn saves_under_a_lock_of_git_are_taken_over_when_it_is_gone() {
    let sandbox = small();
    let lock = sandbox.path(".git/index.lock");
    let mut watched = Watched::look(sandbox);
    watched.settle();
    fs::write(&lock, "").unwrap();
    let since = watched.now();
    let saved = watched.path(".orch/tasks/main0/main-7.md");
    fs::write(&saved, with_title("Under the lock")).unwrap();
    fs::write(watched.task("new"), with_title("New")).unwrap();
    fs::remove_file(watched.path(".orch/tasks/main0/main-8.md")).unwrap();
    // A lock that lasts is told of, and with it everything from before.
    let held = watched.wait("the hold", |line| line["event"] == "held");
    assert!(text(&held["help"]).contains("index.lock"), "{held}");
    assert_eq!(watched.events(since, "plan-changed").count(), 0, "{}", watched.story(since));
    fs::remove_file(&lock).unwrap();
    watched.wait("the end of the hold", |line| line["event"] == "released");
    assert_eq!(judge(&mut watched, since, "a lock"), [1, 1, 1]);
}

#[test]
fn nothing_is_started_from_a_tree_that_is_half_switched() {
    let sandbox = small();
    let root = sandbox.root().to_owned();
    let hold = "---\nstatus: hold\n---\n";
    let ready = "---\nworker: {isolation: none, command: \"test -e .orch/tasks/zz-other.md || echo torn $ORCH_TASK >> torn; \
                 test ! -e .orch/tasks/zz-main.md || echo torn $ORCH_TASK >> torn; echo $ORCH_TASK >> ran\"}\n---\n";
    fs::remove_dir_all(sandbox.path(".orch/tasks")).unwrap();
    (0..20).for_each(|n| sandbox.write(&format!(".orch/tasks/main-{n}.md"), hold));
    sandbox.write(".orch/tasks/zz-main.md", hold);
    // Writing the last file of the other branch waits until it may be written.
    let waits = "while test -d .git && ! test -e go; do touch switching; sleep 0.02; done; cat";
    git(&root, &["config", "filter.waits.smudge", waits]);
    git(&root, &["config", "filter.waits.clean", "cat"]);
    sandbox.write(".gitattributes", "zz-other.md filter=waits\n");
    sandbox.write(".gitignore", "go\nswitching\ntorn\nran\n");
    commit_all(&root, "main");
    git(&root, &["checkout", "-q", "-b", "other"]);
    fs::remove_dir_all(sandbox.path(".orch/tasks")).unwrap();
    (0..20).for_each(|n| sandbox.write(&format!(".orch/tasks/b-{n}.md"), ready));
    sandbox
        .write(".orch/tasks/a.md", &ready.replace("---\nworker", "---\ndepends_on: b-7\nworker"));
    sandbox.write(".orch/tasks/zz-other.md", hold);
    commit_all(&root, "other");
    git(&root, &["checkout", "-q", "main"]);

    let mut watched = Watched::run(sandbox);
    let since = watched.now();
    let mut checkout = git_command(&root, &["checkout", "-q", "other"]).spawn().unwrap();
    wait_for("the middle of the switch", || root.join("switching").exists());
    let is_written = |n: usize| root.join(format!(".orch/tasks/b-{n}.md")).exists();
    assert!((0..20).all(is_written), "git writes the last file first");
    watched.wait("the hold", |line| line["event"] == "held");
    assert_eq!(watched.events(since, "started").count(), 0, "{}", watched.story(since));
    assert_eq!(watched.events(since, "plan-changed").count(), 0, "{}", watched.story(since));
    fs::write(root.join("go"), "").unwrap();
    assert!(checkout.wait().unwrap().success());
    watched.wait("the last worker", |line| line["event"] == "ended" && line["task"] == "a");
    wait_for("all workers", || {
        fs::read_to_string(root.join("ran")).unwrap_or_default().lines().count() == 21
    });
    assert_eq!(fs::read_to_string(root.join("torn")).unwrap_or_default(), "");
    judge(&mut watched, since, "the switch");
}

#[test]
fn nothing_is_started_while_a_rebase_goes_on() {
    let sandbox = small();
    let root = sandbox.root().to_owned();
    (0..50).for_each(|n| {
        let path = format!(".orch/tasks/main0/main-{n}.md");
        sandbox.write(&path, "---\nstatus: hold\n---\n");
    });
    sandbox.write(".gitignore", "go\nbetween\nran\n");
    commit_all(&root, "hold");
    git(&root, &["checkout", "-q", "-b", "feature"]);
    let ready = "---\nworker: {isolation: none, command: echo $ORCH_TASK >> ran}\n---\n";
    for id in ["one", "two"] {
        sandbox.write(&format!(".orch/tasks/{id}.md"), ready);
        commit_all(&root, id);
    }
    git(&root, &["checkout", "-q", "main"]);
    sandbox.write(".orch/tasks/newer.md", "---\nstatus: hold\n---\n");
    commit_all(&root, "newer");
    let mut watched = Watched::run(sandbox);
    let since = watched.now();
    let waits = "touch between; while test -d .git && ! test -e go; do sleep 0.02; done";
    let words = ["rebase", "-q", "--exec", waits, "main", "feature"];
    let mut rebase = git_command(&root, &words).spawn().unwrap();
    wait_for("the middle of the rebase", || root.join("between").exists());
    watched.wait("the hold", |line| line["event"] == "held");
    // What is there in the middle is seen, so that conflicts can be looked at, and not started.
    watched.wait("the first task", |line| {
        changed_tasks(line).any(|task| task["id"] == "one" && task["change"] == "added")
    });
    watched.settle();
    assert_eq!(watched.events(since, "started").count(), 0, "{}", watched.story(since));
    fs::write(root.join("go"), "").unwrap();
    assert!(rebase.wait().unwrap().success());
    watched.wait("the end of the hold", |line| line["event"] == "released");
    for _ in 0..2 {
        watched.wait("a worker", |line| line["event"] == "ended");
    }
    judge(&mut watched, since, "the rebase");
}

#[test]
fn a_linked_worktree_is_followed_by_its_own_lock_and_head() {
    let (main, linked) = (small(), Sandbox::new());
    git(main.root(), &["branch", "other"]);
    let folder = linked.root().to_str().unwrap();
    git(main.root(), &["worktree", "add", "-q", "--force", folder, "other"]);
    let mut watched = Watched::look(linked);
    watched.settle();
    let since = watched.now();
    // What happens in the other checkout is nothing here.
    fs::write(main.path(".orch/tasks/main0/main-3.md"), with_title("Edited")).unwrap();
    git(main.root(), &["checkout", "-q", "-b", "third"]);
    commit_all(main.root(), "edited");
    watched.assert_is_fresh();
    assert_eq!(watched.story(since), "");
    let since = watched.now();
    let lock = main.path(".git/worktrees").read_dir().unwrap().next().unwrap().unwrap().path();
    fs::write(lock.join("index.lock"), "").unwrap();
    fs::write(watched.path(".orch/tasks/main0/main-5.md"), with_title("Edited")).unwrap();
    watched.wait("the hold", |line| line["event"] == "held");
    assert_eq!(watched.events(since, "plan-changed").count(), 0, "{}", watched.story(since));
    fs::remove_file(lock.join("index.lock")).unwrap();
    watched.wait("the edit", |line| line["event"] == "plan-changed");
    git(watched.sandbox.root(), &["reset", "-q", "--hard"]);
    watched.assert_is_fresh();
    let since = watched.now();
    git(watched.sandbox.root(), &["checkout", "-q", "--detach", "third"]);
    assert_eq!(judge(&mut watched, since, "a linked worktree"), [0, 0, 1]);
    assert_eq!(watched.events(since, "head-moved").count(), 1);
}
