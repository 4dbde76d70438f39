//! Every call that changes files below `.orch` fails once, at its n-th time, for every n, and so
//! does every call that takes a descriptor or a process: the program itself runs under `strace`,
//! which makes the call fail.

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

/// What is made to fail, with which error, in runs with which settings.
const CASES: [Case; 4] = [
    Case { calls: CHANGING, errno: "ENOSPC", settings: "", where_: Place::Below },
    Case { calls: CHANGING, errno: "EIO", settings: "durability: power\n", where_: Place::Below },
    Case { calls: TAKING, errno: "EMFILE", settings: "", where_: Place::Anywhere },
    Case { calls: "clone3", errno: "EAGAIN", settings: "", where_: Place::Anywhere },
];

/// Calls that change files.
const CHANGING: &str = "openat openat2 mkdirat mkdir renameat renameat2 rename unlinkat ftruncate \
                        write fdatasync fsync syncfs";

/// Calls that take descriptors.
const TAKING: &str = "openat pipe2 epoll_create1 eventfd2 inotify_init1";

/// Which calls are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Those that are about something below `.orch`.
    Below,
    /// All of them.
    Anywhere,
}

/// Calls that are made to fail one after the other.
#[derive(Debug, Clone, Copy)]
struct Case {
    calls: &'static str,
    errno: &'static str,
    settings: &'static str,
    where_: Place,
}

/// One fault: the n-th call of each thread.
#[derive(Debug, Clone, Copy)]
struct Fault {
    call: &'static str,
    n: usize,
    case: Case,
}

/// Returns the words that run a program under `strace`.
fn traced(field: &Field, place: Place, calls: &str, inject: &str) -> String {
    let mut words = format!(
        "exec strace -D -f --seccomp-bpf -qq -o '{}' -e trace={calls} {inject}",
        field.outside.path().join("trace.txt").display()
    );
    // A reader of files that others wrote needs descriptors, too.
    if place == Place::Below || calls == "openat" {
        paths(field, &mut words);
    }
    words
}

/// Limits what is looked at to `.orch`: to each folder, and each file whose name can be known
/// before.
fn paths(field: &Field, words: &mut String) {
    let orch = field.root().join(".orch").display().to_string();
    let mut add = |path: &str| write!(words, " -P \"{orch}{path}\"").unwrap();
    for folder in ["", "/tasks", "/runs", "/status", "/local"] {
        add(folder);
    }
    for folder in ["spare", "prompts", "supervisors", "logs", "probe"] {
        add(&format!("/local/{folder}"));
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
}

/// Returns how often `call` is made by the thread that makes it most often.
fn count_calls(case: Case, call: &str) -> usize {
    let field = Field::new(case.settings);
    let ended = field.run(&traced(&field, case.where_, call, ""));
    assert_eq!(ended.code, Some(0), "{call}: {}", ended.text);
    let trace = fs::read_to_string(field.outside.path().join("trace.txt")).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let is_it = |rest: &str| rest.trim_start().starts_with(&format!("{call}("));
    for (thread, _) in trace.lines().filter_map(|l| l.split_once(' ')).filter(|(_, r)| is_it(r)) {
        *counts.entry(thread).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// Carries one fault out; returns whether it came about.
fn carry_out(fault: Fault) -> bool {
    let Fault { call, n, case } = fault;
    let field = Field::new(case.settings);
    let inject = format!("-e inject={call}:error={}:when={n}", case.errno);
    let ended = field.run(&traced(&field, case.where_, call, &inject));
    let checker = field.checker();
    checker.check_whole();
    let told = || format!("{fault:?}\n{}\n{}", ended.text, checker.told());
    match ended.code {
        Some(0) => {}
        Some(3) => {
            let cause = match case.errno {
                "EIO" => "Input/output error",
                "ENOSPC" => "No space left on device",
                "EMFILE" => "Too many open files",
                _ => "Resource temporarily unavailable",
            };
            let is_placed = case.where_ == Place::Anywhere || ended.text.contains(".orch");
            assert!(ended.text.contains(cause) && is_placed, "{}", told());
        }
        // A file of the plan that cannot be read is told as any other fault of it.
        Some(1) if case.errno != "EMFILE" => {
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
    checker.check_end();
    let trace = fs::read_to_string(field.outside.path().join("trace.txt")).unwrap_or_default();
    trace.contains("(INJECTED)")
}

/// Takes one after the other from `list` and hands it to `work`, many at once.
fn side_by_side<T: Copy + Sync>(list: &[T], work: impl Fn(T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SANDBOXES {
            scope.spawn(|| {
                while let Some(one) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(*one);
                }
            });
        }
    });
}

#[test]
fn whichever_call_fails_nothing_is_lost_and_nothing_is_done_twice() {
    if !has("strace", "--version") {
        return;
    }
    let calls: Vec<(Case, &str)> =
        CASES.iter().flat_map(|case| case.calls.split(' ').map(|call| (*case, call))).collect();
    let faults = Mutex::new(Vec::new());
    side_by_side(&calls, |(case, call)| {
        let n_calls = count_calls(case, call);
        let found = (1..=n_calls).map(|n| Fault { call, n, case });
        faults.lock().unwrap().extend(found);
    });
    let faults = faults.into_inner().unwrap();
    let (n_injected, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    side_by_side(&faults, |fault| match std::panic::catch_unwind(|| carry_out(fault)) {
        Ok(is_injected) => drop(n_injected.fetch_add(is_injected.into(), Ordering::Relaxed)),
        Err(_) => wrong.lock().unwrap().push((fault.call, fault.n, fault.case.errno)),
    });
    let (n_injected, n_faults) = (n_injected.into_inner(), faults.len());
    eprintln!("{n_injected} of {n_faults} faults came about");
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} faults did harm: {wrong:?}", wrong.len());
    // Threads take turns differently each time, so a few come too late.
    assert!(n_faults > 150 && n_injected * 10 >= n_faults * 9, "{n_injected} of {n_faults}");
}
