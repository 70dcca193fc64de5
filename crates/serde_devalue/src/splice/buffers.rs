//! The memory in which a splice is put together.

use super::{
    gap::Gap,
    walk::{Open, Slot, UNSEEN},
};
use crate::{
    kept::{self, Kept},
    primitives::Primitives,
    reference::Reference,
};

/// What grows while a text is written.
#[derive(Default)]
pub(super) struct Buffers {
    /// For each slot of all sources, what it has become.
    pub(super) done: Vec<Reference>,
    /// The slots of primitives, found by their text.
    pub(super) known: Primitives,
    /// The slots of the new text, in its order.
    pub(super) slots: Vec<Slot>,
    /// The gaps of all slots, in the same order.
    pub(super) gaps: Vec<Gap>,
    /// The slots whose gaps are being visited, outermost first.
    pub(super) open: Vec<Open>,
    /// The new text.
    pub(super) out: Vec<u8>,
}

thread_local! {
    static KEPT: Kept<Buffers> = const { Kept::new() };
}

impl Buffers {
    /// Empty ones, for sources with so many slots.
    pub(super) fn take(slots: usize) -> Box<Self> {
        let mut buffers = Kept::take(&KEPT);
        buffers.done.resize(slots, UNSEEN);
        buffers.known.clear(slots);
        buffers
    }

    /// Keeps them for the next text.
    pub(super) fn keep(self: Box<Self>) {
        Kept::keep(&KEPT, self);
    }
}

impl kept::Buffers for Buffers {
    fn clear(&mut self) {
        self.done.clear();
        self.slots.clear();
        self.gaps.clear();
        self.open.clear();
        self.out.clear();
    }

    fn largest(&self) -> usize {
        (self.done.capacity() * size_of::<Reference>())
            .max(self.known.size())
            .max(self.slots.capacity() * size_of::<Slot>())
            .max(self.gaps.capacity() * size_of::<Gap>())
            .max(self.open.capacity() * size_of::<Open>())
            .max(self.out.capacity())
    }
}
