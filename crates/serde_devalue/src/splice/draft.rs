//! The text of one slot of the new text.

use std::borrow::Cow;

use super::gap::{Gap, Target};
use crate::{error::Result, token::Place};

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
        let end = self.owned().len();
        Gap::new(end, end, target)
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
