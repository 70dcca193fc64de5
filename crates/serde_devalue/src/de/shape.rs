//! The keys of objects.

use std::rc::Rc;

use super::budget::{ENTRIES, KEY, VALUE};
use crate::{
    JsString,
    text::string::{self, RawString},
};

/// The keys of an object: each once, in JavaScript's order. Objects of one origin have the same.
pub(super) struct Shape<'de> {
    pub(super) keys: Vec<KnownKey<'de>>,
    /// What an object of this shape costs, without what is in it.
    pub(super) cost: usize,
}

impl<'de> Shape<'de> {
    pub(super) fn new(keys: Vec<KnownKey<'de>>) -> Self {
        let names = keys.iter().map(|key| VALUE + KEY + key.raw.token().len());
        let cost = if keys.is_empty() { 0 } else { ENTRIES + names.sum::<usize>() };
        Shape { keys, cost }
    }
}

/// A key of an object.
pub(super) struct KnownKey<'de> {
    pub(super) raw: RawString<'de>,
    /// As a string of its own: to copy a short one takes three words.
    pub(super) name: JsString,
    written: Written,
}

/// A key as it stands in an object in the canonical form, from the brace or the comma before it to the colon behind it.
#[derive(Default)]
struct Written {
    start: usize,
    length: usize,
    /// The first eight bytes, and which bits of them count.
    first: (u64, u64),
    /// Where the last eight bytes begin, and they; the first ones again if there are fewer.
    last_start: usize,
    last: (u64, u64),
}

impl<'de> KnownKey<'de> {
    /// In any form.
    pub(super) fn new(raw: RawString<'de>) -> Self {
        KnownKey { raw, name: raw.unescape().into(), written: Written::default() }
    }

    /// In the canonical form, if that is not at the very end of the text.
    #[inline(always)]
    pub(super) fn canonical(raw: RawString<'de>, name: &str, text: &[u8]) -> Option<Self> {
        let (start, length) = (raw.offset().checked_sub(1)?, raw.token().len() + 2);
        let word = |at: usize, mask: u64| Some((word(text, at)? & mask, mask));
        let first = word(start, u64::MAX >> (8 * 8_usize.saturating_sub(length)))?;
        let last_start = length.saturating_sub(8);
        let last = if last_start == 0 { first } else { word(start + last_start, u64::MAX)? };
        let written = Written { start, length, first, last_start, last };
        Some(KnownKey { raw, name: JsString::copy_of(name), written })
    }

    /// What is behind the key, if the rest of the text begins with it in the canonical form.
    #[inline(always)]
    pub(super) fn strip<'a>(&self, rest: &'a [u8], text: &[u8]) -> Option<&'a [u8]> {
        let Written { start, length, first, last_start, last } = &self.written;
        let differs = (word(rest, 0)? & first.1) ^ first.0;
        let differs = differs | (word(rest, *last_start)? & last.1) ^ last.0;
        let behind = rest.get(*length..)?;
        let is_same = differs == 0
            && (*length <= 16 || rest.get(..*length) == text.get(*start..start + length));
        is_same.then_some(behind)
    }
}

#[inline(always)]
fn word(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

/// Shapes that were read before, so that an object is compared with one that begins alike, and not examined anew.
#[derive(Default)]
pub(super) struct Shapes<'de> {
    /// Of objects in the canonical form.
    recent: [Option<Rc<Shape<'de>>>; Shapes::COUNT],
}

impl<'de> Shapes<'de> {
    const COUNT: usize = 32;

    /// Where a shape is kept, by the first key of the object, or the beginning of a long one.
    fn place(key: &[u8]) -> usize {
        let word = key.first_chunk().map_or(0, |word| u64::from_le_bytes(*word)) >> 8;
        let word = word & string::before_quote(word);
        // Multiplied, all bits have an influence on the highest ones.
        (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as usize
    }

    /// The shape of the last object that began with such a key.
    #[inline(always)]
    pub(super) fn like(&self, key: &[u8]) -> Option<&Rc<Shape<'de>>> {
        self.recent.get(Self::place(key))?.as_ref()
    }

    pub(super) fn keep(&mut self, key: &[u8], shape: Rc<Shape<'de>>) {
        if let Some(place) = self.recent.get_mut(Self::place(key)) {
            *place = Some(shape);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_the_same_bytes_stand() {
        for length in 0..30 {
            let name = &"abcdefghijklmnopqrstuvwxyz0123"[..length];
            let text = format!("{{\"{name}\":1,\"{name}\":234567890");
            let second = length + 5;
            let key = RawString::of_plain(&text[1..length + 3], 1);
            let key = KnownKey::canonical(key, name, text.as_bytes()).unwrap();
            assert_eq!(key.name, name);
            assert_eq!(
                key.strip(text.as_bytes(), text.as_bytes()),
                Some(&text.as_bytes()[length + 4..])
            );
            // The comma in place of the brace.
            assert_eq!(key.strip(&text.as_bytes()[second..], text.as_bytes()), None);
            let text = text.replace(',', "{").into_bytes();
            assert_eq!(key.strip(&text[second..], &text), Some(&b"234567890"[..]));
            for place in second..second + length + 4 {
                let mut other = text.clone();
                other[place] ^= 1;
                assert_eq!(key.strip(&other[second..], &text), None, "{place}");
            }
            assert_eq!(key.strip(&text[text.len() - 3..], &text), None);
        }
    }
}
