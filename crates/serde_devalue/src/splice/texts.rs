//! The texts that a splice copies from.

use super::{output::too_many_slots, state::State};
use crate::{
    error::{Error, Result},
    flat::Flat,
};

/// The texts that the slots of the new text are copied from, numbered in one row: the slots of each source, and what no
/// source has.
#[derive(Debug, Default)]
pub(super) struct Texts<'s> {
    pub(super) sources: Vec<Source<'s>>,
    /// What no source has, with a comma behind each.
    written: Vec<u8>,
    pieces: Vec<Piece>,
}

/// A source, and the number of its first slot. The number behind its last slot stays free: slots of two sources never
/// follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'s> {
    pub(super) flat: Flat<'s>,
    pub(super) first: u32,
}

/// A part of what was written.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    end: u32,
}

/// A part of a whole text.
#[derive(Clone, Copy)]
pub(super) struct Part<'t> {
    pub(super) whole: &'t [u8],
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'s> Texts<'s> {
    pub(super) fn new() -> Self {
        let (sources, pieces) = (Vec::with_capacity(4), Vec::with_capacity(16));
        Texts { sources, pieces, written: Vec::with_capacity(512) }
    }

    /// Adds a source. That there are too many slots is noticed at the end.
    pub(super) fn add(&mut self, flat: Flat<'s>) {
        let first = u32::try_from(self.first_written()).unwrap_or(u32::MAX);
        self.sources.push(Source { flat, first });
    }

    /// The number of the first text that no source has, once all sources are known.
    #[inline]
    pub(super) fn first_written(&self) -> usize {
        self.sources.last().map_or(0, |last| last.first as usize + last.flat.len() + 1)
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.first_written() + self.pieces.len()
    }

    /// Adds a text that no source has; by its place among those.
    ///
    /// # Errors
    /// If they are too long.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<u32> {
        let start = self.written.len();
        write(&mut self.written);
        let end = self.written.len();
        self.written.push(b',');
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
            return Err(Error::limit("texts of 4 GiB and more are not supported"));
        };
        self.pieces.push(Piece { start, end });
        if self.len() > State::NUMBERS {
            return Err(too_many_slots());
        }
        Ok(self.pieces.len() as u32 - 1)
    }

    /// The source that a slot is of, by its number among all.
    #[inline]
    pub(super) fn source_of(&self, number: u32) -> Option<usize> {
        self.sources.partition_point(|source| source.first <= number).checked_sub(1)
    }

    /// The text of this number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let part = self.part(number, number);
        part.and_then(|part| part.whole.get(part.start..part.end)).unwrap_or_default()
    }

    /// The texts from one number to another, with the commas between them.
    #[inline]
    pub(super) fn part(&self, first: u32, last: u32) -> Option<Part<'_>> {
        if let Some(first_piece) = (first as usize).checked_sub(self.first_written()) {
            let last_piece = first_piece + (last - first) as usize;
            let (first, last) = (self.pieces.get(first_piece)?, self.pieces.get(last_piece)?);
            let (start, end) = (first.start as usize, last.end as usize);
            return Some(Part { whole: &self.written, start, end });
        }
        let source = self.sources.get(self.source_of(first)?)?;
        let (start, _) = source.bounds(first)?;
        let (_, end) = source.bounds(last)?;
        Some(Part { whole: source.flat.parts().0, start, end })
    }
}

impl Source<'_> {
    /// Where the slot of this number stands.
    #[inline(always)]
    pub(super) fn bounds(&self, number: u32) -> Option<(usize, usize)> {
        self.flat.bounds(number.wrapping_sub(self.first) as usize)
    }
}
