//! The memory in which a splice is put together.

use super::{
    canonical::Open, careful::OpenSlot, gap::Gap, output::Output, ranges::Ranges, state::State,
};
use crate::{
    kept::{self, Kept},
    primitives::Primitives,
};

/// What grows while a text is written.
#[derive(Default)]
pub(super) struct Buffers {
    /// What the texts have become, by their numbers.
    pub(super) states: Vec<State>,
    /// Primitives, found by their text.
    pub(super) known: Primitives,
    pub(super) ranges: Ranges,
    pub(super) output: Output,
    /// The containers whose references are being visited, outermost first.
    pub(super) open: Vec<Open>,
    /// The same of the careful walk, and where the references stand that it has read.
    pub(super) open_slots: Vec<OpenSlot>,
    pub(super) gaps: Vec<Gap>,
}

thread_local! {
    static KEPT: Kept<Buffers> = const { Kept::new() };
}

impl Buffers {
    /// Empty ones.
    pub(super) fn take() -> Box<Self> {
        Kept::take(&KEPT)
    }

    /// Keeps them for the next text.
    pub(super) fn keep(self: Box<Self>) {
        Kept::keep(&KEPT, self);
    }
}

impl kept::Buffers for Buffers {
    fn clear(&mut self) {
        self.states.clear();
        self.ranges.clear();
        self.output.clear();
        self.open.clear();
        self.open_slots.clear();
        self.gaps.clear();
    }

    fn largest(&self) -> usize {
        (self.states.capacity() * size_of::<State>())
            .max(self.known.size())
            .max(self.ranges.largest())
            .max(self.output.largest())
            .max(self.open.capacity() * size_of::<Open>())
            .max(self.open_slots.capacity() * size_of::<OpenSlot>())
            .max(self.gaps.capacity() * size_of::<Gap>())
    }
}
