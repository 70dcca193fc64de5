//! A node as serde's deserializer.

use std::borrow::Cow;

use serde::{Deserializer, de::Visitor, forward_to_deserialize_any};

use super::{
    Node,
    access::{EntryAccess, ListAccess, UnitVariant},
    budget::VALUE,
    canonical::Leaf,
    content::Content,
    key::Key,
    tagged::Tagged,
    view,
};
use crate::{
    BigInt, Error, Result,
    slot::Slot,
    tag,
    types::{date::with_iso_text, typed_array::ViewKind},
    value::handover,
};

impl<'de> Deserializer<'de> for Node<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.leaf()? {
            Some(Leaf::Null) => return visitor.visit_unit(),
            Some(Leaf::Bool(bool)) => return visitor.visit_bool(bool),
            Some(Leaf::Number(number)) => return visit_number(number, visitor),
            Some(Leaf::String(string)) => return visitor.visit_borrowed_str(string),
            None => {}
        }
        match self.content_beyond_leaf()? {
            Content::Object(shape, values) | Content::NullObject(shape, values) => {
                EntryAccess::visit(self, Some(shape), values, visitor)
            }
            Content::Map(entries) => EntryAccess::visit(self, None, entries, visitor),
            Content::Array(items) => ListAccess::visit_all(self, items, false, visitor),
            Content::Set(members) => ListAccess::visit_all(self, members, true, visitor),
            content => self.visit_leaf(content, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_none()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if name.starts_with(tag::PREFIX) {
            self.visit_own_type(name, visitor)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.visit_enum(name, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.content()? {
            Content::Array(items) => ListAccess::visit_all(self, items, false, visitor),
            Content::Set(members) => ListAccess::visit_all(self, members, true, visitor),
            Content::Bytes(bytes) => {
                view::visit(self.reader, ViewKind::Uint8Array, &bytes, visitor)
            }
            Content::View(kind, buffer, range) => {
                let bytes = view::bytes(self.reader, kind, buffer, range.as_deref())?;
                view::visit(self.reader, kind, &bytes, visitor)
            }
            Content::Object(shape, values) | Content::NullObject(shape, values) => {
                EntryAccess::visit(self, Some(shape), values, visitor)
            }
            Content::Map(entries) => EntryAccess::visit(self, None, entries, visitor),
            content => self.visit_leaf(content, visitor),
        }
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
        match self.bigint()?.and_then(|integer| i128::try_from(&integer).ok()) {
            Some(integer) => visitor.visit_i128(integer),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.bigint()?.and_then(|integer| u128::try_from(&integer).ok()) {
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
    /// Whether an `Option` reads it as `None`.
    fn is_none(&self) -> Result<bool> {
        Ok(match self.at.slot() {
            None => self.at.number().is_none(),
            // What begins otherwise is not null, whatever it is.
            Some(slot) if self.reader.may_begin_with(slot, b'n') => {
                matches!(self.reader.slot(slot)?, Slot::Null)
            }
            Some(_) => false,
        })
    }

    fn visit_enum<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match self.content()? {
            Content::Plain(_) | Content::String(_) => visitor.visit_enum(UnitVariant(self)),
            Content::Object(shape, values) | Content::NullObject(shape, values) => {
                EntryAccess::visit_variant(self, Some(shape), values, visitor)
            }
            Content::Map(entries) => EntryAccess::visit_variant(self, None, entries, visitor),
            Content::Boxed(primitive) => {
                let frame = self.enter()?;
                self.inside(&frame, primitive).deserialize_enum(name, &[], visitor)
            }
            _ => Err(Error::data("an enum must be a string, or an object of one property")),
        }
    }

    /// A type of this crate, by its name in [`tag`].
    fn visit_own_type<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value> {
        if name == tag::VALUE {
            return handover::hand_over(self.value()?, visitor);
        }
        match (name, self.content()?) {
            (tag::STRING, Content::String(string)) => {
                Key(string).deserialize_newtype_struct(tag::STRING, visitor)
            }
            (tag::DATE, Content::Date(date, _)) => {
                visitor.visit_f64(date.millis().map_or(f64::NAN, |millis| millis as f64))
            }
            (_, Content::Object(shape, values) | Content::NullObject(shape, values)) => {
                EntryAccess::visit(self, Some(shape), values, visitor)
            }
            (_, Content::Map(entries)) => EntryAccess::visit(self, None, entries, visitor),
            (_, Content::Array(items)) => ListAccess::visit_all(self, items, false, visitor),
            (_, Content::Set(members)) => ListAccess::visit_all(self, members, true, visitor),
            (_, content) => self.visit_leaf(content, visitor),
        }
    }

    /// Whatever is rarely deep, as the closest that serde's data model has.
    fn visit_leaf<V: Visitor<'de>>(self, content: Content<'de>, visitor: V) -> Result<V::Value> {
        match content {
            Content::Undefined | Content::Hole | Content::Null => visitor.visit_unit(),
            Content::Bool(bool) => visitor.visit_bool(bool),
            Content::Number(number) => visit_number(number, visitor),
            Content::Plain(string) => visitor.visit_borrowed_str(string),
            Content::String(string) => match string.to_str()? {
                Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
                Cow::Owned(string) => visitor.visit_string(string),
            },
            Content::BigInt(integer) => visit_bigint(integer.as_str(), visitor),
            Content::Date(_, Some(text)) => visitor.visit_borrowed_str(text),
            Content::Date(date, None) => with_iso_text(date, |text| visitor.visit_str(text)),
            Content::Url(url) => visitor.visit_string(url.into_string()),
            Content::UrlSearchParams(params) => visitor.visit_string(params.into_string()),
            Content::Temporal(temporal) => visitor.visit_str(temporal.as_str()),
            Content::RegExp(regexp) => visitor.visit_string(regexp.to_string()),
            Content::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Content::View(kind, buffer, range) => {
                let bytes = view::bytes(self.reader, kind, buffer, range.as_deref())?;
                if kind.is_bytes() {
                    visitor.visit_byte_buf(bytes)
                } else {
                    view::visit(self.reader, kind, &bytes, visitor)
                }
            }
            Content::SparseArray(length, items) => {
                // The length is only declared, and every hole is a value.
                self.reader.spend_each(length as usize, VALUE)?;
                ListAccess::visit(self, items, length.into(), false, visitor)
            }
            Content::Boxed(inner) | Content::Custom(_, inner) => {
                let frame = self.enter()?;
                self.inside(&frame, inner).deserialize_any(visitor)
            }
            Content::Object(..)
            | Content::NullObject(..)
            | Content::Map(_)
            | Content::Array(_)
            | Content::Set(_) => {
                Err(Error::data("a value was asked for in another form than its own"))
            }
        }
    }

    /// The BigInt, if it is one.
    fn bigint(&self) -> Result<Option<BigInt>> {
        let slot = self.at.slot().filter(|slot| self.reader.may_begin_with(*slot, b'['));
        match slot.map(|slot| self.reader.slot(slot)).transpose()? {
            Some(Slot::Tagged { tag, args }) if tag == "BigInt" => match self.tagged(tag, args)? {
                Tagged::BigInt(integer) => Ok(Some(integer)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
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

fn visit_bigint<'de, V: Visitor<'de>>(digits: &str, visitor: V) -> Result<V::Value> {
    if let Ok(integer) = digits.parse() {
        visitor.visit_u64(integer)
    } else if let Ok(integer) = digits.parse() {
        visitor.visit_i64(integer)
    } else {
        visitor.visit_str(digits)
    }
}
