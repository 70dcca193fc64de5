//! Finds primitives that have a slot already.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: visitors choose the texts.
///
/// A table of its own, in which a place is one look at memory and growing has no need of the texts.
#[derive(Default)]
pub(super) struct Primitives {
    /// A power of two of places, at least half of them free, or none at all. A primitive is in the place that its hash
    /// names, or in the first one behind it that was free.
    places: Vec<Primitive>,
    count: usize,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy)]
struct Primitive {
    hash: u32,
    reference: Reference,
}

impl Primitive {
    /// What is in a place that nothing has taken.
    const NONE: Primitive = Primitive { hash: 0, reference: Reference::UNDEFINED };

    fn is_none(&self) -> bool {
        self.reference.is_undefined()
    }
}

impl Primitives {
    /// Forgets all primitives, takes another seed and makes room for so many.
    pub(super) fn clear(&mut self, count: usize) {
        self.places.clear();
        self.places.resize((2 * count).next_power_of_two(), Primitive::NONE);
        self.count = 0;
        self.hasher = DefaultHashBuilder::default();
    }

    /// How much memory it holds, in bytes.
    pub(super) fn size(&self) -> usize {
        self.places.capacity() * size_of::<Primitive>()
    }

    /// The slot that has this text; or none, and then it is known as that of `new`.
    #[inline]
    pub(super) fn find_or_insert<'a>(
        &mut self,
        text: &[u8],
        new: Reference,
        text_of: impl Fn(Reference) -> &'a [u8],
    ) -> Option<Reference> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        let hash = hasher.finish() as u32;
        if 2 * self.count >= self.places.len() {
            self.grow();
        }
        let mut at = hash as usize;
        loop {
            at &= self.places.len() - 1;
            let place = self.places.get_mut(at)?;
            if place.is_none() {
                *place = Primitive { hash, reference: new };
                self.count += 1;
                return None;
            }
            if place.hash == hash && text_of(place.reference) == text {
                return Some(place.reference);
            }
            at += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let size = (2 * self.places.len()).max(32);
        let old = std::mem::replace(&mut self.places, vec![Primitive::NONE; size]);
        for primitive in old.into_iter().filter(|primitive| !primitive.is_none()) {
            let mut at = primitive.hash as usize & (size - 1);
            while !self.places[at].is_none() {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = primitive;
        }
    }
}
