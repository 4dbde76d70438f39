//! Recorded outputs of agents, read line by line: `output.jsonl` or `output.txt` in, what is found
//! out.
//!
//! `UPDATE_EXPECT=1 cargo test --test it agents` writes `expected.txt` anew.

use std::{fmt::Write as _, fs, path::Path, path::PathBuf};

use expect_test::expect_file;
use orch::domain::{
    agent::{Findings, Reader},
    model::{
        agent::Agent,
        attempt::Usage,
        time::{LocalTime, Timestamp},
    },
};

use crate::source;

/// The time at which all of them were written: in Berlin, in winter.
fn local() -> LocalTime {
    let now = Timestamp::parse("2026-11-25T13:29:41Z").unwrap();
    LocalTime { now, offset_seconds: 3600 }
}

/// Returns what is found in `output`.
fn read(agent: Agent, output: &[u8]) -> Findings {
    let mut reader = Reader::new(agent, None);
    for line in output.split(|byte| *byte == b'\n') {
        reader.push(line, local());
    }
    reader.findings()
}

fn told(findings: &Findings) -> String {
    let Usage { input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens, cost_usd } =
        findings.usage;
    let mut text = format!(
        "input {input_tokens} · output {output_tokens} · cache read {cache_read_tokens} · cache \
         creation {cache_creation_tokens} · ${cost_usd:.5}\n"
    );
    match &findings.limit {
        None => text.push_str("no limit\n"),
        Some(limit) => {
            let resets = limit.resets.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let told =
                writeln!(text, "limit of {}, resets {resets}\n{}", limit.provider, limit.words);
            told.unwrap();
        }
    }
    text
}

fn cases() -> Vec<(Agent, PathBuf)> {
    let root = source::root().join("fixtures/agents");
    let mut cases = Vec::new();
    for (name, agent) in Agent::NAMED {
        let entries = fs::read_dir(root.join(name)).unwrap();
        let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        cases.extend(folders.into_iter().map(|folder| (agent, folder)));
    }
    cases
}

fn output_of(folder: &Path) -> Vec<u8> {
    let names = ["output.jsonl", "output.txt"];
    names.iter().find_map(|name| fs::read(folder.join(name)).ok()).unwrap()
}

#[test]
fn recorded_outputs_tell_usage_and_limits() {
    for (agent, folder) in cases() {
        let findings = read(agent, &output_of(&folder));
        expect_file![folder.join("expected.txt")].assert_eq(&told(&findings));
    }
}

#[test]
fn torn_and_mangled_outputs_do_no_harm() {
    for (agent, folder) in cases() {
        let output = output_of(&folder);
        for cut in (0..output.len()).step_by(97) {
            let (before, after) = output.split_at(cut);
            let whole = read(agent, before);
            assert!(whole.limit.is_none_or(|limit| !limit.words.contains('\n')));
            read(agent, after);
            let mut mangled = output.clone();
            mangled[cut] = 0xFF;
            read(agent, &mangled);
        }
    }
}
