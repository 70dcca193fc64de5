//! How a [`Value`](crate::Value) is read through serde.
//!
//! `Value` asks for a newtype struct of its own name and gets a sequence of two: the tree, and which of its objects
//! are shared, by their number in the order of the tree. Each node of the tree asks for an enum of that name and gets
//! what serde has a word for as that: a number as `f64`, undefined as `None`. All else is an enum of the [`Kind`] with
//! what belongs to it.

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
    content::{Content, Kind},
    key::Key,
};
use crate::{
    Error, JsString, Result, error::Step, reference::Reference, types::typed_array::ViewRange,
};

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
    pub(super) fn seen_before(&mut self, slot: usize) -> Option<u32> {
        match self.seen.get(slot) {
            Some(&(tree, number)) if tree == self.tree => {
                self.shared.push(number);
                Some(number)
            }
            _ => None,
        }
    }

    /// Gives an object its number, or the number of an object that was seen before.
    pub(super) fn see(&mut self, slot: usize) -> Option<u32> {
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
    match node.content(true)? {
        Content::Plain(Kind::Undefined) => visitor.visit_none(),
        Content::Plain(Kind::Null) => visitor.visit_unit(),
        Content::Plain(Kind::False) => visitor.visit_bool(false),
        Content::Plain(Kind::True) => visitor.visit_bool(true),
        Content::Number(Kind::Number, number) => visitor.visit_f64(number),
        Content::String(string) => match string.plain() {
            Some(plain) => visitor.visit_borrowed_str(plain),
            None => visitor.visit_enum(NodeAccess { node, content: Content::String(string) }),
        },
        Content::Items(Kind::Array, items) => ListAccess::visit_all(node, items, false, visitor),
        Content::Entries(Kind::Object, entries) => EntryAccess::visit(node, entries, visitor),
        content => visitor.visit_enum(NodeAccess { node, content }),
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
        match self.content {
            Content::Items(kind, items) => {
                ListAccess::visit_all(self.node, items, kind == Kind::Set, visitor)
            }
            Content::SparseArray(length, items) => {
                SparseAccess::visit(self.node, length, items, visitor)
            }
            content => visit_parts(self.node, content, visitor),
        }
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

/// Types that are a tuple of parts.
fn visit_parts<'de, V: Visitor<'de>>(
    node: Node<'_, 'de>,
    content: Content<'de>,
    visitor: V,
) -> Result<V::Value> {
    let frame = node.enter()?;
    let parts = match content {
        Content::RegExp(regexp) => {
            let (source, flags) = regexp.into_parts();
            vec![Part::of_string(source), Part::String(flags)]
        }
        Content::Temporal(kind, text) => vec![Part::Str(kind.name()), Part::String(text)],
        Content::Custom(tag, value) => {
            vec![Part::String(tag), Part::Node(node.inside(&frame, value))]
        }
        Content::View(kind, buffer, range) => {
            let buffer = Part::Node(node.inside(&frame, buffer));
            let mut parts = vec![Part::Str(kind.name()), buffer];
            if let Some(ViewRange { offset, length }) = range.as_deref().copied() {
                parts.extend([Part::Integer(offset as u64), Part::Integer(length as u64)]);
            }
            parts
        }
        _ => return Err(unexpected()),
    };
    visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
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

impl<'f, 'de> SparseAccess<'f, 'de> {
    fn visit<V: Visitor<'de>>(
        node: Node<'f, 'de>,
        length: u32,
        items: Range<usize>,
        visitor: V,
    ) -> Result<V::Value> {
        let frame = node.enter()?;
        let length = Some(length);
        let mut access =
            SparseAccess { node, frame: &frame, length, items: items.clone(), value: None };
        let value = visitor.visit_seq(&mut access)?;
        node.reader.release(items);
        Ok(value)
    }
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
