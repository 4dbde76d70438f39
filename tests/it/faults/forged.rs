//! Locks and ledgers that somebody forged, or that an earlier start of the machine left: nothing
//! foreign is ever signalled, and nothing is lost for it.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
};

use super::Field;
use crate::cli::wait_for;

/// A process that has nothing to do with anything.
struct Innocent(Child);

impl Innocent {
    fn new() -> Self {
        let mut sleep = Command::new("sleep");
        sleep.arg("600").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(sleep.spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Checks that nobody ended it.
    fn check(&mut self, case: &str) {
        assert_eq!(self.0.try_wait().unwrap(), None, "{case}: it was signalled");
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned()
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns when a process started, in the unit of the system.
fn start_ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    text.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}

/// Returns what stands in a lock.
fn lock(pid: u32, boot_id: &str, host: &str) -> String {
    format!(
        "{{\"pid\":{pid},\"boot_id\":\"{boot_id}\",\"started\":\"2026-11-25T10:00:00.000Z\",\
         \"host\":\"{host}\"}}\n"
    )
}

/// Returns the number of a process that is no more.
fn dead_pid() -> u32 {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn what_stands_in_a_lock_that_nobody_holds_does_not_matter() {
    let mut innocent = Innocent::new();
    let (boot, host) = (boot_id(), host());
    let cases = [
        ("dead pid", lock(dead_pid(), &boot, &host)),
        ("live foreign pid", lock(innocent.pid(), &boot, &host)),
        ("another boot", lock(innocent.pid(), "00000000-0000-0000-0000-000000000000", &host)),
        ("another host", lock(innocent.pid(), &boot, "elsewhere")),
        ("pid 0", lock(0, &boot, &host)),
        ("pid 1", lock(1, &boot, &host)),
        ("garbage", "\u{0}\u{1b}[31m{{{{".to_owned()),
        ("nothing", String::new()),
        ("far too much", "{".repeat(1 << 20)),
    ];
    for (case, text) in cases {
        let field = Field::new("");
        field.sandbox.write(".orch/local/lock", &text);
        let stopped = field.sandbox.orch(&["stop"]);
        assert!(stopped.stdout.contains("no coordinator"), "{case}: {stopped:?}");
        let ended = field.run("exec");
        assert_eq!(ended.code, Some(0), "{case}: {}", ended.text);
        field.checker().check_end();
        innocent.check(case);
    }
}

#[test]
fn something_else_in_the_place_of_the_lock_is_told() {
    for is_folder in [true, false] {
        let field = Field::new("");
        let (lock, elsewhere) = (field.sandbox.path(".orch/local/lock"), "elsewhere");
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        match is_folder {
            true => fs::create_dir(&lock).unwrap(),
            false => symlink(field.sandbox.path(elsewhere), &lock).unwrap(),
        }
        let ended = field.run("exec");
        assert_eq!(ended.code, Some(3), "{}", ended.text);
        assert!(ended.text.contains("failed to lock .orch/local/lock"), "{}", ended.text);
        assert!(!field.sandbox.path(elsewhere).exists());
    }
}

#[test]
fn a_holder_that_is_named_falsely_is_not_signalled() {
    let mut innocent = Innocent::new();
    let field = Field::new("");
    fs::write(field.outside.path().join("effects.txt.hold"), "").unwrap();
    let mut run = field.sandbox.command(&["run", "--plain"]);
    let run = run.env("EFFECTS", field.effects()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = run.spawn().unwrap();
    wait_for("a worker", || field.effects().exists());
    // It is held, and says that somebody else holds it.
    field.sandbox.write(".orch/local/lock", &lock(innocent.pid(), &boot_id(), &host()));
    let stopped = field.sandbox.orch(&["stop"]);
    fs::remove_file(field.outside.path().join("effects.txt.hold")).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
    innocent.check(&format!("{stopped:?}"));
    assert!(stopped.error(2).contains("which does not hold it"));
    field.checker().check_end();
}

/// Returns the first line of a supervisor.
fn hello(pid: u32, start_ticks: u64, boot_id: &str) -> String {
    format!(
        "{{\"kind\":\"hello\",\"version\":1,\"pid\":{pid},\"start_ticks\":{start_ticks},\
         \"boot_id\":\"{boot_id}\"}}\n"
    )
}

/// Returns the line that tells that a worker started.
fn started(nonce: &str, pid: u32, start_ticks: u64) -> String {
    format!(
        "{{\"kind\":\"started\",\"nonce\":\"{nonce}\",\"pid\":{pid},\"start_ticks\":{start_ticks},\
         \"tick_us\":1000,\"wall_ms\":1795000000000}}\n"
    )
}

/// The case in which nothing was written down.
const NO_LEDGER: &str = "no ledger";

const NONCE: &str = "0123456789abcdef";

#[test]
fn forged_ledgers_signal_nobody_and_lose_nothing() {
    let mut innocent = Innocent::new();
    let (pid, ticks, boot) = (innocent.pid(), start_ticks(innocent.pid()), boot_id());
    let other_boot = "00000000-0000-0000-0000-000000000000";
    let gone = hello(dead_pid(), 1, &boot);
    let exited = "{\"kind\":\"exited\",\"nonce\":\"0123456789abcdef\",\"end\":{\"code\":0,\
                  \"tick_us\":2000,\"wall_ms\":1795000001000,\"has_signal\":true}}\n";
    // What lies there, and what then stands in the record of the attempt without an ending.
    let cases: [(&str, String, &str); 10] = [
        (NO_LEDGER, String::new(), "outcome: not-started"),
        ("an empty one", String::new(), "outcome: not-started"),
        ("garbage", "\u{0}garbage\n{}\n[1]\n\u{1b}[2J\n".to_owned(), "outcome: not-started"),
        ("not a whole line", hello(pid, 1, &boot).replace('\n', ""), "outcome: not-started"),
        (
            "another boot",
            hello(pid, ticks, other_boot) + &started(NONCE, pid, ticks),
            "the machine was started again while it ran",
        ),
        (
            "a reused number",
            hello(pid, ticks + 1, &boot) + &started(NONCE, pid, ticks + 1),
            "its supervisor was killed while it ran",
        ),
        ("numbers of nobody", hello(0, 0, "") + &started(NONCE, 0, 0), "outcome: lost"),
        (
            "a torn last line",
            gone.clone() + &started(NONCE, pid, ticks + 1) + &exited.replace("}\n", ""),
            "its supervisor was killed while it ran",
        ),
        (
            "garbage before the end",
            gone.clone() + &started(NONCE, pid, 1) + "\u{0}\n" + exited,
            "outcome: succeeded",
        ),
        (
            "kinds of a later version",
            gone + "{\"kind\":\"new\"}\n" + &started(NONCE, pid, 1),
            "its supervisor was killed while it ran",
        ),
    ];
    for (case, ledger, expected) in cases {
        let field = Field::new("");
        let record = format!(
            "version: 1\ntask: t2\nattempt: 1\nstarted: 2026-11-20T10:15:00.000Z\nworker: x\n\
             executor: local\nlog: .orch/local/logs/t2/1.log\nnonce: \"{NONCE}\"\n"
        );
        field.sandbox.write(".orch/runs/t2.1.yaml", &record);
        if case != NO_LEDGER {
            field.sandbox.write(".orch/local/supervisors/00000000000000aa.jsonl", &ledger);
        }
        let ended = field.run("exec");
        assert_eq!(ended.code, Some(0), "{case}: {}", ended.text);
        let record = fs::read_to_string(field.sandbox.path(".orch/runs/t2.1.yaml")).unwrap();
        assert!(record.contains(expected), "{case}: {}\n{record}", ended.text);
        let effects = fs::read_to_string(field.effects()).unwrap();
        let n_runs = effects.matches("effect t2").count();
        assert_eq!(n_runs, usize::from(!record.contains("succeeded")), "{case}: {effects}");
        let left = fs::read_dir(field.sandbox.path(".orch/local/supervisors")).unwrap().count();
        assert_eq!(left, 0, "{case}: a ledger stays");
        innocent.check(case);
    }
}

#[test]
fn workers_of_a_later_version_are_looked_at_and_left_alone() {
    let mut innocent = Innocent::new();
    let (pid, ticks) = (innocent.pid(), start_ticks(innocent.pid()));
    let field = Field::new("");
    let record = format!(
        "version: 1\ntask: t2\nattempt: 1\nstarted: 2026-11-20T10:15:00.000Z\nworker: x\n\
         executor: local\nlog: .orch/local/logs/t2/1.log\nnonce: \"{NONCE}\"\n"
    );
    field.sandbox.write(".orch/runs/t2.1.yaml", &record);
    let path = ".orch/local/supervisors/00000000000000aa.jsonl";
    let hello = hello(pid, ticks, &boot_id()).replace("\"version\":1", "\"version\":2");
    let ledger = hello + &started(NONCE, pid, ticks) + "{\"kind\":\"from_the_future\"}\n";
    field.sandbox.write(path, &ledger);
    for command in [&["run"][..], &["watch", "--plain"]] {
        let text = field.sandbox.orch(command).error(2);
        let says = "workers of a newer `orch` are still at work here";
        assert!(text.contains(says) && text.contains("`orch watch --no-run`"), "{text}");
    }
    // Who only looks sees what runs.
    let status = field.sandbox.orch(&["status"]).text();
    assert!(status.lines().any(|line| line.starts_with("running  t2")), "{status}");
    innocent.check("looked at");
    assert_eq!(fs::read_to_string(field.sandbox.path(path)).unwrap(), ledger);
    let after = fs::read_to_string(field.sandbox.path(".orch/runs/t2.1.yaml")).unwrap();
    assert_eq!(after, record);
    assert!(!field.effects().exists(), "something was started");
}
