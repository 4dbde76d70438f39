//! Numbers, amounts and lengths of time as people write them.

use std::{marker::PhantomData, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::fault::{plain, shown};
use super::value::{FromText, TextVisitor, ValueFault, text_values};
use crate::domain::model::{
    limits::{
        ATTEMPTS_MAX, HEARTBEAT_MIN, LEVEL_MAX, LOG_BYTES_MAX, LOG_BYTES_MIN, MONEY_MAX,
        RESCAN_MAX, RESCAN_MIN, WORKERS_MAX,
    },
    time::{Exact, parse_duration},
};

text_values!(
    Time, Beat, Rescan, Level, Attempts, Percent, Workers, Tokens, Room, LogSize, Money, Count,
    Code, Version
);

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromText for Time {
    const EXPECTED: &'static str = "a duration";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        parse_duration(text).map(Self).map_err(|_| duration_fault(text))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": DURATION_PATTERN, "examples": ["30m", "1h30m"] })
    }
}

/// A length of time between two signs of life: not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat(pub Duration);

impl FromText for Beat {
    const EXPECTED: &'static str = Time::EXPECTED;

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let Time(time) = Time::from_text(text)?;
        if time >= HEARTBEAT_MIN {
            return Ok(Self(time));
        }
        let message = format!("{} is out of range", shown(text));
        let help = format!("write a time from `{}` on", Exact(HEARTBEAT_MIN));
        Err(ValueFault::new("bad-duration", message).with_help(help))
    }

    fn schema() -> Schema {
        Time::schema()
    }
}

/// A length of time between two looks at all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescan(pub Duration);

impl FromText for Rescan {
    const EXPECTED: &'static str = Time::EXPECTED;

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let Time(time) = Time::from_text(text)?;
        if (RESCAN_MIN..=RESCAN_MAX).contains(&time) {
            return Ok(Self(time));
        }
        let range = format!("write a time from `{}` to `{}`", Exact(RESCAN_MIN), Exact(RESCAN_MAX));
        let message = format!("{} is out of range", shown(text));
        Err(ValueFault::new("bad-duration", message).with_help(range))
    }

    fn schema() -> Schema {
        Time::schema()
    }
}

/// What a duration looks like.
pub(super) const DURATION_PATTERN: &str = r"^\s*(\d+(ms|s|sec|m|min|h|d|w)\s*)+$";

/// Says what is wrong with a duration.
fn duration_fault(text: &str) -> ValueFault {
    // The words are made from the shortened text, so that they stay short.
    let short = plain(text);
    let message = parse_duration(&short).err().unwrap_or_else(|| format!("`{short}` is too long"));
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let help = match is_number {
        true => format!("write `{short}s` or `{short}m`"),
        false => "write it as `90s`, `30m`, `1h30m` or `2d`".to_owned(),
    };
    ValueFault::new("bad-duration", message).with_help(help)
}

/// Declares a whole number with its bounds.
macro_rules! whole_numbers {
    ($($(#[$doc:meta])* $name:ident($type:ty) $min:expr, $max:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $type);

        impl FromText for $name {
            const EXPECTED: &'static str = "a whole number";

            fn from_text(text: &str) -> Result<Self, ValueFault> {
                let number = whole_number(text, $min.into(), $max.into())?;
                <$type>::try_from(number).map(Self).map_err(|_| ValueFault::wrong_type())
            }

            fn schema() -> Schema {
                let (min, max): (i128, i128) = ($min.into(), $max.into());
                let (min, max) = (i64::try_from(min).ok(), i64::try_from(max).ok());
                let mut schema = json_schema!({ "type": "integer" });
                for (name, bound) in [("minimum", min), ("maximum", max)] {
                    if let Some(bound) = bound {
                        schema.insert(name.to_owned(), bound.into());
                    }
                }
                schema
            }
        }
    )* };
}

whole_numbers! {
    /// A level.
    Level(u32) 0_u32, LEVEL_MAX;
    /// How many attempts may fail.
    Attempts(u32) 1_u32, ATTEMPTS_MAX;
    /// A share of a hundred.
    Percent(u8) 0_u8, 100_u8;
    /// A number of workers.
    Workers(u32) 1_u32, WORKERS_MAX;
    /// A number of things.
    Count(u64) 0_u64, u64::MAX;
    /// An exit code or a signal.
    Code(i32) i32::MIN, i32::MAX;
    /// The version of a format.
    Version(u32) 0_u32, u32::MAX;
}

/// Reads a whole number between bounds.
pub(super) fn whole_number(text: &str, min: i128, max: i128) -> Result<i128, ValueFault> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ValueFault::wrong_type());
    }
    let range = || match max < i64::MAX.into() {
        true => format!("write a number from {min} to {max}"),
        false => format!("write a number from {min}"),
    };
    let outside = || {
        ValueFault::new("bad-number", format!("{} is out of range", shown(text))).with_help(range())
    };
    let number: i128 = text.parse().map_err(|_| outside())?;
    if number < min || number > max { Err(outside()) } else { Ok(number) }
}

/// An amount of room: `512KiB`, `64MiB`, `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room(pub u64);

impl FromText for Room {
    const EXPECTED: &'static str = "a size";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let fault = || {
            ValueFault::new("bad-number", format!("{} is not a size", shown(text)))
                .with_help("write it as `512KiB`, `64MiB` or `1GiB`")
        };
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
        let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
        let (digits, shift) = found.ok_or_else(fault)?;
        let n: u64 = digits.trim_end().parse().map_err(|_| fault())?;
        n.checked_mul(1 << shift).map(Self).ok_or_else(fault)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d+ *[KMG]iB$", "examples": ["64MiB"] })
    }
}

/// The room for a log: `512KiB`, `64MiB`, `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSize(pub u64);

impl FromText for LogSize {
    const EXPECTED: &'static str = Room::EXPECTED;

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let Room(bytes) = Room::from_text(text)?;
        if !(LOG_BYTES_MIN..=LOG_BYTES_MAX).contains(&bytes) {
            let message = format!("{} is no room for a log", shown(text));
            return Err(ValueFault::new("bad-number", message)
                .with_help("give it between `256KiB` and `1024GiB`"));
        }
        Ok(Self(bytes))
    }

    fn schema() -> Schema {
        Room::schema()
    }
}

/// A number of tokens: `200000`, `200k`, `1.5M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens(pub u64);

impl FromText for Tokens {
    const EXPECTED: &'static str = "a number of tokens";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let fault = || {
            ValueFault::new("bad-number", format!("{} is not a number of tokens", shown(text)))
                .with_help("write it as `200000`, `200k` or `1.5M`")
        };
        let (digits, zeros) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 3_usize),
            None => text.strip_suffix(['m', 'M']).map_or((text, 0), |digits| (digits, 6)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > zeros {
            return Err(fault());
        }
        let missing = "0".repeat(zeros - part.len());
        format!("{whole}{part}{missing}").parse().map(Self).map_err(|_| fault())
    }

    fn schema() -> Schema {
        json_schema!({ "type": ["integer", "string"], "pattern": r"^\d+(\.\d+)?[kKmM]?$" })
    }
}

/// Money in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Money(pub f64);

impl FromText for Money {
    const EXPECTED: &'static str = "an amount in US dollars";

    fn from_text(text: &str) -> Result<Self, ValueFault> {
        let digits = text.strip_prefix('$').unwrap_or(text);
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
        let amount: Option<f64> = digits.parse().ok().filter(|_| is_plain);
        amount.filter(|a| (0.0..=MONEY_MAX).contains(a)).map(Self).ok_or_else(|| {
            ValueFault::new("bad-number", format!("{} is not an amount of money", shown(text)))
                .with_help("write it as `5` or `0.25`")
        })
    }

    fn schema() -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}
