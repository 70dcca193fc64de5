//! [`Value`] into serde's data model.

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap, SerializeTuple},
};

use super::{Custom, Object, SparseArray, Value};
use crate::{ser, tag};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Object(_) | Value::Array(_) | Value::Map(_) => {
                serializer.serialize_newtype_struct(tag::VALUE, &Whole(self))
            }
            _ => self.serialize_by_parts(serializer),
        }
    }
}

/// A value that devalue's serializer writes at once, where all others are given its parts.
struct Whole<'a>(&'a Value);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if ser::write_directly(self.0) {
            return serializer.serialize_unit();
        }
        self.0.serialize_by_parts(serializer)
    }
}

impl Value {
    pub(crate) fn serialize_by_parts<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match self {
            Value::Undefined => crate::Undefined.serialize(serializer),
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::BigInt(integer) => integer.serialize(serializer),
            Value::String(string) => string.serialize(serializer),
            Value::Boxed(primitive) => serializer.serialize_newtype_struct(tag::BOXED, primitive),
            Value::Date(date) => date.serialize(serializer),
            Value::RegExp(regexp) => regexp.serialize(serializer),
            Value::Url(url) => url.serialize(serializer),
            Value::UrlSearchParams(params) => params.serialize(serializer),
            Value::Object(object) => object.serialize(serializer),
            Value::NullObject(object) => {
                serializer.serialize_newtype_struct(tag::NULL_OBJECT, object)
            }
            Value::Array(items) => serializer.collect_seq(items),
            Value::SparseArray(array) => {
                serializer.serialize_newtype_struct(tag::SPARSE_ARRAY, array)
            }
            Value::Map(entries) => serializer.serialize_newtype_struct(tag::MAP, &Entries(entries)),
            Value::Set(members) => serializer.serialize_newtype_struct(tag::SET, members),
            Value::ArrayBuffer(buffer) => buffer.serialize(serializer),
            Value::TypedArray(array) => array.serialize(serializer),
            Value::Temporal(temporal) => temporal.serialize(serializer),
            Value::Custom(custom) => serializer.serialize_newtype_struct(tag::CUSTOM, &**custom),
            // The id travels as the variant's index: other formats do not see it.
            Value::Shared(id, value) => {
                serializer.serialize_newtype_variant(tag::SHARED, *id, "shared", value)
            }
            Value::Reference(id) => {
                serializer.serialize_newtype_variant(tag::REFERENCE, *id, "reference", &OnlyDevalue)
            }
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The length and the entries.
impl Serialize for SparseArray {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.length)?;
        tuple.serialize_element(&Entries(&self.entries))?;
        tuple.end()
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.tag)?;
        tuple.serialize_element(&self.value)?;
        tuple.end()
    }
}

/// Pairs as a map.
struct Entries<'a, K>(&'a [(K, Value)]);

impl<K: Serialize> Serialize for Entries<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// What a reference is in other formats; this crate's serializer does not look at it.
struct OnlyDevalue;

impl Serialize for OnlyDevalue {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("only devalue can write a reference to a shared or cyclic value"))
    }
}
