//! From nodes to values: a `serde` deserializer that collects every fault with its place.
//!
//! A fault goes into the list of its [`Collector`] where it is found; what travels up as an error
//! is only the word "reported". A [`Field`](super::field::Field) stops it there, so that one faulty key never hides
//! the next.

mod short;

use std::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, Expected, IntoDeserializer as _, MapAccess, SeqAccess, Unexpected,
        Visitor, value::U128Deserializer,
    },
    forward_to_deserialize_any,
};

use self::short::SHORT;
use super::{
    fault::{FAULTS_MAX, Fault, plain, shown},
    field::{FIELD, pack},
    node::{Entry, Kind, Node},
    value::ValueFault,
};
use crate::domain::model::suggest::did_you_mean;

/// What an unknown key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownKeys {
    /// A fault: people write the file, and make typing mistakes.
    Warn,
    /// Nothing: programs write the file, perhaps newer ones.
    Ignore,
}

/// Decodes `node`; faults go to `faults`. What is missing or faulty is as in the default of `T`.
pub fn decode<T>(node: &Node<'_>, unknown_keys: UnknownKeys, faults: &mut Vec<Fault>) -> T
where
    T: for<'de> Deserialize<'de> + Default,
{
    if node.is_null() {
        return T::default();
    }
    let collector = Collector { faults: RefCell::default(), unknown_keys };
    let decoded =
        T::deserialize(NodeDecoder { node, collector: &collector, trail: None, part: Part::Whole });
    let mut found = collector.faults.into_inner();
    found.truncate(FAULTS_MAX);
    faults.append(&mut found);
    decoded.unwrap_or_default()
}

/// Where the faults of one document come together.
struct Collector {
    faults: RefCell<Vec<Fault>>,
    unknown_keys: UnknownKeys,
}

impl Collector {
    /// Says whether unknown keys are told, and there is room for one more.
    fn wants_unknown_keys(&self) -> bool {
        self.unknown_keys == UnknownKeys::Warn && self.faults.borrow().len() < FAULTS_MAX
    }

    fn push(&self, fault: Fault) {
        let mut faults = self.faults.borrow_mut();
        if faults.len() < FAULTS_MAX {
            faults.push(fault);
        }
    }
}

/// The keys that lead to a node.
#[derive(Clone, Copy)]
struct Trail<'t> {
    parent: Option<&'t Self>,
    key: &'t str,
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(&plain(self.key))
    }
}

/// What a node is of the value that its trail leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Item,
    Key,
}

/// Decodes one node.
#[derive(Clone, Copy)]
struct NodeDecoder<'t> {
    node: &'t Node<'t>,
    collector: &'t Collector,
    trail: Option<&'t Trail<'t>>,
    part: Part,
}

impl NodeDecoder<'_> {
    /// Puts `error` into the list, unless it is there already.
    fn report(&self, error: DecodeError) -> DecodeError {
        let span = self.node.span;
        let fault = match error {
            DecodeError::Reported => return error,
            DecodeError::WrongType(expected) => {
                let subject = match (self.trail, self.part) {
                    (Some(trail), Part::Whole) => format!("`{trail}`"),
                    (Some(trail), Part::Item) => format!("an item of `{trail}`"),
                    (Some(trail), Part::Key) => format!("a key of `{trail}`"),
                    (None, _) => "the document".to_owned(),
                };
                let kind = self.node.kind_name();
                let message = format!("{subject} is {kind} where {expected} is expected");
                Fault::error("wrong-type", span, message).with_label(format!("expected {expected}"))
            }
            DecodeError::Value(fault) => {
                let found = Fault::error(fault.code, span, fault.message);
                match fault.help {
                    Some(help) => found.with_help(help),
                    None => found,
                }
            }
        };
        self.collector.push(fault);
        DecodeError::Reported
    }

    /// Reports that the node is something else than `visitor` expects.
    fn wrong_type(&self, expected: &dyn Expected) -> DecodeError {
        self.report(de::Error::invalid_type(Unexpected::Other("node"), expected))
    }

    /// Warns about keys that are not among `fields`; returns the others.
    fn known_entries(
        &self,
        entries: &'_ [Entry<'_>],
        fields: &'static [&'static str],
    ) -> Option<Vec<usize>> {
        let is_known = |e: &Entry<'_>| e.key.as_text().is_some_and(|key| fields.contains(&key));
        if entries.iter().all(is_known) {
            return None;
        }
        let known = entries.iter().enumerate().filter(|(_, e)| {
            let is_known = is_known(e);
            if !is_known && self.collector.wants_unknown_keys() {
                self.collector.push(unknown_key(&e.key, self.trail, fields));
            }
            is_known
        });
        Some(known.map(|(at, _)| at).collect())
    }
}

fn unknown_key(key: &Node<'_>, trail: Option<&Trail<'_>>, fields: &[&'static str]) -> Fault {
    let name = key.as_text().unwrap_or_default();
    let message = match trail {
        Some(trail) => format!("unknown key {} in `{trail}`", shown(name)),
        None => format!("unknown key {}", shown(name)),
    };
    let fault = Fault::warning("unknown-key", key.span, message).with_label("has no effect");
    match did_you_mean(name, fields.iter().copied()) {
        Some(word) => fault.with_help(format!("did you mean `{word}`?")),
        None if fields.len() <= 8 => {
            fault.with_help(format!("the keys here are `{}`", fields.join("`, `")))
        }
        None => fault.with_help("remove it, or ignore this where another tool reads it"),
    }
}

impl<'de> Deserializer<'de> for NodeDecoder<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match &self.node.kind {
            Kind::Scalar(scalar) => visitor.visit_str(&scalar.text),
            Kind::Sequence(items) => visitor.visit_seq(Items { parent: self, rest: items }),
            Kind::Mapping(entries) => visitor.visit_map(Entries::new(self, entries, None)),
        };
        result.map_err(|error| self.report(error))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Scalar(scalar) => {
                visitor.visit_str(&scalar.text).map_err(|error| self.report(error))
            }
            Kind::Sequence(_) | Kind::Mapping(_) => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let items = match &self.node.kind {
            Kind::Scalar(_) => std::slice::from_ref(self.node),
            Kind::Sequence(items) => items,
            Kind::Mapping(_) => return Err(self.wrong_type(&visitor)),
        };
        let items = Items { parent: self, rest: items };
        visitor.visit_seq(items).map_err(|error| self.report(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Mapping(entries) => visitor
                .visit_map(Entries::new(self, entries, None))
                .map_err(|error| self.report(error)),
            Kind::Scalar(_) | Kind::Sequence(_) => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Mapping(entries) => {
                let known = self.known_entries(entries, fields);
                visitor
                    .visit_map(Entries::new(self, entries, known))
                    .map_err(|error| self.report(error))
            }
            Kind::Scalar(_) | Kind::Sequence(_) if name == SHORT => {
                short::visit(self, fields, visitor)
            }
            Kind::Scalar(_) | Kind::Sequence(_) => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name {
            FIELD if self.node.is_null() => visitor.visit_unit(),
            FIELD => visitor.visit_seq(Spot { decoder: self, n_given: 0 }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf option
        unit unit_struct newtype_struct tuple enum
    }
}

/// Gives a [`Field`] the place, then the value.
struct Spot<'t> {
    decoder: NodeDecoder<'t>,
    n_given: u8,
}

impl<'de> SeqAccess<'de> for Spot<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.n_given += 1;
        match self.n_given {
            1 => {
                let packed: U128Deserializer<DecodeError> =
                    pack(self.decoder.node.span).into_deserializer();
                seed.deserialize(packed).map(Some)
            }
            2 => seed.deserialize(self.decoder).map(Some),
            _ => Ok(None),
        }
    }
}

/// The items of a list, one after the other.
struct Items<'t> {
    parent: NodeDecoder<'t>,
    rest: &'t [Node<'t>],
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((node, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        seed.deserialize(NodeDecoder { node, part: Part::Item, ..self.parent }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The entries of a mapping, one after the other.
struct Entries<'t> {
    parent: NodeDecoder<'t>,
    entries: &'t [Entry<'t>],
    /// Which of them to give; `None` means all.
    chosen: Option<Vec<usize>>,
    next: usize,
    current: Option<&'t Entry<'t>>,
}

impl<'t> Entries<'t> {
    fn new(parent: NodeDecoder<'t>, entries: &'t [Entry<'t>], chosen: Option<Vec<usize>>) -> Self {
        Self { parent, entries, chosen, next: 0, current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let at = match &self.chosen {
            None => Some(self.next),
            Some(chosen) => chosen.get(self.next).copied(),
        };
        self.next += 1;
        self.current = at.and_then(|at| self.entries.get(at));
        match self.current {
            Some(entry) => seed
                .deserialize(NodeDecoder { node: &entry.key, part: Part::Key, ..self.parent })
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some(entry) = self.current else { return Err(DecodeError::Reported) };
        let key = entry.key.as_text().unwrap_or_default();
        let trail = Trail { parent: self.parent.trail, key };
        let collector = self.parent.collector;
        seed.deserialize(NodeDecoder {
            node: &entry.value,
            collector,
            trail: Some(&trail),
            part: Part::Whole,
        })
    }
}

/// Why a value could not be decoded.
#[derive(Debug)]
enum DecodeError {
    /// It is in the list of faults.
    Reported,
    /// Something else was expected.
    WrongType(String),
    /// The type is right, the value is not.
    Value(ValueFault),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => f.write_str("reported"),
            Self::WrongType(expected) => write!(f, "expected {expected}"),
            Self::Value(fault) => f.write_str(&fault.message),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Value(ValueFault::from_wire(&message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::WrongType(expected.to_string())
    }
}
