//! What a repository holds is executed only after its user approved it: seen from outside, with real
//! repositories, and a folder of canaries that stays empty.

mod asked;
mod changes;
mod late;
mod limits;
mod viewer;
mod workers;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    cli::{Output, Sandbox},
    landing::git,
};

/// A repository with a plan, and a user with a home of their own.
struct Guarded {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Guarded {
    /// Makes a folder with these files, not in git.
    fn bare(files: &[(&str, &str)]) -> Self {
        Self { sandbox: Sandbox::with(files), home: tempfile::tempdir().unwrap() }
    }

    /// Makes a repository with these files in its first commit, on the branch `plan`.
    fn with(files: &[(&str, &str)]) -> Self {
        let guarded = Self::bare(files);
        guarded.sandbox.write(".orch/.gitignore", "local/\n");
        guarded.git("init -q -b plan");
        guarded.commit("begin");
        guarded
    }

    /// As [`Self::with`], with all of it approved.
    fn approved(files: &[(&str, &str)]) -> Self {
        let guarded = Self::with(files);
        guarded.approve();
        guarded
    }

    fn root(&self) -> &Path {
        self.sandbox.root()
    }

    fn git(&self, arguments: &str) -> String {
        git(self.root(), arguments)
    }

    fn commit(&self, subject: &str) {
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {subject}"));
    }

    fn write(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.sandbox.path(path)).unwrap_or_default()
    }

    /// Writes the user's own settings.
    fn settings(&self, text: &str) {
        let path = self.home.path().join("config/orch/config.yaml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, mode).unwrap();
    }

    /// Returns the folder in which nothing may appear.
    fn canaries(&self) -> PathBuf {
        self.home.path().join("canaries")
    }

    fn command(&self, args: &[&str]) -> Command {
        self.command_in(self.root(), args)
    }

    fn command_in(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args);
        command.current_dir(folder).env("HOME", self.home.path());
        command.env("XDG_CONFIG_HOME", self.home.path().join("config"));
        command.env("XDG_DATA_HOME", self.home.path().join("data"));
        command
    }

    fn orch(&self, args: &[&str]) -> Output {
        output(&mut self.command(args))
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the plan on whatever is checked out.
    fn run(&self) -> Output {
        self.orch(&["run", "--plain", "--here"])
    }

    /// Approves all that would be executed, as it is now.
    fn approve(&self) {
        let hash = self.orch(&["trust", "--print"]).text();
        let approved = self.orch(&["trust", "--trust-hash", hash.trim()]);
        assert_eq!(approved.code, 0, "{approved:?}");
    }

    /// Returns what waits for approval, by name.
    fn waiting(&self) -> String {
        let told = self.orch(&["trust", "--json"]).json();
        let parts = told["parts"].as_array().unwrap().iter();
        let names: Vec<&str> = parts.map(|part| part["name"].as_str().unwrap()).collect();
        names.join(", ")
    }

    /// Waits until a run knows which commit is checked out: what is edited before may have come with
    /// it.
    fn wait_for_head(&self) {
        let head = self.git("rev-parse HEAD");
        let folder = self.home.path().join("data/orch/trust");
        crate::cli::wait_for("the commit", || {
            let files = fs::read_dir(&folder).into_iter().flatten().flatten();
            let text = files.filter_map(|file| fs::read_to_string(file.path()).ok());
            text.into_iter().any(|text| text.contains(head.trim()))
        });
    }

    /// Answers `orch` on a terminal with `answer`; `None` where there is no program for that.
    fn on_a_terminal(&self, args: &str, answer: &str) -> Option<Output> {
        if Command::new("script").arg("--version").output().is_err() {
            eprintln!("skipped: `script` is not installed");
            return None;
        }
        let orch = env!("CARGO_BIN_EXE_orch");
        let like = self.command(&[]);
        let mut command = Command::new("script");
        command.args(["-qec", &format!("{orch} {args}"), "/dev/null"]).current_dir(self.root());
        command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Some(Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::new(),
        })
    }
}

fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
