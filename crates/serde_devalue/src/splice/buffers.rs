//! The memory in which a splice is put together.

use std::cell::Cell;

use super::{
    gap::Gap,
    primitives::Primitives,
    walk::{Open, Slot, UNSEEN},
};
use crate::reference::Reference;

/// What grows while a text is written: kept from one text to the next, so that none has to grow anew.
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
    static KEPT: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// No more than this is kept of each buffer, in bytes: an extraordinary text shall not occupy memory for ever.
const KEPT_SIZE: usize = 128 << 10;

impl Buffers {
    /// Empty ones, for sources with so many slots.
    pub(super) fn take(slots: usize) -> Box<Self> {
        let kept = KEPT.try_with(Cell::take).ok().flatten();
        let mut buffers = kept.unwrap_or_default();
        buffers.done.clear();
        buffers.done.resize(slots, UNSEEN);
        buffers.known.clear(slots);
        buffers.slots.clear();
        buffers.gaps.clear();
        buffers.open.clear();
        buffers.out.clear();
        buffers
    }

    /// Keeps them for the next text.
    pub(super) fn keep(self: Box<Self>) {
        let sizes = [
            self.done.capacity() * size_of::<Reference>(),
            self.known.size(),
            self.slots.capacity() * size_of::<Slot>(),
            self.gaps.capacity() * size_of::<Gap>(),
            self.open.capacity() * size_of::<Open>(),
            self.out.capacity(),
        ];
        if sizes.iter().all(|&size| size <= KEPT_SIZE) {
            // A thread that is ending keeps nothing.
            let _ = KEPT.try_with(|kept| kept.set(Some(self)));
        }
    }
}
