//! Faults of the machine: calls that fail, disks that are full or read-only, descriptors and
//! processes that are short, files that somebody forged or took away.

mod forged;
mod gone;
mod injected;
mod short;
mod told;

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::own::AtEase as _;
use crate::{
    cli::Sandbox,
    kill::checker::{Checker, Kind},
};

/// No run may take longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tells the effects file what it does, and waits while it is held; the worker of `t1` fails the
/// first time.
const WORKER: &str = r#"#!/bin/sh
say() { echo "$1 $ORCH_TASK_ID $ORCH_ATTEMPT $$" >> "$EFFECTS"; }
say begin
while [ -e "$EFFECTS.hold" ]; do sleep 0.02; done
echo "output of $ORCH_TASK_ID"
if [ "$ORCH_TASK_ID" = t1 ] && [ ! -e "$EFFECTS.t1" ]; then : > "$EFFECTS.t1"; say failure; exit 9; fi
say effect
"#;

/// What the workers of the plan do.
const KINDS: [Kind; 3] = [Kind::Succeeds, Kind::FailsOnce, Kind::Succeeds];

/// What a run came to.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    /// All that it printed.
    text: String,
}

/// A repository with a small plan, and its effects file outside of it.
struct Field {
    sandbox: Sandbox,
    outside: tempfile::TempDir,
}

impl Field {
    /// Makes the plan: `t0` is verified, `t1` needs it and fails once, `t2` stands alone.
    fn new(settings: &str) -> Self {
        let config = format!(
            "max_workers: 2\nenv: {{pass: [EFFECTS]}}\nworker: {{command: ../worker.sh, grace: 1s}}\n\
             retry: {{max_attempts: 2, backoff: 0s}}\n{settings}"
        );
        let field = Self { sandbox: Sandbox::new(), outside: tempfile::tempdir().unwrap() };
        let worker = field.outside.path().join("worker.sh");
        fs::write(&worker, WORKER).unwrap();
        fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).unwrap();
        let config = config.replace("../worker.sh", worker.to_str().unwrap());
        field.sandbox.write(".orch/config.yaml", &config);
        let tasks = [
            ("t0", "depends_on: []\ncompletion: {verify: [\"echo checked\"]}\n"),
            ("t1", "depends_on: [t0]\n"),
            ("t2", "depends_on: []\n"),
        ];
        for (id, keys) in tasks {
            let text = format!("---\n{keys}---\nThe task {id}.\n");
            field.sandbox.write(&format!(".orch/tasks/{id}.md"), &text);
        }
        field
    }

    /// Returns the root as the system names it.
    fn root(&self) -> PathBuf {
        fs::canonicalize(self.sandbox.root()).unwrap()
    }

    fn effects(&self) -> PathBuf {
        self.outside.path().join("effects.txt")
    }

    fn checker(&self) -> Checker {
        Checker::new(self.sandbox.root(), &self.effects(), KINDS.to_vec())
    }

    /// Runs `orch run --plain` below `sh`, `before` standing in front of the program.
    fn run(&self, before: &str) -> Ended {
        let program = env!("CARGO_BIN_EXE_orch");
        let script = format!("{before} '{program}' run --plain 2>&1");
        run_script(&script, self.sandbox.root(), &self.effects())
    }

    /// Checks that nothing is marked as failed but what really failed.
    fn check_no_false_failure(&self) {
        let Ok(records) = fs::read_dir(self.sandbox.path(".orch/runs")) else { return };
        for record in records.flatten() {
            let text = fs::read_to_string(record.path()).unwrap_or_default();
            let is_failure = text.contains("\noutcome: failed\n");
            assert!(!is_failure || text.contains("exit_code: 9"), "{record:?}:\n{text}");
        }
    }
}

/// Runs a shell script whose last command takes the place of the shell, until it and all that
/// hold its output are gone.
fn run_script(script: &str, folder: &Path, effects: &Path) -> Ended {
    let mut child = Command::new("sh")
        .at_ease()
        .args(["-c", script])
        .current_dir(folder)
        .env("EFFECTS", effects)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it never ended: {script}\n{}", reader.join().unwrap());
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ended { code: status.code(), text: reader.join().unwrap() }
}

/// Says whether a program is there; says loudly where it is not.
fn has(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("SKIPPED: `{program}` is missing, so nothing was tested here");
    }
    is_there
}
