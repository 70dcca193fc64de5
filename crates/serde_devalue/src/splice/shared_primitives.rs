//! Finds the primitives that several texts have.

use super::{
    Splice,
    shape::{self, Shape},
    state::State,
};
use crate::{primitives::Primitives, reference::Reference};

/// Notes which primitives are the same, so that each gets one slot: the record's, or else the largest source's, if that
/// has it. Its primitives are compared with those of the other texts alone, which are short as a rule. `None` if one of
/// those is not in devalue's form.
pub(super) fn find(
    splice: &Splice<'_>,
    record: Option<usize>,
    known: &mut Primitives,
    states: &mut [State],
) -> Option<()> {
    let sources = &splice.texts.sources;
    let largest = || (0..sources.len()).max_by_key(|at| sources[*at].flat.len());
    let largest = record.or_else(largest).unwrap_or_default();
    let slots = sources.get(largest).map_or(0, |source| source.flat.len());
    let others = states.len().saturating_sub(slots);
    let (few, count) = ([(0, &[][..]); FEW], 0);
    let is_few = others <= FEW;
    if !is_few {
        known.clear(others);
    }
    let mut search = Search { splice, known, states, few, count, is_few, lengths: 0, bytes: 0 };
    let first_written = splice.texts.first_written() as u32;
    for &primitive in &splice.primitives {
        search.add(first_written + primitive)?;
    }
    for (_, source) in sources.iter().enumerate().filter(|(at, _)| *at != largest) {
        let (text, _) = source.flat.parts();
        for number in source.first..source.first + source.flat.len() as u32 {
            if let Shape::Primitive = shape::read(text, source.bounds(number)?)? {
                search.add(number)?;
            }
        }
    }
    if let Some(source) = sources.get(largest).filter(|_| search.lengths != 0) {
        let (text, index) = source.flat.parts();
        for (number, (start, end)) in (source.first..).zip(index.all_bounds()) {
            if search.lengths & bit(end.saturating_sub(start)) != 0 {
                search.compare(number, text.get(start..end)?)?;
            }
        }
    }
    Some(())
}

/// So many texts are compared with each other and not looked up.
const FEW: usize = 16;

struct Search<'w, 's> {
    splice: &'w Splice<'s>,
    /// The primitives that are not the largest source's, if they are many, or few.
    known: &'w mut Primitives,
    few: [(u32, &'w [u8]); FEW],
    count: usize,
    is_few: bool,
    states: &'w mut [State],
    /// The lengths that the known ones have, and their last bytes but one, by which most texts are told apart.
    lengths: u64,
    bytes: u64,
}

impl<'w> Search<'w, '_> {
    /// Adds a primitive that is not of the largest source.
    fn add(&mut self, number: u32) -> Option<()> {
        let splice = self.splice;
        let text = splice.texts.get(number);
        if let Some(same) = self.find_or_insert(number, text)? {
            *self.states.get_mut(number as usize)? = State::same(same);
        }
        self.lengths |= bit(text.len());
        self.bytes |= bit_of_byte(text);
        Some(())
    }

    fn find_or_insert(&mut self, number: u32, text: &'w [u8]) -> Option<Option<u32>> {
        if self.is_few {
            let same = self.find_among_few(text);
            if same.is_none() {
                *self.few.get_mut(self.count)? = (number, text);
                self.count += 1;
            }
            return Some(same);
        }
        let new = Reference::to_slot(number as usize)?;
        let is_same = |known, ()| is_same(self.splice, known, text);
        let same = self.known.find_or_insert(text, (), new, is_same);
        Some(same.and_then(Reference::slot).map(|same| same as u32))
    }

    #[inline]
    fn find_among_few(&self, text: &[u8]) -> Option<u32> {
        let few = self.few.get(..self.count)?;
        few.iter().find(|(_, known)| *known == text).map(|(number, _)| *number)
    }

    /// Compares a slot of the largest source with the others.
    #[inline]
    fn compare(&mut self, number: u32, text: &[u8]) -> Option<()> {
        if self.bytes & bit_of_byte(text) == 0 {
            return Some(());
        }
        let same = if self.is_few {
            self.find_among_few(text)
        } else {
            let is_same = |known, ()| is_same(self.splice, known, text);
            self.known.find(text, is_same).and_then(Reference::slot).map(|same| same as u32)
        };
        if let Some(same) = same {
            let state = self.states.get_mut(same as usize)?;
            if *state == State::UNSEEN {
                *state = State::same(number);
            }
        }
        Some(())
    }
}

/// Whether the text of this number is the same.
fn is_same(splice: &Splice<'_>, known: Reference, text: &[u8]) -> bool {
    known.slot().is_some_and(|number| splice.texts.get(number as u32) == text)
}

/// The bit of a length.
#[inline(always)]
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// The bit of a byte. The last one is a quote as a rule.
#[inline(always)]
fn bit_of_byte(text: &[u8]) -> u64 {
    let byte = text.len().checked_sub(2).and_then(|at| text.get(at));
    1 << (byte.copied().unwrap_or_default() % 64)
}
