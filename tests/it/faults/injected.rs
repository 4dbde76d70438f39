//! Every call that changes files below `.orch` fails once, at its n-th time, for every n: the
//! program itself runs under `strace`, which makes the call fail.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{Field, has};

/// How many sandboxes are at work at once: most of their time they wait.
const SANDBOXES: usize = 12;

/// The calls that are made to fail.
const CALLS: [&str; 12] = [
    "openat",
    "openat2",
    "mkdirat",
    "mkdir",
    "renameat",
    "renameat2",
    "rename",
    "unlinkat",
    "ftruncate",
    "write",
    "fdatasync",
    "fsync",
];

/// One fault.
#[derive(Debug, Clone, Copy)]
struct Fault {
    call: &'static str,
    errno: &'static str,
    n: usize,
    /// The settings of the run.
    settings: &'static str,
}

/// Returns the words that run a program under `strace`, which looks only at what happens below
/// `.orch`: in each folder, and in each file whose name can be known before.
fn traced(field: &Field, call: &str, inject: &str) -> String {
    let root = field.root();
    let orch = root.join(".orch").display().to_string();
    let mut words = format!(
        "exec strace -D -f --seccomp-bpf -qq -o '{}' -e trace={call} {inject}",
        field.outside.path().join("trace.txt").display()
    );
    let mut add = |path: &str| write!(words, " -P \"{orch}{path}\"").unwrap();
    for folder in ["", "/tasks", "/runs", "/status", "/local", "/local/spare", "/local/prompts"] {
        add(folder);
    }
    for folder in ["/local/supervisors", "/local/logs", "/local/probe"] {
        add(folder);
    }
    for file in ["lock", "journal.jsonl", "..gitignore.tmp-$$-0"] {
        add(&format!("/local/{file}"));
    }
    for (task, attempt) in [("t0", 1), ("t1", 1), ("t1", 2), ("t2", 1)] {
        add(&format!("/local/logs/{task}"));
        add(&format!("/local/logs/{task}/{attempt}.log"));
        add(&format!("/local/prompts/{task}.{attempt}.md"));
        // The number of the process is that of the shell, which it takes the place of.
        for n in 0..16 {
            add(&format!("/runs/.{task}.{attempt}.yaml.tmp-$$-{n}"));
        }
    }
    for n in 0..16 {
        add(&format!("/local/spare/{n}"));
    }
    words
}

/// Returns how often each call is made by the thread that makes it most often.
fn count_calls(settings: &str) -> BTreeMap<&'static str, usize> {
    let field = Field::new(settings);
    let ended = field.run(&traced(&field, &CALLS.map(|c| format!("?{c}")).join(","), ""));
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let trace = fs::read_to_string(field.outside.path().join("trace.txt")).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let name = rest.trim_start().split('(').next().unwrap_or_default();
        *counts.entry((name, thread)).or_default() += 1;
    }
    let most = |call: &str| {
        counts.iter().filter(|((name, _), _)| *name == call).map(|(_, n)| *n).max().unwrap_or(0)
    };
    CALLS.into_iter().map(|call| (call, most(call))).collect()
}

/// Carries one fault out; returns whether it came about.
fn carry_out(fault: Fault) -> bool {
    let Fault { call, errno, n, settings } = fault;
    let field = Field::new(settings);
    let inject = format!("-e inject={call}:error={errno}:when={n}");
    let ended = field.run(&traced(&field, call, &inject));
    let checker = field.checker();
    checker.check_whole();
    let told = || format!("{fault:?}\n{}\n{}", ended.text, checker.told());
    match ended.code {
        Some(0) => {}
        Some(3) => {
            let cause = match errno {
                "EIO" => "Input/output error",
                _ => "No space left on device",
            };
            let is_told = ended.text.contains(cause) && ended.text.contains("/");
            assert!(is_told, "{}", told());
        }
        // A file of the plan that cannot be read is told as any other fault of it.
        Some(1) => {
            assert!(ended.text.contains("error[unreadable-file]: `.orch/"), "{}", told());
            assert!(!field.effects().exists(), "{}", told());
        }
        code => panic!("{code:?}: {}", told()),
    }
    if ended.code != Some(0) {
        let again = field.run("exec");
        assert_eq!(again.code, Some(0), "{}\nand then: {}", told(), again.text);
    }
    field.check_no_false_failure();
    eprintln!("{fault:?}: {:?}", ended.code);
    checker.check_end();
    let trace = fs::read_to_string(field.outside.path().join("trace.txt")).unwrap_or_default();
    trace.contains("(INJECTED)")
}

#[test]
fn whichever_call_fails_nothing_is_lost_and_nothing_is_done_twice() {
    if !has("strace", "--version") {
        return;
    }
    let settings = [("ENOSPC", ""), ("EIO", "durability: power\n")];
    let mut faults = Vec::new();
    for (errno, settings) in settings {
        for (call, n_calls) in count_calls(settings) {
            let fault = |n| Fault { call, errno, n, settings };
            faults.extend((1..=n_calls).map(fault));
        }
    }
    let (next, n_injected) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..SANDBOXES {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match std::panic::catch_unwind(|| carry_out(*fault)) {
                        Ok(is_injected) => {
                            n_injected.fetch_add(usize::from(is_injected), Ordering::Relaxed);
                        }
                        Err(_) => wrong.lock().unwrap().push(*fault),
                    }
                }
            });
        }
    });
    let n_injected = n_injected.into_inner();
    eprintln!("{n_injected} of {} faults came about", faults.len());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} faults did harm: {wrong:#?}", wrong.len());
    assert!(n_injected * 10 >= faults.len() * 9, "{n_injected} of {} faults", faults.len());
}
