//! The full YAML parser and writer: the one home of `serde_yaml`, behind guards.
//!
//! `serde_yaml` gives neither places nor the text as typed. The text is parsed twice, first for
//! its shape, then for the raw text of every scalar; places are looked up in the text, in order.

mod explain;
mod guard;
mod locate;

use std::cell::Cell;

use serde::{
    Deserialize as _, Deserializer, Serialize,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

use self::{explain::syntax_fault, locate::Locator};
use super::{
    fault::{Fault, shown},
    node::{Entry, Kind, Node},
    scan,
};
use crate::domain::model::place::Span;

/// Most values in one document, aliases resolved.
const VALUES_MAX: u32 = 50_000;

/// Parses a document whose first line is line `first_line` of its file: by the scanner where it
/// can, by the full parser otherwise.
///
/// # Errors
/// `yaml-syntax`, `yaml-too-large`, `yaml-too-deep`, `yaml-aliases` or `duplicate-key`.
pub fn parse(text: &str, first_line: u32) -> Result<Node<'_>, Fault> {
    match scan::scan(text, first_line) {
        Some(node) => Ok(node),
        None => parse_fully(text, first_line),
    }
}

/// Parses a document by the full parser.
///
/// # Errors
/// As [`parse`].
pub fn parse_fully(text: &str, first_line: u32) -> Result<Node<'static>, Fault> {
    guard::check(text, first_line)?;
    let budget = Cell::new(VALUES_MAX);
    let fault = |error: serde_yaml::Error| syntax_fault(&error, text, first_line);
    let shape =
        ShapeOf(&budget).deserialize(serde_yaml::Deserializer::from_str(text)).map_err(fault)?;
    let raw = RawOf(&shape).deserialize(serde_yaml::Deserializer::from_str(text)).map_err(fault)?;
    let mut locator = Locator::new(text, first_line);
    let node = place(raw, &mut locator);
    check_keys(&node)?;
    Ok(node)
}

/// Renders `value` as YAML.
///
/// # Errors
/// A phrase that says what has no form in YAML.
pub fn to_yaml<T: Serialize>(value: &T) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| error.to_string())
}

/// Reports the second of two equal keys.
fn check_keys(node: &Node<'_>) -> Result<(), Fault> {
    match &node.kind {
        Kind::Scalar(_) => Ok(()),
        Kind::Sequence(items) => items.iter().try_for_each(check_keys),
        Kind::Mapping(entries) => {
            let mut keys: Vec<&Node<'_>> = entries.iter().map(|e| &e.key).collect();
            // Stable: of two equal keys the later one comes second.
            keys.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
            for (first, second) in keys.iter().zip(keys.iter().skip(1)) {
                if first.as_text() == second.as_text() {
                    let name = shown(second.as_text().unwrap_or_default());
                    let message = format!("the key {name} stands twice");
                    return Err(Fault::error("duplicate-key", second.span, message)
                        .with_label(format!("first on line {}", first.span.line))
                        .with_help("remove one of them"));
                }
            }
            entries.iter().try_for_each(|e| check_keys(&e.value))
        }
    }
}

/// What a document is made of, without its texts.
enum Shape {
    /// A scalar that is text to the parser.
    Text,
    /// A scalar that is null, a truth value or a number to the parser.
    Typed,
    Sequence(Vec<Self>),
    Mapping(Vec<(Self, Self)>),
}

/// Reads the shape, as long as the budget lasts.
#[derive(Clone, Copy)]
struct ShapeOf<'b>(&'b Cell<u32>);

impl<'de> DeserializeSeed<'de> for ShapeOf<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        let Some(left) = self.0.get().checked_sub(1) else {
            return Err(D::Error::custom("the aliases stand for too many values"));
        };
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ShapeOf<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("plain YAML without tags")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Typed)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Shape::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(self)? {
            if !matches!(key, Shape::Text | Shape::Typed) {
                return Err(A::Error::custom("a key is a list or a mapping"));
            }
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Shape::Mapping(entries))
    }
}

/// A document with its texts, without places.
enum Raw {
    Scalar(String, bool),
    Sequence(Vec<Self>),
    Mapping(Vec<(Self, Self)>),
}

/// Reads the texts of a document whose shape is known.
struct RawOf<'s>(&'s Shape);

impl<'de> DeserializeSeed<'de> for RawOf<'_> {
    type Value = Raw;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        match self.0 {
            Shape::Text | Shape::Typed => {
                let text = String::deserialize(deserializer)?;
                let plain = Node::scalar(&*text, false, Span::default());
                let is_quoted = matches!(self.0, Shape::Text) && plain.kind_name() != "text";
                Ok(Raw::Scalar(text, is_quoted))
            }
            Shape::Sequence(_) => deserializer.deserialize_seq(self),
            Shape::Mapping(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for RawOf<'_> {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the same document as before")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(match self.0 {
            Shape::Mapping(_) => Raw::Mapping(Vec::new()),
            Shape::Text | Shape::Typed | Shape::Sequence(_) => Raw::Sequence(Vec::new()),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        if let Shape::Sequence(shapes) = self.0 {
            for shape in shapes {
                items.extend(seq.next_element_seed(RawOf(shape))?);
            }
        }
        Ok(Raw::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        if let Shape::Mapping(shapes) = self.0 {
            for (key, value) in shapes {
                if let Some(key) = map.next_key_seed(RawOf(key))? {
                    entries.push((key, map.next_value_seed(RawOf(value))?));
                }
            }
        }
        Ok(Raw::Mapping(entries))
    }
}

/// Gives every value its place.
fn place(raw: Raw, locator: &mut Locator) -> Node<'static> {
    match raw {
        Raw::Scalar(text, is_quoted) => {
            let span = locator.value(&text, is_quoted);
            Node::scalar(text, is_quoted, span)
        }
        Raw::Sequence(items) => {
            let start = locator.collection();
            let items: Vec<_> = items.into_iter().map(|item| place(item, locator)).collect();
            let span = start.or_else(|| items.first().map(|item| item.span)).unwrap_or_default();
            Node { kind: Kind::Sequence(items), span }
        }
        Raw::Mapping(pairs) => {
            let start = locator.collection();
            let mut entries = Vec::with_capacity(pairs.len());
            for (key, value) in pairs {
                let key = match key {
                    Raw::Scalar(text, is_quoted) => {
                        let span = locator.key(&text);
                        Node::scalar(text, is_quoted, span)
                    }
                    odd @ (Raw::Sequence(_) | Raw::Mapping(_)) => place(odd, locator),
                };
                entries.push(Entry { key, value: place(value, locator) });
            }
            let span = start.or_else(|| entries.first().map(|e| e.key.span)).unwrap_or_default();
            Node { kind: Kind::Mapping(entries), span }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match parse(text, 2) {
            Ok(node) => outline(&node),
            Err(f) => {
                let (line, column) = (f.span.line, f.span.column);
                format!("{} {line}:{column} {} | {}", f.code, f.message, f.help.unwrap_or_default())
            }
        }
    }

    /// Writes a node with the places of its scalars.
    fn outline(node: &Node<'_>) -> String {
        let Span { line, column, length } = node.span;
        match &node.kind {
            Kind::Scalar(scalar) => format!("{:?}@{line}:{column}+{length}", scalar.text),
            Kind::Sequence(items) => {
                format!("[{}]", items.iter().map(outline).collect::<Vec<_>>().join(", "))
            }
            Kind::Mapping(entries) => {
                let pair = |e: &Entry<'_>| format!("{}={}", outline(&e.key), outline(&e.value));
                format!("{{{}}}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn places_and_texts_are_as_typed() {
        let table = [
            ("id: 007", r#"{"id"@2:1+2="007"@2:5+3}"#),
            ("a: [x, 'ü ''q', \"z\"]", r#"{"a"@2:1+1=["x"@2:5+1, "ü 'q"@2:8+7, "z"@2:17+3]}"#),
            ("# c\na:\n  - b # c\n", r#"{"a"@3:1+1=["b"@4:5+1]}"#),
            ("a: |\n  x\n  y\nb: 1e3\n", r#"{"a"@2:1+1="x\ny\n"@3:3+1, "b"@5:1+1="1e3"@5:4+3}"#),
            ("a: !!str 5", r#"{"a"@2:1+1="5"@2:10+1}"#),
            ("a: &x y\nb: *x", r#"{"a"@2:1+1="y"@2:7+1, "b"@3:1+1="y"@3:2+0}"#),
            ("a: \"x\\\n  y\"", r#"{"a"@2:1+1="xy"@2:2+0}"#),
            ("'a b': ~", r#"{"a b"@2:1+5="~"@2:8+1}"#),
            ("", r#"""@2:1+0"#),
        ];
        for (text, expected) in table {
            assert_eq!(told(text), expected, "{text:?}");
        }
    }

    #[test]
    fn faults_have_places_and_help() {
        let bomb = "a: &a [x]\n".to_owned() + &"b: [*a, *a, *a, *a]\n".repeat(20);
        let table = [
            ("a: 1\na: 2", "duplicate-key 3:1 the key `a` stands twice | remove one of them"),
            (
                "a:\n\tb: 1",
                "yaml-syntax 3:1 a tab stands where YAML wants spaces | indent with spaces",
            ),
            (
                "a: b: c",
                "yaml-syntax 2:5 a second `: ` stands in a value | put a value that holds `: ` in quotes",
            ),
            ("a: [b\nc: d", "yaml-syntax 2:4 the list is not closed | close it with `]`"),
            (
                "files: [**/*.rs]",
                "yaml-syntax 2:10 a value cannot start with `*` | put the value in quotes",
            ),
            ("a: *b", "yaml-syntax 2:4 a value cannot start with `*` | put the value in quotes"),
            ("a: @b", "yaml-syntax 2:4 a value cannot start with `@` | put the value in quotes"),
            (
                "a: !x b",
                "yaml-syntax 2:4 a value has a tag (`!…`) | write the value without the tag",
            ),
            (
                "a: 1\rb: @c\rd: 2",
                "yaml-syntax 2:9 a value cannot start with `@` | put the value in quotes",
            ),
            ("a:\n- b: 'c", "yaml-syntax 3:6 the quotes are not closed | close the quotes"),
            ("a: \"b", "yaml-syntax 2:4 the quotes are not closed | close the quotes"),
            (
                "a: 1\n  b: 2",
                "yaml-syntax 3:4 the line is indented wrongly, or a `:` too many | indent the keys of one mapping alike",
            ),
            (
                "a: 1\nb",
                "yaml-syntax 3:2 could not find expected ':', while scanning a simple key | write it as `key: value`",
            ),
            ("[a]: 1", "yaml-syntax 2:1 a key is a list or a mapping | write it as `key: value`"),
            (
                "a: 1\n...\nb: 2",
                "yaml-syntax 3:1 the text holds a second document | remove the line `---` or `...`",
            ),
            (&*bomb, "yaml-aliases 19:5 more than 64 aliases | write the values out"),
        ];
        let told: Vec<_> = table.iter().map(|(text, _)| told(text)).collect();
        let wanted: Vec<_> = table.iter().map(|(_, wanted)| (*wanted).to_owned()).collect();
        assert_eq!(told, wanted, "{told:#?}");
    }

    /// Makes documents out of what people write, and of what they should not.
    fn generate(rng: &mut fastrand::Rng) -> String {
        const VALUES: [&str; 42] = [
            "x",
            "007",
            "1e3",
            "true",
            "~",
            "null",
            "'q'",
            "\"d\"",
            "'it''s'",
            "\"a\\nb\"",
            "[a, b]",
            "[]",
            "{}",
            "{a: b, c: 1}",
            "{a: [1, 2], b: {c: d}}",
            "[a,b,]",
            "[ 'x' , \"y\" ]",
            "a # c",
            "a#b",
            "x: y",
            "a:b",
            "http://x/y",
            "[a b, c-d]",
            "- x",
            "-5",
            "src/**",
            "\"\\u00e4\"",
            "ä ö",
            "{a: }",
            "[a, [b, c], {d: e}]",
            "x, y",
            "\"a # b\"",
            "'#'",
            "",
            "a\tb",
            "[a",
            "|",
            "!t x",
            "a b  ",
            ".5",
            "@x",
            "\"\\x41\"",
        ];
        const KEYS: [&str; 8] = ["a", "b", "c", "depends_on", "A.1", "1", "d-e", "'k'"];
        let mut text = String::new();
        let mut indent = 0_usize;
        for _ in 0..rng.usize(1..9) {
            let spaces = " ".repeat(indent);
            let value = VALUES[rng.usize(..VALUES.len())];
            let key = KEYS[rng.usize(..KEYS.len())];
            let line = match rng.u8(..12) {
                0 => format!("{spaces}- {value}\n"),
                1 => format!("{spaces}- {key}: {value}\n"),
                2 => format!("{spaces}# {value}\n"),
                3 => "\n".to_owned(),
                4 | 5 => {
                    indent += rng.usize(..3);
                    format!("{spaces}{key}:\n")
                }
                6 => format!("{spaces}{key}: {value}\r\n"),
                _ => format!("{spaces}{key}: {value}\n"),
            };
            text.push_str(&line);
            if rng.u8(..4) == 0 {
                indent = indent.saturating_sub(rng.usize(..3));
            }
        }
        text
    }

    #[test]
    fn scanner_and_parser_agree() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut n_scanned, mut n_exact) = (0, 0);
        for _ in 0..20_000 {
            let text = generate(&mut rng);
            let Some(scanned) = scan::scan(&text, 2) else { continue };
            if scanned.is_null() {
                continue;
            }
            n_scanned += 1;
            let parsed = parse_fully(&text, 2)
                .unwrap_or_else(|fault| panic!("{text:?}\n{scanned:?}\n{fault:?}"));
            assert!(scanned.is_same(&parsed), "{text:?}\n{scanned:?}\n{parsed:?}");
            n_exact += usize::from(outline(&scanned) == outline(&parsed));
        }
        assert!(n_scanned > 3_000, "{n_scanned}");
        assert!(n_exact * 100 > n_scanned * 99, "{n_exact} of {n_scanned} have the same places");
    }
}
