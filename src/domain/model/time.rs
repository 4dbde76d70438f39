//! Points in time and lengths of time, as values; no clock is read here.

use std::{fmt, time::Duration};

use super::limits::DURATION_MAX;

/// A point on the wall clock: milliseconds since 1970-01-01T00:00:00Z. For records and display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Parses an RFC 3339 timestamp such as `2026-11-20T10:15:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// Returns the time from `earlier` to `self`, zero where the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the point `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC with milliseconds, for example `2026-11-20T10:15:00.250Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "@{}ms", self.0),
        }
    }
}

/// A point on the monotonic clock: time since the machine started. All deadlines use it, so
/// that no jump of the wall clock fires a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(pub Duration);

impl Tick {
    /// Returns the point `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// The present, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Monotonic: decides.
    pub tick: Tick,
    /// Wall clock: is recorded and shown.
    pub wall: Timestamp,
}

/// The present at a place: what clocks on the wall show there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocalTime {
    /// The present.
    pub now: Timestamp,
    /// How far clocks are ahead of UTC, negative to the west.
    pub offset_seconds: i32,
}

impl LocalTime {
    /// Returns year, month and day of the present.
    pub fn date(self) -> Option<(i16, i8, i8)> {
        let offset = jiff::tz::Offset::from_seconds(self.offset_seconds).ok()?;
        let now = jiff::Timestamp::from_millisecond(self.now.0).ok()?;
        let date = offset.to_datetime(now).date();
        Some((date.year(), date.month(), date.day()))
    }

    /// Returns when clocks show this hour and minute on this day; `None` where there is no such day
    /// or time.
    pub fn at(self, date: (i16, i8, i8), clock: (i8, i8)) -> Option<Timestamp> {
        let (year, month, day) = date;
        let offset = jiff::tz::Offset::from_seconds(self.offset_seconds).ok()?;
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let time = jiff::civil::Time::new(clock.0, clock.1, 0, 0).ok()?;
        let point = offset.to_timestamp(date.to_datetime(time)).ok()?;
        Some(Timestamp(point.as_millisecond()))
    }
}

/// Parses `90s`, `30m`, `1h30m`, `2d`, `1w`, `250ms`: one or more whole numbers with units.
///
/// # Errors
/// A phrase that says what is wrong, for a diagnostic.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err("a duration is empty".to_owned());
    }
    while !rest.is_empty() {
        let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, tail) = rest.split_at(n_digits);
        let n_letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(n_letters);
        let value: u64 = digits.parse().map_err(|_| format!("`{text}` is not a duration"))?;
        let ms = match unit {
            "ms" => 1,
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "" => return Err(format!("`{text}` has no unit")),
            _ => return Err(format!("`{unit}` is not a unit of time")),
        };
        let part = value.checked_mul(ms).map(Duration::from_millis);
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|sum| *sum <= DURATION_MAX)
            .ok_or_else(|| format!("`{text}` is longer than a year"))?;
        rest = tail.trim_start();
    }
    Ok(total)
}

/// Renders a duration for people, with at most two units: `1h 30m`, `4.2s`, `250ms`.
pub fn render_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}.{}s", seconds, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{}m {:02}s", minutes, seconds % 60),
        3_600_000..86_400_000 => format!("{}h {:02}m", hours, minutes % 60),
        _ => format!("{}d {:02}h", hours / 24, hours % 24),
    }
}

/// A duration as people write it in a file, to the millisecond: `1h30m`, `90s` as `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(pub Duration);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "m"), (ms / 1_000 % 60, "s")];
        for (value, unit) in parts.into_iter().filter(|(value, _)| *value > 0) {
            write!(f, "{value}{unit}")?;
        }
        match ms % 1_000 {
            0 if ms > 0 => Ok(()),
            rest => write!(f, "{rest}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let table: &[(&str, Result<u64, &str>)] = &[
            ("90s", Ok(90_000)),
            ("1h30m", Ok(5_400_000)),
            ("1h 30m", Ok(5_400_000)),
            ("250ms", Ok(250)),
            ("2d", Ok(172_800_000)),
            ("0s", Ok(0)),
            ("", Err("a duration is empty")),
            ("30", Err("`30` has no unit")),
            ("30x", Err("`x` is not a unit of time")),
            ("soon", Err("`soon` is not a duration")),
            ("-5m", Err("`-5m` is not a duration")),
            ("999999999999999999999s", Err("`999999999999999999999s` is not a duration")),
            ("9999w", Err("`9999w` is longer than a year")),
        ];
        for (text, expected) in table {
            let got = parse_duration(text);
            let want = expected.map(Duration::from_millis).map_err(str::to_owned);
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn durations_read_well() {
        let render = |ms| render_duration(Duration::from_millis(ms));
        assert_eq!(render(250), "250ms");
        assert_eq!(render(4_250), "4.2s");
        assert_eq!(render(90_000), "1m 30s");
        assert_eq!(render(5_400_000), "1h 30m");
        assert_eq!(render(90_000_000), "1d 01h");
    }

    #[test]
    fn timestamps_survive_the_round_trip() {
        let t = Timestamp::parse("2026-11-20T10:15:00.250Z").unwrap();
        assert_eq!(t.to_string(), "2026-11-20T10:15:00.250Z");
        assert_eq!(Timestamp::parse("2026-11-20T12:15:00.25+02:00"), Some(t));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
