//! How a [`Value`](crate::Value) is read through serde.
//!
//! `Value` asks for a newtype struct of its own name and gets a sequence of two: the tree, and which of its objects
//! are shared, by their number in the order of the tree. Each node of the tree asks for an enum of that name and gets
//! the [`Kind`] with what belongs to it.

use std::ops::Range;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
        value::{SeqDeserializer, U32Deserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    Frame, Item, Node,
    access::{EntryAccess, ListAccess},
    at_slot,
    key::Key,
    tagged::Tagged,
};
use crate::{
    Error, JsString, RegExp, Result,
    error::Step,
    reference::Reference,
    slot::Slot,
    text::string::RawString,
    types::typed_array::{ViewKind, ViewRange},
};

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Undefined,
    Hole,
    Null,
    False,
    True,
    Number,
    String,
    BigInt,
    Boxed,
    Date,
    RegExp,
    Url,
    UrlSearchParams,
    Object,
    NullObject,
    Array,
    SparseArray,
    Map,
    Set,
    ArrayBuffer,
    View,
    Temporal,
    Custom,
    Reference,
}

impl Kind {
    const ALL: [Kind; 24] = [
        Kind::Undefined,
        Kind::Hole,
        Kind::Null,
        Kind::False,
        Kind::True,
        Kind::Number,
        Kind::String,
        Kind::BigInt,
        Kind::Boxed,
        Kind::Date,
        Kind::RegExp,
        Kind::Url,
        Kind::UrlSearchParams,
        Kind::Object,
        Kind::NullObject,
        Kind::Array,
        Kind::SparseArray,
        Kind::Map,
        Kind::Set,
        Kind::ArrayBuffer,
        Kind::View,
        Kind::Temporal,
        Kind::Custom,
        Kind::Reference,
    ];

    pub(crate) fn from_index(index: u32) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }
}

/// Which objects were seen, so that a second reference to one is not read again.
#[derive(Default)]
pub(super) struct Sharing {
    /// For each slot, the tree that it was last seen in and its number there.
    seen: Vec<(u32, u32)>,
    tree: u32,
    objects: u32,
    /// The numbers of the objects that were seen more than once.
    shared: Vec<u32>,
}

impl Sharing {
    fn begin(&mut self, slots: usize) {
        self.seen.resize(slots, (0, 0));
        self.tree += 1;
        self.objects = 0;
        self.shared.clear();
    }

    /// The number of an object that was seen before.
    fn see(&mut self, slot: usize) -> Option<u32> {
        let seen = self.seen.get_mut(slot)?;
        if seen.0 == self.tree {
            self.shared.push(seen.1);
            return Some(seen.1);
        }
        *seen = (self.tree, self.objects);
        self.objects += 1;
        None
    }
}

pub(super) fn visit_root<'de, V: Visitor<'de>>(
    node: Node<'_, 'de>,
    visitor: V,
) -> Result<V::Value> {
    node.reader.sharing.borrow_mut().begin(node.reader.index.len());
    visitor.visit_seq(Root { node, next: 0 })
}

/// The tree, then the numbers of the shared objects.
struct Root<'r, 'de> {
    node: Node<'r, 'de>,
    next: u8,
}

impl<'de> SeqAccess<'de> for Root<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.node).map(Some),
            2 => {
                let shared = std::mem::take(&mut self.node.reader.sharing.borrow_mut().shared);
                seed.deserialize(shared.into_deserializer()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

pub(super) fn visit_node<'de, V: Visitor<'de>>(
    node: Node<'_, 'de>,
    visitor: V,
) -> Result<V::Value> {
    let content = node.content()?;
    visitor.visit_enum(NodeAccess { node, content })
}

/// What belongs to a node's kind.
enum Content<'de> {
    Plain(Kind),
    /// A number, or a date's milliseconds.
    Number(Kind, f64),
    String(RawString<'de>),
    Text(Kind, String),
    RegExp(RegExp),
    Bytes(Vec<u8>),
    Boxed(Reference),
    /// Properties, or entries of a Map.
    Entries(Kind, Range<usize>),
    /// Items of an array, or members of a Set.
    Items(Kind, Range<usize>),
    SparseArray(u32, Range<usize>),
    View(ViewKind, Reference, Option<ViewRange>),
    Temporal(&'static str, String),
    Custom(String, Reference),
    /// The number of an object that was seen before.
    Reference(u32),
}

impl Content<'_> {
    fn kind(&self) -> Kind {
        match self {
            Content::Plain(kind)
            | Content::Number(kind, _)
            | Content::Text(kind, _)
            | Content::Entries(kind, _)
            | Content::Items(kind, _) => *kind,
            Content::String(_) => Kind::String,
            Content::RegExp(_) => Kind::RegExp,
            Content::Bytes(_) => Kind::ArrayBuffer,
            Content::Boxed(_) => Kind::Boxed,
            Content::SparseArray(..) => Kind::SparseArray,
            Content::View(..) => Kind::View,
            Content::Temporal(..) => Kind::Temporal,
            Content::Custom(..) => Kind::Custom,
            Content::Reference(_) => Kind::Reference,
        }
    }
}

impl<'de> Node<'_, 'de> {
    fn content(&self) -> Result<Content<'de>> {
        let reader = self.reader;
        let slot = match self.read()? {
            None => {
                return Ok(match self.at.number() {
                    Some(number) => Content::Number(Kind::Number, number),
                    None if self.at.is_hole() => Content::Plain(Kind::Hole),
                    None => Content::Plain(Kind::Undefined),
                });
            }
            Some(slot) => slot,
        };
        let tagged = match slot {
            Slot::Null => return Ok(Content::Plain(Kind::Null)),
            Slot::Bool(false) => return Ok(Content::Plain(Kind::False)),
            Slot::Bool(true) => return Ok(Content::Plain(Kind::True)),
            Slot::Number(number) => return Ok(Content::Number(Kind::Number, number)),
            Slot::String(string) => {
                reader.spend_bytes(string.body().len())?;
                return Ok(Content::String(string));
            }
            Slot::Object(fields) => {
                return self.unless_seen(|| {
                    Ok(Content::Entries(Kind::Object, reader.collect_object(fields)?))
                });
            }
            Slot::Array(items) => {
                return self
                    .unless_seen(|| Ok(Content::Items(Kind::Array, reader.collect_items(items)?)));
            }
            Slot::SparseArray { length, items } => {
                return self.unless_seen(|| {
                    Ok(Content::SparseArray(length, reader.collect_sparse(items)?))
                });
            }
            Slot::Tagged { tag, args } => (tag, args),
        };
        let (tag, args) = tagged;
        if tag == "BigInt" && !reader.options.custom_tags.contains(&"BigInt") {
            return match self.tagged(tag, args)? {
                Tagged::BigInt(integer) => {
                    reader.spend_bytes(integer.as_str().len())?;
                    Ok(Content::Text(Kind::BigInt, integer.as_str().to_owned()))
                }
                _ => Err(Error::data("expected a BigInt")),
            };
        }
        self.unless_seen(|| self.tagged_content(self.tagged(tag, args)?))
    }

    /// Objects are read once, and named from then on.
    fn unless_seen(&self, read: impl FnOnce() -> Result<Content<'de>>) -> Result<Content<'de>> {
        let seen = match self.at.slot() {
            Some(slot) => self.reader.sharing.borrow_mut().see(slot),
            None => None,
        };
        match seen {
            Some(number) => Ok(Content::Reference(number)),
            None => read(),
        }
    }

    fn tagged_content(&self, tagged: Tagged<'de>) -> Result<Content<'de>> {
        let reader = self.reader;
        Ok(match tagged {
            Tagged::BigInt(integer) => Content::Text(Kind::BigInt, integer.to_string()),
            Tagged::Boxed(primitive) => Content::Boxed(primitive),
            Tagged::Date(date) => {
                Content::Number(Kind::Date, date.millis().map_or(f64::NAN, |millis| millis as f64))
            }
            Tagged::RegExp(regexp) => Content::RegExp(regexp),
            Tagged::Url(url) => Content::Text(Kind::Url, url.into_string()),
            Tagged::UrlSearchParams(params) => {
                Content::Text(Kind::UrlSearchParams, params.into_string())
            }
            Tagged::NullObject(args) => {
                Content::Entries(Kind::NullObject, reader.collect_null_object(args)?)
            }
            Tagged::Map(entries) => Content::Entries(Kind::Map, reader.collect_map(entries)?),
            Tagged::Set(members) => Content::Items(Kind::Set, reader.collect_set(members)?),
            Tagged::ArrayBuffer => Content::Bytes(reader.buffer_bytes(self.at)?),
            Tagged::View { kind, buffer, range } => Content::View(kind, buffer, range),
            Tagged::Temporal(temporal) => {
                Content::Temporal(temporal.kind().name(), temporal.as_str().to_owned())
            }
            Tagged::Custom(tag, value) => Content::Custom(tag.into_owned(), value),
        })
    }
}

/// A node's kind and content.
struct NodeAccess<'r, 'de> {
    node: Node<'r, 'de>,
    content: Content<'de>,
}

impl<'de> EnumAccess<'de> for NodeAccess<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let kind: U32Deserializer<Error> = (self.content.kind() as u32).into_deserializer();
        Ok((seed.deserialize(kind)?, self))
    }
}

fn unexpected() -> Error {
    Error::data("a value was asked for in another form than its own")
}

impl<'de> VariantAccess<'de> for NodeAccess<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        match self.content {
            Content::Number(_, number) => seed.deserialize(Part::Number(number)),
            Content::String(string) => seed.deserialize(Key(string)),
            Content::Text(_, text) => seed.deserialize(Part::String(text)),
            Content::Bytes(bytes) => seed.deserialize(Part::Bytes(bytes)),
            Content::Reference(number) => seed.deserialize(Part::Integer(number.into())),
            Content::Boxed(primitive) => {
                let frame = self.node.enter()?;
                seed.deserialize(self.node.inside(&frame, primitive))
                    .map_err(|error| at_slot(error, primitive))
            }
            _ => Err(unexpected()),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        let node = self.node;
        match self.content {
            Content::Items(kind, items) => {
                let length = items.len() as u64;
                return ListAccess::visit(node, items, length, kind == Kind::Set, visitor);
            }
            Content::SparseArray(length, items) => {
                let frame = node.enter()?;
                let mut access =
                    SparseAccess { node, frame: &frame, length: Some(length), items, value: None };
                return visitor.visit_seq(&mut access);
            }
            _ => {}
        }
        let frame = node.enter()?;
        let parts = match self.content {
            Content::RegExp(regexp) => {
                let (source, flags) = regexp.into_parts();
                vec![Part::of_string(source), Part::String(flags)]
            }
            Content::Temporal(kind, text) => vec![Part::Str(kind), Part::String(text)],
            Content::Custom(tag, value) => {
                vec![Part::String(tag), Part::Node(node.inside(&frame, value))]
            }
            Content::View(kind, buffer, range) => {
                let buffer = Part::Node(node.inside(&frame, buffer));
                let mut parts = vec![Part::Str(kind.name()), buffer];
                if let Some(ViewRange { offset, length }) = range {
                    parts.extend([Part::Integer(offset as u64), Part::Integer(length as u64)]);
                }
                parts
            }
            _ => return Err(unexpected()),
        };
        visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.content {
            Content::Entries(_, entries) => EntryAccess::visit(self.node, entries, visitor),
            _ => Err(unexpected()),
        }
    }
}

/// The length of a sparse array, and then indices and items in turn.
struct SparseAccess<'f, 'de> {
    node: Node<'f, 'de>,
    frame: &'f Frame<'f>,
    length: Option<u32>,
    items: Range<usize>,
    /// The item whose index was visited.
    value: Option<(u32, Reference)>,
}

impl<'de> SeqAccess<'de> for &mut SparseAccess<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if let Some(length) = self.length.take() {
            return seed.deserialize(Part::Integer(length.into())).map(Some);
        }
        if let Some((index, at)) = self.value.take() {
            return seed
                .deserialize(self.node.inside(self.frame, at))
                .map(Some)
                .map_err(|error| at_slot(error, at).under(Step::Index(index.into())));
        }
        let Some(at) = self.items.next() else { return Ok(None) };
        match self.node.reader.item(at) {
            Some(Item::Indexed(index, at)) => {
                self.value = Some((index, at));
                seed.deserialize(Part::Integer(index.into())).map(Some)
            }
            _ => Err(unexpected()),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// One part of a node's content.
enum Part<'f, 'de> {
    Node(Node<'f, 'de>),
    Str(&'static str),
    String(String),
    Units(Vec<u16>),
    Bytes(Vec<u8>),
    Number(f64),
    Integer(u64),
}

impl Part<'_, '_> {
    fn of_string(string: JsString) -> Self {
        match string.into_string() {
            Ok(string) => Part::String(string),
            Err(string) => Part::Units(string.to_utf16()),
        }
    }
}

impl<'de> Deserializer<'de> for Part<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Part::Node(node) => node.deserialize_any(visitor),
            Part::Str(text) => visitor.visit_borrowed_str(text),
            Part::String(text) => visitor.visit_string(text),
            Part::Units(units) => visitor.visit_seq(SeqDeserializer::new(units.into_iter())),
            Part::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Part::Number(number) => visitor.visit_f64(number),
            Part::Integer(integer) => visitor.visit_u64(integer),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self {
            Part::Node(node) => node
                .deserialize_enum(name, variants, visitor)
                .map_err(|error| at_slot(error, node.at)),
            _ => Err(unexpected()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Part<'_, 'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
