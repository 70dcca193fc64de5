//! The keys of objects.

use std::rc::Rc;

use crate::{
    JsString,
    text::string::{self, RawString},
};

/// The keys of an object: each once, in JavaScript's order. Objects of one origin have the same.
pub(super) struct Shape<'de> {
    keys: Vec<RawString<'de>>,
}

impl<'de> Shape<'de> {
    pub(super) fn new(keys: Vec<RawString<'de>>) -> Self {
        Shape { keys }
    }

    pub(super) fn keys(&self) -> &[RawString<'de>] {
        &self.keys
    }

    /// The keys as strings of their own: made anew each time, as copies of short ones are.
    #[inline(always)]
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = JsString> {
        self.keys.iter().map(|key| match key.plain() {
            Some(plain) => JsString::copy_of(plain),
            None => key.unescape().into(),
        })
    }
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
    pub(super) fn like(&self, key: &[u8]) -> Option<Rc<Shape<'de>>> {
        self.recent.get(Self::place(key))?.clone()
    }

    pub(super) fn keep(&mut self, key: &[u8], shape: Rc<Shape<'de>>) {
        if let Some(place) = self.recent.get_mut(Self::place(key)) {
            *place = Some(shape);
        }
    }
}
