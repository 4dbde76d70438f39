//! What a coordinator and its supervisor say to each other: one JSON object a line.
//!
//! Orders go to the supervisor. What it tells goes to its ledger, a file, and to the coordinator
//! that started it, word for word the same.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::model::{
    attempt::{Exit, Killer, Usage, UsageLimit, WorkerEnd},
    time::{Now, Tick, Timestamp},
};

/// The version of both languages. A supervisor may outlive the program that started it, so one of
/// another version may have to be understood.
pub const VERSION: u32 = 1;

/// A worker that is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The word that stands for its attempt, and that its processes carry in their environment.
    pub nonce: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub folder: Raw,
    /// Its whole environment.
    pub env: Vec<(Raw, Raw)>,
    /// What it reads; nothing where there is none.
    pub input: Option<Raw>,
    /// Its log.
    pub log: Raw,
    /// Most bytes of its log, together with the older half of it.
    pub log_bytes_max: u64,
    /// The text that its output must contain.
    pub signal: Option<String>,
    /// How long it may take where no coordinator is there to stop it.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The time between the polite stop and the kill.
    #[serde(default)]
    pub grace_ms: u64,
    /// Values that are not to appear in its log.
    pub secrets: Vec<Raw>,
    /// The agent that it is, by name: its output is read.
    #[serde(default)]
    pub agent: Option<String>,
    /// The model of the agent.
    #[serde(default)]
    pub model: Option<String>,
}

/// A string of the system: nearly always text, but any bytes are possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub OsString);

impl From<Raw> for PathBuf {
    fn from(raw: Raw) -> Self {
        raw.0.into()
    }
}

impl<T: AsRef<OsStr>> From<&T> for Raw {
    fn from(text: &T) -> Self {
        Self(text.as_ref().to_owned())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_seq(self.0.as_bytes()),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of bytes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw(text.into()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut bytes: A) -> Result<Raw, A::Error> {
                let mut all = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    all.push(byte);
                }
                Ok(Raw(OsString::from_vec(all)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What a supervisor tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// It is at work; the first line.
    Hello {
        /// The version of its language.
        version: u32,
        /// Its process.
        pid: u32,
        /// When that started, in the unit of the system.
        start_ticks: u64,
        /// Which start of the machine it belongs to.
        boot_id: String,
        /// The folder of the control group that it and all its workers are in, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cgroup: Option<Raw>,
    },
    /// A worker was started.
    Started {
        /// Whose.
        nonce: String,
        /// Its process, and at the same time its group.
        pid: u32,
        /// When that started, in the unit of the system.
        start_ticks: u64,
        /// When that was, on the clock that never jumps, in microseconds.
        tick_us: u64,
        /// When that was, in milliseconds since 1970.
        wall_ms: i64,
    },
    /// A worker could not be started.
    NotStarted {
        /// Whose.
        nonce: String,
        /// Why.
        cause: String,
        /// Whether it may work later.
        is_passing: bool,
    },
    /// The output of a worker says that it used more.
    Used {
        /// Whose.
        nonce: String,
        /// All that it used so far.
        usage: Used,
    },
    /// The output of a worker has said for a while that a limit is reached.
    Limited {
        /// Whose.
        nonce: String,
        /// Which.
        limit: Limit,
    },
    /// The log of a worker cannot be written now; its worker waits.
    Short {
        /// Whose.
        nonce: String,
        /// Why.
        cause: String,
    },
    /// A worker ended, and all that it started.
    Exited {
        /// Whose.
        nonce: String,
        /// How.
        end: End,
    },
    /// Its coordinator is gone: no order will come any more.
    Orphaned,
}

impl Line {
    /// Returns the line as it is written, with its line feed.
    pub fn render(&self) -> Vec<u8> {
        render(self)
    }

    /// Reads a line; `None` where it is none, as with one of a later version.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Order {
    /// Returns the order as it is sent, with its line feed.
    pub fn render(&self) -> Vec<u8> {
        render(self)
    }

    /// Reads an order.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

fn render(value: &impl Serialize) -> Vec<u8> {
    match serde_json::to_vec(value) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            bytes
        }
        Err(error) => unreachable!("texts and numbers are always JSON: {error}"),
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in ledgers")]
pub struct End {
    /// Its exit code, where it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    /// When, on the clock that never jumps, in microseconds.
    tick_us: u64,
    /// When, in milliseconds since 1970.
    wall_ms: i64,
    has_signal: bool,
    /// Whether the supervisor stopped it, as its time was over and no coordinator was there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    timed_out: bool,
    #[serde(skip_serializing_if = "is_zero")]
    n_leaked: u32,
    /// Whether the system killed it, as memory had run out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    oom: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Used>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
}

/// What a worker used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Used {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_creation: u64,
    /// `None` is what JSON makes of an amount that is no number.
    cost_usd: Option<f64>,
}

/// A limit of a provider.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limit {
    provider: String,
    resets_ms: Option<i64>,
    words: String,
}

impl From<Usage> for Used {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_read: usage.cache_read_tokens,
            cache_creation: usage.cache_creation_tokens,
            cost_usd: Some(usage.cost_usd),
        }
    }
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Self {
            input_tokens: used.input,
            output_tokens: used.output,
            cache_read_tokens: used.cache_read,
            cache_creation_tokens: used.cache_creation,
            cost_usd: used.cost_usd.unwrap_or_default(),
        }
    }
}

impl From<UsageLimit> for Limit {
    fn from(limit: UsageLimit) -> Self {
        let UsageLimit { provider, resets, words } = limit;
        Self { provider, resets_ms: resets.map(|at| at.0), words }
    }
}

impl From<Limit> for UsageLimit {
    fn from(limit: Limit) -> Self {
        let Limit { provider, resets_ms, words } = limit;
        Self { provider, resets: resets_ms.map(Timestamp), words }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl End {
    /// Returns what is told of a worker that ended `now`.
    pub fn new(end: &WorkerEnd, now: Now) -> Self {
        let (code, signal) = match end.exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
        };
        let usage = (!end.usage.is_empty()).then(|| Used::from(end.usage));
        let limit = end.limit.clone().map(Limit::from);
        Self {
            code,
            signal,
            tick_us: micros(now.tick),
            wall_ms: now.wall.0,
            has_signal: end.has_signal,
            timed_out: end.killed_by == Some(Killer::Timeout),
            n_leaked: end.n_leaked,
            oom: end.killed_by == Some(Killer::OutOfMemory),
            usage,
            limit,
        }
    }

    /// Returns what it means.
    pub fn meaning(&self) -> WorkerEnd {
        let exit = match (self.code, self.signal) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Code(-1),
        };
        let usage = self.usage.clone().map(Usage::from).unwrap_or_default();
        let limit = self.limit.clone().map(UsageLimit::from);
        let killed_by = match (self.timed_out, self.oom) {
            (true, _) => Some(Killer::Timeout),
            (false, true) => Some(Killer::OutOfMemory),
            (false, false) => None,
        };
        WorkerEnd {
            exit,
            has_signal: self.has_signal,
            killed_by,
            usage,
            limit,
            n_leaked: self.n_leaked,
            ended: Some(self.at()),
        }
    }

    /// Returns when it ended.
    pub fn at(&self) -> Now {
        at(self.tick_us, self.wall_ms)
    }
}

/// Returns a point in time from how it is written.
pub fn at(tick_us: u64, wall_ms: i64) -> Now {
    let tick = Tick(std::time::Duration::from_micros(tick_us));
    Now { tick, wall: Timestamp(wall_ms) }
}

/// Returns a point on the clock that never jumps as it is written.
pub fn micros(tick: Tick) -> u64 {
    u64::try_from(tick.0.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let bytes = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let order = Order {
            nonce: "0123".to_owned(),
            argv: vec!["sh".to_owned(), "-c".to_owned(), "echo \"a\nb\"".to_owned()],
            folder: Raw("/tmp".into()),
            env: vec![(Raw("A".into()), Raw(bytes.clone()))],
            input: None,
            log: Raw(bytes),
            log_bytes_max: 1 << 20,
            signal: Some("DONE".to_owned()),
            timeout_ms: Some(5),
            grace_ms: 1,
            secrets: vec![Raw("s3cret".into())],
            agent: Some("claude".to_owned()),
            model: None,
        };
        let sent = order.render();
        assert_eq!(sent.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
        assert_eq!(Order::parse(&sent), Some(order));
    }

    #[test]
    fn every_ending_survives_the_round_trip() {
        let usage = Usage { input_tokens: 3, cost_usd: 0.25, ..Usage::default() };
        let limit = UsageLimit {
            provider: "anthropic".to_owned(),
            resets: Some(Timestamp(1_000)),
            words: "limit reached".to_owned(),
        };
        let ends = [
            WorkerEnd::of(Exit::Code(0)),
            WorkerEnd { killed_by: Some(Killer::OutOfMemory), ..WorkerEnd::of(Exit::Signal(9)) },
            WorkerEnd { n_leaked: 2, has_signal: false, ..WorkerEnd::of(Exit::Code(255)) },
            WorkerEnd {
                usage,
                killed_by: Some(Killer::Timeout),
                limit: Some(limit),
                ..WorkerEnd::of(Exit::Signal(9))
            },
        ];
        for end in ends {
            let line = Line::Exited { nonce: "1".to_owned(), end: End::new(&end, at(5_000, -7)) };
            let text = line.render();
            let Some(Line::Exited { end: read, .. }) = Line::parse(&text) else {
                panic!("{}", String::from_utf8_lossy(&text))
            };
            let end = WorkerEnd { ended: Some(at(5_000, -7)), ..end };
            assert_eq!((read.meaning(), read.at()), (end, at(5_000, -7)));
        }
        assert_eq!(Line::parse(b"{\"kind\":\"from_the_future\"}"), None);
    }

    #[test]
    fn what_the_first_release_wrote_is_read_for_ever_and_what_a_later_one_adds_is_passed_over() {
        // Word for word as they were written: never to be edited.
        let lines = [
            r#"{"kind":"hello","version":1,"pid":7,"start_ticks":8,"boot_id":"b"}"#,
            r#"{"kind":"started","nonce":"n","pid":9,"start_ticks":10,"tick_us":11,"wall_ms":12}"#,
            r#"{"kind":"not_started","nonce":"n","cause":"c","is_passing":true}"#,
            r#"{"kind":"exited","nonce":"n","end":{"code":3,"tick_us":4,"wall_ms":5,"has_signal":true}}"#,
            r#"{"kind":"exited","nonce":"n","end":{"signal":9,"tick_us":4,"wall_ms":5,"has_signal":false,"timed_out":true,"n_leaked":2}}"#,
            r#"{"kind":"orphaned"}"#,
            r#"{"kind":"exited","nonce":"n","later":[1],"end":{"signal":9,"tick_us":4,"wall_ms":5,"has_signal":true,"oom":true,"later":{"a":1}}}"#,
        ];
        let read = |line: &str| match Line::parse(line.as_bytes()) {
            Some(Line::Exited { nonce, end }) => format!("{nonce} {:?}\n", end.meaning()),
            line => format!("{line:?}\n"),
        };
        let read: String = lines.iter().map(|line| read(line)).collect();
        expect_test::expect![[r#"
            Some(Hello { version: 1, pid: 7, start_ticks: 8, boot_id: "b", cgroup: None })
            Some(Started { nonce: "n", pid: 9, start_ticks: 10, tick_us: 11, wall_ms: 12 })
            Some(NotStarted { nonce: "n", cause: "c", is_passing: true })
            n WorkerEnd { exit: Code(3), has_signal: true, killed_by: None, usage: Usage { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: 0.0 }, limit: None, n_leaked: 0, ended: Some(Now { tick: Tick(4µs), wall: Timestamp(5) }) }
            n WorkerEnd { exit: Signal(9), has_signal: false, killed_by: Some(Timeout), usage: Usage { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: 0.0 }, limit: None, n_leaked: 2, ended: Some(Now { tick: Tick(4µs), wall: Timestamp(5) }) }
            Some(Orphaned)
            n WorkerEnd { exit: Signal(9), has_signal: true, killed_by: Some(OutOfMemory), usage: Usage { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: 0.0 }, limit: None, n_leaked: 0, ended: Some(Now { tick: Tick(4µs), wall: Timestamp(5) }) }
        "#]].assert_eq(&read);
    }
}
