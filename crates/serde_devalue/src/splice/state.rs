//! What slots become.

use crate::reference::Reference;

/// What a slot of a source has become, or a text that no source has.
#[derive(Clone, Copy, PartialEq, Eq)]
// A reference from -6 on, or else another slot's number, counted downwards.
pub(super) struct State(i32);

impl State {
    /// Nothing has referred to it yet.
    pub(super) const UNSEEN: Self = State(i32::MIN);
    /// There are fewer numbers than this.
    pub(super) const NUMBERS: usize = i32::MAX as usize - 8;

    /// It has become a slot of the new text, or a sentinel.
    #[inline(always)]
    pub(super) fn done(reference: Reference) -> Self {
        State(reference.as_i32())
    }

    /// It is the same primitive as the one of this number.
    pub(super) fn same(number: u32) -> Self {
        State(-7 - number as i32)
    }

    /// What it has become, if something has referred to it.
    #[inline(always)]
    pub(super) fn reference(self) -> Option<Reference> {
        (self.0 >= -6).then(|| Reference::from_i32(self.0))
    }

    /// What it is the same as.
    pub(super) fn other(self) -> Option<u32> {
        (self.0 < -6 && self != Self::UNSEEN).then(|| (-7 - self.0) as u32)
    }
}
