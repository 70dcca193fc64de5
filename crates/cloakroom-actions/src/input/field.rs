//! One field of a form, as serde sees it: the way that Astro reads a field for a type of its schema.

use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, SeqAccess, Unexpected, Visitor,
};

use super::attempt::Attempt;
use super::file;
use super::form::FormValue;
use super::number::{self, Number};
use super::object::Object;

/// What is wrong with a field, by its full name.
#[derive(Debug)]
pub(super) enum FieldError {
    /// It is not there, and its type cannot say so.
    Missing { name: String, is_object: bool },
    /// It was left out, and the type has no default for it.
    NoDefault { name: String },
    /// It is there, and not what its type wants.
    Invalid { name: String, message: String },
}

impl FieldError {
    /// Says where, if that is not known yet.
    pub(super) fn at(self, place: &str) -> FieldError {
        match self {
            FieldError::Invalid { name, message } if name.is_empty() => {
                FieldError::Invalid { name: place.to_owned(), message }
            }
            other => other,
        }
    }

    /// Says of which object a field is missing.
    pub(super) fn within(self, prefix: &str) -> FieldError {
        match self {
            FieldError::NoDefault { name } => {
                FieldError::NoDefault { name: format!("{prefix}{name}") }
            }
            other => other,
        }
    }
}

impl de::Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> FieldError {
        FieldError::Invalid { name: String::new(), message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> FieldError {
        FieldError::NoDefault { name: field.to_owned() }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> FieldError {
        FieldError::custom(format_args!("This is not valid: it must be {expected}."))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> FieldError {
        FieldError::custom(format_args!("This is not valid: it must be {expected}."))
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> FieldError {
        FieldError::custom(format_args!("This must be one of {}.", variants.join(", ")))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldError::Missing { name, .. } | FieldError::NoDefault { name } => {
                write!(formatter, "{name} is missing")
            }
            FieldError::Invalid { name, message } => write!(formatter, "{name}: {message}"),
        }
    }
}

impl std::error::Error for FieldError {}

/// A field, or one of several values of a field.
pub(super) struct Field<'a> {
    pub(super) attempt: &'a Attempt<'a>,
    /// `address.town`, or `sizes[2]`.
    pub(super) name: &'a str,
    /// The value, if it is one of several.
    pub(super) element: Option<&'a FormValue>,
    pub(super) depth: usize,
}

impl<'a> Field<'a> {
    /// The value, unless it is empty; as an element of a list it may be.
    fn value(&self) -> Option<&'a FormValue> {
        let filled = |value: &&FormValue| !value.is_empty();
        self.element.or_else(|| self.attempt.get(self.name).filter(filled))
    }

    fn text(&self) -> Result<&'a str, FieldError> {
        match self.value() {
            _ if self.attempt.is_replaced(self.name) => Ok(""),
            None => Err(self.missing(false)),
            Some(FormValue::Text(text)) => Ok(text),
            Some(FormValue::File(_)) => Err(self.invalid("This must be a text, and no file.")),
        }
    }

    fn number(&self) -> Result<Number, FieldError> {
        if self.attempt.is_replaced(self.name) {
            return Ok(Number::Whole(0));
        }
        number::parse(self.text()?).ok_or_else(|| self.invalid("This must be a number."))
    }

    /// `true` and `false` as they are, and else whether it is there at all: a checkbox sends nothing or `on`.
    fn boolean(&self) -> bool {
        match self.element.or_else(|| self.attempt.get(self.name)) {
            Some(FormValue::Text(text)) if text == "true" => true,
            Some(FormValue::Text(text)) if text == "false" => false,
            // As an element it is there in any case.
            Some(value) => self.element.is_none() || !value.is_empty(),
            None => false,
        }
    }

    fn has_fields_of_its_own(&self) -> bool {
        self.element.is_none() && self.attempt.has_below(&format!("{}.", self.name))
    }

    fn object(&self) -> Result<Object<'a>, FieldError> {
        if self.element.is_some() {
            return Err(self.invalid("A list of objects cannot be read from a form."));
        }
        if !self.has_fields_of_its_own() && !self.attempt.is_replaced(self.name) {
            return Err(self.missing(true));
        }
        Object::inner(self.attempt, self.name, self.depth)
    }

    fn missing(&self, is_object: bool) -> FieldError {
        FieldError::Missing { name: self.name.to_owned(), is_object }
    }

    fn invalid(&self, message: &str) -> FieldError {
        FieldError::Invalid { name: self.name.to_owned(), message: message.to_owned() }
    }

    fn file<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, FieldError> {
        let (name, content_type, bytes) = match self.value() {
            _ if self.attempt.is_replaced(self.name) => ("", None, &[][..]),
            None => return Err(self.missing(false)),
            Some(FormValue::Text(_)) => return Err(self.invalid("This must be a file.")),
            Some(FormValue::File(file)) => {
                (file.name.as_str(), file.content_type.as_deref(), &file.bytes[..])
            }
        };
        let parts =
            [Part::Text(name), content_type.map_or(Part::None, Part::Text), Part::Bytes(bytes)];
        visitor.visit_map(MapDeserializer::new(file::FIELDS.iter().copied().zip(parts)))
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
                match self.number()? {
                    Number::Negative(number) => visitor.visit_i64(number),
                    Number::Whole(number) => visitor.visit_u64(number),
                    Number::Fraction(number) => visitor.visit_f64(number),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Field<'_> {
    type Error = FieldError;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value() {
            Some(FormValue::Text(text)) => visitor.visit_str(text),
            Some(FormValue::File(_)) => self.file(visitor),
            None if self.has_fields_of_its_own() => self.object()?.deserialize_map(visitor),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_bool(self.boolean())
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.attempt.is_replaced(self.name) {
            true => visitor.visit_char(' '),
            false => visitor.visit_str(self.text()?),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value() {
            Some(FormValue::File(file)) => visitor.visit_bytes(&file.bytes),
            _ => visitor.visit_bytes(self.text()?.as_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.value().is_some() || self.has_fields_of_its_own() {
            true => visitor.visit_some(self),
            false => visitor.visit_none(),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.element.is_some() {
            return Err(self.invalid("A list of lists cannot be read from a form."));
        }
        let values = self.attempt.get_all(self.name);
        visitor.visit_seq(Elements { field: self, values, next: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.object()?.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match name {
            file::NAME => self.file(visitor),
            _ => self.object()?.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let variant = match self.attempt.is_replaced(self.name) {
            true => variants.first().copied().unwrap_or_default(),
            false => self.text()?,
        };
        let variant: StrDeserializer<'_, FieldError> = variant.into_deserializer();
        visitor.visit_enum(variant)
    }
}

/// The values of a field that has several.
struct Elements<'a> {
    field: Field<'a>,
    values: &'a [&'a FormValue],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = FieldError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, FieldError> {
        let Some(value) = self.values.get(self.next) else { return Ok(None) };
        let name = format!("{}[{}]", self.field.name, self.next);
        self.next += 1;
        let element = Field { name: &name, element: Some(*value), ..self.field };
        seed.deserialize(element).map(Some).map_err(|error| error.at(&name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len() - self.next)
    }
}

/// A part of a file.
enum Part<'a> {
    None,
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> IntoDeserializer<'_, FieldError> for Part<'a> {
    type Deserializer = Part<'a>;

    fn into_deserializer(self) -> Part<'a> {
        self
    }
}

impl<'de> Deserializer<'de> for Part<'_> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Part::None => visitor.visit_none(),
            Part::Text(text) => visitor.visit_str(text),
            Part::Bytes(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Part::None => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
