//! What an error of the YAML parser means to the person who wrote the text.

use crate::domain::{
    format::fault::{Fault, plain, shown},
    model::place::Span,
};

/// Turns an error of the parser into a fault with its place in the file.
pub(super) fn syntax_fault(error: &serde_yaml::Error, text: &str, first_line: u32) -> Fault {
    let told = error.to_string();
    let message = without_places(&told);
    if message.contains("more than one document") {
        let is_fence = |line: &str| line.starts_with("---") || line.starts_with("...");
        let fences = text.lines().enumerate().filter(|(_, line)| is_fence(line));
        let line = fences.last().map_or(1, |(before, _)| before + 1);
        let message = "the text holds a second document";
        return fault_at((line, 1), text, first_line, message)
            .with_help("remove the line `---` or `...`");
    }
    if message.contains("<document start>")
        && let Some(before) = text.lines().position(|line| line.starts_with('%'))
    {
        return fault_at((before + 1, 1), text, first_line, "a line cannot start with `%`")
            .with_help("remove it");
    }
    let Some(location) = error.location() else {
        let (message, help) = explain(&message, "", None);
        return Fault::error("yaml-syntax", Span::new(first_line, 1, 0), message).with_help(help);
    };
    let end = seen((location.line(), location.column()), text);
    if let Some((open, message, help)) = unclosed(&told, text, end) {
        return fault_at(open, text, first_line, message).with_help(help);
    }
    let line = text.lines().nth(end.0.saturating_sub(1)).unwrap_or_default();
    let before: String = line.chars().take(end.1.saturating_sub(1)).collect();
    if message.contains("mapping values are not allowed") && !before.contains(": ") {
        return fault_at(end, text, first_line, "the line is indented wrongly, or a `:` too many")
            .with_help("indent the keys of one mapping alike");
    }
    let at = line.chars().nth(end.1.saturating_sub(1));
    let (message, help) = explain(&message, line, at);
    fault_at(end, text, first_line, message).with_help(help)
}

/// Returns where a place of the parser is seen: to it, a carriage return alone ends a line, too, and
/// a text may end below its last line.
fn seen(place: (usize, usize), text: &str) -> (usize, usize) {
    let (mut at, mut seen) = ((1, 1), (1, 1));
    let mut rest = text.chars().peekable();
    while at < place
        && let Some(c) = rest.next()
    {
        let ends_line = match c {
            '\r' => rest.peek() != Some(&'\n'),
            c => matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'),
        };
        at = if ends_line { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
        seen = if c == '\n' { (seen.0 + 1, 1) } else { (seen.0, seen.1 + 1) };
    }
    seen
}

/// Returns a fault at a place that is counted within `text`.
fn fault_at(
    (line, column): (usize, usize),
    text: &str,
    first_line: u32,
    message: impl Into<String>,
) -> Fault {
    let there = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let is_character = there.chars().nth(column.saturating_sub(1)).is_some();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = number(line).saturating_sub(1).saturating_add(first_line);
    let span = Span::new(line, number(column), u32::from(is_character));
    Fault::error("yaml-syntax", span, message)
}

/// Says what was opened and not closed: the parser tells where it gave up, which may be far below.
fn unclosed(
    told: &str,
    text: &str,
    end: (usize, usize),
) -> Option<((usize, usize), &'static str, &'static str)> {
    const OPEN: [(&str, &str, &str); 3] = [
        ("while parsing a flow sequence", "the list is not closed", "close it with `]`"),
        ("while parsing a flow mapping", "the mapping is not closed", "close it with `}`"),
        ("while scanning a quoted scalar", "the quotes are not closed", "close the quotes"),
    ];
    for (context, message, help) in OPEN {
        let Some((_, place)) = told.split_once(context) else { continue };
        let mut numbers = place.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
        let open = seen((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?), text);
        return (open < end).then_some((open, message, help));
    }
    let last = text.lines().count();
    let is_at_end =
        end >= seen((usize::MAX, 1), text) && told.contains("did not find expected node content");
    let message = "the text ends within a list or a mapping";
    let column = text.lines().last().map_or(0, |line| line.trim_end().chars().count());
    is_at_end.then_some(((last, column.max(1)), message, "close it with `]` or `}`"))
}

/// What messages of the parser mean: a part of the message, what is, what to do.
const EXPLAINED: [(&str, &str, &str); 3] = [
    (
        "mapping values are not allowed",
        "a second `: ` stands in a value",
        "put a value that holds `: ` in quotes",
    ),
    ("invalid type: enum", "a value has a tag (`!…`)", "write the value without the tag"),
    ("a key is a list", "a key is a list or a mapping", "write it as `key: value`"),
];

/// Says what a message of the parser means, and what to do.
fn explain(told: &str, line: &str, at: Option<char>) -> (String, &'static str) {
    let quote = "put the value in quotes";
    let starts =
        |c: char| format!("a value cannot start with {}", shown(c.encode_utf8(&mut [0; 4])));
    let has_tab =
        line.split(|c: char| !c.is_whitespace()).next().unwrap_or_default().contains('\t');
    match at {
        Some('\t') => {
            return ("a tab stands where YAML wants spaces".to_owned(), "indent with spaces");
        }
        _ if has_tab => {
            return ("the line is indented with a tab".to_owned(), "indent with spaces");
        }
        Some(c @ ('@' | '`' | '%')) if told.contains("cannot start") => {
            return (starts(c), quote);
        }
        _ if told.contains("recursion") => {
            let message = "an alias stands for something that holds it";
            return (message.to_owned(), "write the values out");
        }
        Some(c @ ('*' | '&')) => return (starts(c), quote),
        _ => {}
    }
    for (part, message, help) in EXPLAINED {
        if told.contains(part) {
            return (message.to_owned(), help);
        }
    }
    let help = match told {
        m if m.contains("anchor") => quote,
        m if m.contains("could not find expected ':'") => "write it as `key: value`",
        m if m.contains("block mapping") || m.contains("expected key") => {
            "indent the keys of one mapping alike"
        }
        _ => "see how the other keys are written",
    };
    (plain_message(told), help)
}

/// Shortens and escapes a message of the parser, which may quote what was typed.
fn plain_message(message: &str) -> String {
    let lines: Vec<String> = message.split(", ").map(plain).collect();
    lines.join(", ")
}

/// Cuts every "at line 3 column 5" out of a message.
fn without_places(message: &str) -> String {
    let mut parts = message.split(" at line ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = |c: char| c.is_ascii_digit();
        let part = part.trim_start_matches(digits);
        let part = part.strip_prefix(" column ").map_or(part, |p| p.trim_start_matches(digits));
        out.push_str(part);
    }
    out
}
