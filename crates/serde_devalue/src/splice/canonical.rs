//! Slots in the form in which devalue writes them, copied as they are.
//!
//! Nearly all slots are of this form: no whitespace, no escapes, references in their shortest form. Whatever differs in
//! the least is left to the careful reader, which also knows what is wrong with it.

use super::{
    Numbered,
    gap::{Gap, Target},
};
use crate::{
    index::is_whitespace,
    reference::Reference,
    text::{number, string},
};

/// What a slot of the canonical form is.
pub(super) enum Kind {
    /// A slot that is shared by value.
    Primitive,
    /// A slot with the gaps that were added.
    Container,
}

/// Reads the slot that stands between two offsets of its text, if it has the canonical form.
#[inline]
pub(super) fn read(
    source: &Numbered<'_>,
    (start, end): (usize, usize),
    gaps: &mut Vec<Gap>,
) -> Option<Kind> {
    let (text, _) = source.flat.parts();
    let slot = text.get(start..end)?;
    let is_primitive = match slot.first()? {
        b'"' => string::skip_canonical(text, start + 1) + 1 == end,
        b'-' | b'0'..=b'9' => number::is_canonical_token(slot),
        b't' => slot == b"true",
        b'f' => slot == b"false",
        b'n' => slot == b"null",
        _ => {
            let before = gaps.len();
            // With more behind it, references are read a word at a time.
            let kind = Reader { source, text: &text[start..], gaps }.container(slot);
            if kind.is_none() {
                gaps.truncate(before);
            }
            return kind;
        }
    };
    is_primitive.then_some(Kind::Primitive)
}

struct Reader<'r, 's> {
    source: &'r Numbered<'s>,
    /// Begins with the slot.
    text: &'s [u8],
    gaps: &'r mut Vec<Gap>,
}

impl Reader<'_, '_> {
    fn container(&mut self, slot: &[u8]) -> Option<Kind> {
        let end = match slot {
            b"{}" | b"[]" => slot.len(),
            [b'{', ..] => self.fields()?,
            [b'[', b'"', b'M', b'a', b'p', b'"', ..] => self.collection(2)?,
            [b'[', b'"', b'S', b'e', b't', b'"', ..] => self.collection(1)?,
            [b'[', b'"', ..] => return literal(slot),
            [b'[', ..] => self.items()?,
            _ => return None,
        };
        (end == slot.len()).then_some(Kind::Container)
    }

    /// Where the object ends.
    fn fields(&mut self) -> Option<usize> {
        let mut at = 1;
        loop {
            if self.text.get(at) != Some(&b'"') {
                return None;
            }
            let close = string::skip_canonical(self.text, at + 1);
            let Some([b'"', b':']) = self.text.get(close..close + 2) else { return None };
            if &self.text[at..close] == b"\"__proto__" {
                return None;
            }
            let reference;
            (reference, at) = self.reference(close + 2)?;
            if reference.is_hole() {
                return None;
            }
            at += 1;
            match self.text.get(at - 1)? {
                b',' => {}
                b'}' => return Some(at),
                _ => return None,
            }
        }
    }

    /// Where the array ends.
    fn items(&mut self) -> Option<usize> {
        let mut at = 1;
        loop {
            (_, at) = self.reference(at)?;
            at += 1;
            match self.text.get(at - 1)? {
                b',' => {}
                b']' => return Some(at),
                _ => return None,
            }
        }
    }

    /// Where the Map or the Set ends, whose entries have so many references.
    fn collection(&mut self, width: usize) -> Option<usize> {
        let mut at = b"[\"Map\"".len();
        let mut count = 0;
        loop {
            at += 1;
            match self.text.get(at - 1)? {
                b',' => {}
                b']' if count % width == 0 => return Some(at),
                _ => return None,
            }
            let reference;
            (reference, at) = self.reference(at)?;
            let is_key = count % width == 0;
            if reference.is_hole() || is_key && self.may_be_negative_zero(reference) {
                return None;
            }
            count += 1;
        }
    }

    fn may_be_negative_zero(&self, reference: Reference) -> bool {
        let (text, index) = self.source.flat.parts();
        match reference.slot().and_then(|slot| index.bounds(slot)) {
            Some((start, _)) => {
                text.get(start).is_none_or(|byte| *byte == b'-' || is_whitespace(byte))
            }
            None => reference == Reference::NEGATIVE_ZERO,
        }
    }

    /// The reference that begins at an offset, with its gap, and where it ends.
    #[inline(always)]
    fn reference(&mut self, start: usize) -> Option<(Reference, usize)> {
        let rest = self.text.get(start..)?;
        let (reference, rest) = Reference::read_canonical(rest, self.source.flat.len())?;
        let end = self.text.len() - rest.len();
        let target = Target::copied(self.source.first, reference);
        // An index has offsets of 32 bits.
        self.gaps.push(Gap { start: start as u32, end: end as u32, target });
        Some((reference, end))
    }
}

/// A slot that holds a literal behind its tag.
fn literal(slot: &[u8]) -> Option<Kind> {
    let argument = |tag: &[u8]| slot.strip_prefix(tag)?.strip_suffix(b"]");
    if argument(b"[\"Date\",").is_some_and(string::is_canonical_token) {
        Some(Kind::Container)
    } else if argument(b"[\"BigInt\",").is_some_and(string::is_canonical_token) {
        Some(Kind::Primitive)
    } else {
        None
    }
}
