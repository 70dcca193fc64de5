//! What a slot holds.

use std::{borrow::Cow, iter::FusedIterator};

use crate::{
    error::Result,
    reference::Reference,
    text::{number, string::RawString},
    token::{Cursor, Members, Scalar, Token, Tokens},
};

/// A slot's shape, with its content still to be read.
#[derive(Clone, Debug)]
pub(crate) enum Slot<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(RawString<'a>),
    Object(Fields<'a>),
    Array(Items<'a>),
    SparseArray {
        length: u32,
        items: SparseItems<'a>,
    },
    /// `["Tag",…]`: the arguments are references or literals, by the tag.
    Tagged {
        tag: Cow<'a, str>,
        args: Tokens<'a>,
    },
}

impl<'a> Slot<'a> {
    /// Reads the shape of the slot that begins at the cursor.
    pub(crate) fn read(mut cursor: Cursor<'a>) -> Result<Self> {
        match cursor.peek() {
            Some(b'{') => Ok(Slot::Object(Fields(Members::new(cursor)))),
            Some(b'[') => Self::read_list(Tokens::new(cursor)),
            _ => {
                let token = cursor.scalar()?;
                cursor.finish()?;
                Ok(match token.scalar {
                    Scalar::Null => Slot::Null,
                    Scalar::Bool(value) => Slot::Bool(value),
                    Scalar::Number(text) => Slot::Number(number::parse(text)),
                    Scalar::String(string) => Slot::String(string),
                })
            }
        }
    }

    /// The first token tells what a list is.
    fn read_list(tokens: Tokens<'a>) -> Result<Self> {
        let mut rest = tokens.clone();
        match rest.next().transpose()?.map(|token| token.scalar) {
            Some(Scalar::String(tag)) => Ok(Slot::Tagged { tag: tag.to_str()?, args: rest }),
            Some(scalar) if is_sparse(scalar) => {
                let length = match rest.next().transpose()? {
                    Some(token) => array_index(&rest, token, 1 << 32)?,
                    None => return Err(rest.missing("a sparse array has a length")),
                };
                Ok(Slot::SparseArray { length, items: SparseItems { tokens: rest, length } })
            }
            _ => Ok(Slot::Array(Items(tokens))),
        }
    }
}

/// Whether a slot that begins with this is a sparse array.
pub(crate) fn is_sparse(first: Scalar<'_>) -> bool {
    matches!(first, Scalar::Number(text) if text.starts_with(b"-") && number::parse(text) == -7.0)
}

/// A token that is an integer from 0 to below `limit`.
pub(crate) fn array_index<'a>(tokens: &Tokens<'a>, token: Token<'a>, limit: u64) -> Result<u32> {
    if let Scalar::Number(text) = token.scalar {
        let number = number::parse(text);
        let index = number as u32;
        if f64::from(index) == number && u64::from(index) < limit {
            return Ok(index);
        }
    }
    Err(tokens.invalid("expected a length, or an index below the length", token))
}

/// The items of an array, holes among them. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a>(Tokens<'a>);

impl Iterator for Items<'_> {
    type Item = Result<Reference>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next_item()?.map(|place| place.reference))
    }
}

/// The indices and items of a sparse array, in the order of the text. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct SparseItems<'a> {
    tokens: Tokens<'a>,
    length: u32,
}

impl Iterator for SparseItems<'_> {
    type Item = Result<(u32, Reference)>;

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.tokens.next()?;
        Some(token.and_then(|token| {
            let index = array_index(&self.tokens, token, self.length.into())?;
            match self.tokens.next_reference() {
                Some(item) => Ok((index, item?)),
                None => Err(self.tokens.missing("the last index of a sparse array has no item")),
            }
        }))
    }
}

/// The keys of an object and what they refer to, in the order of the text. Ends after the first error.
///
/// Made by [`Flat::object`](crate::Flat::object). A key that the text has twice comes twice; JavaScript keeps the last.
#[derive(Clone, Debug)]
pub struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    /// The next field with its key as it is written, which may hold unpaired surrogates.
    pub(crate) fn next_raw(&mut self) -> Option<Result<(RawString<'a>, Reference)>> {
        Some(self.0.next_field()?.map(|(key, place)| (key, place.reference)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(Cow<'a, str>, Reference)>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next_field()?;
        Some(field.and_then(|(key, place)| Ok((key.to_str()?, place.reference))))
    }
}

impl FusedIterator for Fields<'_> {}

/// The keys and values of a Map, in its order. Ends after the first error.
///
/// Made by [`Flat::map`](crate::Flat::map).
#[derive(Clone, Debug)]
pub struct MapEntries<'a>(pub(crate) Tokens<'a>);

impl Iterator for MapEntries<'_> {
    type Item = Result<(Reference, Reference)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.0.next_canonical_pair() {
            return Some(Ok(entry));
        }
        let key = self.0.next_reference()?;
        Some(key.and_then(|key| match self.0.next_reference() {
            Some(value) => Ok((key, value?)),
            None => Err(self.0.missing("the last key of the Map has no value")),
        }))
    }
}

impl FusedIterator for MapEntries<'_> {}
