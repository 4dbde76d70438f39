//! The binary, driven from outside: one module per command.

mod approve;
mod cancel;
mod check;
mod init;
mod new;
mod retry;
mod schema;
mod stop;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

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

    /// Makes a folder with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
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
        command.env("HOME", self.root()).envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command
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
