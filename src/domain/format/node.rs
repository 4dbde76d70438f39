//! A YAML document as a tree that knows where everything stands and how it was typed.

use std::borrow::Cow;

use crate::domain::model::place::Span;

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// Where it stands; for a value that spans lines, where it starts.
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    /// A single value.
    Scalar(Scalar<'a>),
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// A mapping, in the order of the text.
    Mapping(Vec<Entry<'a>>),
}

/// A single value, as typed: `007` stays `007`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar<'a> {
    /// The text, without quotes and with escapes replaced.
    pub text: Cow<'a, str>,
    /// Whether it can only be text, whatever it looks like.
    pub is_quoted: bool,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// The key: always a scalar.
    pub key: Node<'a>,
    /// The value.
    pub value: Node<'a>,
}

impl<'a> Node<'a> {
    /// Returns a plain scalar.
    pub fn scalar(text: impl Into<Cow<'a, str>>, is_quoted: bool, span: Span) -> Self {
        Self { kind: Kind::Scalar(Scalar { text: text.into(), is_quoted }), span }
    }

    /// Returns the text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// Says whether nothing was written: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(scalar) => !scalar.is_quoted && is_null_word(&scalar.text),
            Kind::Sequence(_) | Kind::Mapping(_) => false,
        }
    }

    /// Names what it is, with article: `a list`, `text`, `a number`.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar(scalar) if scalar.is_quoted => "text",
            Kind::Scalar(scalar) => match &*scalar.text {
                text if is_null_word(text) => "empty",
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => "a truth value",
                text if is_number(text) => "a number",
                _ => "text",
            },
        }
    }

    /// Returns the entry of `key` in a mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        match &self.kind {
            Kind::Mapping(entries) => entries.iter().find(|e| e.key.as_text() == Some(key)),
            Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    /// Says whether both hold the same values, wherever they stand and however they are quoted.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Scalar(a), Kind::Scalar(b)) => {
                a.text == b.text && self.kind_name() == other.kind_name()
            }
            (Kind::Sequence(a), Kind::Sequence(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b))
            }
            (Kind::Mapping(a), Kind::Mapping(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|(a, b)| a.key.is_same(&b.key) && a.value.is_same(&b.value))
            }
            _ => false,
        }
    }
}

fn is_null_word(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Says whether readers of YAML take `text` for a number; leading zeros make it text, and so does a
/// size that no number has.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut bytes = digits.bytes();
    let (first, second) = (bytes.next(), bytes.next());
    let is_padded = first == Some(b'0') && second.is_some_and(|b| b.is_ascii_digit());
    first.is_some_and(|b| b.is_ascii_digit() || b == b'.')
        && !is_padded
        && digits.parse().is_ok_and(f64::is_finite)
}
