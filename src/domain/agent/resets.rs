//! When a limit is lifted, as agents put it into words.

use std::{str::SplitWhitespace, time::Duration};

use super::words::folded;
use crate::domain::model::{
    limits::DURATION_MAX,
    time::{LocalTime, Timestamp},
};

/// What stands before a point or a length of time.
const LEADS: [&str; 13] = [
    "will reset after",
    "will reset in",
    "try again at",
    "try again in",
    "retry after",
    "to reset on",
    "to reset at",
    "please wait",
    "or wait",
    "cycle ends on",
    "resets at",
    "resets in",
    "resets",
];

/// The names of the months, as they begin.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Returns the point in time that `text` names; `None` where it names none, or one that is over.
pub(super) fn resets(text: &str, local: LocalTime) -> Option<Timestamp> {
    let text = folded(text);
    let found = after_bar(&text).or_else(|| {
        let behind = |lead: &&str| Some(text.split_once(*lead)?.1);
        LEADS.iter().filter_map(behind).find_map(|rest| when(rest, local))
    });
    found.filter(|resets| is_plausible(*resets, local.now))
}

/// Returns the point in time that a number of seconds since 1970 means, or of milliseconds.
pub(super) fn from_epoch(number: u64, local: LocalTime) -> Option<Timestamp> {
    /// More seconds than that are milliseconds: the year 5138.
    const SECONDS_MAX: u64 = 100_000_000_000;
    let ms = if number < SECONDS_MAX { number * 1000 } else { number };
    let resets = Timestamp(i64::try_from(ms).ok()?);
    is_plausible(resets, local.now).then_some(resets)
}

/// Returns the point in time `seconds` from now, as in the header `retry-after`.
pub(super) fn from_seconds(seconds: u64, local: LocalTime) -> Option<Timestamp> {
    let resets = local.now.plus(Duration::from_secs(seconds));
    (seconds > 0 && is_plausible(resets, local.now)).then_some(resets)
}

fn is_plausible(resets: Timestamp, now: Timestamp) -> bool {
    resets > now && resets.since(now) <= DURATION_MAX
}

/// Reads `…|1735689600`.
fn after_bar(text: &str) -> Option<Timestamp> {
    let (_, number) = text.rsplit_once('|')?;
    let number: i64 = number.trim().parse().ok()?;
    Some(Timestamp(number.checked_mul(1000)?))
}

/// Reads what stands behind a lead: a length of time, or a date, a time of day, or both.
fn when(text: &str, local: LocalTime) -> Option<Timestamp> {
    let mut words = text.split_whitespace();
    let first = words.clone().next()?;
    if let Some(timestamp) = Timestamp::parse(trimmed(first).to_uppercase().as_str()) {
        return Some(timestamp);
    }
    if let Some(length) = length(words.clone()) {
        return Some(local.now.plus(length));
    }
    let mut date = Date::default();
    // A date, a time and a zone take no more words than that.
    for word in words.by_ref().take(7) {
        if !date.take(word) {
            break;
        }
    }
    date.resolve(local)
}

/// Reads `2h 5m`, `5h2m3s`, `2 days 17 hours 14 minutes`.
fn length(words: SplitWhitespace<'_>) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut number: Option<u64> = None;
    let mut has_any = false;
    for word in words {
        let mut rest = trimmed(word);
        while !rest.is_empty() {
            let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, tail) = rest.split_at(n_digits);
            if n_digits > 0 {
                number = Some(digits.parse().ok()?);
            }
            // Parts of a second do not matter: `1.5s` is read as `1s`.
            let tail = tail.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
            let n_letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(n_letters);
            if n_letters > 0 {
                let Some(ms) = unit_ms(unit) else { return has_any.then_some(total) };
                let part = number.take()?.checked_mul(ms)?;
                total = total.checked_add(Duration::from_millis(part))?;
                has_any = true;
            } else if !tail.is_empty() {
                return has_any.then_some(total);
            }
            rest = tail;
        }
    }
    has_any.then_some(total)
}

fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    })
}

/// A date and a time of day, as far as they are told.
#[derive(Debug, Default)]
struct Date {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: i8,
    /// Whether it is told in UTC. Any other zone is that of the machine: agents tell the time of
    /// the place they run in.
    is_utc: bool,
}

impl Date {
    /// Takes one word in; false where it belongs to no date.
    fn take(&mut self, word: &str) -> bool {
        match word {
            "at" | "on" => return true,
            "(utc)" | "(utc)." | "utc" | "utc." | "(gmt)" => {
                self.is_utc = true;
                return false;
            }
            _ => {}
        }
        let word = trimmed(word);
        let is_afternoon = word.ends_with("pm");
        if matches!(word, "am" | "pm") {
            return self.set_half(is_afternoon);
        }
        let month = MONTHS.iter().position(|month| {
            word.starts_with(month) && word.bytes().all(|b| b.is_ascii_alphabetic())
        });
        if let Some(month) = month {
            self.month = i8::try_from(month + 1).ok();
            return true;
        }
        if word.contains('/') {
            return self.take_slashes(word).is_some();
        }
        let clock = word.strip_suffix("am").or_else(|| word.strip_suffix("pm"));
        if clock.is_some() || word.contains(':') {
            let told = self.take_clock(clock.unwrap_or(word)).is_some();
            return told && (clock.is_none() || self.set_half(is_afternoon));
        }
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        match number.parse::<i16>() {
            Ok(year) if year > 31 => self.year = Some(year),
            Ok(day) => self.day = i8::try_from(day).ok(),
            Err(_) => return false,
        }
        true
    }

    /// Reads `11/17/2025`, the month first.
    fn take_slashes(&mut self, word: &str) -> Option<()> {
        let mut parts = word.split('/');
        self.month = Some(parts.next()?.parse().ok()?);
        self.day = Some(parts.next()?.parse().ok()?);
        self.year = Some(parts.next()?.parse().ok()?);
        Some(())
    }

    /// Reads `3`, `3:27` or `15:30`.
    fn take_clock(&mut self, word: &str) -> Option<()> {
        let (hour, minute) = word.split_once(':').unwrap_or((word, "0"));
        self.hour = Some(hour.parse().ok()?);
        self.minute = minute.parse().ok()?;
        Some(())
    }

    /// Takes in `am` or `pm`; false where no hour stands before it.
    fn set_half(&mut self, is_afternoon: bool) -> bool {
        let Some(hour) = self.hour.take().filter(|hour| (1..=12).contains(hour)) else {
            return false;
        };
        self.hour = Some(hour % 12 + if is_afternoon { 12 } else { 0 });
        true
    }

    /// Returns the next point in time that it fits.
    fn resolve(&self, local: LocalTime) -> Option<Timestamp> {
        /// A reset that is told to the minute may seem to be just over.
        const SLACK: Duration = Duration::from_secs(60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let local = if self.is_utc { LocalTime { offset_seconds: 0, ..local } } else { local };
        let (year, month, day) = local.date()?;
        let clock = (self.hour.unwrap_or(0), self.minute);
        match (self.month, self.day) {
            (None, None) => {
                self.hour?;
                let today = local.at((year, month, day), clock)?;
                Some(if today.plus(SLACK) < local.now {
                    today.plus(DAY)
                } else {
                    today.max(soon(local))
                })
            }
            (Some(month), Some(day)) => {
                let this = local.at((self.year.unwrap_or(year), month, day), clock)?;
                if self.year.is_none() && this.plus(DAY) < local.now {
                    return local.at((year + 1, month, day), clock);
                }
                Some(this)
            }
            (Some(_), None) | (None, Some(_)) => None,
        }
    }
}

/// Returns the next moment.
fn soon(local: LocalTime) -> Timestamp {
    local.now.plus(Duration::from_secs(1))
}

/// Returns `word` without what punctuation leaves around it.
fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| ",.;()·∙".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `text` in Berlin in winter, and tells the result in UTC.
    fn read(text: &str) -> String {
        let now = Timestamp::parse("2026-11-25T13:29:41Z").unwrap();
        let local = LocalTime { now, offset_seconds: 3600 };
        let told = resets(text, local).map(|at| at.to_string());
        told.map_or_else(|| "-".to_owned(), |at| at.replace(":00.000Z", "Z"))
    }

    #[test]
    fn points_and_lengths_of_time_are_understood() {
        let table = [
            ("You've hit your 5-hour limit · resets 4:29pm (Europe/Berlin)", "2026-11-25T15:29Z"),
            ("You've hit your 5-hour limit · resets 3:29pm (UTC)", "2026-11-25T15:29Z"),
            ("You've hit your session limit · resets 6:50am (Europe/Berlin)", "2026-11-26T05:50Z"),
            ("You've hit your weekly limit · resets Jul 18, 12pm (UTC)", "2027-07-18T12:00Z"),
            (
                "You've hit your weekly limit · resets Nov 30, 12am (Europe/Berlin)",
                "2026-11-29T23:00Z",
            ),
            ("You've hit your weekly limit · resets Dec 1 at 3pm", "2026-12-01T14:00Z"),
            ("Claude AI usage limit reached|1795620600", "2026-11-25T15:30Z"),
            (
                "You\u{2019}ve hit your usage limit. Upgrade or try again at 3:27 PM.",
                "2026-11-25T14:27Z",
            ),
            ("try again at Nov 26th, 2026 3:27 PM.", "2026-11-26T14:27Z"),
            ("try again at Dec 1st, 2026 11:05 AM.", "2026-12-01T10:05Z"),
            ("or try again in 2 days 17 hours 14 minutes.", "2026-11-28T06:43:41.000Z"),
            ("try again in less than a minute", "-"),
            ("Your quota will reset after 5h2m3s.", "2026-11-25T18:31:44.000Z"),
            (
                "limit reached. It will reset in 2 hours 5 minutes. To go on",
                "2026-11-25T15:34:41.000Z",
            ),
            ("Please try again in 1.2s. Visit", "2026-11-25T13:29:42.000Z"),
            ("your monthly cycle ends on 12/17/2026.*", "2026-12-16T23:00Z"),
            ("resets at 2026-11-25T18:00:00Z", "2026-11-25T18:00Z"),
            ("resets 14:30", "2026-11-25T13:30Z"),
            (
                "restricts the number of requests. Please try again in 51 hours. Please",
                "2026-11-27T16:29:41.000Z",
            ),
            (
                "Please wait for your limit to reset on December 2, 2026 at 2:00 AM or switch to auto",
                "2026-12-02T01:00Z",
            ),
            (
                "Please upgrade your plan or wait 6 seconds for your limit to reset.",
                "2026-11-25T13:29:47.000Z",
            ),
            ("Please wait 2 minutes before trying again or switch", "2026-11-25T13:31:41.000Z"),
            ("resets 2:29pm", "2026-11-25T13:29:42.000Z"),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_no_point_in_time() {
        let table = [
            "",
            "resets",
            "resets soon",
            "resets 25pm",
            "resets 13pm",
            "resets pm",
            "resets Nov",
            "resets Nov 31, 2026",
            "resets 99:99",
            "try again in",
            "try again in a while",
            "try again in 999999999999999999999 days",
            "try again in 9999999999 days",
            "try again at Nov 20th, 2020 3:27 PM.",
            "limit reached|99999999999999999",
            "limit reached|1000",
            "limit reached|-1",
            "resets 2026-11-25T10:00:00Z",
            "try again later",
        ];
        for text in table {
            assert_eq!(read(text), "-", "{text:?}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        let now = Timestamp(1_795_613_000_000);
        let local = LocalTime { now, offset_seconds: 0 };
        let at = |ms| Some(Timestamp(ms));
        assert_eq!(from_epoch(1_795_620_581, local), at(1_795_620_581_000));
        assert_eq!(from_epoch(1_795_620_581_000, local), at(1_795_620_581_000));
        assert_eq!(from_epoch(0, local), None);
        assert_eq!(from_epoch(u64::MAX, local), None);
        assert_eq!(from_seconds(7200, local), at(1_795_620_200_000));
        assert_eq!(from_seconds(0, local), None);
        assert_eq!(from_seconds(u64::MAX, local), None);
    }
}
