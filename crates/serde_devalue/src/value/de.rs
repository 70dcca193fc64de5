//! [`Value`] out of serde's data model.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{Custom, Object, SparseArray, Value, share};
use crate::{
    ArrayBuffer, BigInt, JsString, RegExp, Temporal, TypedArray, Url, UrlSearchParams,
    de::content::Kind,
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

    fn visit_none<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Undefined))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(bool)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<Value>, E> {
        Ok(Some(Value::Number(number)))
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::String(string.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<Value>, A::Error> {
        items(seq).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Value>, A::Error> {
        properties(map).map(|object| Some(Value::Object(object)))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Option<Value>, A::Error> {
        let (kind, content) = access.variant_seed(KindSeed)?;
        if kind == Kind::Hole {
            content.unit_variant().map(|()| None)
        } else if kind.is_leaf() {
            leaf(kind, content).map(Some)
        } else {
            container(kind, content).map(Some)
        }
    }
}

// Functions of their own, because without optimisation the temporaries of all would lie on the stack at every level of
// a deep tree.

fn container<'de, A: VariantAccess<'de>>(kind: Kind, content: A) -> Result<Value, A::Error> {
    match kind {
        Kind::Object | Kind::NullObject | Kind::Map => content.struct_variant(&[], Entries(kind)),
        Kind::Boxed => {
            content.newtype_variant_seed(Item).map(|inner| Value::Boxed(Box::new(inner)))
        }
        _ => content.tuple_variant(0, Items(kind)),
    }
}

fn leaf<'de, A: VariantAccess<'de>>(kind: Kind, content: A) -> Result<Value, A::Error> {
    Ok(match kind {
        Kind::String => Value::String(content.newtype_variant()?),
        Kind::Reference => Value::Reference(content.newtype_variant()?),
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

/// The properties of an object, or the entries of a Map.
struct Entries(Kind);

impl<'de> Visitor<'de> for Entries {
    type Value = Value;

    expecting!("the content of an object or a Map");

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        match self.0 {
            Kind::NullObject => properties(map).map(Value::NullObject),
            _ => entries(map),
        }
    }
}

fn properties<'de, A: MapAccess<'de>>(mut map: A) -> Result<Object, A::Error> {
    let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
    while let Some(key) = map.next_key::<JsString>()? {
        let value = map.next_value_seed(Item)?;
        entries.push((key, value));
    }
    Ok(Object::from_ordered(entries))
}

fn entries<'de, A: MapAccess<'de>>(mut map: A) -> Result<Value, A::Error> {
    let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
    while let Some(key) = map.next_key_seed(Item)? {
        let value = map.next_value_seed(Item)?;
        entries.push((without_negative_zero(key), value));
    }
    Ok(Value::Map(entries))
}

/// Maps and Sets make -0 a 0.
fn without_negative_zero(key: Value) -> Value {
    match key {
        Value::Number(number) => Value::Number(number + 0.0),
        key => key,
    }
}

/// The items of an array, the members of a Set, or the parts of another type.
struct Items(Kind);

impl<'de> Visitor<'de> for Items {
    type Value = Value;

    expecting!("the content of a value");

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Value, A::Error> {
        match self.0 {
            Kind::Set => members(seq),
            Kind::SparseArray => sparse(seq),
            Kind::View => view(seq),
            Kind::Custom => custom(seq),
            Kind::Temporal => temporal(seq),
            _ => regexp(seq),
        }
    }
}

fn items<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0));
    while let Some(item) = seq.next_element_seed(Node)? {
        match item {
            Some(item) => items.push(item),
            None => return with_holes(items, seq),
        }
    }
    Ok(Value::Array(items))
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

fn sparse<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let length = required(seq.next_element()?)?;
    let mut entries = Vec::with_capacity(seq.size_hint().unwrap_or(0));
    while let Some(index) = seq.next_element()? {
        let item = seq.next_element_seed(Item)?;
        entries.push((index, item.unwrap_or_default()));
    }
    if entries.len() == length as usize {
        return Ok(entries.into_iter().map(|(_, item)| item).collect());
    }
    Ok(Value::SparseArray(SparseArray { length, entries }))
}

fn members<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let mut members = Vec::with_capacity(seq.size_hint().unwrap_or(0));
    while let Some(member) = seq.next_element_seed(Item)? {
        members.push(without_negative_zero(member));
    }
    Ok(Value::Set(members))
}

fn regexp<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let source = required(seq.next_element()?)?;
    let flags = required(seq.next_element()?)?;
    Ok(Value::RegExp(Box::new(RegExp::from_parts(source, flags))))
}

fn temporal<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let kind: &str = required(seq.next_element()?)?;
    let kind = required(TemporalKind::from_name(kind))?;
    let text: String = required(seq.next_element()?)?;
    Ok(Value::Temporal(Box::new(Temporal::new(kind, text).map_err(A::Error::custom)?)))
}

fn custom<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let tag = required(seq.next_element()?)?;
    let value = required(seq.next_element_seed(Item)?)?;
    Ok(Value::Custom(Box::new(Custom { tag, value })))
}

fn view<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Value, A::Error> {
    let kind: &str = required(seq.next_element()?)?;
    let kind = required(ViewKind::from_name(kind))?;
    let buffer = required(seq.next_element_seed(Item)?)?;
    let range = match seq.next_element()? {
        Some(offset) => Some(ViewRange { offset, length: required(seq.next_element()?)? }),
        None => None,
    };
    Ok(Value::TypedArray(Box::new(TypedArray { kind, buffer, range })))
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
