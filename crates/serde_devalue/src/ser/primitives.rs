//! Finds primitives that were written before.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: the texts may come from an attacker.
///
/// A table of its own, in which a place is one look at memory and growing has no need of the texts.
#[derive(Default)]
pub(super) struct Primitives {
    /// A power of two of places, at least half of them free, or none at all. A primitive is in the place that its hash
    /// names, or in the first one behind it that was free.
    places: Vec<Primitive>,
    /// What `places` were before they last grew.
    old_places: Vec<Primitive>,
    count: usize,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy)]
struct Primitive {
    hash: u32,
    reference: Reference,
    /// Where its text begins.
    start: usize,
}

impl Primitive {
    /// What is in a place that nothing has taken.
    const NONE: Primitive = Primitive { hash: 0, reference: Reference::UNDEFINED, start: 0 };

    fn is_none(&self) -> bool {
        self.reference.is_undefined()
    }
}

impl Primitives {
    /// How many places there are at first.
    const FEW: usize = 32;

    /// Forgets all primitives, and takes another seed.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.places.resize(Self::FEW, Primitive::NONE);
        self.count = 0;
        self.hasher = DefaultHashBuilder::default();
    }

    /// How much memory it holds, in bytes.
    pub(super) fn size(&self) -> usize {
        (self.places.capacity() + self.old_places.capacity()) * size_of::<Primitive>()
    }

    /// The slot with the same text as the end of `text` from `start` on; or none, and then this text is known as that
    /// of `new`.
    ///
    /// The texts end with a comma, which tells where they end: none is the beginning of another.
    #[inline]
    pub(super) fn find_or_insert(
        &mut self,
        text: &[u8],
        start: usize,
        new: Reference,
    ) -> Option<Reference> {
        let (known, wanted) = text.split_at_checked(start)?;
        let mut hasher = self.hasher.build_hasher();
        hasher.write(wanted);
        let hash = hasher.finish() as u32;
        if 2 * self.count >= self.places.len() {
            self.grow();
        }
        let mut at = hash as usize;
        loop {
            at &= self.places.len() - 1;
            let place = self.places.get_mut(at)?;
            if place.is_none() {
                *place = Primitive { hash, reference: new, start };
                self.count += 1;
                return None;
            }
            if place.hash == hash && known.get(place.start..)?.starts_with(wanted) {
                return Some(place.reference);
            }
            at += 1;
        }
    }

    /// The text of a slot, and what follows it; `None` if it is not a primitive.
    pub(super) fn text<'a>(&self, text: &'a [u8], reference: Reference) -> Option<&'a [u8]> {
        let primitive = self.places.iter().find(|primitive| primitive.reference == reference)?;
        text.get(primitive.start..)
    }

    /// At first by more than is needed next: all that is in it moves.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let factor = if self.places.len() < 512 { 4 } else { 2 };
        let size = (factor * self.places.len()).max(Self::FEW);
        std::mem::swap(&mut self.places, &mut self.old_places);
        self.places.clear();
        self.places.resize(size, Primitive::NONE);
        for primitive in self.old_places.iter().filter(|primitive| !primitive.is_none()) {
            let mut at = primitive.hash as usize & (size - 1);
            while !self.places[at].is_none() {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = *primitive;
        }
    }
}
