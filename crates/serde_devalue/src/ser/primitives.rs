//! Finds primitives that were written before.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

use super::Span;
use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: the texts may come from an attacker.
#[derive(Default)]
pub(super) struct Primitives {
    /// Beside its hash, so that a growing table has no need of the texts.
    table: HashTable<(u32, Reference)>,
    hasher: DefaultHashBuilder,
}

impl Primitives {
    /// The slot with the same text as this part of `text`; or none, and then the part is known as that of `new`.
    pub(super) fn find_or_insert(
        &mut self,
        text: &[u8],
        slots: &[Span],
        wanted: Span,
        new: Reference,
    ) -> Option<Reference> {
        let wanted = part(text, wanted);
        let mut hasher = self.hasher.build_hasher();
        hasher.write(wanted);
        let hash = hasher.finish() as u32;
        let same = |&(other, reference): &(u32, Reference)| {
            other == hash && part(text, span(slots, reference)) == wanted
        };
        if self.table.len() == self.table.capacity() {
            // By more than the table itself would: all that is in it moves.
            self.table.reserve(3 * self.table.len() + 16, |&(hash, _)| spread(hash));
        }
        match self.table.entry(spread(hash), same, |&(hash, _)| spread(hash)) {
            Entry::Occupied(found) => Some(found.get().1),
            Entry::Vacant(place) => {
                place.insert((hash, new));
                None
            }
        }
    }
}

/// The table takes the lowest bits and the highest.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

fn span(slots: &[Span], reference: Reference) -> Span {
    reference.slot().and_then(|slot| slots.get(slot)).copied().unwrap_or_default()
}

fn part(text: &[u8], span: Span) -> &[u8] {
    &text[span.start..span.end]
}
