//! A thousand secrets in the environment of the coordinator: each is where it was granted, and
//! nowhere else.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use super::listing;
use crate::{
    cli::{Sandbox, read, wait_for},
    landing::git,
};

/// How many variables there are, and how many of them are granted.
const N: usize = 1000;
const N_GRANTED: usize = 5;

/// What every value begins with; a part of it is of this process only.
fn mark() -> String {
    format!("s3cr3t-{}-", std::process::id())
}

fn value(n: usize) -> String {
    format!("{}{n:04}-{:08x}", mark(), n * 2_654_435 + 17)
}

/// Returns the numbers of the values that stand in `bytes`.
fn found_in(bytes: &[u8]) -> BTreeSet<usize> {
    let mark = mark();
    let ends =
        bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    let number = |(at, _): (usize, &[u8])| {
        let digits = bytes.get(at + mark.len()..at + mark.len() + 4)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    ends.filter_map(number).collect()
}

/// Writes down what it was given, under the name of what it is.
const TELL: &str = "#!/bin/sh\nenv -0 > \"$HOME/env-$1\"\ntr '\\0' ' ' < /proc/$$/cmdline > \"$HOME/argv-$1\"\n\
    printf '%s\\n' \"$S3_0\" \"$S3_1\"\nif [ \"$1\" = worker ]; then\n\
    printf -- '---\\nstate: working\\nmessage: %s\\n---\\n%s\\n' \"$S3_2\" \"$S3_3\" > \"$ORCH_STATUS_FILE\"\n\
    echo here; until [ -e \"$ORCH_ROOT/go\" ]; do sleep 0.02; done; echo work > work; fi\n";

/// Takes the place of git.
const GIT: &str = "#!/bin/sh\nenv -0 > \"$HOME/env-git.$$\"\nexec \"$GIT_REAL\" \"$@\"\n";

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn real_git() -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("git"))
        .find(|file| file.is_file())
        .unwrap()
}

/// A plan in which everything that can be run is run and writes down what it was given, and a home.
struct Field {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Field {
    fn new() -> Self {
        let (sandbox, home) = (Sandbox::new(), tempfile::tempdir().unwrap());
        let granted: Vec<String> = (0..N_GRANTED).map(|n| format!("S3_{n}")).collect();
        let granted = granted.join(", ");
        sandbox.write(
            ".orch/config.yaml",
            &format!(
                "max_workers: 1\nenv: {{pass: [{granted}], secret: [{granted}]}}\n\
                 hooks: {{started: ./tell hook}}\nlevels: {{1: {{gate: [./tell gate]}}}}\n"
            ),
        );
        sandbox.write(
            ".orch/tasks/a.md",
            "---\nlevel: 1\nworker: {command: ./tell worker}\ncompletion: {verify: [./tell verify]}\n\
             ---\nDo.\n",
        );
        sandbox.write(".orch/tasks/b.md", "---\nlevel: 2\nworker: {command: 'true'}\n---\n");
        sandbox.write(".orch/.gitignore", "local/\n");
        sandbox.write(".gitignore", "/go\n");
        program(&sandbox.path("tell"), TELL);
        program(&home.path().join("bin/git"), GIT);
        for command in ["init -q -b plan", "add -A", "commit -qm begin"] {
            git(sandbox.root(), command);
        }
        Self { sandbox, home }
    }

    /// Returns a call of `orch` with all the secrets.
    fn command(&self, args: &[&str]) -> Command {
        let mut folders = vec![self.home.path().join("bin")];
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut command = self.sandbox.command(args);
        command.env("HOME", self.home.path()).env("PATH", std::env::join_paths(&folders).unwrap());
        command.env("GIT_REAL", real_git());
        for n in 0..N {
            command.env(format!("S3_{n}"), value(n));
        }
        command
    }

    /// Carries the plan out, and looks at all processes while the worker is at work.
    fn run(&self) {
        let printed = self.home.path().join("printed");
        let out = fs::File::create(&printed).unwrap();
        let mut run = self.command(&["run", "--plain", "-vv"]);
        run.stdout(out.try_clone().unwrap()).stderr(out).stdin(Stdio::null());
        let mut run = run.spawn().unwrap();
        wait_for("the worker", || read(&self.sandbox, ".orch/local/logs/a/1.log").contains("here"));
        let n_seen = look_at_processes(run.id());
        assert!(n_seen > 2, "the supervisor and others were seen: {n_seen}");
        self.sandbox.write("go", "");
        let status = run.wait().unwrap();
        let text = fs::read_to_string(&printed).unwrap();
        assert!(status.success(), "{text}");
        assert_eq!(found_in(text.as_bytes()), BTreeSet::new(), "{text}");
    }

    /// Checks what each kind of program was given, and called with.
    fn check_given(&self) {
        let all: BTreeSet<usize> = (0..N_GRANTED).collect();
        let mut kinds = BTreeSet::new();
        for entry in fs::read_dir(self.home.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some((what, kind)) = name.split_once('-') else { continue };
            let kind = kind.split('.').next().unwrap();
            let is_granted = what == "env" && kind != "git";
            let expected = if is_granted { all.clone() } else { BTreeSet::new() };
            assert_eq!(found_in(&fs::read(&path).unwrap()), expected, "{name}");
            kinds.insert(kind.to_owned());
        }
        assert_eq!(kinds, ["gate", "git", "hook", "verify", "worker"].map(str::to_owned).into());
    }
}

#[test]
fn a_thousand_secrets_are_only_where_they_were_granted() {
    let field = Field::new();
    field.run();
    for args in [
        &["logs", "a"][..],
        &["show", "a"],
        &["status", "--json"],
        &["log"],
        &["retry", "a"],
        &["event", "ci"],
        &["doctor"],
        &["clean", "--yes"],
        &["pr", "--dry-run"],
    ] {
        let output = field.command(args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(found_in(&said), BTreeSet::new(), "{args:?}");
    }
    field.check_given();
    for path in listing(field.sandbox.root()).into_keys().filter(|path| path.is_file()) {
        assert_eq!(found_in(&fs::read(&path).unwrap()), BTreeSet::new(), "{}", path.display());
    }
    assert!(read(&field.sandbox, ".orch/local/logs/a/1.log").starts_with("***\n***\n"));
    assert!(read(&field.sandbox, ".orch/status/a.1.md").contains("message: ***\n---\n***\n"));
}

/// Looks at what all processes were called with and were given, and returns how many there are.
fn look_at_processes(coordinator: u32) -> usize {
    let mut n_seen = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        let Some(pid) = pid else { continue };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        assert_eq!(found_in(&read("cmdline")), BTreeSet::new(), "arguments of {pid}");
        let environment = read("environ");
        if environment.is_empty() || pid == coordinator {
            continue;
        }
        n_seen += 1;
        let found = found_in(&environment);
        let is_worker = environment.windows(13).any(|window| window == b"ORCH_TASK_ID=");
        let may_have = if is_worker { N_GRANTED } else { 0 };
        assert!(found.iter().all(|n| *n < may_have), "environment of {pid}: {found:?}");
    }
    n_seen
}
