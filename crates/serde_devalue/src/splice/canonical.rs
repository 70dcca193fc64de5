//! Slots in the form in which devalue writes them, copied as they are.
//!
//! Nearly all slots are of this form: no whitespace, no escapes, references in their shortest form. Whatever differs in
//! the least is left to the careful reader, which also knows what is wrong with it.

use std::borrow::Cow;

use super::{
    content::{Content, Reader},
    draft::{Gap, Target},
};
use crate::{
    index::is_whitespace,
    reference::Reference,
    text::{number, string},
};

impl<'s> Reader<'_, 's> {
    /// Reads one slot, if it has the canonical form.
    pub(super) fn read_canonical(&mut self, slot: usize) -> Option<Content<'s>> {
        let (text, index) = self.flat.parts();
        let (start, end) = index.bounds(slot)?;
        let slot = text.get(start..end)?;
        let is_primitive = match slot.first()? {
            b'"' => string::is_canonical_token(slot),
            b'-' | b'0'..=b'9' => number::is_canonical_token(slot),
            b't' => slot == b"true",
            b'f' => slot == b"false",
            b'n' => slot == b"null",
            _ => {
                let before = self.gaps.len();
                let content = self.container(slot, &text[start..]);
                if content.is_none() {
                    self.gaps.truncate(before);
                }
                return content;
            }
        };
        is_primitive.then_some(Content::Primitive(Cow::Borrowed(slot)))
    }

    /// `text` begins with the slot: with more behind it, references are read a word at a time.
    fn container(&mut self, slot: &'s [u8], text: &[u8]) -> Option<Content<'s>> {
        let end = match slot {
            b"{}" | b"[]" => slot.len(),
            [b'{', ..] => self.fields(text)?,
            [b'[', b'"', b'M', b'a', b'p', b'"', ..] => self.collection(text, 2)?,
            [b'[', b'"', b'S', b'e', b't', b'"', ..] => self.collection(text, 1)?,
            [b'[', b'"', ..] => return literal(slot),
            [b'[', ..] => self.items(text)?,
            _ => return None,
        };
        (end == slot.len()).then_some(Content::Container(Cow::Borrowed(slot)))
    }

    /// Where the object ends.
    fn fields(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 1;
        loop {
            let close = string::skip_plain(text, at + 1);
            let key = text.get(at..=close)?;
            if !string::is_canonical_token(key)
                || key == b"\"__proto__\""
                || text.get(close + 1) != Some(&b':')
            {
                return None;
            }
            let reference;
            (reference, at) = self.reference(text, close + 2)?;
            if reference.is_hole() {
                return None;
            }
            at += 1;
            match text.get(at - 1)? {
                b',' => {}
                b'}' => return Some(at),
                _ => return None,
            }
        }
    }

    /// Where the array ends.
    fn items(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 1;
        loop {
            (_, at) = self.reference(text, at)?;
            at += 1;
            match text.get(at - 1)? {
                b',' => {}
                b']' => return Some(at),
                _ => return None,
            }
        }
    }

    /// Where the Map or the Set ends, whose entries have so many references.
    fn collection(&mut self, text: &[u8], width: usize) -> Option<usize> {
        let mut at = b"[\"Map\"".len();
        let mut count = 0;
        loop {
            at += 1;
            match text.get(at - 1)? {
                b',' => {}
                b']' if count % width == 0 => return Some(at),
                _ => return None,
            }
            let reference;
            (reference, at) = self.reference(text, at)?;
            let is_key = count % width == 0;
            if reference.is_hole() || is_key && self.may_be_negative_zero(reference) {
                return None;
            }
            count += 1;
        }
    }

    fn may_be_negative_zero(&self, reference: Reference) -> bool {
        let (text, index) = self.flat.parts();
        match reference.slot().and_then(|slot| index.bounds(slot)) {
            Some((start, _)) => {
                text.get(start).is_none_or(|byte| *byte == b'-' || is_whitespace(byte))
            }
            None => reference == Reference::NEGATIVE_ZERO,
        }
    }

    /// The reference that begins at an offset, with its gap, and where it ends.
    fn reference(&mut self, text: &[u8], start: usize) -> Option<(Reference, usize)> {
        let (reference, rest) = Reference::read_canonical(text.get(start..)?, self.flat.len())?;
        let end = text.len() - rest.len();
        self.gaps.push(Gap::new(start, end, Target::copied(self.source, reference)).ok()?);
        Some((reference, end))
    }
}

/// A slot that holds a literal behind its tag.
fn literal(slot: &[u8]) -> Option<Content<'_>> {
    let text = Cow::Borrowed(slot);
    let argument = |tag: &[u8]| slot.strip_prefix(tag)?.strip_suffix(b"]");
    if argument(b"[\"Date\",").is_some_and(string::is_canonical_token) {
        Some(Content::Container(text))
    } else if argument(b"[\"BigInt\",").is_some_and(string::is_canonical_token) {
        Some(Content::Primitive(text))
    } else {
        None
    }
}
