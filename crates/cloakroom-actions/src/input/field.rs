//! One field of a form, as serde sees it: the way that Astro reads a field for a type of its schema.

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use super::attempt::{Attempt, Buffered, Guise, Scalar};
use super::file;
use super::form::FormValue;
use super::number::{self, Number};
use super::object::Object;
use super::rejection::{FieldError, Otherwise, Path, Problem, Refused, listen};

/// A field, or one of several values of a field.
pub(super) struct Field<'a> {
    pub(super) attempt: &'a Attempt<'a>,
    /// `address.town`
    pub(super) name: String,
    pub(super) path: Path,
    /// The value, if it is one of several, and as what it is handed out to be buffered.
    pub(super) element: Option<(&'a FormValue, Scalar)>,
    pub(super) depth: usize,
}

/// What stands in for a text that is not there or not good enough.
const NO_TEXT: &str = "";

impl<'a> Field<'a> {
    /// The value, unless it is empty; as an element of a list it may be.
    fn value(&self) -> Option<&'a FormValue> {
        let filled = |value: &&FormValue| !value.is_empty();
        let element = self.element.map(|(value, _)| value);
        element.or_else(|| self.attempt.get(&self.name).filter(filled))
    }

    fn text(&self) -> Result<&'a str, FieldError> {
        match self.value() {
            _ if self.is_replaced() => Ok(NO_TEXT),
            None => Err(self.missing(Otherwise::Wrong)),
            Some(FormValue::Text(text)) => Ok(text),
            Some(FormValue::File(_)) => Err(self.invalid("This must be a text, and no file.")),
        }
    }

    fn number(&self) -> Result<Number, FieldError> {
        if self.is_replaced() {
            return Ok(Number::Whole(0));
        }
        number::parse(self.text()?).ok_or_else(|| self.invalid(number::NONE))
    }

    /// `true` and `false` as they are, and else whether it is there at all: a checkbox sends nothing or `on`.
    fn boolean(&self) -> bool {
        let element = self.element.map(|(value, _)| value);
        match element.or_else(|| self.attempt.get(&self.name)) {
            Some(FormValue::Text(text)) if text == "true" => true,
            Some(FormValue::Text(text)) if text == "false" => false,
            // As an element it is there in any case.
            Some(value) => element.is_none() || !value.is_empty(),
            None => false,
        }
    }

    /// Refuses a field that the form has not, so that the type's default takes its place.
    fn ensure_there(&self) -> Result<(), FieldError> {
        let is_there = self.element.is_some()
            || !self.attempt.get_all(&self.name).is_empty()
            || self.has_fields_of_its_own();
        let is_settled = matches!(self.guise(), Some(Guise::Empty | Guise::Replaced));
        match is_there || is_settled {
            true => Ok(()),
            false => Err(self.missing(Otherwise::Empty)),
        }
    }

    fn has_fields_of_its_own(&self) -> bool {
        self.element.is_none() && self.attempt.has_below(&format!("{}.", self.name))
    }

    fn object(&self) -> Result<Object<'a>, FieldError> {
        if self.element.is_some() {
            return Err(self.unsupported("a list of objects"));
        }
        if !self.has_fields_of_its_own() && !self.is_replaced() {
            return Err(self.missing(Otherwise::WrongObject));
        }
        Object::inner(self.attempt, &self.name, &self.path, self.depth)
    }

    fn guise(&self) -> Option<Guise> {
        self.attempt.guise(&self.path)
    }

    fn is_replaced(&self) -> bool {
        self.attempt.is_replaced(&self.path)
    }

    fn missing(&self, otherwise: Otherwise) -> FieldError {
        FieldError::of(&self.path, Problem::Missing { otherwise })
    }

    fn invalid(&self, message: &str) -> FieldError {
        FieldError::of(&self.path, Problem::Invalid { message: message.to_owned() })
    }

    fn unsupported(&self, what: &str) -> FieldError {
        let message = format!("{what} cannot be read from a form");
        FieldError::of(&self.path, Problem::Unsupported { message })
    }

    fn file<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, FieldError> {
        let (name, content_type, bytes) = match self.value() {
            _ if self.is_replaced() => ("", None, &[][..]),
            None => return Err(self.missing(Otherwise::Wrong)),
            Some(FormValue::Text(_)) => return Err(self.invalid("This must be a file.")),
            Some(FormValue::File(file)) => {
                (file.name.as_str(), file.content_type.as_deref(), &file.bytes[..])
            }
        };
        let parts =
            [Part::Text(name), content_type.map_or(Part::None, Part::Text), Part::Bytes(bytes)];
        visitor.visit_map(MapDeserializer::new(file::FIELDS.iter().copied().zip(parts)))
    }

    fn list<V: Visitor<'a>>(self, scalar: Scalar, visitor: V) -> Result<V::Value, FieldError> {
        let values = self.attempt.get_all(&self.name);
        visitor.visit_seq(Elements { field: self, scalar, values, next: 0 })
    }
}

/// For who reads a value before they know what they want of it: as what it was not refused yet.
impl<'de> Field<'de> {
    fn buffered(&self) -> Buffered {
        match (self.element, self.guise()) {
            (Some((_, Scalar::Number)), _) => Buffered::Number,
            (Some((_, Scalar::Boolean)), _) => Buffered::Boolean,
            (Some((_, Scalar::Single)), _) => Buffered::Single,
            (None, Some(Guise::Buffered(buffered))) => buffered,
            (None, _) if self.value().is_some() => Buffered::Single,
            (None, _) if self.has_fields_of_its_own() => Buffered::Object,
            (None, _) => Buffered::Single,
        }
    }

    fn offer(&self, value: Refused) {
        self.attempt.offer(&self.path, value);
    }

    fn hand_out<V: Visitor<'de>>(
        self,
        buffered: Buffered,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let settled = self.attempt.settled(&self.path);
        let is_wrong = settled.is_some_and(|settled| settled.wrong.is_some());
        match buffered {
            Buffered::Single => match self.value().filter(|_| !is_wrong) {
                Some(FormValue::Text(text)) => {
                    self.offer(Refused::text(text));
                    visitor.visit_borrowed_str(text)
                }
                Some(FormValue::File(_)) => {
                    self.offer(Refused::Object);
                    self.file(visitor)
                }
                None if settled.is_none() => visitor.visit_unit(),
                None => {
                    self.offer(Refused::text(NO_TEXT));
                    visitor.visit_borrowed_str(NO_TEXT)
                }
            },
            Buffered::Number => {
                let text = self.value().and_then(FormValue::as_text).filter(|_| !is_wrong);
                match text.and_then(number::parse).unwrap_or(Number::Whole(0)) {
                    Number::Negative(number) => {
                        self.offer(Refused::Negative(number));
                        visitor.visit_i64(number)
                    }
                    Number::Whole(number) => {
                        self.offer(Refused::Whole(number));
                        visitor.visit_u64(number)
                    }
                    Number::Fraction(number) => {
                        self.offer(Refused::Fraction(number));
                        visitor.visit_f64(number)
                    }
                }
            }
            Buffered::Boolean => {
                self.offer(Refused::Boolean);
                visitor.visit_bool(self.boolean())
            }
            Buffered::List(scalar) => {
                self.offer(Refused::List);
                self.list(scalar, visitor)
            }
            Buffered::Object => {
                self.offer(Refused::Object);
                self.object()?.deserialize_any(visitor)
            }
            Buffered::Nothing => {
                self.offer(Refused::Object);
                Object::inner(self.attempt, &self.name, &self.path, self.depth)?
                    .deserialize_any(visitor)
            }
        }
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

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = FieldError;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        listen();
        let buffered = self.buffered();
        self.hand_out(buffered, visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.ensure_there()?;
        visitor.visit_bool(self.boolean())
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.is_replaced() {
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
        let is_there = self.element.is_some()
            || self.attempt.is_filled(&self.name)
            || self.has_fields_of_its_own();
        match is_there {
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
            return Err(self.unsupported("a list of lists"));
        }
        self.ensure_there()?;
        self.list(Scalar::Single, visitor)
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
        let variant = match self.is_replaced() {
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
    scalar: Scalar,
    values: &'a [&'a FormValue],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = FieldError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, FieldError> {
        let Some(value) = self.values.get(self.next) else { return Ok(None) };
        let mut path = self.field.path.clone();
        path.push(self.next.into());
        self.next += 1;
        let element = Field {
            attempt: self.field.attempt,
            name: String::new(),
            path: path.clone(),
            element: Some((*value, self.scalar)),
            depth: self.field.depth,
        };
        seed.deserialize(element).map(Some).map_err(|error| error.at(&path))
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
