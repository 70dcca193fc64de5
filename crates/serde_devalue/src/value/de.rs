//! [`Value`] out of serde's data model.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{Custom, Object, SparseArray, Value, share};
use crate::{
    ArrayBuffer, BigInt, JsString, RegExp, Temporal, TypedArray, Url, UrlSearchParams,
    de::tree::Kind,
    tag,
    types::{
        temporal::TemporalKind,
        typed_array::{ViewKind, ViewRange},
    },
};

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(tag::VALUE, RootVisitor)
    }
}

/// The outermost value: devalue's deserializer gives the tree and what is shared in it.
struct RootVisitor;

impl<'de> Visitor<'de> for RootVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut root: A) -> Result<Value, A::Error> {
        let mut value = required(root.next_element_seed(Node)?)?.unwrap_or_default();
        let shared: Vec<u32> = required(root.next_element()?)?;
        if !shared.is_empty() {
            share::mark(&mut value, shared);
        }
        Ok(value)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        deserializer.deserialize_any(super::foreign::AnyVisitor)
    }
}

fn required<T, E: Error>(value: Option<T>) -> Result<T, E> {
    value.ok_or_else(|| E::custom("a part of a value is missing"))
}

/// A node of the tree; `None` is a hole.
#[derive(Clone, Copy)]
struct Node;

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_enum(tag::VALUE, &[], self)
    }
}

/// A node that is not an item of an array, and so never a hole.
struct Item;

impl<'de> DeserializeSeed<'de> for Item {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Node.deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Option<Value>, A::Error> {
        let (kind, content) = access.variant_seed(KindSeed)?;
        Ok(Some(match kind {
            Kind::Hole => return content.unit_variant().map(|()| None),
            Kind::Undefined => Value::Undefined,
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Number => Value::Number(content.newtype_variant()?),
            Kind::String => Value::String(content.newtype_variant()?),
            Kind::Object => content.struct_variant(&[], Properties).map(Value::Object)?,
            Kind::NullObject => content.struct_variant(&[], Properties).map(Value::NullObject)?,
            Kind::Array => content.tuple_variant(0, Items)?,
            Kind::SparseArray => content.tuple_variant(0, Sparse)?,
            Kind::Map => content.struct_variant(&[], Entries)?,
            Kind::Set => content.tuple_variant(0, Members)?,
            Kind::Boxed => Value::Boxed(Box::new(content.newtype_variant_seed(Item)?)),
            Kind::Reference => Value::Reference(content.newtype_variant()?),
            Kind::RegExp | Kind::View | Kind::Temporal | Kind::Custom => {
                content.tuple_variant(0, Parts(kind))?
            }
            _ => leaf(kind, content)?,
        }))
    }
}

/// Apart, so that the many temporaries do not lie on the stack at every level of a deep tree.
fn leaf<'de, A: VariantAccess<'de>>(kind: Kind, content: A) -> Result<Value, A::Error> {
    Ok(match kind {
        Kind::Date => Value::Date(content.newtype_variant()?),
        Kind::ArrayBuffer => Value::ArrayBuffer(content.newtype_variant_seed(Bytes)?),
        _ => {
            let text = content.newtype_variant()?;
            match kind {
                Kind::BigInt => Value::BigInt(BigInt::from_canonical(text)),
                Kind::Url => Value::Url(Url::from_normalised(text)),
                _ => Value::UrlSearchParams(UrlSearchParams::from_normalised(text)),
            }
        }
    })
}

struct KindSeed;

impl<'de> DeserializeSeed<'de> for KindSeed {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        let index = u32::deserialize(deserializer)?;
        Kind::from_index(index).ok_or_else(|| D::Error::custom("an unknown kind of value"))
    }
}

macro_rules! expecting {
    ($what:literal) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str($what)
        }
    };
}

struct Properties;

impl<'de> Visitor<'de> for Properties {
    type Value = Object;

    expecting!("the properties of an object");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
        while let Some(key) = map.next_key::<JsString>()? {
            entries.push((key, map.next_value_seed(Item)?));
        }
        Ok(Object::from_ordered(entries))
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Value;

    expecting!("the entries of a Map");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
        while let Some(key) = map.next_key_seed(Item)? {
            entries.push((without_negative_zero(key), map.next_value_seed(Item)?));
        }
        Ok(Value::Map(entries))
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Value;

    expecting!("the members of a Set");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut members = Vec::with_capacity(seq.size_hint().unwrap_or(0));
        while let Some(member) = seq.next_element_seed(Item)? {
            members.push(without_negative_zero(member));
        }
        Ok(Value::Set(members))
    }
}

/// Maps and Sets make -0 a 0.
fn without_negative_zero(key: Value) -> Value {
    match key {
        Value::Number(number) => Value::Number(number + 0.0),
        key => key,
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Value;

    expecting!("the items of an array");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0));
        while let Some(item) = seq.next_element_seed(Node)? {
            match item {
                Some(item) => items.push(item),
                None => return with_holes(items, seq),
            }
        }
        Ok(Value::Array(items))
    }
}

/// The rest of an array after its first hole.
fn with_holes<'de, A: SeqAccess<'de>>(items: Vec<Value>, mut seq: A) -> Result<Value, A::Error> {
    let mut entries: Vec<_> = (0..).zip(items).collect();
    let mut length = entries.len() as u32 + 1;
    while let Some(item) = seq.next_element_seed(Node)? {
        if let Some(item) = item {
            entries.push((length, item));
        }
        length += 1;
    }
    Ok(Value::SparseArray(SparseArray { length, entries }))
}

struct Sparse;

impl<'de> Visitor<'de> for Sparse {
    type Value = Value;

    expecting!("the length, indices and items of a sparse array");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let length = required(seq.next_element()?)?;
        let mut entries = Vec::with_capacity(seq.size_hint().unwrap_or(0));
        while let Some(index) = seq.next_element()? {
            entries.push((index, required(seq.next_element_seed(Item)?)?));
        }
        if entries.len() == length as usize {
            return Ok(entries.into_iter().map(|(_, item)| item).collect());
        }
        Ok(Value::SparseArray(SparseArray { length, entries }))
    }
}

struct Bytes;

impl<'de> DeserializeSeed<'de> for Bytes {
    type Value = ArrayBuffer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ArrayBuffer, D::Error> {
        deserializer.deserialize_byte_buf(self)
    }
}

impl Visitor<'_> for Bytes {
    type Value = ArrayBuffer;

    expecting!("bytes");

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<ArrayBuffer, E> {
        Ok(ArrayBuffer(bytes))
    }
}

/// Types that are a tuple of parts.
struct Parts(Kind);

impl<'de> Visitor<'de> for Parts {
    type Value = Value;

    expecting!("the parts of a value");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let unknown = || de::Error::custom("an unknown kind of value");
        Ok(match self.0 {
            Kind::RegExp => {
                let source = required(seq.next_element()?)?;
                let flags = required(seq.next_element()?)?;
                Value::RegExp(Box::new(RegExp::from_parts(source, flags)))
            }
            Kind::Temporal => {
                let kind: &str = required(seq.next_element()?)?;
                let kind = TemporalKind::from_name(kind).ok_or_else(unknown)?;
                let text: String = required(seq.next_element()?)?;
                Value::Temporal(Box::new(Temporal::new(kind, text).map_err(A::Error::custom)?))
            }
            Kind::Custom => {
                let tag = required(seq.next_element()?)?;
                let value = required(seq.next_element_seed(Item)?)?;
                Value::Custom(Box::new(Custom { tag, value }))
            }
            _ => {
                let kind: &str = required(seq.next_element()?)?;
                let kind = ViewKind::from_name(kind).ok_or_else(unknown)?;
                let buffer = required(seq.next_element_seed(Item)?)?;
                let range = match seq.next_element()? {
                    Some(offset) => {
                        Some(ViewRange { offset, length: required(seq.next_element()?)? })
                    }
                    None => None,
                };
                Value::TypedArray(Box::new(TypedArray { kind, buffer, range }))
            }
        })
    }
}
