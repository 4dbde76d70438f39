//! Changes parts of a status file, and keeps everything else that stands in it.
//!
//! The front matter is written anew, key by key: keys that are not known here stay with their
//! values, in their order, and the body stays as it is.

use thiserror::Error;

use super::{
    document::open_markdown,
    node::{Entry, Kind, Node},
    number::{Count, Money},
    render, status_file,
    value::FromText,
    yaml,
};
use crate::domain::model::{
    attempt::{ReportedState, StatusReport},
    id::{AttemptId, GateName},
    limits::{FILE_BYTES_MAX, FRONT_MATTER_BYTES_MAX},
    time::Timestamp,
};

/// What a report says anew; what it does not say stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatusChange {
    /// How it goes. A state other than `blocked` waits for nothing, and one other than `escalate`
    /// has no category.
    pub state: Option<ReportedState>,
    /// Percent.
    pub progress: Option<u8>,
    /// What the worker does now.
    pub message: Option<String>,
    /// What it waits for.
    pub waiting_for: Option<GateName>,
    /// What kind of decision it asks for.
    pub category: Option<String>,
    /// Figures of its usage that take the place of the old ones.
    pub usage: UsageChange,
    /// Figures that are added to those.
    pub add_usage: UsageChange,
    /// A paragraph for the body.
    pub note: Option<String>,
}

/// Figures of usage, as far as they are given.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UsageChange {
    /// Tokens by kind, in the order of [`UsageChange::COUNTS`].
    counts: [Option<u64>; 4],
    /// Money in US dollars.
    cost: Option<f64>,
}

/// Why a report cannot be written; what is there is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatusFault {
    /// Readers would refuse the front matter.
    #[error("the front matter would have more than {} KiB", FRONT_MATTER_BYTES_MAX / 1024)]
    HeadTooLarge,
    /// Readers would refuse the file.
    #[error("the status file would be larger than {} MiB", FILE_BYTES_MAX / (1024 * 1024))]
    TooLarge,
}

/// A status file after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The whole file.
    pub text: String,
    /// What it says.
    pub report: StatusReport,
    /// Whether nothing could be kept of what was there, so that it is to be set aside.
    pub is_anew: bool,
}

impl UsageChange {
    /// The keys of the counts in a file, each with its short name.
    const COUNTS: [(&'static str, &'static str); 4] = [
        ("input_tokens", "input"),
        ("output_tokens", "output"),
        ("cache_read_tokens", "cache_read"),
        ("cache_creation_tokens", "cache_creation"),
    ];

    /// The key of the money, and its short name.
    const COST: (&'static str, &'static str) = ("cost_usd", "cost");

    /// Reads `input=1200,output=300,cost=0.02`.
    ///
    /// # Errors
    /// What is wrong with it and how it is written, as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut change = Self::default();
        for part in text.split(',').map(str::trim) {
            let (key, value) = part.split_once('=').ok_or_else(|| {
                format!("`{part}` has no `=`: write it as `input=1200,cost=0.02`")
            })?;
            let (key, value) = (key.trim(), value.trim());
            let is = |names: (&str, &str)| key == names.0 || key == names.1;
            let count = Self::COUNTS.iter().position(|names| is(*names));
            match count.and_then(|at| change.counts.get_mut(at)) {
                Some(count) => *count = Some(read::<Count>(value)?.0),
                None if is(Self::COST) => change.cost = Some(read::<Money>(value)?.0),
                None => {
                    let names = Self::COUNTS.map(|(_, short)| short).join("`, `");
                    return Err(format!("`{key}` is not one of `{names}`, `{}`", Self::COST.1));
                }
            }
        }
        Ok(change)
    }

    /// Says whether no figure is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the figures over those in `lines`; `add` says whether they are added to them.
    fn apply(&self, lines: &mut Lines, add: bool) {
        for ((key, _), count) in Self::COUNTS.iter().zip(self.counts) {
            let Some(count) = count else { continue };
            let old = lines.get(key).and_then(|old| Count::from_text(old).ok());
            let old = old.filter(|_| add).map_or(0, |old| old.0);
            lines.set(key, old.saturating_add(count).to_string());
        }
        if let Some(cost) = self.cost {
            let old = lines.get(Self::COST.0).and_then(|old| Money::from_text(old).ok());
            let old = old.filter(|_| add).map_or(0.0, |old| old.0);
            let sum = old + cost;
            lines.set(Self::COST.0, if sum.is_finite() { sum } else { cost }.to_string());
        }
    }
}

fn read<T: FromText>(text: &str) -> Result<T, String> {
    T::from_text(text).map_err(|fault| match fault.help {
        Some(help) => format!("{}: {help}", fault.message),
        None => format!("`{text}` is not {}", T::EXPECTED),
    })
}

/// A key and its value, as both are written.
struct Line {
    key: String,
    written_key: String,
    value: String,
}

/// Keys with their values, in their order.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn of(node: &Node<'_>) -> Self {
        let Kind::Mapping(entries) = &node.kind else { return Self::default() };
        let line = |entry: &Entry<'_>| Line {
            key: entry.key.as_text().unwrap_or_default().to_owned(),
            written_key: written(&entry.key),
            value: written(&entry.value),
        };
        Self(entries.iter().map(line).collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|line| line.key == key).map(|line| line.value.as_str())
    }

    fn set(&mut self, key: &str, value: String) {
        match self.0.iter_mut().find(|line| line.key == key) {
            Some(line) => line.value = value,
            None => {
                let (key, written_key) = (key.to_owned(), render::text(key));
                self.0.push(Line { key, written_key, value });
            }
        }
    }

    fn remove(&mut self, key: &str) {
        self.0.retain(|line| line.key != key);
    }

    /// Returns the keys in braces.
    fn in_braces(&self) -> String {
        let parts = self.0.iter().map(|line| format!("{}: {}", line.written_key, line.value));
        format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
    }
}

/// Returns a value as it is written on one line.
fn written(node: &Node<'_>) -> String {
    match &node.kind {
        Kind::Scalar(_) if node.is_null() => "null".to_owned(),
        Kind::Scalar(scalar) => {
            let is_bare = !scalar.is_quoted
                && (node.kind_name() != "text" || Timestamp::parse(&scalar.text).is_some());
            if is_bare { scalar.text.to_string() } else { render::text(&scalar.text) }
        }
        Kind::Sequence(items) => {
            format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        Kind::Mapping(_) => Lines::of(node).in_braces(),
    }
}

/// Changes the status file of `attempt` at `path`, whose content is `old`; `None` makes a new one.
///
/// # Errors
/// [`StatusFault`] where no reader would take the result.
pub fn change(
    path: &str,
    attempt: &AttemptId,
    old: Option<&[u8]>,
    change: &StatusChange,
    now: Timestamp,
) -> Result<Changed, StatusFault> {
    if let Some(old) = old
        && let Ok(file) = open_markdown(old)
        && let Some(head @ Node { kind: Kind::Mapping(_), .. }) = &file.head
    {
        let text = changed(Lines::of(head), file.body, attempt, change, now)?;
        if let Some(report) = status_file::parse(path, text.as_bytes()).0 {
            return Ok(Changed { text, report, is_anew: false });
        }
    }
    let text = changed(Lines::default(), "", attempt, change, now)?;
    let (Some(report), _) = status_file::parse(path, text.as_bytes()) else {
        unreachable!("what is written from values alone can be read: {text}")
    };
    Ok(Changed { text, report, is_anew: old.is_some() })
}

fn changed(
    mut lines: Lines,
    body: &str,
    attempt: &AttemptId,
    change: &StatusChange,
    now: Timestamp,
) -> Result<String, StatusFault> {
    lines.set("task", render::text(attempt.task.as_str()));
    lines.set("attempt", attempt.number.to_string());
    match change.state {
        Some(state) => lines.set("state", state.as_str().to_owned()),
        None if lines.get("state").is_none() => {
            lines.set("state", ReportedState::default().as_str().to_owned());
        }
        None => {}
    }
    if change.state.is_some_and(|state| state != ReportedState::Blocked) {
        lines.remove("waiting_for");
    }
    if change.state.is_some_and(|state| state != ReportedState::Escalate) {
        lines.remove("category");
    }
    if let Some(progress) = change.progress {
        lines.set("progress", progress.to_string());
    }
    if let Some(message) = &change.message {
        lines.set("message", render::text(message));
    }
    lines.set("updated", now.to_string());
    if let Some(gate) = &change.waiting_for {
        lines.set("waiting_for", render::text(&gate.0));
    }
    if let Some(category) = &change.category {
        lines.set("category", render::text(category));
    }
    set_usage(&mut lines, change);
    let mut text = String::from("---\n");
    for line in &lines.0 {
        text.extend([&*line.written_key, ": ", &line.value, "\n"]);
    }
    if text.len() > FRONT_MATTER_BYTES_MAX {
        return Err(StatusFault::HeadTooLarge);
    }
    text.push_str("---\n");
    text.push_str(body);
    if let Some(note) = change.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
        text.truncate(text.trim_end().len());
        text.push_str(if body.trim().is_empty() { "\n" } else { "\n\n" });
        text.push_str(note);
        text.push('\n');
    }
    match u64::try_from(text.len()) {
        Ok(length) if length <= FILE_BYTES_MAX => Ok(text),
        _ => Err(StatusFault::TooLarge),
    }
}

/// Writes figures of usage over those that are there; other keys of `usage` stay.
fn set_usage(lines: &mut Lines, change: &StatusChange) {
    if change.usage.is_empty() && change.add_usage.is_empty() {
        return;
    }
    let old = lines.get("usage").and_then(|old| Some(Lines::of(&yaml::parse(old, 1).ok()?)));
    let mut usage = old.unwrap_or_default();
    change.usage.apply(&mut usage, false);
    change.add_usage.apply(&mut usage, true);
    lines.set("usage", usage.in_braces());
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::domain::model::id::TaskId;

    const PATH: &str = ".orch/status/API-1.2.md";

    fn changed_to(old: Option<&str>, what: &StatusChange) -> Changed {
        let attempt = AttemptId::new(TaskId::parse("API-1").unwrap(), 2);
        let now = Timestamp::parse("2026-11-20T10:15:00Z").unwrap();
        change(PATH, &attempt, old.map(str::as_bytes), what, now).unwrap()
    }

    fn check(old: Option<&str>, what: &StatusChange, expected: &Expect) {
        let changed = changed_to(old, what);
        let (report, diagnostics) = status_file::parse(PATH, changed.text.as_bytes());
        assert_eq!((report, diagnostics), (Some(changed.report), Vec::new()), "{}", changed.text);
        let anew = if changed.is_anew { "(anew)\n" } else { "" };
        let text = changed.text.replace('\r', "<CR>");
        expected.assert_eq(&format!("{anew}{text}"));
    }

    #[test]
    fn a_first_report_makes_the_file() {
        let what = StatusChange {
            progress: Some(40),
            message: Some("wiring: \"a\"\nb".to_owned()),
            usage: UsageChange::parse("input=12,cost=0.5").unwrap(),
            note: Some(" First. ".to_owned()),
            ..StatusChange::default()
        };
        check(
            None,
            &what,
            &expect![[r#"
                ---
                task: API-1
                attempt: 2
                state: working
                progress: 40
                message: "wiring: \"a\"\nb"
                updated: 2026-11-20T10:15:00.000Z
                usage: {input_tokens: 12, cost_usd: 0.5}
                ---
                First.
            "#]],
        );
    }

    #[test]
    fn what_is_not_said_stays() {
        let old = "---\nstate: blocked # so\nodd: {3: [1, \"2\", x], \"4\": ~, since: 2026-11-20T10:15:00Z}\n\
                   waiting_for: ci/build\nempty:\nlong: |\n  a\n  b\n\
                   usage:\n  input_tokens: 7\n  seen: yes\n  cost_usd: 0.25\nprogress: 9\n---\n\n# Notes\r\n  odd \n\n";
        let heartbeat = StatusChange::default();
        check(
            Some(old),
            &heartbeat,
            &expect![[r#"
                ---
                state: blocked
                odd: {3: [1, "2", x], "4": null, since: 2026-11-20T10:15:00Z}
                waiting_for: ci/build
                empty: null
                long: "a\nb\n"
                usage: {input_tokens: 7, seen: "yes", cost_usd: 0.25}
                progress: 9
                task: API-1
                attempt: 2
                updated: 2026-11-20T10:15:00.000Z
                ---

                # Notes<CR>
                  odd 

            "#]],
        );
        let again = changed_to(Some(&changed_to(Some(old), &heartbeat).text), &heartbeat);
        assert_eq!(again, changed_to(Some(old), &heartbeat));
        let what = StatusChange {
            state: Some(ReportedState::Working),
            add_usage: UsageChange::parse("input_tokens=5, output=2,cost=0.25").unwrap(),
            note: Some("More.".to_owned()),
            ..StatusChange::default()
        };
        check(
            Some(old),
            &what,
            &expect![[r#"
                ---
                state: working
                odd: {3: [1, "2", x], "4": null, since: 2026-11-20T10:15:00Z}
                empty: null
                long: "a\nb\n"
                usage: {input_tokens: 12, seen: "yes", cost_usd: 0.5, output_tokens: 2}
                progress: 9
                task: API-1
                attempt: 2
                updated: 2026-11-20T10:15:00.000Z
                ---

                # Notes<CR>
                  odd

                More.
            "#]],
        );
    }

    #[test]
    fn what_cannot_be_read_is_written_anew() {
        let done = StatusChange { state: Some(ReportedState::Done), ..StatusChange::default() };
        let fresh = changed_to(None, &done).text;
        let torn = ["---\nstate: wor", "", "notes only\n", "---\n- a\n---\n", "---\na: [\n---\n"];
        for old in torn {
            let changed = changed_to(Some(old), &done);
            assert_eq!((changed.text, changed.is_anew), (fresh.clone(), true), "{old:?}");
        }
        let odd = "---\nstate: bizarre\nprogress: 5\n---\n";
        assert!(changed_to(Some(odd), &StatusChange::default()).is_anew);
        let mended = changed_to(Some(odd), &done);
        assert_eq!((mended.report.progress, mended.is_anew), (Some(5), false));
    }

    #[test]
    fn what_no_reader_takes_is_refused() {
        let attempt = AttemptId::new(TaskId::parse("API-1").unwrap(), 2);
        let now = Timestamp::parse("2026-11-20T10:15:00Z").unwrap();
        let long = |n| Some("x".repeat(n));
        let table = [
            (
                StatusChange { message: long(70_000), ..StatusChange::default() },
                StatusFault::HeadTooLarge,
            ),
            (
                StatusChange { note: long(5_000_000), ..StatusChange::default() },
                StatusFault::TooLarge,
            ),
        ];
        for (what, fault) in table {
            assert_eq!(change(PATH, &attempt, None, &what, now), Err(fault));
        }
    }

    #[test]
    fn usage_is_written_on_one_line() {
        let table = [
            ("input=1,output=2,cache_read=3,cache_creation=4,cost=$0.5", ""),
            ("input", "`input` has no `=`: write it as `input=1200,cost=0.02`"),
            (
                "tokens=1",
                "`tokens` is not one of `input`, `output`, `cache_read`, `cache_creation`, `cost`",
            ),
            ("input=-1", "`-1` is out of range: write a number from 0"),
            ("input=few", "`few` is not a whole number"),
            ("cost=lots", "`lots` is not an amount of money: write it as `5` or `0.25`"),
        ];
        for (text, fault) in table {
            assert_eq!(UsageChange::parse(text).err().unwrap_or_default(), fault, "{text}");
        }
    }
}
