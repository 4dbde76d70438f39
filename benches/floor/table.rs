//! The lines that a bench prints: each figure beside its limit, and how that stands to the goal.

use std::{fmt, time::Duration};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// At most this many times the limit.
    pub(crate) ratio: Option<f64>,
    /// At most this long.
    pub(crate) time: Option<Duration>,
}

impl Goal {
    /// Nothing: the figure is for information.
    pub(crate) const NONE: Self = Self { ratio: None, time: None };
}

/// How a figure stands to its goal; printed at the end of its line.
struct Verdict {
    goal: String,
    is_met: Option<bool>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_met {
            None => Ok(()),
            Some(true) => write!(f, "goal <= {}  ok", self.goal),
            Some(false) => write!(f, "goal <= {}  MISSED", self.goal),
        }
    }
}

/// Prints the name of what follows.
pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}

/// Prints a time beside its limit; `note` stands at the end.
pub(crate) fn time(what: &str, time: Duration, limit: (&str, Duration), goal: Goal, note: &str) {
    let (name, floor) = limit;
    let ratio = time.as_secs_f64() / floor.as_secs_f64().max(1e-9);
    let verdict = match (goal.ratio, goal.time) {
        (Some(most), _) => Verdict { goal: format!("{most}x"), is_met: Some(ratio <= most) },
        (None, Some(most)) => Verdict { goal: milliseconds(most), is_met: Some(time <= most) },
        (None, None) => Verdict { goal: String::new(), is_met: None },
    };
    let (shown, floor) = (milliseconds(time), milliseconds(floor));
    let line = format!("{what:<32} {shown:>11}  {name} {floor:>10}  {ratio:>6.2}x  {verdict}");
    println!("{}", format!("{line}  {note}").trim_end());
}

/// Prints a limit by itself.
pub(crate) fn limit(what: &str, time: Duration, note: &str) {
    println!("{}", format!("{what:<32} {:>11}  {note}", milliseconds(time)).trim_end());
}

/// Prints a peak of memory, held against `most` bytes where given.
pub(crate) fn memory(what: &str, bytes: u64, most: Option<u64>) {
    let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    let is_met = most.map(|most| bytes <= most);
    let verdict = Verdict { goal: most.map(megabytes).unwrap_or_default(), is_met };
    println!("{}", format!("{what:<32} {:>11}  {verdict}", megabytes(bytes)).trim_end());
}

/// Prints that there is no figure, and why.
pub(crate) fn missing(what: &str, why: &str) {
    println!("{what:<32} not measured: {why}");
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
