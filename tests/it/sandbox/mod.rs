//! Workers in sandboxes: what they try, how they end, and what becomes of them where there is none.

mod ends;
mod escapes;
mod missing;
mod settings;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use crate::{
    cli::{Sandbox, wait_for},
    landing::git,
};

/// Says whether sandboxes can be made on this machine, and says so where not.
fn is_possible() -> bool {
    let mut command = Command::new("bwrap");
    command.args(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid"]);
    let is_possible = command.arg("true").output().is_ok_and(|output| output.status.success());
    if !is_possible {
        eprintln!("skipped: no sandbox can be made here; install the package `bubblewrap`");
    }
    is_possible
}

/// A repository with a plan, and what lies outside of it: a home folder above all.
struct Yard {
    sandbox: Sandbox,
    outside: tempfile::TempDir,
}

impl Yard {
    /// Makes a plan of tasks (id and front matter) with these settings, and commits it.
    fn new(config: &str, tasks: &[(&str, &str)]) -> Self {
        let outside = tempfile::Builder::new().prefix("orch-outside-").tempdir().unwrap();
        let yard = Self { sandbox: Sandbox::new(), outside };
        git(yard.root(), "init -q -b plan");
        yard.sandbox.write(".orch/.gitignore", "local/\n");
        yard.sandbox.write(".orch/config.yaml", config);
        yard.sandbox.write("README", "read me\n");
        for (id, front) in tasks {
            yard.sandbox.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{front}\n---\n"));
        }
        fs::create_dir(yard.home()).unwrap();
        yard
    }

    /// Commits all that is there.
    fn commit(&self) {
        git(self.root(), "add -A");
        git(self.root(), "commit -qm begin");
    }

    fn root(&self) -> &Path {
        self.sandbox.root()
    }

    fn home(&self) -> PathBuf {
        self.outside.path().join("home")
    }

    /// Writes a file outside of the repository.
    fn write_outside(&self, path: &str, text: &str) {
        let path = self.outside.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a script that a worker may run.
    fn script(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.sandbox.path(path), mode).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        command.env("HOME", self.home());
        command
    }

    /// Runs the plan to its end.
    fn run(&self) -> Output {
        self.command(&["run", "--plain"]).output().unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.sandbox.path(path)).unwrap_or_default()
    }

    /// Returns how an attempt ended: `outcome: reason`.
    fn ending(&self, attempt: &str) -> String {
        let record = self.read(&format!(".orch/runs/{attempt}.yaml"));
        let value = |key: &str| record.lines().find_map(|line| line.strip_prefix(key));
        let value = |key: &str| value(key).unwrap_or("-").trim_matches('"').to_owned();
        format!("{}: {}", value("outcome: "), value("reason: "))
    }

    /// Returns the processes of the machine with `word` among their arguments.
    fn with_argument(word: &str) -> Vec<u32> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
        })
        .collect()
    }
}

/// A command that was started, and does not outlive its test.
struct Run(Option<Child>);

impl Run {
    fn start(mut command: Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// Waits for its end, and returns what it printed.
    fn end(mut self) -> String {
        wait_for("the end of the run", || {
            let child = self.0.as_ref().unwrap();
            let state = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
            state.contains(") Z ")
        });
        printed(&self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().unwrap_or_default();
            drop(child.wait());
        }
    }
}

/// Returns all that a run printed.
fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
