//! A git repository with a plan on the branch `plan`, and tasks that work in it as a run has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use orch::io::git::{Ground, Origin};

use super::{Sandbox, record};

/// A plan in a repository.
pub(super) struct Planted {
    pub(super) sandbox: Sandbox,
    pub(super) ground: Ground,
}

impl Planted {
    /// Makes a repository with these files in one commit, and a few more.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::with(files);
        sandbox.write(".orch/.gitignore", "local/\n");
        sandbox.write(".gitignore", "*.o\n/.cache/\n");
        sandbox.write("a", "1\n2\n3\n4\n5\n");
        sandbox.write("b", "1\n2\n3\n4\n5\n");
        let root = sandbox.root();
        git(root, "init -q -b plan");
        git(root, "config user.name A");
        git(root, "config user.email a@example.com");
        git(root, "add -A");
        git(root, "commit -qm begin");
        let ground = Ground::find(root).unwrap().unwrap();
        Self { sandbox, ground }
    }

    pub(super) fn root(&self) -> &Path {
        self.sandbox.root()
    }

    /// Runs git at the root.
    pub(super) fn git(&self, arguments: &str) -> String {
        git(self.root(), arguments)
    }

    pub(super) fn folder(&self, task: &str) -> PathBuf {
        self.sandbox.path(&format!(".orch/local/worktrees/{task}"))
    }

    /// Makes the worktree of a task.
    pub(super) fn begin(&self, task: &str) -> PathBuf {
        let (tip, folder) = (self.ground.tip("plan").unwrap().unwrap(), self.folder(task));
        self.ground.prepare_worktree(task, &folder, &tip, Origin::Before).unwrap();
        folder
    }

    /// Makes the worktree of a task, and commits a file in it.
    pub(super) fn work(&self, task: &str, file: &str, text: &str) -> PathBuf {
        let folder = self.begin(task);
        std::fs::write(folder.join(file), text).unwrap();
        git(&folder, "add -A");
        git(&folder, &format!("commit -qm {task}~works"));
        folder
    }

    /// Writes the record of an attempt that ended.
    pub(super) fn record(&self, task: &str, number: u32, outcome: &str) {
        let path = format!(".orch/runs/{task}.{number}.yaml");
        self.sandbox.write(&path, &record(task, number, outcome));
    }

    /// Commits everything at the root.
    pub(super) fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q -m {}", message.replace(' ', "~")));
    }
}

/// Runs `git` as a user would, and returns what it says; `~` stands for a blank in an argument.
pub(super) fn git(folder: &Path, arguments: &str) -> String {
    let words = arguments.split(' ').map(|word| word.replace('~', " "));
    let output = Command::new("git").current_dir(folder).args(words).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments}: {told}");
    String::from_utf8(output.stdout).unwrap()
}
