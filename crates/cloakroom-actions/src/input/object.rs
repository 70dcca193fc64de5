//! Fields that share a prefix, as an object: the whole form, or `address.street` and `address.town`.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::attempt::Attempt;
use super::field::{Field, FieldError};

/// How deep objects may be nested. A name of a megabyte could go deeper than the stack.
const MAX_DEPTH: usize = 32;

pub(super) struct Object<'a> {
    attempt: &'a Attempt<'a>,
    /// `address.`, or nothing for the whole form.
    prefix: String,
    depth: usize,
}

impl<'a> Object<'a> {
    pub(super) fn whole(attempt: &'a Attempt<'a>) -> Object<'a> {
        Object { attempt, prefix: String::new(), depth: 0 }
    }

    pub(super) fn inner(
        attempt: &'a Attempt<'a>,
        name: &str,
        depth: usize,
    ) -> Result<Object<'a>, FieldError> {
        if depth == MAX_DEPTH {
            let message = format!("Objects are nested more than {MAX_DEPTH} deep.");
            return Err(FieldError::Invalid { name: String::new(), message });
        }
        Ok(Object { attempt, prefix: format!("{name}."), depth: depth + 1 })
    }
}

impl<'de> Deserializer<'de> for Object<'_> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let names = self.attempt.names_below(&self.prefix);
        visitor.visit_map(Entries::new(&self, names))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let entries = Entries::new(&self, fields.to_vec());
        visitor.visit_map(entries).map_err(|error| error.within(&self.prefix))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
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

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct
        map enum identifier ignored_any
    }
}

struct Entries<'a> {
    object: &'a Object<'a>,
    names: std::vec::IntoIter<&'a str>,
    /// The full name of the field whose value comes next.
    name: String,
}

impl<'a> Entries<'a> {
    fn new(object: &'a Object<'a>, names: Vec<&'a str>) -> Entries<'a> {
        Entries { object, names: names.into_iter(), name: String::new() }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        for key in self.names.by_ref() {
            self.name = format!("{}{key}", self.object.prefix);
            if self.object.attempt.ask(&self.name) {
                let key: StrDeserializer<'_, FieldError> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, FieldError> {
        let Object { attempt, depth, .. } = *self.object;
        let field = Field { attempt, name: &self.name, element: None, depth };
        seed.deserialize(field).map_err(|error| error.at(&self.name))
    }
}
