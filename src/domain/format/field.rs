//! The shapes that raw structs are made of: a key that may be missing, a list, a table.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::domain::model::place::{Located, Span};

/// A key that may be missing or faulty.
#[derive(Debug, Clone, PartialEq)]
pub struct Field<T> {
    /// What was written; `None` where nothing was, or where it was faulty.
    pub value: Option<T>,
    /// Where it was written; unknown where nothing was.
    pub span: Span,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { value: None, span: Span::default() }
    }
}

impl<T> Field<T> {
    /// Returns the value with its place.
    pub fn located(self) -> Option<Located<T>> {
        let span = self.span;
        self.value.map(|value| Located::new(value, span))
    }

    /// Says whether something was written that could not be read.
    pub fn is_faulty(&self) -> bool {
        self.value.is_none() && self.span.is_known()
    }
}

/// The name by which a [`Field`] asks the decoder for place and value.
pub(super) const FIELD: &str = "$orch::field";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(FIELD, 2, FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<T>, A::Error> {
        let span = unpack(seq.next_element()?.unwrap_or_default());
        // The fault is in the list already.
        let value = seq.next_element().unwrap_or_default();
        Ok(Field { value, span })
    }
}

/// Packs a place into a number, as `serde` carries no places.
pub(super) fn pack(span: Span) -> u128 {
    u128::from(span.line) << 64 | u128::from(span.column) << 32 | u128::from(span.length)
}

fn unpack(packed: u128) -> Span {
    let part = |shift: u32| u32::try_from(packed >> shift & 0xffff_ffff).unwrap_or_default();
    Span::new(part(64), part(32), part(0))
}

/// A list; a single value stands for a list of one.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T>(pub Vec<Field<T>>);

impl<T> List<T> {
    /// Returns the items that could be read, with their places.
    pub fn located(self) -> impl Iterator<Item = Located<T>> {
        self.0.into_iter().filter_map(Field::located)
    }

    /// Returns the items that could be read.
    pub fn values(self) -> impl Iterator<Item = T> {
        self.0.into_iter().filter_map(|field| field.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or_default());
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(List(items))
    }
}

/// A mapping whose keys are data, in the order of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<K, V>(pub Vec<(Field<K>, Field<V>)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

struct TableVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for TableVisitor<K, V> {
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<K, V>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Table(entries))
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Table<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("TableOf{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
