//! A struct that may be written in short: a value that is no mapping stands for its first key.

use serde::de::{
    DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor, value::StrDeserializer,
};

use super::{DecodeError, NodeDecoder};

/// The name by which a struct says that it may be written in short.
pub(in crate::domain::format) const SHORT: &str = "$orch::short";

/// Reads a struct with `fields` from a value that stands for the first of them.
pub(super) fn visit<'de, V: Visitor<'de>>(
    decoder: NodeDecoder<'_>,
    fields: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let key = fields.first().copied().unwrap_or_default();
    visitor.visit_map(OneKey { decoder, key: Some(key) })
}

struct OneKey<'t> {
    decoder: NodeDecoder<'t>,
    key: Option<&'static str>,
}

impl<'de> MapAccess<'de> for OneKey<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(key) = self.key.take() else { return Ok(None) };
        let key: StrDeserializer<'_, DecodeError> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        seed.deserialize(self.decoder)
    }
}
