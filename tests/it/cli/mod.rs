//! The binary, driven from outside: one module per command.

mod approve;
mod cancel;
mod check;
mod claims;
mod clean;
mod conflicts;
mod detach;
mod diff;
mod doctor;
mod escaping;
mod event;
mod explain;
mod graph;
mod hold;
mod hooks;
mod init;
mod list;
mod log;
mod logs;
mod new;
mod outcomes;
mod plan;
mod planted;
mod pr;
mod report;
mod retry;
mod run;
mod schema;
mod secrets;
mod show;
mod status;
mod stop;
mod trouble;
mod wait;
mod watch;
mod watch_screen;

pub(crate) use escaping::{assert_harmless, corpus};
pub(crate) use run::{plan, read, signal, start, wait_for};

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::own::AtEase as _;
use crate::supervisor;

/// A folder that is gone after the test, and `orch` run in it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// Makes an empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("orch-").tempdir().unwrap() }
    }

    /// Makes an empty folder on the fastest disk with room for a large plan.
    pub(crate) fn large() -> Self {
        let memory = Path::new("/dev/shm");
        let has_room = rustix::fs::statvfs(memory)
            .is_ok_and(|disk| (disk.f_bavail * disk.f_frsize) >> 29 != 0);
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("orch-");
        match has_room.then(|| folder.tempdir_in(memory)) {
            Some(Ok(folder)) => Self { folder },
            _ => Self::new(),
        }
    }

    /// Makes a folder with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    /// Makes a small plan in which tasks of most states occur, with what two runs left.
    pub(crate) fn with_plan() -> Self {
        let sandbox = Self::with(PLAN);
        sandbox.write(".orch/local/logs/build/2.log", "one\r\n\u{1b}[31mtwo\nthree\n");
        sandbox
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Returns the path of the file in a folder whose name begins so.
    pub(crate) fn find(&self, folder: &str, prefix: &str) -> Option<String> {
        let names = fs::read_dir(self.path(folder)).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with(prefix)).map(|name| format!("{folder}/{name}"))
    }

    /// Writes a file, with the folders that it lies in.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs `orch` with these arguments and nothing of the environment but `PATH` and `HOME`.
    pub(crate) fn orch(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Returns the command that [`Self::orch`] runs, for tests that must watch it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
        command.args(args).current_dir(self.root()).stdin(Stdio::null()).env_clear();
        command
            .env("HOME", self.root())
            .at_ease()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
    }
}

impl Drop for Sandbox {
    /// Stops the workers that a test left behind.
    fn drop(&mut self) {
        supervisor::signal_all(self.root(), rustix::process::Signal::TERM);
    }
}

/// Returns the record of an ended attempt.
pub(crate) fn record(task: &str, attempt: u32, outcome: &str) -> String {
    format!(
        "task: {task}\nattempt: {attempt}\noutcome: {outcome}\nreason: planted\n\
         started: 2026-11-20T10:15:00.000Z\nended: 2026-11-20T10:16:00.000Z\nworker: true\n\
         executor: local\nnonce: planted\nlog: .orch/local/logs/{task}/{attempt}.log\n"
    )
}

impl Output {
    /// Returns what was printed by a command that must end well and stay silent on errors.
    pub(crate) fn text(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// Returns what was printed by a command that must end well, read as JSON.
    pub(crate) fn json(self) -> serde_json::Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Returns standard error of a command that must end with `code` and print nothing else.
    pub(crate) fn error(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        self.stderr
    }
}

/// `build` failed twice, so `test` and `ship` are blocked; `docs` and `lint` may start.
const PLAN: &[(&str, &str)] = &[
    (".orch/config.yaml", "max_workers: 2\nworker: {command: make}\n"),
    (".orch/roles/backend.md", "---\nretry: {max_attempts: 2}\n---\nYou build.\n"),
    (".orch/tasks/base.md", "---\ntitle: Base\nestimate: 1h\nmilestone: alpha\n---\n"),
    (
        ".orch/tasks/build.md",
        "---\ntitle: Build it\ndepends_on: base\nrole: backend\nestimate: 2h\nmilestone: beta\n\
         completion: {verify: [cargo test]}\n---\n# Build\n\n## Acceptance criteria\n- [x] a\n- [ ] b\n",
    ),
    (".orch/tasks/test.md", "---\ntitle: Test it\ndepends_on: build\nmilestone: beta\n---\n"),
    (
        ".orch/tasks/ship.md",
        "---\ntitle: Ship it\ndepends_on: [test, docs]\nwaits_for: approval\n---\n",
    ),
    (".orch/tasks/docs.md", "---\ntitle: Write\nestimate: 4h\ntags: [words]\n---\n"),
    (".orch/tasks/lint.md", "---\ntitle: Lint\npriority: high\nestimate: 30m\n---\n"),
    (".orch/tasks/later.md", "---\ntitle: Later\nstatus: hold\n---\n"),
    (
        ".orch/runs/base.1.yaml",
        "version: 1\ntask: base\nattempt: 1\noutcome: succeeded\nreason: exit code 0\n\
         started: 2026-11-20T10:00:00.000Z\nended: 2026-11-20T10:30:00.000Z\nworker: make\n\
         executor: local\nexit_code: 0\nusage: {input_tokens: 1200, cost_usd: 0.5}\n",
    ),
    (
        ".orch/runs/build.1.yaml",
        "version: 1\ntask: build\nattempt: 1\noutcome: failed\nreason: exit code 3\n\
         started: 2026-11-20T10:30:00.000Z\nended: 2026-11-20T10:40:00.000Z\nworker: make\n\
         executor: local\nexit_code: 3\n",
    ),
    (
        ".orch/runs/build.2.yaml",
        "version: 1\ntask: build\nattempt: 2\noutcome: failed\n\
         reason: \"verify `cargo test` failed: exit code 1\"\n\
         started: 2026-11-20T10:41:00.000Z\nended: 2026-11-20T10:50:30.000Z\nworker: make\n\
         executor: local\nexit_code: 0\nverify:\n  - command: cargo test\n    exit_code: 1\n    \
         duration: 90s\ndigest: 0000000000000000000000000000000000000000\n",
    ),
    (
        ".orch/status/build.2.md",
        "---\nstate: done\nprogress: 100\nmessage: built\n---\nMind the cache.\n",
    ),
];
