//! Workers that write more than anybody can keep.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use orch::io::{
    process::log::older_half,
    supervisor::{Line, Order, wire::Raw},
};

/// Most bytes of the log.
const LOG_BYTES_MAX: u64 = 1_000_000;

/// Most memory that the supervisor may take: what is on its way through it is bounded.
const MEMORY_MAX_KB: u64 = 32_000;

/// Starts a supervisor of its own for one `script`, and returns what it told and the most memory
/// that it had, in kilobytes, when the script had ended.
fn supervise(folder: &Path, script: &str) -> (Vec<Line>, u64) {
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_orch"))
        .arg("@supervise")
        .arg(folder.join("ledger.jsonl"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let order = Order {
        nonce: "0123456789abcdef".to_owned(),
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        folder: Raw::from(&folder),
        env: vec![(Raw("PATH".into()), Raw(std::env::var_os("PATH").unwrap()))],
        input: None,
        log: Raw::from(&folder.join("logs/1.log")),
        log_bytes_max: LOG_BYTES_MAX,
        signal: Some("the very last".to_owned()),
        secrets: Vec::new(),
        agent: None,
        model: None,
    };
    let mut orders = supervisor.stdin.take().unwrap();
    orders.write_all(&order.render()).unwrap();
    let mut told = Vec::new();
    for line in BufReader::new(supervisor.stdout.take().unwrap()).lines() {
        let line = Line::parse(line.unwrap().as_bytes()).unwrap();
        let is_last = matches!(line, Line::Exited { .. } | Line::NotStarted { .. });
        told.push(line);
        if is_last {
            break;
        }
    }
    let status = fs::read_to_string(format!("/proc/{}/status", supervisor.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.split_whitespace().next().unwrap().parse().unwrap();
    // Without orders to come it ends.
    drop(orders);
    assert!(supervisor.wait().unwrap().success());
    (told, peak)
}

#[test]
fn a_flood_stays_within_its_log_and_leaves_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = "yes 'one more line that nobody will ever read' | head -c 300000000; \
                  echo; echo 'the very last line'";
    let (told, peak) = supervise(folder.path(), script);
    let Some(Line::Exited { end, .. }) = told.last() else { panic!("{told:?}") };
    let end = end.meaning();
    assert!(end.exit.is_success() && end.has_signal && end.n_leaked == 0, "{end:?}");

    let log = folder.path().join("logs/1.log");
    let newer = fs::read_to_string(&log).unwrap();
    let older = fs::metadata(older_half(&log)).unwrap().len();
    assert!(newer.ends_with("\nthe very last line\n"));
    assert!(newer.len() as u64 + older <= LOG_BYTES_MAX, "{} and {older} bytes", newer.len());
    assert!(older >= LOG_BYTES_MAX / 2, "the older half is whole");
    let mut names: Vec<_> = fs::read_dir(folder.path().join("logs")).unwrap().flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(peak <= MEMORY_MAX_KB, "the supervisor took {peak} KB");
}
