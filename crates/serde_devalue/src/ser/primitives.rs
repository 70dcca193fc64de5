//! Finds primitives that were written before.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

use super::Span;
use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: the texts may come from an attacker.
#[derive(Default)]
pub(super) struct Primitives {
    table: HashTable<Reference>,
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
        let Primitives { table, hasher } = self;
        let wanted = part(text, wanted);
        let same = |&reference: &Reference| part(text, span(slots, reference)) == wanted;
        let hash = |&reference: &Reference| hasher.hash_one(part(text, span(slots, reference)));
        match table.entry(hasher.hash_one(wanted), same, hash) {
            Entry::Occupied(found) => Some(*found.get()),
            Entry::Vacant(place) => {
                place.insert(new);
                None
            }
        }
    }
}

fn span(slots: &[Span], reference: Reference) -> Span {
    reference.slot().and_then(|slot| slots.get(slot)).copied().unwrap_or_default()
}

fn part(text: &[u8], span: Span) -> &[u8] {
    &text[span.start..span.end]
}
