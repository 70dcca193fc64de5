//! A node as serde's deserializer.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{Visitor, value::SeqDeserializer},
    forward_to_deserialize_any,
};

use super::{
    Node,
    access::{EntryAccess, ListAccess, UnitVariant},
    tagged::Tagged,
    tree, view,
};
use crate::{
    BigInt, Error, Result,
    slot::Slot,
    tag,
    text::string::{RawString, Unescaped},
    types::typed_array::ViewKind,
};

impl<'de> Deserializer<'de> for Node<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.read()? {
            None => match self.at.number() {
                Some(number) => visitor.visit_f64(number),
                None => visitor.visit_unit(),
            },
            Some(Slot::Null) => visitor.visit_unit(),
            Some(Slot::Bool(bool)) => visitor.visit_bool(bool),
            Some(Slot::Number(number)) => visit_number(number, visitor),
            Some(Slot::String(string)) => self.visit_string(string, visitor),
            Some(slot) => self.visit_container(slot, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let none = match self.at.slot() {
            None => self.at.number().is_none(),
            Some(slot) => matches!(self.reader.slot(slot)?, Slot::Null),
        };
        if none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if !name.starts_with(tag::PREFIX) {
            return visitor.visit_newtype_struct(self);
        }
        match name {
            tag::VALUE => tree::visit_root(self, visitor),
            tag::STRING => match self.read()? {
                Some(Slot::String(string)) => {
                    self.reader.spend_bytes(string.body().len())?;
                    match string.unescape() {
                        Unescaped::WellFormed(string) => visit_str(string, visitor),
                        Unescaped::IllFormed(units) => {
                            visitor.visit_seq(SeqDeserializer::new(units.into_iter()))
                        }
                    }
                }
                _ => self.deserialize_any(visitor),
            },
            tag::DATE => match self.read()? {
                Some(Slot::Tagged { tag, args }) if tag == "Date" => {
                    match self.tagged(tag, args)? {
                        Tagged::Date(date) => visitor
                            .visit_f64(date.millis().map_or(f64::NAN, |millis| millis as f64)),
                        _ => Err(Error::data("expected a Date")),
                    }
                }
                _ => self.deserialize_any(visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if name == tag::VALUE {
            return tree::visit_node(self, visitor);
        }
        match self.read()? {
            Some(Slot::String(_)) => visitor.visit_enum(UnitVariant(self)),
            Some(Slot::Object(fields)) => {
                let items = self.reader.collect_object(fields)?;
                EntryAccess::visit_variant(self, items, visitor)
            }
            Some(Slot::Tagged { tag, args }) => match self.tagged(tag, args)? {
                Tagged::Map(entries) => {
                    let items = self.reader.collect_map(entries)?;
                    EntryAccess::visit_variant(self, items, visitor)
                }
                Tagged::NullObject(args) => {
                    let items = self.reader.collect_null_object(args)?;
                    EntryAccess::visit_variant(self, items, visitor)
                }
                Tagged::Boxed(primitive) => {
                    let frame = self.enter()?;
                    self.inside(&frame, primitive).deserialize_enum(name, &[], visitor)
                }
                _ => Err(not_an_enum()),
            },
            _ => Err(not_an_enum()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(Slot::Tagged { tag, args }) = self.read()?
            && (tag == "ArrayBuffer" || ViewKind::from_name(&tag).is_some())
        {
            let (kind, bytes) = match self.tagged(tag, args)? {
                Tagged::View { kind, buffer, range } => {
                    (kind, view::bytes(self.reader, kind, buffer, range)?)
                }
                _ => (ViewKind::Uint8Array, self.reader.buffer_bytes(self.at)?),
            };
            return view::visit(kind, &bytes, visitor);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    /// Looks at nothing.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.bigint()?.as_ref().and_then(|integer| i128::try_from(integer).ok()) {
            Some(integer) => visitor.visit_i128(integer),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.bigint()?.as_ref().and_then(|integer| u128::try_from(integer).ok()) {
            Some(integer) => visitor.visit_u128(integer),
            None => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        map struct identifier
    }
}

impl<'de> Node<'_, 'de> {
    fn visit_string<V: Visitor<'de>>(self, string: RawString<'de>, visitor: V) -> Result<V::Value> {
        self.reader.spend_bytes(string.body().len())?;
        visit_str(string.to_str()?, visitor)
    }

    fn visit_container<V: Visitor<'de>>(self, slot: Slot<'de>, visitor: V) -> Result<V::Value> {
        match slot {
            Slot::Object(fields) => {
                let items = self.reader.collect_object(fields)?;
                EntryAccess::visit(self, items, visitor)
            }
            Slot::Array(items) => {
                let items = self.reader.collect_items(items)?;
                let length = items.len() as u64;
                ListAccess::visit(self, items, length, false, visitor)
            }
            Slot::SparseArray { length, items } => {
                let items = self.reader.collect_sparse(items)?;
                ListAccess::visit(self, items, length.into(), false, visitor)
            }
            Slot::Tagged { tag, args } => {
                let tagged = self.tagged(tag, args)?;
                self.visit_tagged(tagged, visitor)
            }
            Slot::Null | Slot::Bool(_) | Slot::Number(_) | Slot::String(_) => {
                Err(Error::data("expected a container"))
            }
        }
    }

    /// The closest that serde's data model has.
    fn visit_tagged<V: Visitor<'de>>(self, tagged: Tagged<'de>, visitor: V) -> Result<V::Value> {
        match tagged {
            Tagged::Map(entries) => {
                let items = self.reader.collect_map(entries)?;
                EntryAccess::visit(self, items, visitor)
            }
            Tagged::NullObject(args) => {
                let items = self.reader.collect_null_object(args)?;
                EntryAccess::visit(self, items, visitor)
            }
            Tagged::Set(members) => {
                let items = self.reader.collect_set(members)?;
                let length = items.len() as u64;
                ListAccess::visit(self, items, length, true, visitor)
            }
            Tagged::Boxed(inner) | Tagged::Custom(_, inner) => {
                let frame = self.enter()?;
                self.inside(&frame, inner).deserialize_any(visitor)
            }
            Tagged::ArrayBuffer => visitor.visit_byte_buf(self.reader.buffer_bytes(self.at)?),
            Tagged::View { kind, buffer, range } => {
                let bytes = view::bytes(self.reader, kind, buffer, range)?;
                match kind {
                    ViewKind::Uint8Array | ViewKind::Uint8ClampedArray | ViewKind::DataView => {
                        visitor.visit_byte_buf(bytes)
                    }
                    _ => view::visit(kind, &bytes, visitor),
                }
            }
            Tagged::Date(date) => match date.is_valid() {
                true => visitor.visit_string(date.to_string()),
                false => visitor.visit_borrowed_str(""),
            },
            Tagged::BigInt(integer) => visit_bigint(&integer, visitor),
            Tagged::RegExp(regexp) => visitor.visit_string(regexp.to_string()),
            Tagged::Url(url) => visitor.visit_str(url.as_str()),
            Tagged::UrlSearchParams(params) => visitor.visit_str(params.as_str()),
            Tagged::Temporal(temporal) => visitor.visit_str(temporal.as_str()),
        }
    }

    /// The BigInt, if it is one.
    fn bigint(&self) -> Result<Option<BigInt>> {
        match self.at.slot().map(|slot| self.reader.slot(slot)).transpose()? {
            Some(Slot::Tagged { tag, args }) if tag == "BigInt" => match self.tagged(tag, args)? {
                Tagged::BigInt(integer) => Ok(Some(integer)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

fn not_an_enum() -> Error {
    Error::data("an enum must be a string, or an object of one property")
}

fn visit_str<'de, V: Visitor<'de>>(string: Cow<'de, str>, visitor: V) -> Result<V::Value> {
    match string {
        Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
        Cow::Owned(string) => visitor.visit_string(string),
    }
}

/// As an integer where it is one, so that a Rust integer can be read from it, also through a buffer of serde's.
///
/// Beyond 2^53 a number is no longer known to be the integer that was meant, and stays a float.
fn visit_number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value> {
    let integer = number as i64;
    if integer as f64 != number
        || number.abs() > 2f64.powi(53)
        || integer == 0 && number.is_sign_negative()
    {
        visitor.visit_f64(number)
    } else if let Ok(integer) = u64::try_from(integer) {
        visitor.visit_u64(integer)
    } else {
        visitor.visit_i64(integer)
    }
}

fn visit_bigint<'de, V: Visitor<'de>>(integer: &BigInt, visitor: V) -> Result<V::Value> {
    if let Ok(integer) = u64::try_from(integer) {
        visitor.visit_u64(integer)
    } else if let Ok(integer) = i64::try_from(integer) {
        visitor.visit_i64(integer)
    } else {
        visitor.visit_str(integer.as_str())
    }
}
