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
                let content = self.container(slot);
                if content.is_none() {
                    self.gaps.truncate(before);
                }
                return content;
            }
        };
        is_primitive.then_some(Content::Primitive(Cow::Borrowed(slot)))
    }

    fn container(&mut self, slot: &'s [u8]) -> Option<Content<'s>> {
        match slot {
            b"{}" | b"[]" => {}
            [b'{', ..] => self.fields(slot)?,
            [b'[', b'"', ..] => return self.tagged(slot),
            [b'[', ..] => self.items(slot)?,
            _ => return None,
        }
        Some(Content::Container(Cow::Borrowed(slot)))
    }

    fn fields(&mut self, slot: &[u8]) -> Option<()> {
        let mut at = 1;
        loop {
            let close = string::skip_plain(slot, at + 1);
            let key = slot.get(at..=close)?;
            if !string::is_canonical_token(key) || key == b"\"__proto__\"" {
                return None;
            }
            if slot.get(close + 1) != Some(&b':') {
                return None;
            }
            let (reference, end) = self.reference(slot, close + 2)?;
            if reference.is_hole() {
                return None;
            }
            match slot.get(end..)? {
                [b',', _, ..] => at = end + 1,
                b"}" => return Some(()),
                _ => return None,
            }
        }
    }

    fn items(&mut self, slot: &[u8]) -> Option<()> {
        let mut at = 1;
        loop {
            (_, at) = self.reference(slot, at)?;
            match slot.get(at..)? {
                [b',', _, ..] => at += 1,
                b"]" => return Some(()),
                _ => return None,
            }
        }
    }

    fn tagged(&mut self, slot: &'s [u8]) -> Option<Content<'s>> {
        let text = Cow::Borrowed(slot);
        let argument = |tag: &[u8]| slot.strip_prefix(tag)?.strip_suffix(b"]");
        if argument(b"[\"Date\",").is_some_and(string::is_canonical_token) {
            Some(Content::Container(text))
        } else if argument(b"[\"BigInt\",").is_some_and(string::is_canonical_token) {
            Some(Content::Primitive(text))
        } else if slot.starts_with(b"[\"Map\"") {
            self.collection(slot, 2)?;
            Some(Content::Container(text))
        } else if slot.starts_with(b"[\"Set\"") {
            self.collection(slot, 1)?;
            Some(Content::Container(text))
        } else {
            None
        }
    }

    /// The references of a Map or a Set, whose entries have so many.
    fn collection(&mut self, slot: &[u8], width: usize) -> Option<()> {
        let mut at = b"[\"Map\"".len();
        let mut count = 0;
        loop {
            match slot.get(at..)? {
                [b',', _, ..] => {}
                b"]" if count % width == 0 => return Some(()),
                _ => return None,
            }
            let reference;
            (reference, at) = self.reference(slot, at + 1)?;
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
                matches!(text.get(start), None | Some(b'-' | b' ' | b'\t' | b'\n' | b'\r'))
            }
            None => reference == Reference::NEGATIVE_ZERO,
        }
    }

    /// The reference that begins at an offset of the slot, with its gap, and where it ends.
    fn reference(&mut self, slot: &[u8], start: usize) -> Option<(Reference, usize)> {
        let mut end = start;
        let mut number = 0;
        while let Some(digit @ b'0'..=b'9') = slot.get(end) {
            number = number * 10 + usize::from(digit - b'0');
            end += 1;
            if number >= self.flat.len() {
                return None;
            }
        }
        let reference = match slot.get(start)? {
            b'0' if end > start + 1 => return None,
            b'-' => {
                let digit = slot.get(start + 1).filter(|byte| byte.is_ascii_digit())?;
                end = start + 2;
                Reference::from_sentinel(-i64::from(digit - b'0'))?
            }
            _ if end == start => return None,
            _ => Reference::to_slot(number)?,
        };
        let gap = Gap::new(start, end, Target::copied(self.source, reference)).ok()?;
        self.gaps.push(gap);
        Some((reference, end))
    }
}
