//! What a slot holds, in the form in which both typed values and [`Value`](crate::Value)s are read from it.

use std::{ops::Range, rc::Rc};

use super::{
    Node,
    budget::{ENTRIES, VALUE},
    canonical::Leaf,
    shape::Shape,
    tagged::Tagged,
};
use crate::{
    BigInt, Date, RegExp, Result, Temporal, Url, UrlSearchParams,
    reference::Reference,
    slot::Slot,
    text::string::RawString,
    types::typed_array::{ViewKind, ViewRange},
};

/// What a node is, with the items of containers on the reader's stack.
#[repr(u64)] // As `Leaf`.
pub(super) enum Content<'de> {
    Undefined,
    Hole,
    Null,
    Bool(bool),
    Number(f64),
    /// A string without escapes.
    Plain(&'de str),
    String(RawString<'de>),
    BigInt(BigInt),
    Boxed(Reference),
    /// With the text that it was read from, if it is the one that it is written as.
    Date(Date, Option<&'de str>),
    RegExp(Box<RegExp>),
    Url(Url),
    UrlSearchParams(UrlSearchParams),
    /// Keys and values.
    Object(Rc<Shape<'de>>, Range<usize>),
    /// Keys and values of an object without a prototype.
    NullObject(Rc<Shape<'de>>, Range<usize>),
    Array(Range<usize>),
    SparseArray(u32, Range<usize>),
    /// Keys and values in turn.
    Map(Range<usize>),
    Set(Range<usize>),
    Bytes(Vec<u8>),
    View(ViewKind, Reference, Option<Box<ViewRange>>),
    Temporal(Box<Temporal>),
    Custom(String, Reference),
}

impl Content<'_> {
    /// Whether it has no identity in JavaScript.
    pub(super) fn is_primitive(&self) -> bool {
        matches!(
            self,
            Content::Undefined
                | Content::Hole
                | Content::Null
                | Content::Bool(_)
                | Content::Number(_)
                | Content::Plain(_)
                | Content::String(_)
                | Content::BigInt(_)
        )
    }

    /// What it takes of memory, beyond what its text has cost when it was looked at.
    pub(super) fn cost(&self) -> usize {
        match self {
            Content::Object(shape, _) | Content::NullObject(shape, _) => shape.cost,
            Content::Array(items) | Content::Set(items) | Content::SparseArray(_, items) => {
                items.len() * VALUE
            }
            Content::Map(entries) if entries.is_empty() => 0,
            Content::Map(entries) => ENTRIES + entries.len() * VALUE,
            Content::BigInt(integer) => integer.as_str().len(),
            Content::Url(url) => url.as_str().len(),
            Content::UrlSearchParams(params) => params.as_str().len(),
            Content::RegExp(regexp) => regexp.size(),
            // The others are no larger than their texts.
            _ => 0,
        }
    }

    /// Whether the slot was read to its end.
    fn is_whole_slot(&self) -> bool {
        match self {
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::Plain(_)
            | Content::String(_)
            | Content::Object(..)
            | Content::NullObject(..)
            | Content::Array(_)
            | Content::SparseArray(..)
            | Content::Map(_)
            | Content::Set(_) => true,
            // There may be more behind the arguments that are known.
            _ => false,
        }
    }
}

impl<'de> From<Leaf<'de>> for Content<'de> {
    fn from(leaf: Leaf<'de>) -> Self {
        match leaf {
            Leaf::Null => Content::Null,
            Leaf::Bool(bool) => Content::Bool(bool),
            Leaf::Number(number) => Content::Number(number),
            Leaf::String(string) => Content::Plain(string),
        }
    }
}

impl<'de> Node<'_, 'de> {
    /// Reads the slot; its containers' items go on the stack.
    pub(super) fn content(&self) -> Result<Content<'de>> {
        self.content_unless(true)
    }

    /// The same of what is no primitive in the canonical form.
    pub(super) fn content_beyond_leaf(&self) -> Result<Content<'de>> {
        self.content_unless(false)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn content_unless(&self, may_be_leaf: bool) -> Result<Content<'de>> {
        // Once all is spent, nothing is looked at any more.
        self.reader.spend(1)?;
        if let Some(content) = self.canonical()? {
            return Ok(content);
        }
        if may_be_leaf && let Some(leaf) = self.leaf()? {
            return Ok(leaf.into());
        }
        let content = self.other_content()?;
        self.reader.spend(content.cost())?;
        Ok(content)
    }

    /// The same, if the slot has not the canonical form, or there is none.
    fn other_content(&self) -> Result<Content<'de>> {
        let Some(slot) = self.at.slot() else {
            return Ok(match self.at.number() {
                Some(number) => Content::Number(number),
                None if self.at.is_hole() => Content::Hole,
                None => Content::Undefined,
            });
        };
        let content = self.read_content(self.reader.slot(slot)?)?;
        if content.is_whole_slot() {
            self.reader.mark_read(slot);
        }
        Ok(content)
    }

    fn read_content(&self, slot: Slot<'de>) -> Result<Content<'de>> {
        let reader = self.reader;
        Ok(match slot {
            Slot::Null => Content::Null,
            Slot::Bool(bool) => Content::Bool(bool),
            Slot::Number(number) => Content::Number(number),
            Slot::String(string) => Content::String(string),
            Slot::Object(fields) => {
                let (shape, values) = reader.collect_object(fields)?;
                Content::Object(shape, values)
            }
            Slot::Array(items) => Content::Array(reader.collect_items(items)?),
            Slot::SparseArray { length, items } => {
                Content::SparseArray(length, reader.collect_sparse(items)?)
            }
            Slot::Tagged { tag, args } => self.tagged_content(self.tagged(tag, args)?)?,
        })
    }

    fn tagged_content(&self, tagged: Tagged<'de>) -> Result<Content<'de>> {
        let reader = self.reader;
        Ok(match tagged {
            Tagged::BigInt(integer) => Content::BigInt(integer),
            Tagged::Boxed(primitive) => Content::Boxed(primitive),
            Tagged::Date(date) => Content::Date(date, None),
            Tagged::RegExp(regexp) => Content::RegExp(Box::new(regexp)),
            Tagged::Url(url) => Content::Url(url),
            Tagged::UrlSearchParams(params) => Content::UrlSearchParams(params),
            Tagged::NullObject(args) => {
                let (shape, values) = reader.collect_null_object(args)?;
                Content::NullObject(shape, values)
            }
            Tagged::Map(entries) => Content::Map(reader.collect_map(entries)?),
            Tagged::Set(members) => Content::Set(reader.collect_set(members)?),
            Tagged::ArrayBuffer => Content::Bytes(reader.buffer_bytes(self.at)?),
            Tagged::View { kind, buffer, range } => {
                Content::View(kind, buffer, range.map(Box::new))
            }
            Tagged::Temporal(temporal) => Content::Temporal(Box::new(temporal)),
            Tagged::Custom(tag, value) => Content::Custom(tag.into_owned(), value),
        })
    }
}
