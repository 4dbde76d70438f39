//! Status files as workers and programs beside them write them: torn, empty, garbage, huge, and at
//! odds with how the worker ends.

use std::{fs, io::Write as _, path::PathBuf};

use fastrand::Rng;

use super::{plan, read, recorded};
use crate::cli::wait_for;

/// A worker that reports once, and ends with `code` when it is told to.
fn reporting(keys: &str, code: &str) -> String {
    format!(
        "worker:\n  command: |\n    printf -- '---\\n{keys}\\n---\\nnotes\\n' > tmp.$ORCH_TASK_ID\n    mv tmp.$ORCH_TASK_ID $ORCH_STATUS_FILE\n    touch up.$ORCH_TASK_ID\n    until [ -e go ]; do sleep 0.01; done\n    {code}"
    )
}

/// Settings under which nothing is tried again.
const ONCE: &str = "max_workers: 8\nretry: {max_attempts: 1, max_crashes: 1}\n";

/// What a careless program may leave in a status file at some moment.
fn garbage(rng: &mut Rng) -> Vec<u8> {
    let whole =
        b"---\nstate: working\nprogress: 100\nmessage: never\nusage: {input_tokens: 1}\n---\n";
    match rng.u8(0..7) {
        0 => Vec::new(),
        1 => whole[..rng.usize(1..20)].to_vec(),
        2 => (0..rng.usize(1..500)).map(|_| rng.u8(..)).collect(),
        3 => [&b"---\nstate: "[..], &b"[".repeat(rng.usize(1..60_000)), b"\n---\n"].concat(),
        4 => vec![b'x'; 5 * 1024 * 1024],
        5 => b"---\nstate: dancing\nprogress: -3\n---\n".to_vec(),
        _ => [&b"---\n"[..], &vec![0; rng.usize(1..1000)], b"\n---\n"].concat(),
    }
}

/// Writes over a file in place, as a program that knows no better.
fn write_in_place(path: &PathBuf, bytes: &[u8], rng: &mut Rng) {
    let mut file = fs::File::create(path).unwrap();
    let cut = if bytes.is_empty() { 0 } else { rng.usize(..bytes.len()) };
    file.write_all(&bytes[..cut]).unwrap();
    file.write_all(&bytes[cut..]).unwrap();
}

#[test]
fn whatever_stands_in_a_status_file_the_last_good_word_counts() {
    let keys = reporting("state: failed\\nmessage: no key\\nusage: {input_tokens: 700}", "exit 0");
    let sandbox = plan(ONCE, &[("a", &keys), ("b", &reporting("state: working", "exit 0"))]);
    let told = fs::File::create(sandbox.path("told")).unwrap();
    let mut run = sandbox.command(&["run", "--plain"]).stdout(told).spawn().unwrap();
    wait_for("the reports", || {
        let told = read(&sandbox, "told");
        told.contains("report    a failed: no key") && told.contains("report    b working")
    });
    let path = sandbox.path(".orch/status/a.1.md");
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    for round in 0..300 {
        let bytes = garbage(&mut rng);
        write_in_place(&path, &bytes, &mut rng);
        if round % 30 == 0 {
            let output = sandbox.orch(&["show", "a", "--json"]);
            assert_eq!(output.code, 0, "{}", output.stderr);
            let shown: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            assert_eq!(shown["state"], "running");
        }
    }
    sandbox.write("go", "");
    let code = run.wait().unwrap().code();
    let text = read(&sandbox, "told");
    assert_eq!(code, Some(1), "{text}");
    assert!(!text.contains("never") && !text.contains("panicked"), "{text}");
    let record = |attempt, key| recorded(&sandbox, attempt, key);
    assert_eq!(record("a.1", "outcome"), "failed", "{text}");
    let reason = "the worker ended with exit code 0, although it reported `failed`: no key";
    assert_eq!(record("a.1", "reason"), reason);
    assert!(read(&sandbox, ".orch/runs/a.1.yaml").contains("input_tokens: 700"), "{text}");
    assert_eq!(record("b.1", "outcome"), "succeeded", "{text}");
    // The next reader says what is wrong with the file, and reads everything else.
    write_in_place(&path, b"---\nstate: dancing\n---\n", &mut rng);
    let checked = sandbox.orch(&["check"]);
    assert!(checked.stdout.contains("status/a.1.md") || checked.stderr.contains("status/a.1.md"));
}

#[test]
fn what_is_claimed_is_one_thing_and_how_it_ends_another() {
    let table = [
        // (claim, ending, outcome, claimed, reason)
        ("done", "exit 0", "succeeded", "", "exit code 0"),
        ("working", "exit 0", "succeeded", "", "exit code 0"),
        ("done", "exit 1", "failed", "done", "with exit code 1, although it reported `done`"),
        ("failed", "exit 0", "failed", "failed", "with exit code 0, although it reported `failed`"),
        ("failed", "exit 4", "failed", "", "with exit code 4"),
        ("done", "kill -KILL $$", "crashed", "done", "signal 9 (SIGKILL), although it reported"),
        ("review", "exit 0", "review", "", "the worker asks for a review"),
        ("review", "exit 1", "failed", "", "with exit code 1"),
    ];
    let keys: Vec<(String, String)> = table
        .iter()
        .enumerate()
        .map(|(n, (claim, code, ..))| {
            (format!("t{n}"), reporting(&format!("state: {claim}"), code))
        })
        .collect();
    let tasks: Vec<(&str, &str)> = keys.iter().map(|(id, keys)| (&**id, &**keys)).collect();
    let sandbox = plan(ONCE, &tasks);
    sandbox.write("go", "");
    let output = sandbox.orch(&["run"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for (n, (claim, code, outcome, claimed, reason)) in table.into_iter().enumerate() {
        let record = |key| recorded(&sandbox, &format!("t{n}.1"), key);
        let case = format!("{claim}, {code}: {}", record("reason"));
        assert_eq!((&*record("outcome"), &*record("claimed")), (outcome, claimed), "{case}");
        assert!(record("reason").contains(reason), "{case}");
    }
}
