//! Records of the gates between levels.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawCheck, VERSION, checks, cut_short, open_known, render_checks};
use crate::domain::{
    format::{
        decode::{UnknownKeys, decode},
        fault::in_file,
        field::{Field, List},
        layout::{self, FileKind},
        number::{Count, Level, Version},
        render,
        value::{Flag, Word},
    },
    model::{attempt::GateRecord, diagnostic::Diagnostic, time::Timestamp},
};

/// The record of one run of a level's gate, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `level`")]
pub struct RawGateRun {
    /// Version of this format: 1.
    pub version: Field<Version>,
    /// The level whose tasks had ended.
    pub level: Field<Level>,
    /// Which run of this gate it is, from 1.
    pub run: Field<Count>,
    /// Whether every command passed.
    pub passed: Field<Flag>,
    /// When it started.
    pub started: Field<Timestamp>,
    /// When it ended.
    pub ended: Field<Timestamp>,
    /// The commands that ran, in order.
    pub checks: Field<List<RawCheck>>,
    /// Digest of the work that was judged.
    pub judged: Field<Word>,
}

/// Reads the record of a gate; `path` is relative to the repository root, with `/`.
pub fn parse_gate(path: &str, bytes: &[u8]) -> (Option<GateRecord>, Vec<Diagnostic>) {
    let (text, root) = match open_known(path, bytes) {
        Ok(opened) => opened,
        Err(found) => return (None, found),
    };
    let mut faults = Vec::new();
    let raw: RawGateRun = decode(&root, UnknownKeys::Ignore, &mut faults);
    let named = match layout::classify(path) {
        FileKind::GateRun { level, number } => Some((level, number)),
        FileKind::Task
        | FileKind::Role(_)
        | FileKind::Config
        | FileKind::Template
        | FileKind::Event
        | FileKind::Status(_)
        | FileKind::Run(_)
        | FileKind::Milestone
        | FileKind::Ignored => None,
    };
    let level = raw.level.value.map(|level| level.0).or(named.map(|named| named.0));
    let number = raw.run.value.and_then(|n| u32::try_from(n.0).ok());
    let number = number.or(named.map(|named| named.1));
    let (Some(level), Some(number), Some(started)) = (level, number, raw.started.value) else {
        if faults.is_empty() {
            faults.push(cut_short());
        }
        return (None, in_file(faults, path, text));
    };
    let record = GateRecord {
        level,
        number,
        started,
        ended: raw.ended.value,
        is_passed: raw.passed.value.is_some_and(|flag| flag.0),
        judged: raw.judged.value.map(|word| word.0).unwrap_or_default(),
        checks: checks(raw.checks),
    };
    (Some(record), in_file(faults, path, text))
}

/// Renders the record of a gate.
pub fn render_gate(record: &GateRecord) -> String {
    let mut out = String::with_capacity(256);
    render::bare(&mut out, "version", VERSION);
    render::bare(&mut out, "level", record.level);
    render::bare(&mut out, "run", record.number);
    if record.ended.is_some() {
        render::bare(&mut out, "passed", record.is_passed);
    }
    render::bare(&mut out, "started", record.started);
    if let Some(ended) = record.ended {
        render::bare(&mut out, "ended", ended);
    }
    render_checks(&mut out, "checks", &record.checks);
    render::key(&mut out, "judged", &record.judged);
    out
}
