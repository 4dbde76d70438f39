//! `orch report`, from inside a worker and from outside.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use orch::{
    app::use_case::report::{Surroundings, Target, report},
    domain::format::{status_edit::StatusChange, status_file},
};

use super::{
    Output, Sandbox, record,
    run::{plan, read, start, wait_for},
};

/// The program.
const ORCH: &str = env!("CARGO_BIN_EXE_orch");

const STATUS: &str = ".orch/status/build.2.md";

/// `build` is at its second attempt; nobody watches over it.
fn sandbox() -> Sandbox {
    let running = record("build", 2, "failed");
    let running: String = running
        .lines()
        .filter(|l| !l.starts_with("outcome") && !l.starts_with("ended"))
        .fold(String::new(), |text, line| text + line + "\n");
    Sandbox::with(&[
        (".orch/tasks/build.md", "---\nworker: {command: make}\n---\n"),
        (".orch/tasks/idle.md", "---\n---\n"),
        (".orch/runs/build.1.yaml", &record("build", 1, "failed")),
        (".orch/runs/build.2.yaml", &running),
    ])
}

/// Calls `orch report` as the worker of `build.2` does, with a secret in its environment.
fn inside(sandbox: &Sandbox, args: &[&str]) -> Output {
    let output = sandbox
        .command(&[&["report"], args].concat())
        .current_dir("/")
        .env("ORCH_STATUS_FILE", sandbox.path(STATUS))
        .env("ORCH_TASK_ID", "build")
        .env("ORCH_ATTEMPT", "2")
        .env("ORCH_SECRETS", "TOKEN, MISSING,")
        .env("TOKEN", "hunter2")
        .output()
        .unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Returns the status file without the moment in it.
fn status(sandbox: &Sandbox) -> String {
    let text = fs::read_to_string(sandbox.path(STATUS)).unwrap();
    text.split_inclusive('\n').filter(|line| !line.starts_with("updated: 20")).collect()
}

#[test]
fn a_worker_tells_how_it_goes() {
    let sandbox = sandbox();
    let args =
        ["--progress", "40", "--message", "wiring with hunter2", "--usage", "input=9,cost=0.5"];
    let text = inside(&sandbox, &args).text();
    assert_eq!(text, "reported: build #2 is working 40%: wiring with ***\n");
    assert_eq!(inside(&sandbox, &["--heartbeat"]).text(), "");
    let text = inside(&sandbox, &["--note", "Mind the cache.", "--add-usage", "input=1"]).text();
    assert_eq!(text, "reported: build #2 is working 40%: wiring with ***\n");
    let args = ["--waiting-for", "ci/build", "--note", "hunter2 opens it.", "--json"];
    let json = inside(&sandbox, &args).json();
    assert_eq!((&json["state"], &json["waiting_for"]), (&"blocked".into(), &"ci/build".into()));
    assert_eq!((&json["tokens"], &json["path"]), (&10.into(), &STATUS.into()));
    let expected = "---\ntask: build\nattempt: 2\nstate: blocked\nprogress: 40\n\
                    message: \"wiring with ***\"\nusage: {input_tokens: 10, cost_usd: 0.5}\n\
                    waiting_for: ci/build\n---\nMind the cache.\n\n*** opens it.\n";
    assert_eq!(status(&sandbox), expected);
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 2 tasks\n");
}

#[test]
fn a_run_follows_what_its_worker_reports() {
    let sandbox = plan(&[(
        "a",
        "worker: {command: '\"$ORCH\" report --progress 40 --usage input=9 --note one; until [ -e go ]; do \
         sleep 0.01; done; \"$ORCH\" report --state review --message look --note two'}",
    )]);
    let config = read(&sandbox, ".orch/config.yaml");
    let config = config.replace("grace: 1s", &format!("grace: 1s, env: {{ORCH: {ORCH}}}"));
    sandbox.write(".orch/config.yaml", &config);
    let run = start(&sandbox, &["run"]);
    wait_for("the report", || {
        let status = sandbox.orch(&["status", "--json"]).json();
        status["running"][0]["progress"] == 40 && status["tokens"] == 9
    });
    sandbox.write("go", "");
    let output = run.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code() == Some(1) && text.contains("report    a working 40%\n"),
        "{text}"
    );
    let shown = sandbox.orch(&["show", "a", "--json"]).json();
    assert_eq!((&shown["state"], &shown["report"]["message"]), (&"review".into(), &"look".into()));
    let status = read(&sandbox, ".orch/status/a.1.md");
    assert!(status.ends_with("---\none\n\ntwo\n"), "{status}");
    let text = sandbox.orch(&["report", "--task", "a", "--heartbeat"]).error(2);
    assert!(text.starts_with("error: attempt 1 of task `a` is over: review\n"), "{text}");
}

#[test]
fn an_attempt_can_be_named_from_outside() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["report", "--task", "build", "--state", "review"]).text();
    assert_eq!(text, "reported: build #2 is review\n");
    let table: &[(&[&str], &str)] = &[
        (
            &["--heartbeat"],
            "error: this is not the worker of an attempt: `ORCH_STATUS_FILE` is not set\n  = \
             help: call it from a worker that `orch run` started, or name the attempt: `--task ID \
             --attempt N`\n",
        ),
        (
            &["--task", "build", "--attempt", "1", "--heartbeat"],
            "error: attempt 1 of task `build` is over: failed\n  = help: what is said of it now has \
             no say; `orch show build` tells how it stands\n",
        ),
        (
            &["--task", "build", "--attempt", "7", "--heartbeat"],
            "error: there is no attempt 7 of task `build`\n  = help: its last one has number 2\n",
        ),
        (
            &["--task", "idle", "--heartbeat"],
            "error: no attempt of task `idle` was started yet\n  = help: `orch explain idle` says why\n",
        ),
        (
            &["--task", "biuld", "--heartbeat"],
            "error: no task has the id `biuld`\n  = help: did you mean `build`?\n",
        ),
        (
            &["--task", "build"],
            "error: there is nothing to report\n  = help: say how it goes, as in ",
        ),
        (
            &["--state", "done", "--waiting-for", "ci"],
            "error: `--waiting-for` makes no sense with state `done`\n  = help: say ",
        ),
        (
            &["--state", "dnoe"],
            "error: invalid value 'dnoe' for '--state <STATE>': did you mean `done`?",
        ),
        (&["--progress", "101"], "error: invalid value '101' for '--progress <PERCENT>'"),
        (
            &["--usage", "in=1"],
            "error: invalid value 'in=1' for '--usage <FIGURES>': `in` is not one",
        ),
        (
            &["--heartbeat", "--progress", "1"],
            "error: the argument '--heartbeat' cannot be used with",
        ),
    ];
    for (args, expected) in table {
        let text = sandbox.orch(&[&["report"], *args].concat()).error(2);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn what_nobody_can_read_is_set_aside() {
    let sandbox = sandbox();
    for (n, torn) in ["---\nstate: wor", "---\nstate: bizarre\n---\n"].iter().enumerate() {
        sandbox.write(STATUS, torn);
        let output = inside(&sandbox, &["--progress", "5"]);
        let aside = format!("{STATUS}.broken-{}", n + 1);
        let expected =
            format!("warning: the status file could not be read; what stood in it is in {aside}\n");
        assert_eq!((output.code, output.stderr), (0, expected));
        assert_eq!(fs::read_to_string(sandbox.path(&aside)).unwrap(), *torn);
        assert_eq!(
            status(&sandbox),
            "---\ntask: build\nattempt: 2\nstate: working\nprogress: 5\n---\n"
        );
    }
    fs::remove_file(sandbox.path(STATUS)).unwrap();
    std::os::unix::fs::symlink("/etc/hosts", sandbox.path(STATUS)).unwrap();
    assert_eq!(inside(&sandbox, &["--heartbeat"]).code, 0);
    assert!(sandbox.path(&format!("{STATUS}.broken-3")).is_symlink());
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 2 tasks\n");
}

#[test]
fn odd_surroundings_are_refused() {
    let sandbox = sandbox();
    let over = sandbox.path(".orch/status/build.1.md");
    let elsewhere = sandbox.path("build.2.md");
    let table = [
        (over.to_str().unwrap(), "error: attempt 1 of task `build` is over: failed\n"),
        (elsewhere.to_str().unwrap(), "which is not the path of a status file\n  = help: leave "),
        (STATUS, "which is not the path of a status file\n"),
    ];
    for (file, expected) in table {
        let mut command = sandbox.command(&["report", "--heartbeat"]);
        let output = command.env("ORCH_STATUS_FILE", file).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains(expected), "{text}");
    }
    let mut command = sandbox.command(&["report", "--heartbeat"]);
    command.env("ORCH_STATUS_FILE", sandbox.path(STATUS)).env("ORCH_ATTEMPT", "1");
    let text = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(text.contains("but `ORCH_TASK_ID` and `ORCH_ATTEMPT` name another attempt"), "{text}");
}

#[test]
fn readers_and_other_writers_never_meet_half_a_report() {
    const WRITERS: usize = 4;
    const NOTES: usize = 60;
    const READS: usize = 1000;
    let sandbox = sandbox();
    let path = sandbox.path(STATUS);
    let around = Surroundings {
        status_file: Some(path.to_str().unwrap().to_owned()),
        ..Surroundings::default()
    };
    let target = Target::from_surroundings(&around).unwrap();
    let first = StatusChange { note: Some("first".to_owned()), ..StatusChange::default() };
    report(&target, first, &[]).unwrap();
    let is_over = AtomicBool::new(false);
    let n_reads = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut n_reads, mut n_notes) = (0, 0);
            while n_reads < READS || !is_over.load(Ordering::SeqCst) {
                let bytes = fs::read(&path).unwrap();
                let (read, faults) = status_file::parse(STATUS, &bytes);
                assert!(faults.is_empty() && bytes.ends_with(b"\n"), "{faults:?}");
                let found = read.unwrap().notes.split("\n\n").count();
                assert!(found >= n_notes, "{found} notes after {n_notes}");
                n_notes = found;
                n_reads += 1;
            }
            n_reads
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let target = &target;
                scope.spawn(move || {
                    for n in 0..NOTES {
                        let note = Some(format!("note {writer}-{n}"));
                        let change = StatusChange { note, ..StatusChange::default() };
                        report(target, change, &[]).unwrap();
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    assert!(n_reads >= READS);
    let text = fs::read_to_string(&path).unwrap();
    for (writer, n) in (0..WRITERS).flat_map(|w| (0..NOTES).map(move |n| (w, n))) {
        assert_eq!(text.matches(&format!("\nnote {writer}-{n}\n")).count(), 1, "{writer}-{n}");
    }
    let left: Vec<_> = fs::read_dir(sandbox.path(".orch/status")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
