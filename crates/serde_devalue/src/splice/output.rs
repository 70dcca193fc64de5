//! The slots of the new text, and the text that comes out of them.

use super::texts::{Part, Texts};
use crate::{
    error::{Error, Result},
    reference::Reference,
    text::number,
};

/// The slots that were numbered, in their order.
#[derive(Default)]
pub(super) struct Output {
    /// The keys and values of the Map, in turn.
    pub(super) entries: Vec<Reference>,
    /// All slots but the Map's, which is the first.
    runs: Vec<Run>,
    /// The last one, which may go on.
    run: Run,
    count: u32,
    patches: Vec<Patch>,
    /// For each slot, the first of its patches.
    first_patches: Vec<First>,
    text: Vec<u8>,
}

/// Slots that are copies of texts whose numbers follow each other.
#[derive(Clone, Copy, Default)]
struct Run {
    first: u32,
    end: u32,
}

/// A reference that stands in place of a part of a slot's text.
struct Patch {
    slot: Reference,
    reference: Reference,
    /// Offsets in the whole text that the slot is copied from.
    start: u32,
    end: u32,
    /// The next one of the same slot.
    next: u32,
}

/// The first patch of a slot.
#[derive(Clone, Copy)]
struct First {
    patch: u32,
    /// Whether one of the references is longer or shorter than what it stands in place of.
    is_resized: bool,
}

/// In place of the number of a patch.
const NONE: u32 = u32::MAX;

impl Output {
    /// The slot that comes next, a copy of the text of this number.
    #[inline(always)]
    pub(super) fn add(&mut self, number: u32) -> Reference {
        if self.run.end != number {
            self.runs.push(self.run);
            self.run.first = number;
        }
        self.run.end = number + 1;
        // No number comes twice, and all numbers fit.
        self.count += 1;
        Reference::from_i32(self.count as i32)
    }

    /// A reference of a slot, in place of what stands between two offsets of the whole text that the slot is copied
    /// from. Those of one slot come in their order.
    #[inline(always)]
    pub(super) fn patch(
        &mut self,
        slot: Reference,
        (start, end): (usize, usize),
        reference: Reference,
    ) {
        // Texts are shorter than 4 GiB.
        let (start, end) = (start as u32, end as u32);
        self.patches.push(Patch { slot, reference, start, end, next: NONE });
    }

    /// Writes the text.
    ///
    /// # Errors
    /// If there are too many references.
    pub(super) fn write(&mut self, texts: &Texts<'_>) -> Result<Vec<u8>> {
        self.link_patches()?;
        let mut out = std::mem::take(&mut self.text);
        out.extend_from_slice(b"[[\"Map\"");
        for entry in &self.entries {
            out.push(b',');
            entry.write(&mut out, []);
        }
        out.push(b']');
        // Behind the Map.
        let mut firsts = self.first_patches.get(1..).unwrap_or_default();
        for run in self.runs.iter().chain([&self.run]) {
            let mut first = run.first;
            while first < run.end {
                let rest = (run.end - first) as usize;
                // What keeps its length is copied in one piece.
                let (same, resized) = match firsts.is_empty() {
                    true => (rest, 0),
                    false => {
                        let same = firsts.iter().take(rest).take_while(|first| !first.is_resized);
                        let same = same.count();
                        (same, usize::from(same == 0))
                    }
                };
                let next = first + (same + resized) as u32;
                let (these, behind) = firsts.split_at_checked(same + resized).unwrap_or_default();
                firsts = behind;
                out.push(b',');
                if let Some(part) = texts.part(first, next - 1) {
                    match these {
                        [resized] if resized.is_resized => {
                            self.write_resized(*resized, part, &mut out)
                        }
                        _ => self.write_same(these, part, &mut out),
                    }
                }
                first = next;
            }
        }
        out.push(b']');
        // Not larger than it must be: it may be kept for long.
        let text = out.to_vec();
        self.text = out;
        Ok(text)
    }

    /// Writes slots whose references are as long as they were.
    fn write_same(&self, slots: &[First], part: Part<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        copy(out, part.whole, part.start, part.end);
        let written = out.get_mut(start..).unwrap_or_default();
        for first in slots {
            let mut next = first.patch;
            while let Some(patch) = self.patches.get(next as usize) {
                let place = patch.start as usize - part.start..patch.end as usize - part.start;
                let place = written.get_mut(place).unwrap_or_default();
                number::overwrite_few_digits(place, patch.reference.as_i32() as u32);
                next = patch.next;
            }
        }
    }

    /// Writes a slot with references of other lengths.
    fn write_resized(&self, first: First, part: Part<'_>, out: &mut Vec<u8>) {
        let mut copied = part.start;
        let mut next = first.patch;
        while let Some(patch) = self.patches.get(next as usize) {
            copy(out, part.whole, copied, patch.start as usize);
            patch.reference.write(out, []);
            copied = patch.end as usize;
            next = patch.next;
        }
        copy(out, part.whole, copied, part.end);
    }

    /// The patches of a slot come in between those of the slots that it refers to.
    fn link_patches(&mut self) -> Result<()> {
        if u32::try_from(self.patches.len()).is_err() {
            return Err(Error::limit("the text has too many references"));
        }
        if !self.patches.is_empty() {
            let none = First { patch: NONE, is_resized: false };
            self.first_patches.resize(self.count as usize + 1, none);
        }
        for (at, patch) in self.patches.iter_mut().enumerate().rev() {
            let first = patch.slot.slot().and_then(|slot| self.first_patches.get_mut(slot));
            if let Some(first) = first {
                patch.next = std::mem::replace(&mut first.patch, at as u32);
                first.is_resized |= patch.is_resized();
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.runs.clear();
        self.run = Run::default();
        self.count = 0;
        self.patches.clear();
        self.first_patches.clear();
        self.text.clear();
    }

    /// How much memory the largest of its buffers holds, in bytes.
    pub(super) fn largest(&self) -> usize {
        (self.entries.capacity() * size_of::<Reference>())
            .max(self.runs.capacity() * size_of::<Run>())
            .max(self.patches.capacity() * size_of::<Patch>())
            .max(self.first_patches.capacity() * size_of::<First>())
            .max(self.text.capacity())
    }
}

impl Patch {
    /// Whether the reference is longer or shorter than what it stands in place of, or no slot's.
    #[inline(always)]
    fn is_resized(&self) -> bool {
        let length = (self.end - self.start) as usize;
        match u32::try_from(self.reference.as_i32()) {
            Ok(slot @ 0..10_000) => {
                !number::has_no_zeros_before(slot, length)
                    || number::has_no_zeros_before(slot, length + 1)
            }
            _ => true,
        }
    }
}

/// Copies what stands between two offsets. What is short, as most of it is, takes no call.
#[inline(always)]
fn copy(out: &mut Vec<u8>, text: &[u8], start: usize, end: usize) {
    let length = end.saturating_sub(start);
    match text.get(start..).and_then(<[u8]>::first_chunk::<16>) {
        Some(chunk) if length <= 16 => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() + length - 16);
        }
        _ => out.extend_from_slice(text.get(start..end).unwrap_or_default()),
    }
}

#[cold]
pub(super) fn too_many_slots() -> Error {
    Error::limit("the text has too many slots")
}
