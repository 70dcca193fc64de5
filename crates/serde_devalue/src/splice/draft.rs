//! The text of one slot of the new text.

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    reference::Reference,
    token::Place,
};

/// A stretch of a slot's text that a reference will replace.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) target: Target,
}

/// What the reference will refer to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A slot of a source.
    Slot { source: usize, slot: u32 },
    /// A primitive that has its text, but perhaps no slot yet.
    Primitive(usize),
    /// An object that no source has.
    Object(usize),
    /// A slot of the new text, or a sentinel.
    Done(Reference),
}

impl Target {
    /// What a reference of a source refers to.
    pub(super) fn copied(source: usize, reference: Reference) -> Self {
        match u32::try_from(reference.as_i32()) {
            Ok(slot) => Target::Slot { source, slot },
            Err(_) => Target::Done(reference),
        }
    }

    /// Whether the source has this number where the reference will stand.
    pub(super) fn is_written_as(self, reference: Reference) -> bool {
        matches!(self, Target::Slot { slot, .. } if reference.slot() == Some(slot as usize))
    }
}

impl Gap {
    /// A gap in a text that was made with room for the reference.
    pub(super) fn empty(at: usize, target: Target) -> Result<Self> {
        Self::new(at, at, target)
    }

    pub(super) fn new(start: usize, end: usize, target: Target) -> Result<Self> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Gap { start, end, target }),
            _ => Err(Error::limit("texts of 4 GiB and more are not supported")),
        }
    }
}

/// The text of a container, as JavaScript writes it: borrowed from the source for as long as that is how it is there.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    source: &'s [u8],
    /// Where the source's text is, in the whole text.
    offset: usize,
    /// How much of the source's text is as it should be.
    same: usize,
    /// From the first difference on.
    owned: Option<Vec<u8>>,
    /// Whether the next item is the first.
    first: bool,
}

impl<'s> Draft<'s> {
    /// The draft of a slot that begins at an offset of its text, with its opening bracket.
    pub(super) fn new(source: &'s [u8], offset: usize) -> Self {
        Draft { source, offset, same: 1, owned: None, first: true }
    }

    /// The separator between items.
    pub(super) fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.punctuation(b',');
        }
    }

    /// One byte of punctuation.
    pub(super) fn punctuation(&mut self, byte: u8) {
        match &mut self.owned {
            None if self.source.get(self.same) == Some(&byte) => self.same += 1,
            _ => self.owned().push(byte),
        }
    }

    /// A token in JavaScript's form; borrowed, it is as it stands in the text at an offset.
    pub(super) fn token(&mut self, text: Cow<'s, [u8]>, offset: usize) {
        let rest = self.source.get(self.same..).unwrap_or_default();
        let is_same = offset == self.offset + self.same
            && (matches!(text, Cow::Borrowed(_)) || rest.starts_with(&text));
        match &mut self.owned {
            None if is_same => self.same += text.len(),
            _ => self.owned().extend_from_slice(&text),
        }
    }

    /// The gap in place of a token of the source.
    pub(super) fn gap(&mut self, place: Place, target: Target) -> Result<Gap> {
        if self.owned.is_none() && place.start == self.offset + self.same {
            let start = self.same;
            self.same += place.end - place.start;
            return Gap::new(start, self.same, target);
        }
        Gap::empty(self.owned().len(), target)
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> Cow<'s, [u8]> {
        if self.owned.is_none() && self.same == self.source.len() {
            Cow::Borrowed(self.source)
        } else {
            self.owned();
            Cow::Owned(self.owned.unwrap_or_default())
        }
    }

    fn owned(&mut self) -> &mut Vec<u8> {
        let same = self.source.get(..self.same).unwrap_or_default();
        self.owned.get_or_insert_with(|| same.to_vec())
    }
}
