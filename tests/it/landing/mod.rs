//! Tasks in worktrees of their own, in real repositories, beside people who use git meanwhile.

mod batch;
mod beside;
mod branches;
mod histories;
#[cfg(target_os = "linux")]
mod kills;
mod looks;
mod meanwhile;
mod operations;
mod owners;
mod people;
mod places;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::cli::{Sandbox, start, wait_for};

/// How many repositories are at work at once: most of their time they wait.
const AT_ONCE: usize = 10;

/// Held by tests that keep all processors busy for long, and by one that counts what a user meets: on a
/// machine on which everything waits for a processor, a lock of a fraction of a millisecond is one of many.
fn whole_machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A repository with a plan on the branch `plan`.
struct Repo {
    sandbox: Sandbox,
}

/// Returns a git command as a user gives it, without the settings of this machine.
fn git_command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("git");
    let words = arguments.split(' ').map(|word| word.replace('~', " "));
    command.current_dir(folder).args(words).stdin(Stdio::null());
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "A").env(format!("GIT_{who}_EMAIL"), "a@b.c");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Runs `git` as a user would, and returns what it says.
pub(crate) fn git(folder: &Path, arguments: &str) -> String {
    let output = git_command(folder, arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn told(output: &Output) -> String {
    let told = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&told).into_owned()
}

/// Takes one after the other from `list` and hands it to `work`, some at once.
pub(crate) fn side_by_side<T: Copy + Sync>(list: &[T], work: impl Fn(T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(*one);
                }
            });
        }
    });
}

impl Repo {
    /// Makes a repository with these settings, tasks (id and front matter) and files.
    fn new(config: &str, tasks: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        Self::make(Sandbox::new(), config, tasks, files)
    }

    /// Makes it in an empty folder.
    fn make(
        sandbox: Sandbox,
        config: &str,
        tasks: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Self {
        let repo = Self { sandbox };
        git(repo.root(), "init -q -b plan");
        repo.write(".orch/config.yaml", config);
        repo.write(".orch/.gitignore", "local/\n");
        repo.write(".gitignore", "/go\n*.log\n");
        for (id, front) in tasks {
            repo.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{front}\n---\n"));
        }
        for (path, text) in files {
            repo.write(path, text);
        }
        git(repo.root(), "add -A");
        git(repo.root(), "commit -qm begin");
        repo
    }

    fn root(&self) -> &Path {
        self.sandbox.root()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.sandbox.path(path)
    }

    /// Writes a file; a script can be run.
    fn write(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
        if text.starts_with("#!") {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(self.path(path), mode).unwrap();
        }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Runs the plan to its end, and returns what is printed.
    fn run(&self) -> Output {
        self.sandbox.command(&["run", "--plain"]).output().unwrap()
    }

    fn start(&self) -> Child {
        start(&self.sandbox, &["run", "--plain"])
    }

    /// Lets workers that wait for it go on.
    fn go(&self) {
        self.write("go", "");
    }

    /// Waits until a worker is at work.
    fn wait_for_worker(&self, task: &str) {
        let log = format!(".orch/local/logs/{task}/1.log");
        wait_for("a worker", || self.read(&log).contains("here"));
    }

    /// Waits until what the worker of a task left is committed on its branch.
    fn wait_for_commit(&self, task: &str) {
        wait_for("the commit of its work", || {
            let range = format!("rev-list --count plan..orch/{task}");
            let output = git_command(self.root(), &range).output().unwrap();
            output.status.success() && output.stdout != b"0\n"
        });
    }

    fn git(&self, arguments: &str) -> String {
        git(self.root(), arguments)
    }

    /// As [`landings`].
    fn landings(&self, branch: &str) -> Vec<String> {
        landings(self.root(), branch)
    }

    /// As [`each_commit`].
    fn each_commit(&self, which: &str, holds: impl Fn(&Path)) -> usize {
        each_commit(self.root(), which, holds)
    }

    /// As [`check_whole`].
    fn check_whole(&self, context: &str) {
        check_whole(self.root(), context);
    }
}

/// Returns the landings on a branch, oldest first: task and attempt.
pub(crate) fn landings(root: &Path, branch: &str) -> Vec<String> {
    let format = "%(trailers:key=Orch-Task,valueonly,separator=%x2C).%(trailers:key=Orch-Attempt,valueonly,separator=%x2C)";
    let log = git(root, &format!("log --reverse --format={format} {branch}"));
    log.lines().filter(|line| *line != ".").map(str::to_owned).collect()
}

/// Checks commits out in turn, in a place of their own, and has `holds` look at each; `which` says to
/// `git rev-list` which ones. Returns how many there were.
pub(crate) fn each_commit(root: &Path, which: &str, holds: impl Fn(&Path)) -> usize {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("look");
    git(root, &format!("worktree add -q --detach {}", folder.display()));
    let commits = git(root, &format!("rev-list {which}"));
    for commit in commits.lines() {
        git(&folder, &format!("checkout -q {commit}"));
        holds(&folder);
    }
    git(root, &format!("worktree remove --force {}", folder.display()));
    commits.lines().count()
}

/// Says what must hold of a repository whose plan is done, whatever happened: nothing is left
/// over, and git finds no fault.
pub(crate) fn check_whole(root: &Path, context: &str) {
    git(root, "fsck --strict");
    assert_eq!(git(root, "branch --list orch/*"), "", "{context}");
    let worktrees = git(root, "worktree list --porcelain");
    assert_eq!(worktrees.matches("worktree ").count(), 1, "{context}: {worktrees}");
    for lock in [".git/index.lock", ".git/refs/heads/plan.lock", ".orch/local/landing/step"] {
        assert!(!root.join(lock).exists(), "{context}: {lock} is left");
    }
}
