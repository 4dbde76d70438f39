//! Path patterns, and whether two of them can name the same file.
//!
//! A pattern stands for what it matches and for everything below: `src/limit` and
//! `src/limit/**` are the same. Both questions are answered by walking two lists side by side and
//! marking which pairs of positions can be reached, so no pattern takes exponential time.

use std::fmt;

use std::iter;

use super::limits::{GLOB_ALTERNATIVES_MAX, GLOB_CHARACTERS_MAX, GLOB_EXPANDED_MAX};

/// A pattern over paths with `/`: `?`, `*`, `**`, `[a-z]`, `[!a-z]`, `{a,b}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// What `{a,b}` groups expand to; each ends with [`Segment::Deep`].
    alternatives: Box<[Box<[Segment]>]>,
}

/// What stands between two `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of folders, also none.
    Deep,
    /// One name.
    Name(Box<[Piece]>),
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// `*`: any number of characters, also none.
    Star,
    /// `?`: one character.
    Any,
    /// This character.
    One(char),
    /// `[…]`: one character of these ranges, both ends included.
    Set(Box<[(char, char)]>),
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl Glob {
    /// Parses a pattern relative to the repository root.
    ///
    /// # Errors
    /// A phrase that says what is wrong, to stand behind "the pattern `…` does not hold: ".
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.chars().count() > GLOB_CHARACTERS_MAX {
            return Err(format!("it is longer than {GLOB_CHARACTERS_MAX} characters"));
        }
        if text.contains('\\') {
            return Err("it contains `\\`; folders are separated by `/`".to_owned());
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(format!("it contains `{}`", c.escape_default()));
        }
        if text.starts_with('/') {
            return Err("it starts with `/`, but paths start at the repository root".to_owned());
        }
        let alternatives = expand(text)?
            .iter()
            .map(|alternative| segments(alternative))
            .collect::<Result<Box<[_]>, String>>()?;
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// Returns the pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Says whether the pattern covers `path`: the path itself or a folder above it matches.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<Vec<char>> = path
            .split('/')
            .filter(|name| !name.is_empty() && *name != ".")
            .map(|name| name.chars().collect())
            .collect();
        let is_deep = |segment: &Segment| *segment == Segment::Deep;
        self.alternatives.iter().any(|segments| {
            can_align(
                segments,
                &names,
                is_deep,
                |_| false,
                |segment, name| segment_matches(segment, name),
            )
        })
    }

    /// Says whether some path is covered by both patterns.
    pub fn meets(&self, other: &Self) -> bool {
        let is_deep = |segment: &Segment| *segment == Segment::Deep;
        self.alternatives.iter().any(|own| {
            other
                .alternatives
                .iter()
                .any(|its| can_align(own, its, is_deep, is_deep, segments_meet))
        })
    }
}

/// Says whether both lists can be read to their ends side by side, each step taking one item of
/// both that `agree`, where a star takes any number of steps.
fn can_align<A, B>(
    a: &[A],
    b: &[B],
    a_is_star: impl Fn(&A) -> bool,
    b_is_star: impl Fn(&B) -> bool,
    agree: impl Fn(&A, &B) -> bool,
) -> bool {
    // `here[j]`: position `i` of `a` and `j` of `b` can be reached together.
    let mut here = vec![false; b.len() + 1];
    if let Some(start) = here.first_mut() {
        *start = true;
    }
    for item in a.iter().map(Some).chain(iter::once(None)) {
        let is_star = item.is_some_and(&a_is_star);
        let mut next = vec![false; b.len() + 1];
        // Whether the position to the left hands its mark on to this one.
        let mut from_left = false;
        let mut agreed = false;
        for (j, (reached, below)) in here.iter().zip(next.iter_mut()).enumerate() {
            let reached = *reached || from_left;
            *below = agreed;
            (from_left, agreed) = (false, false);
            if !reached {
                continue;
            }
            let Some(other) = b.get(j) else {
                if item.is_none() {
                    return true;
                }
                *below |= is_star;
                continue;
            };
            let other_is_star = b_is_star(other);
            from_left = is_star || other_is_star;
            *below |= is_star || other_is_star;
            agreed = !from_left && item.is_some_and(|item| agree(item, other));
        }
        if !next.contains(&true) {
            return false;
        }
        here = next;
    }
    false
}

fn segment_matches(segment: &Segment, name: &[char]) -> bool {
    match segment {
        Segment::Deep => true,
        Segment::Name(pieces) => {
            can_align(pieces, name, is_star, |_| false, |piece, c| piece.has(*c))
        }
    }
}

fn segments_meet(a: &Segment, b: &Segment) -> bool {
    match (a, b) {
        (Segment::Name(a), Segment::Name(b)) => can_align(a, b, is_star, is_star, Piece::meets),
        (Segment::Deep, _) | (_, Segment::Deep) => true,
    }
}

fn is_star(piece: &Piece) -> bool {
    *piece == Piece::Star
}

impl Piece {
    /// Says whether it takes the one character `c`.
    fn has(&self, c: char) -> bool {
        match self {
            Self::Star | Self::Any => true,
            Self::One(own) => *own == c,
            Self::Set(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)),
        }
    }

    /// Says whether both take some same character.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(c), piece) | (piece, Self::One(c)) => piece.has(*c),
            (Self::Set(a), Self::Set(b)) => {
                a.iter().any(|(low, high)| b.iter().any(|(other, top)| low <= top && other <= high))
            }
            (Self::Star | Self::Any, _) | (_, Self::Star | Self::Any) => true,
        }
    }
}

/// Expands `{a,b}` groups, nested ones too, from left to right.
fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut open = vec![text.to_owned()];
    let mut expanded = Vec::new();
    let mut n_characters = 0;
    while let Some(pattern) = open.pop() {
        let Some((before, group, after)) = first_group(&pattern)? else {
            n_characters += pattern.chars().count();
            expanded.push(pattern);
            if expanded.len() > GLOB_ALTERNATIVES_MAX || n_characters > GLOB_EXPANDED_MAX {
                return Err("it expands to too many patterns".to_owned());
            }
            continue;
        };
        // The last is pushed first, so that the stack gives them in the order they are written.
        for choice in split_choices(group).into_iter().rev() {
            open.push(format!("{before}{choice}{after}"));
        }
        if open.len() > GLOB_ALTERNATIVES_MAX {
            return Err("it expands to too many patterns".to_owned());
        }
    }
    Ok(expanded)
}

/// Splits a pattern at its first `{…}`: what comes before, what is inside, what comes after.
fn first_group(pattern: &str) -> Result<Option<(&str, &str, &str)>, String> {
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in outside_classes(pattern) {
        match c {
            '{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            '}' if depth == 0 => return Err("`}` has no `{` before it".to_owned()),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    let before = pattern.get(..start).unwrap_or_default();
                    let group = pattern.get(start + 1..at).unwrap_or_default();
                    let after = pattern.get(at + 1..).unwrap_or_default();
                    return Ok(Some((before, group, after)));
                }
            }
            _ => {}
        }
    }
    if depth > 0 { Err("`{` is not closed".to_owned()) } else { Ok(None) }
}

/// Splits the inside of a group at the commas that belong to it.
fn split_choices(group: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut start = 0;
    let mut choices = Vec::new();
    for (at, c) in outside_classes(group) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                choices.push(group.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    choices.push(group.get(start..).unwrap_or_default());
    choices
}

/// Returns the characters with their byte positions, without those inside of `[…]`.
fn outside_classes(pattern: &str) -> impl Iterator<Item = (usize, char)> {
    // Position inside of the class: `]` as its first character is an ordinary one.
    let mut within: Option<u32> = None;
    pattern.char_indices().filter(move |(_, c)| {
        within = match (within, c) {
            (None, '[') => Some(0),
            (None, _) => return true,
            (Some(0), '!' | '^') => Some(0),
            (Some(1..), ']') => None,
            (Some(n), _) => Some(n + 1),
        };
        false
    })
}

/// Parses a pattern without groups.
fn segments(pattern: &str) -> Result<Box<[Segment]>, String> {
    let mut segments = Vec::new();
    for text in pattern.split('/') {
        let segment = match text {
            "" | "." => continue,
            ".." => return Err("`..` leads out of the repository".to_owned()),
            "**" => Segment::Deep,
            _ if text.contains("**") && !text.contains('[') => {
                return Err(format!("`**` stands for whole folders, but `{text}` is one name"));
            }
            _ => Segment::Name(pieces(text)?),
        };
        if segment != Segment::Deep || segments.last() != Some(&segment) {
            segments.push(segment);
        }
    }
    if segments.last() != Some(&Segment::Deep) {
        segments.push(Segment::Deep);
    }
    Ok(segments.into())
}

/// Parses one name.
fn pieces(name: &str) -> Result<Box<[Piece]>, String> {
    let mut rest = name.chars();
    let mut pieces = Vec::new();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '[' => class(&mut rest)?,
            c => Piece::One(c),
        });
    }
    Ok(pieces.into())
}

/// Parses a class; `rest` stands behind its `[`.
fn class(rest: &mut impl Iterator<Item = char>) -> Result<Piece, String> {
    let not_closed = || "`[` is not closed".to_owned();
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut c = rest.next().ok_or_else(not_closed)?;
    let is_negated = matches!(c, '!' | '^');
    if is_negated {
        c = rest.next().ok_or_else(not_closed)?;
    }
    let mut is_first = true;
    let mut is_range = false;
    while c != ']' || is_first {
        match ranges.last_mut() {
            Some((low, high)) if is_range => {
                if *low > c {
                    return Err(format!("`{low}-{c}` runs backwards"));
                }
                *high = c;
                is_range = false;
            }
            Some((low, high)) if c == '-' && low == high => is_range = true,
            _ => ranges.push((c, c)),
        }
        is_first = false;
        c = rest.next().ok_or_else(not_closed)?;
    }
    if is_range {
        ranges.push(('-', '-'));
    }
    ranges.sort_unstable();
    Ok(Piece::Set(if is_negated { complement(&ranges) } else { ranges.into() }))
}

/// Returns all characters outside of `ranges`, which are sorted.
fn complement(ranges: &[(char, char)]) -> Box<[(char, char)]> {
    let mut outside = Vec::new();
    let mut free = Some('\0');
    for &(low, high) in ranges {
        let Some(from) = free else { break };
        if let Some(to) = (from..low).next_back() {
            outside.push((from, to));
        }
        if high >= from {
            free = (high..=char::MAX).nth(1);
        }
    }
    outside.extend(free.map(|from| (from, char::MAX)));
    outside.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).unwrap()
    }

    #[test]
    fn patterns_that_cannot_be_meant_are_refused() {
        let table: &[(&str, &str)] = &[
            ("", "it is empty"),
            ("/etc", "it starts with `/`, but paths start at the repository root"),
            ("..", "`..` leads out of the repository"),
            ("src/../x", "`..` leads out of the repository"),
            ("{..,a}/x", "`..` leads out of the repository"),
            ("src\\a", "it contains `\\`; folders are separated by `/`"),
            ("a\u{0}b", "it contains `\\u{0}`"),
            ("a[b", "`[` is not closed"),
            ("a[", "`[` is not closed"),
            ("a[!", "`[` is not closed"),
            ("a[]", "`[` is not closed"),
            ("a[b/c]", "`[` is not closed"),
            ("[z-a]", "`z-a` runs backwards"),
            ("{a,b", "`{` is not closed"),
            ("a,b}", "`}` has no `{` before it"),
            ("src/**.rs", "`**` stands for whole folders, but `**.rs` is one name"),
            ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "expands to too many patterns"),
        ];
        for (text, expected) in table {
            let fault = Glob::parse(text).unwrap_err();
            assert!(fault.ends_with(expected), "{text:?}: {fault}");
        }
        assert!(Glob::parse(&"x".repeat(GLOB_CHARACTERS_MAX)).is_ok());
        assert!(Glob::parse(&"x".repeat(GLOB_CHARACTERS_MAX + 1)).is_err());
        assert!(Glob::parse(&"{".repeat(500)).is_err());
        assert!(Glob::parse(&format!("{}{}", "{a,".repeat(100), "}".repeat(100))).is_err());
    }

    #[test]
    fn a_pattern_covers_what_it_matches_and_all_below() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "src/limit",
                &["src/limit", "src/limit/a.rs", "src/limit/b/c"],
                &["src", "src/limits"],
            ),
            ("./src/", &["src/a", "src/a/b"], &["lib/src/a"]),
            (".", &["a", "a/b"], &[]),
            ("src/*.rs", &["src/a.rs", "src/.rs"], &["src/a.rb", "src/a/b.rs", "a.rs"]),
            ("**/*.rs", &["a.rs", "x/a.rs", "x/y/z/a.rs"], &["a.rb"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b", "a/x/b/below"], &["a/x", "b"]),
            ("a?c", &["abc", "a-c", "aéc"], &["ac", "abbc"]),
            ("a[b-d]e", &["abe", "ade"], &["aae", "aee", "ae"]),
            ("a[!b-d]e", &["aae", "aee"], &["abe", "ade"]),
            ("a[^b]", &["ac"], &["ab"]),
            ("[]a-]x", &["]x", "ax", "-x"], &["bx"]),
            ("[!]]x", &["ax"], &["]x"]),
            ("[{,}]", &["{", ",", "}"], &["a"]),
            ("{src,lib}/{a,b}.rs", &["src/a.rs", "lib/b.rs"], &["src/c.rs", "bin/a.rs"]),
            ("{a,b{c,d}}", &["a", "bc", "bd"], &["b", "b{c"]),
            ("a{,.bak}", &["a", "a.bak"], &["a.b"]),
            ("a/{,b/}c", &["a/c", "a/b/c"], &["a/b"]),
            ("**", &["a", "a/b/c"], &[]),
            ("docs/[0-9][0-9]-*", &["docs/01-intro.md"], &["docs/1-intro.md"]),
        ];
        for (pattern, inside, outside) in table {
            for path in *inside {
                assert!(glob(pattern).matches(path), "{pattern} does not match {path}");
            }
            for path in *outside {
                assert!(!glob(pattern).matches(path), "{pattern} matches {path}");
            }
        }
    }

    #[test]
    fn two_patterns_meet_where_one_path_could_match_both() {
        let table: &[(&str, &str, bool)] = &[
            ("src/limit", "src/limit/**", true),
            ("src/limit", "src/limit", true),
            ("src/limit", "src/limits", false),
            ("src", "src/a/b/c.rs", true),
            ("src/*", "src/a/b/c.rs", true),
            ("src/*.rs", "src/a.*", true),
            ("src/*.rs", "src/*.md", false),
            ("src/*.rs", "lib/*.rs", false),
            ("**/*.rs", "docs/**", true),
            ("**/*.rs", "docs/*.md", true), // `docs/x.md` may be a folder.
            ("*.rs", "*.md", false),
            ("a/**/z", "a/b/c", true), // `a/b/c/z`.
            ("a/**/z", "b/**/z", false),
            ("**/a/**", "b/**/c", true),
            ("x?z", "xyz", true),
            ("x?z", "xz", false),
            ("[a-f]x", "[f-z]x", true),
            ("[a-e]x", "[f-z]x", false),
            ("[!a]x", "ax", false),
            ("[!a]x", "[!b]x", true),
            ("[!a]x", "[a]x", false),
            ("{a,b}/x", "{b,c}/x", true),
            ("{a,b}/x", "{c,d}/x", false),
            ("a*b*c", "*x*", true),
            ("a*b", "*c", false),
            ("*", "**", true),
            ("Cargo.lock", "Cargo.*", true),
            ("Cargo.lock", "cargo.lock", false),
            (".", "anything/at/all", true),
        ];
        for (a, b, expected) in table {
            assert_eq!(glob(a).meets(&glob(b)), *expected, "{a} and {b}");
            assert_eq!(glob(b).meets(&glob(a)), *expected, "{b} and {a}");
            assert!(glob(a).meets(&glob(a)), "{a} and itself");
        }
    }

    #[test]
    fn what_is_outside_of_all_ranges_is_exact() {
        type Ranges = &'static [(char, char)];
        let table: &[(Ranges, Ranges)] = &[
            (&[('\0', char::MAX)], &[]),
            (&[('b', 'd')], &[('\0', 'a'), ('e', char::MAX)]),
            (&[('a', 'f'), ('c', 'd'), ('g', 'g')], &[('\0', '`'), ('h', char::MAX)]),
            (&[('\0', '\u{d7ff}')], &[('\u{e000}', char::MAX)]),
        ];
        for (ranges, expected) in table {
            assert_eq!(*complement(ranges), **expected);
        }
    }

    #[test]
    fn the_worst_patterns_take_no_long_time() {
        let a = glob(&"a*".repeat(GLOB_CHARACTERS_MAX / 2));
        let b = glob(&"*b".repeat(GLOB_CHARACTERS_MAX / 2));
        assert!(a.meets(&b));
        assert!(!b.meets(&glob(&format!("{}a", "a*".repeat(200)))));
        let deep = glob(&"**/a/".repeat(GLOB_CHARACTERS_MAX / 5));
        assert!(deep.meets(&glob(&"**/b/".repeat(GLOB_CHARACTERS_MAX / 5))));
        assert!(!deep.matches(&"a/".repeat(101)));
        assert!(!a.matches(&"a".repeat(10_000).replace("aaaaaaaaaa", "b")));
    }

    /// Compares with plain recursion over all short names of a small alphabet.
    #[test]
    fn the_answers_are_those_of_brute_force() {
        let patterns =
            ["a*", "*b", "a?", "?", "[ab]*", "[!a]", "*a*b", "ab", "b*a", "**/a", "a/*b"];
        let names: Vec<String> = ["a", "b", "c"]
            .iter()
            .flat_map(|x| ["", "a", "b", "/a", "/b"].iter().map(move |y| format!("{x}{y}")))
            .flat_map(|x| ["", "a", "b", "/a", "/b"].iter().map(move |y| format!("{x}{y}")))
            .collect();
        for a in patterns {
            for b in patterns {
                let found = names.iter().any(|name| glob(a).matches(name) && glob(b).matches(name));
                assert_eq!(glob(a).meets(&glob(b)), found, "{a} and {b}");
            }
        }
    }
}
