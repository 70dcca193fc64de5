//! Finds primitives that have a slot already.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: visitors choose the texts.
///
/// A table of its own, in which a place is one look at memory and growing has no need of the texts.
///
/// Where the text of each stands, its user says by a `Place`.
pub(crate) struct Primitives<Place = ()> {
    /// A power of two of places, at least half of them free, or none at all. A primitive is in the place that its hash
    /// names, or in the first one behind it that was free.
    places: Vec<Primitive<Place>>,
    /// What `places` were before they last grew.
    old_places: Vec<Primitive<Place>>,
    count: usize,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy)]
struct Primitive<Place> {
    hash: u32,
    reference: Reference,
    text: Place,
}

impl<Place: Copy + Default> Primitive<Place> {
    /// What is in a place that nothing has taken.
    fn none() -> Self {
        Primitive { hash: 0, reference: Reference::UNDEFINED, text: Place::default() }
    }

    fn is_none(&self) -> bool {
        self.reference.is_undefined()
    }
}

impl<Place: Copy + Default> Primitives<Place> {
    /// How many places there are at least.
    const FEW: usize = 32;
    /// How many are made room for at most because there were as many before.
    const MANY: usize = 512;

    /// Forgets all primitives, takes another seed and makes room for so many.
    pub(crate) fn clear(&mut self, count: usize) {
        // Or for as many as there were: the next text is often like the last one.
        let count = count.max(self.count.min(Self::MANY));
        self.places.clear();
        self.places.resize((2 * count).next_power_of_two().max(Self::FEW), Primitive::none());
        self.count = 0;
        self.hasher = DefaultHashBuilder::default();
    }

    /// How much memory it holds, in bytes.
    pub(crate) fn size(&self) -> usize {
        (self.places.capacity() + self.old_places.capacity()) * size_of::<Primitive<Place>>()
    }

    /// The slot of the primitive that is the same; or none, and then this one is known as that of `new`.
    #[inline(always)]
    pub(crate) fn find_or_insert(
        &mut self,
        text: &[u8],
        place: Place,
        new: Reference,
        is_same: impl Fn(Reference, Place) -> bool,
    ) -> Option<Reference> {
        let hash = self.hash(text);
        if 2 * self.count >= self.places.len() {
            self.grow();
        }
        let mut at = hash as usize;
        loop {
            at &= self.places.len() - 1;
            let known = self.places.get_mut(at)?;
            if known.is_none() {
                *known = Primitive { hash, reference: new, text: place };
                self.count += 1;
                return None;
            }
            if known.hash == hash && is_same(known.reference, known.text) {
                return Some(known.reference);
            }
            at += 1;
        }
    }

    /// The slot of the primitive that is the same.
    #[inline]
    pub(crate) fn find(
        &self,
        text: &[u8],
        is_same: impl Fn(Reference, Place) -> bool,
    ) -> Option<Reference> {
        let hash = self.hash(text);
        let mut at = hash as usize;
        loop {
            at &= self.places.len().wrapping_sub(1);
            let known = self.places.get(at).filter(|known| !known.is_none())?;
            if known.hash == hash && is_same(known.reference, known.text) {
                return Some(known.reference);
            }
            at += 1;
        }
    }

    #[inline]
    fn hash(&self, text: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish() as u32
    }

    /// Where the text of a slot stands; `None` if it is not a primitive.
    pub(crate) fn place(&self, reference: Reference) -> Option<Place> {
        let primitive = self.places.iter().find(|primitive| primitive.reference == reference)?;
        Some(primitive.text)
    }

    /// At first by more than is needed next: all that is in it moves.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let factor = if self.places.len() < 512 { 4 } else { 2 };
        let size = (factor * self.places.len()).max(Self::FEW);
        std::mem::swap(&mut self.places, &mut self.old_places);
        self.places.clear();
        self.places.resize(size, Primitive::none());
        for primitive in self.old_places.iter().filter(|primitive| !primitive.is_none()) {
            let mut at = primitive.hash as usize & (size - 1);
            while !self.places[at].is_none() {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = *primitive;
        }
    }
}

impl<Place> Default for Primitives<Place> {
    fn default() -> Self {
        let hasher = DefaultHashBuilder::default();
        Primitives { places: Vec::new(), old_places: Vec::new(), count: 0, hasher }
    }
}
