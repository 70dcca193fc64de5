//! What a slot holds, in the form in which both typed values and [`Value`](crate::Value)s are read from it.

use std::ops::Range;

use super::{Node, tagged::Tagged};
use crate::{
    Error, RegExp, Result,
    reference::Reference,
    slot::Slot,
    text::string::RawString,
    types::{
        temporal::TemporalKind,
        typed_array::{ViewKind, ViewRange},
    },
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

    /// Whether no other node can be inside.
    pub(crate) fn is_leaf(self) -> bool {
        matches!(
            self,
            Kind::Undefined
                | Kind::Hole
                | Kind::Null
                | Kind::False
                | Kind::True
                | Kind::Number
                | Kind::String
                | Kind::BigInt
                | Kind::Date
                | Kind::Url
                | Kind::UrlSearchParams
                | Kind::ArrayBuffer
                | Kind::Reference
        )
    }

    pub(crate) fn from_index(index: u32) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }
}

/// What belongs to a node's kind.
pub(super) enum Content<'de> {
    Plain(Kind),
    /// A number, or a date's milliseconds.
    Number(Kind, f64),
    String(RawString<'de>),
    Text(Kind, String),
    RegExp(Box<RegExp>),
    Bytes(Vec<u8>),
    Boxed(Reference),
    /// Properties, or entries of a Map.
    Entries(Kind, Range<usize>),
    /// Items of an array, or members of a Set.
    Items(Kind, Range<usize>),
    SparseArray(u32, Range<usize>),
    View(ViewKind, Reference, Option<Box<ViewRange>>),
    Temporal(TemporalKind, String),
    Custom(String, Reference),
    /// The number of an object that was seen before.
    Reference(u32),
}

impl Content<'_> {
    /// Whether the slot was read to its end.
    fn is_whole_slot(&self) -> bool {
        match self {
            Content::Plain(_)
            | Content::Number(Kind::Number, _)
            | Content::String(_)
            | Content::Entries(..)
            | Content::Items(..)
            | Content::SparseArray(..) => true,
            // There may be more behind the arguments that are known.
            _ => false,
        }
    }

    pub(super) fn kind(&self) -> Kind {
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
    /// Reads the slot; its containers' items go on the stack.
    ///
    /// In a tree an object is read once, and named from then on.
    pub(super) fn content(&self, in_tree: bool) -> Result<Content<'de>> {
        if let Some(slot) = self.at.slot()
            && let Some(content) = self.canonical(slot, in_tree)
        {
            match &content {
                Content::Reference(_) => {}
                Content::String(string) => {
                    self.reader.spend_bytes(string.body().len())?;
                    self.reader.mark_read(slot);
                }
                _ => self.reader.mark_read(slot),
            }
            return Ok(content);
        }
        let content = self.read_content(in_tree)?;
        if let Some(slot) = self.at.slot()
            && content.is_whole_slot()
        {
            self.reader.mark_read(slot);
        }
        Ok(content)
    }

    fn read_content(&self, in_tree: bool) -> Result<Content<'de>> {
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
                return self.unless_seen(in_tree, || {
                    Ok(Content::Entries(Kind::Object, reader.collect_object(fields)?))
                });
            }
            Slot::Array(items) => {
                return self.unless_seen(in_tree, || {
                    Ok(Content::Items(Kind::Array, reader.collect_items(items)?))
                });
            }
            Slot::SparseArray { length, items } => {
                return self.unless_seen(in_tree, || {
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
        self.unless_seen(in_tree, || self.tagged_content(self.tagged(tag, args)?))
    }

    /// Objects are read once, and named from then on.
    fn unless_seen(
        &self,
        in_tree: bool,
        read: impl FnOnce() -> Result<Content<'de>>,
    ) -> Result<Content<'de>> {
        let seen = match self.at.slot() {
            Some(slot) if in_tree => self.reader.sharing.borrow_mut().see(slot),
            _ => None,
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
            Tagged::RegExp(regexp) => Content::RegExp(Box::new(regexp)),
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
            Tagged::View { kind, buffer, range } => {
                Content::View(kind, buffer, range.map(Box::new))
            }
            Tagged::Temporal(temporal) => {
                Content::Temporal(temporal.kind(), temporal.as_str().to_owned())
            }
            Tagged::Custom(tag, value) => Content::Custom(tag.into_owned(), value),
        })
    }
}
