//! Finds primitives that were written before.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Span;
use crate::reference::Reference;

/// The slots of primitives, found by their text. The hash is seeded at random: the texts may come from an attacker.
#[derive(Default)]
pub(super) struct Primitives {
    table: HashTable<Reference>,
    hasher: DefaultHashBuilder,
}

impl Primitives {
    /// The slot with the same text as this part of `text`.
    pub(super) fn find(&self, text: &[u8], slots: &[Span], wanted: Span) -> Option<Reference> {
        let wanted = part(text, wanted);
        let found = self.table.find(self.hasher.hash_one(wanted), |&reference| {
            part(text, span(slots, reference)) == wanted
        });
        found.copied()
    }

    /// Adds a slot that [`find`](Primitives::find) did not find.
    pub(super) fn insert(&mut self, text: &[u8], slots: &[Span], new: Span, reference: Reference) {
        let Primitives { table, hasher } = self;
        table.insert_unique(hasher.hash_one(part(text, new)), reference, |&reference| {
            hasher.hash_one(part(text, span(slots, reference)))
        });
    }
}

fn span(slots: &[Span], reference: Reference) -> Span {
    reference.slot().and_then(|slot| slots.get(slot)).copied().unwrap_or_default()
}

fn part(text: &[u8], span: Span) -> &[u8] {
    &text[span.start..span.end]
}
