//! How workers end, and workers that do not want to.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{end, plan, read, recorded, running_in, script, start};
use crate::cli::{Sandbox, wait_for};
use crate::own::AtEase as _;

/// Settings under which nothing is tried again and no number of deaths stops a run.
const ONCE: &str = "max_workers: 4\nretry: {max_attempts: 1, max_crashes: 1}\n\
                    breaker: {crashes: 1000}\nworker: {grace: 200ms}\n";

/// Exit codes, the odd ones among them: those that shells use for what they could not start, and
/// for signals that others died of.
const CODES: [u8; 19] =
    [0, 1, 2, 3, 9, 42, 63, 64, 77, 99, 100, 124, 125, 126, 127, 128, 137, 143, 255];

/// Signals with their numbers.
const SIGNALS: [(&str, u8); 21] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("IO", 29),
    ("SYS", 31),
];

#[test]
fn forty_endings_are_on_record_exactly_as_they_were() {
    let codes = CODES.map(|code| (format!("code{code}"), format!("exit {code}")));
    let signals = SIGNALS.map(|(name, _)| (format!("sig{name}"), format!("kill -{name} $$")));
    let tasks: Vec<(String, String)> = codes.into_iter().chain(signals).collect();
    let keys = tasks.iter().map(|(id, command)| {
        (id.clone(), format!("worker: {{command: 'ulimit -c 0; {command}'}}"))
    });
    let keys: Vec<(String, String)> = keys.collect();
    let keys: Vec<(&str, &str)> = keys.iter().map(|(id, keys)| (&**id, &**keys)).collect();
    assert_eq!(keys.len(), 40);
    let sandbox = plan(ONCE, &keys);
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let (mut found, mut expected) = (String::new(), String::new());
    for (id, _) in &tasks {
        let record = |key| recorded(&sandbox, &format!("{id}.1"), key);
        let (outcome, reason) = (record("outcome"), record("reason"));
        let (code, signal) = (record("exit_code"), record("signal"));
        writeln!(found, "{id}: {outcome} [{code}/{signal}] {reason}").unwrap();
    }
    for code in CODES {
        let (outcome, reason) = match code {
            0 => ("succeeded", "exit code 0".to_owned()),
            _ => ("failed", format!("the worker ended with exit code {code}")),
        };
        writeln!(expected, "code{code}: {outcome} [{code}/] {reason}").unwrap();
    }
    for (name, number) in SIGNALS {
        // These have other numbers elsewhere: a record may come from there.
        let is_odd = ["BUS", "USR1", "USR2", "IO", "SYS"].contains(&name);
        let named = if is_odd { String::new() } else { format!(" (SIG{name})") };
        let reason = format!("the worker ended with signal {number}{named}");
        writeln!(expected, "sig{name}: crashed [/{number}] {reason}").unwrap();
    }
    assert_eq!(found, expected);
}

/// Workers that are hard to stop, each with what it ends by when it is asked and then made to. Each
/// makes the file `up.<name>` when it is what it wants to be.
const STUBBORN: &[(&str, &str, &str)] = &[
    ("deaf", "trap '' TERM; echo $$ > up.deaf; while :; do sleep 600; done", "9"),
    ("deaf-all", "trap '' TERM HUP INT QUIT; echo $$ > up.deaf-all; exec sleep 600", "9"),
    ("stopped", "echo $$ > up.stopped; kill -STOP $$", "15"),
    (
        "deaf-stopped",
        "trap '' TERM; echo $$ > up.deaf-stopped; while :; do kill -STOP $$; done",
        "9",
    ),
    ("other", "echo $$ > up.other; exec sleep 600", "15"),
    ("away", "exec setsid --fork --wait ./away.sh up.away", "15"),
    ("regrouped", "exec perl regroup.pl up.regrouped 0", "15"),
    ("regrouped-deaf", "exec perl regroup.pl up.regrouped-deaf 1", "9"),
];

/// Ignores the polite stop, in a session of its own.
const AWAY: &str = "#!/bin/sh\ntrap '' TERM\necho $$ > \"$1\"\nwhile :; do sleep 600; done\n";

/// Leaves the group that it was started in for that of a child.
const REGROUP: &str = "use POSIX;\n\
    $SIG{TERM} = 'IGNORE' if $ARGV[1];\n\
    my $child = fork;\n\
    if (!$child) { setpgrp(0, 0); $SIG{TERM} = 'IGNORE'; sleep 600; exit }\n\
    select(undef, undef, undef, 0.01) until getpgrp($child) == $child;\n\
    setpgrp(0, $child) or die;\n\
    open(my $up, '>', $ARGV[0]); print $up \"$$\\n\"; close $up;\n\
    sleep 600 while 1;\n";

/// How a worker is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Cancelled,
    TimedOut,
    Interrupted,
    Killed,
}

/// Makes a plan of the workers that are hard to stop, as far as they can be had here.
fn stubborn(worker: &str) -> (Sandbox, Vec<(&'static str, &'static str)>) {
    let has_perl = Command::new("perl").arg("-v").output().is_ok();
    if !has_perl {
        eprintln!("SKIPPED in part: there is no perl");
    }
    let usable = STUBBORN.iter().filter(|(_, command, _)| has_perl || !command.contains("perl"));
    let keys: Vec<(&str, &str, String)> = usable
        .map(|(name, command, signal)| {
            (*name, *signal, format!("worker:\n  {worker}\n  command: |\n    {command}"))
        })
        .collect();
    let tasks: Vec<(&str, &str)> = keys.iter().map(|(name, _, keys)| (*name, &**keys)).collect();
    let sandbox = plan(&ONCE.replace("max_workers: 4", "max_workers: 20"), &tasks);
    script(&sandbox, "away.sh", AWAY);
    sandbox.write("regroup.pl", REGROUP);
    (sandbox, keys.into_iter().map(|(name, signal, _)| (name, signal)).collect())
}

fn stop_them(way: Way) {
    let worker = if way == Way::TimedOut { "timeout: 2s" } else { "timeout: 1h" };
    let (sandbox, workers) = stubborn(worker);
    let run = start(&sandbox, &["run"]);
    for (name, _) in &workers {
        wait_for(name, || read(&sandbox, &format!("up.{name}")).ends_with('\n'));
    }
    let ids: Vec<&str> = workers.iter().map(|(name, _)| *name).collect();
    match way {
        Way::Cancelled => drop(sandbox.orch(&[&["cancel"], &ids[..]].concat()).text()),
        Way::TimedOut => {}
        Way::Interrupted => drop(sandbox.orch(&["stop"]).text()),
        Way::Killed => drop(sandbox.orch(&["stop", "--now"]).text()),
    }
    let (_, text) = end(run);
    wait_for("the end of every process", || running_in(&sandbox).is_empty());
    for (name, signal) in workers {
        let (outcome, signal) = match way {
            Way::Cancelled => ("cancelled", signal),
            Way::TimedOut => ("failed", signal),
            Way::Interrupted => ("interrupted", signal),
            Way::Killed => ("interrupted", "9"),
        };
        let record = |key| recorded(&sandbox, &format!("{name}.1"), key);
        assert_eq!((&*record("outcome"), &*record("signal")), (outcome, signal), "{name}: {text}");
    }
}

#[test]
fn whoever_does_not_want_to_end_is_made_to_when_cancelled() {
    stop_them(Way::Cancelled);
}

#[test]
fn whoever_does_not_want_to_end_is_made_to_when_out_of_time() {
    stop_them(Way::TimedOut);
}

#[test]
fn whoever_does_not_want_to_end_is_made_to_when_the_run_is_stopped() {
    stop_them(Way::Interrupted);
    stop_them(Way::Killed);
}

/// Returns a shell script that moves its shell into a new group with little memory; `None` where
/// none can be had.
fn little_memory() -> Option<(PathBuf, String)> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let place = |wanted: &str| {
        groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, place) = rest.split_once(':')?;
            controllers.split(',').any(|name| name == wanted).then(|| place.to_owned())
        })
    };
    let name = format!("orch-test-{}", std::process::id());
    let candidates = [
        place("memory").map(|own| (format!("/sys/fs/cgroup/memory{own}"), "memory.limit_in_bytes")),
        place("").map(|own| (format!("/sys/fs/cgroup{own}"), "memory.max")),
    ];
    candidates.into_iter().flatten().find_map(|(own, limit)| {
        let group = PathBuf::from(own).join(&name);
        fs::create_dir(&group).ok()?;
        if fs::write(group.join(limit), "100000000").is_err() {
            fs::remove_dir(&group).unwrap();
            return None;
        }
        // Where there is no swap, there is no such file.
        for swap in ["memory.memsw.limit_in_bytes", "memory.swap.max"] {
            let most = if swap.contains("max") { "0" } else { "100000000" };
            drop(fs::write(group.join(swap), most));
        }
        let script = format!("echo $$ > '{}/cgroup.procs'", group.display());
        Some((group, script))
    })
}

#[test]
fn a_worker_that_the_system_killed_for_its_memory_is_told_from_others() {
    let Some((group, enter)) = little_memory() else {
        eprintln!("SKIPPED: no group with little memory, so nothing was tested here");
        return;
    };
    let workers = [
        ("eater", "exec tail /dev/zero"),
        ("parent", "tail /dev/zero; exit $?"),
        ("other", "kill -KILL $$"),
    ];
    let workers = workers.map(|(id, command)| (id, format!("worker: {{command: '{command}'}}")));
    let tasks: Vec<(&str, &str)> = workers.iter().map(|(id, keys)| (*id, &**keys)).collect();
    let sandbox = plan(&ONCE.replace("max_workers: 4", "max_workers: 1"), &tasks);
    let script = format!("{enter} && exec '{}' run --plain 2>&1", env!("CARGO_BIN_EXE_orch"));
    let output = Command::new("sh")
        .at_ease()
        .args(["-c", &script])
        .current_dir(sandbox.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    wait_for("the end of all in the group", || fs::remove_dir(&group).is_ok());
    let told_of = |id: &str| {
        let record = |key| recorded(&sandbox, &format!("{id}.1"), key);
        (record("outcome"), record("oom"), record("reason"))
    };
    let cause = "as the system had run out of memory";
    let (outcome, oom, reason) = told_of("eater");
    assert_eq!((&*outcome, &*oom), ("crashed", "true"), "{reason}\n{told}");
    assert_eq!(reason, format!("the worker ended with signal 9 (SIGKILL), {cause}"));
    assert!(told.contains(cause), "{told}");
    let (outcome, oom, reason) = told_of("parent");
    assert_eq!((&*outcome, &*oom), ("failed", "true"), "{reason}\n{told}");
    let (outcome, oom, reason) = told_of("other");
    assert_eq!((&*outcome, &*oom), ("crashed", ""), "{reason}\n{told}");
}
