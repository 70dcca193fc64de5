//! Fields that share a prefix, as an object: the whole form, or `address.street` and `address.town`.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Expected, IntoDeserializer as _, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::attempt::{Attempt, Guise};
use super::field::Field;
use super::rejection::{FieldError, Path, Problem, listen};
use crate::issue::PathSegment;

/// How deep objects may be nested. A name of a megabyte could go deeper than the stack.
const MAX_DEPTH: usize = 32;

pub(super) struct Object<'a> {
    attempt: &'a Attempt<'a>,
    /// `address.`, or nothing for the whole form.
    prefix: String,
    path: Path,
    depth: usize,
}

impl<'a> Object<'a> {
    pub(super) fn whole(attempt: &'a Attempt<'a>) -> Object<'a> {
        Object { attempt, prefix: String::new(), path: Path::new(), depth: 0 }
    }

    pub(super) fn inner(
        attempt: &'a Attempt<'a>,
        name: &str,
        path: &[PathSegment],
        depth: usize,
    ) -> Result<Object<'a>, FieldError> {
        if depth == MAX_DEPTH {
            let message = format!("Objects are nested more than {MAX_DEPTH} deep.");
            return Err(FieldError::of(path, Problem::Invalid { message }));
        }
        let prefix = format!("{name}.");
        Ok(Object { attempt, prefix, path: path.to_vec(), depth: depth + 1 })
    }

    fn path_of(&self, key: &str) -> Path {
        let mut path = self.path.clone();
        path.push(key.into());
        path
    }

    /// The fields that there are, with those of `address.town` and `address.code` as one.
    fn grouped(&self) -> Vec<String> {
        let mut keys = indexmap::IndexSet::new();
        for name in self.attempt.names_below(&self.prefix) {
            let group = name.split_once('.').map(|(group, _)| group).filter(|group| {
                !group.is_empty()
                    && self.attempt.guise(&self.path_of(group)) != Some(Guise::Ungrouped)
            });
            match group {
                Some(group) => _ = keys.insert(group.to_owned()),
                None => {
                    // An empty field is one that is not there.
                    let value = self.attempt.get(&format!("{}{name}", self.prefix));
                    if value.is_some_and(|value| !value.is_empty()) {
                        keys.insert(name.to_owned());
                    }
                }
            }
        }
        keys.extend(self.attempt.added(&self.path).into_iter().map(str::to_owned));
        keys.into_iter().collect()
    }

    fn entries(self, keys: Vec<String>) -> Entries<'a> {
        Entries { object: self, keys: keys.into_iter(), key: String::new() }
    }
}

impl<'de> Deserializer<'de> for Object<'de> {
    type Error = FieldError;

    /// For who reads the fields before they know what they want of them.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        listen();
        let keys = self.grouped();
        visitor.visit_map(self.entries(keys))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let expected: &dyn Expected = &visitor;
        // A struct with flattened fields asks for a map, too, and says what it is.
        if expected.to_string() != "a map" {
            return self.deserialize_any(visitor);
        }
        let names = self.attempt.names_below(&self.prefix);
        let names = names.into_iter().map(str::to_owned).collect();
        visitor.visit_map(self.entries(names))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let fields = fields.iter().map(ToString::to_string).collect();
        visitor.visit_map(self.entries(fields))
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
        enum identifier ignored_any
    }
}

struct Entries<'a> {
    object: Object<'a>,
    keys: std::vec::IntoIter<String>,
    /// The field whose value comes next.
    key: String,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        for key in self.keys.by_ref() {
            if self.object.attempt.ask(&self.object.path_of(&key)) {
                self.key = key;
                let key: StrDeserializer<'_, FieldError> = self.key.as_str().into_deserializer();
                return seed.deserialize(key).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, FieldError> {
        let Object { attempt, depth, .. } = self.object;
        let path = self.object.path_of(&self.key);
        let name = format!("{}{}", self.object.prefix, self.key);
        let field = Field { attempt, name, path: path.clone(), element: None, depth };
        seed.deserialize(field).map_err(|error| error.at(&path))
    }
}
