//! Numbers, times and lengths of time for people.

use std::time::Duration;

use unicode_width::UnicodeWidthChar as _;

use crate::domain::model::time::render_duration;

/// Returns `n` with its word: `1 task`, `2 tasks`.
pub fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// Returns `n` in groups of three digits: `9,980`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a length of time: `1h 30m`; whole seconds where it is more than one.
pub fn length(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    render_duration(whole)
}

/// Returns a recorded moment without its fraction of a second: `2026-11-20 10:15:00 UTC`.
pub fn moment(recorded: &str) -> String {
    match recorded.split_once('T') {
        Some((date, time)) if time.len() >= 8 && time.ends_with('Z') => {
            format!("{date} {} UTC", time.get(..8).unwrap_or(time))
        }
        _ => recorded.to_owned(),
    }
}

/// Returns a share in whole percent; 100 only where nothing is missing.
pub fn percent(part: usize, whole: usize) -> usize {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

/// Returns a bar of `columns` columns: `████░░░░`.
pub fn bar(part: usize, whole: usize, columns: usize) -> String {
    let n_full = part.min(whole).saturating_mul(columns).checked_div(whole).unwrap_or(0);
    format!("{}{}", "█".repeat(n_full), "░".repeat(columns - n_full))
}

/// Returns a number of tokens: `950`, `12.3k`, `1.2M`.
pub fn tokens(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        _ => format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000),
    }
}

/// Returns an amount of room: `512 B`, `1.5 KiB`, `2.0 GiB`.
pub fn room(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fitting = units.iter().find(|(shift, _)| bytes >> shift > 0);
    fitting.map_or_else(
        || format!("{bytes} B"),
        |(shift, name)| {
            let tenths = ((bytes & ((1 << shift) - 1)) * 10) >> shift;
            format!("{}.{tenths} {name}", bytes >> shift)
        },
    )
}

/// Returns how many columns `text` takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Returns `text` cut to `most` columns, with `…` where something is missing.
pub fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= most
    });
    let kept: String = kept.collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(counted(1, "task"), "1 task");
        assert_eq!(counted(0, "task"), "0 tasks");
        let table = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        table.iter().for_each(|(n, text)| assert_eq!(grouped(*n), *text));
        assert_eq!(length(5_400.0), "1h 30m");
        assert_eq!(length(-1.0), "0ms");
        assert_eq!(moment("2026-11-20T10:15:00.250Z"), "2026-11-20 10:15:00 UTC");
        assert_eq!(moment("an unknown time"), "an unknown time");
        assert_eq!((percent(0, 0), percent(199, 200), percent(3, 3)), (0, 99, 100));
        assert_eq!((bar(1, 4, 8), bar(0, 0, 2)), ("██░░░░░░".to_owned(), "░░".to_owned()));
        assert_eq!(
            [0, 999, 12_345, 1_250_000].map(tokens),
            ["0", "999", "12.3k", "1.2M"].map(str::to_owned)
        );
    }

    #[test]
    fn room_reads_well() {
        let told = [0, 1_023, 1_536, 10 << 20, (5 << 30) + (1 << 29)].map(room);
        assert_eq!(told, ["0 B", "1023 B", "1.5 KiB", "10.0 MiB", "5.5 GiB"]);
    }

    #[test]
    fn text_is_cut_by_what_it_takes_on_the_screen() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(columns("漢字"), 4);
    }
}
