//! [`Value`] out of other formats.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use super::{Object, Value};
use crate::{BigInt, JsString, TypedArray, ViewKind};

/// Takes what a self-describing format has.
pub(super) struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Value, E> {
        Ok(bool.into())
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Value, E> {
        Ok(from_integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Value, E> {
        Ok(from_integer(integer))
    }

    fn visit_i128<E: Error>(self, integer: i128) -> Result<Value, E> {
        Ok(from_integer(integer))
    }

    fn visit_u128<E: Error>(self, integer: u128) -> Result<Value, E> {
        Ok(match i128::try_from(integer) {
            Ok(integer) => from_integer(integer),
            Err(_) => Value::BigInt(integer.into()),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<Value, E> {
        Ok(string.into())
    }

    fn visit_string<E: Error>(self, string: String) -> Result<Value, E> {
        Ok(string.into())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(TypedArray::new(ViewKind::Uint8Array, bytes.to_vec()).into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(JsString, Value)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Object(Object::from_entries(entries)))
    }
}

/// A number where it is exact, and a BigInt otherwise.
fn from_integer<T: Into<i128>>(integer: T) -> Value {
    let integer = integer.into();
    match integer.unsigned_abs() {
        0..=0x20_0000_0000_0000 => Value::Number(integer as f64),
        _ => Value::BigInt(BigInt::from(integer)),
    }
}
