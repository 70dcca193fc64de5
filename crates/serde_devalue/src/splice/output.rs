//! The slots of the new text, and the text that comes out of them.

use super::texts::Texts;
use crate::{error::Error, reference::Reference, text::number};

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
    /// References that are as long as what they stand in place of, and those that are not.
    patches: Vec<Patch>,
    resized: Vec<Patch>,
    segments: Vec<Segment>,
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
    slot: u32,
    /// Offsets in the whole text that the slot is copied from.
    start: u32,
    end: u32,
    reference: Reference,
}

/// What was copied in one piece.
struct Segment {
    start: Place,
    /// Where it begins in the new text.
    written: usize,
}

/// A slot, and an offset in the whole text that it is copied from: in this order all is copied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

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
    /// from.
    #[inline(always)]
    pub(super) fn patch(
        &mut self,
        slot: Reference,
        (start, end): (usize, usize),
        reference: Reference,
    ) {
        // Texts are shorter than 4 GiB.
        let (slot, start, end) = (slot.as_i32() as u32, start as u32, end as u32);
        let patch = Patch { slot, start, end, reference };
        if patch.is_resized() {
            self.resized.push(patch);
        } else {
            self.patches.push(patch);
        }
    }

    /// Writes the text.
    pub(super) fn write(&mut self, texts: &Texts<'_>) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.text);
        out.extend_from_slice(b"[[\"Map\"");
        for entry in &self.entries {
            out.push(b',');
            entry.write(&mut out, []);
        }
        out.push(b']');
        self.copy_runs(texts, &mut out);
        self.overwrite(&mut out);
        out.push(b']');
        // Not larger than it must be: it may be kept for long.
        let text = out.to_vec();
        self.text = out;
        text
    }

    /// Copies each run in one piece, or in pieces between the references that do not fit into their places.
    fn copy_runs(&mut self, texts: &Texts<'_>, out: &mut Vec<u8>) {
        self.resized.sort_unstable_by_key(Patch::place);
        let mut resized = self.resized.iter().peekable();
        // Behind the Map.
        let mut slot = 1;
        for run in self.runs.iter().chain([&self.run]) {
            let Some(last) = run.end.checked_sub(1).filter(|last| *last >= run.first) else {
                continue;
            };
            let Some(part) = texts.part(run.first, last) else { continue };
            let next = slot + (run.end - run.first);
            out.push(b',');
            let mut copied = part.start;
            while let Some(patch) = resized.next_if(|patch| patch.slot < next) {
                let start = Place::new(slot, copied as u32);
                self.segments.push(Segment { start, written: out.len() });
                copy(out, part.whole, copied, patch.start as usize);
                patch.reference.write(out, []);
                (slot, copied) = (patch.slot, patch.end as usize);
            }
            let start = Place::new(slot, copied as u32);
            self.segments.push(Segment { start, written: out.len() });
            copy(out, part.whole, copied, part.end);
            slot = next;
        }
    }

    /// Writes the other references over what was copied in their places.
    fn overwrite(&self, out: &mut [u8]) {
        let mut bounds = Place(0)..Place(0);
        let mut written = 0;
        for patch in &self.patches {
            let place = patch.place();
            // Nearly all are in the segment of the one before.
            if !bounds.contains(&place) {
                let next = self.segments.partition_point(|segment| segment.start <= place);
                let found = next.checked_sub(1).and_then(|found| self.segments.get(found));
                let Some(found) = found else { continue };
                let end = self.segments.get(next).map_or(Place(u64::MAX), |next| next.start);
                bounds = found.start..end;
                written = found.written.wrapping_sub(found.start.offset());
            }
            let start = written.wrapping_add(patch.start as usize);
            let length = (patch.end - patch.start) as usize;
            let place = out.get_mut(start..start.wrapping_add(length)).unwrap_or_default();
            number::overwrite_few_digits(place, patch.reference.as_i32() as u32);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.runs.clear();
        self.run = Run::default();
        self.count = 0;
        self.patches.clear();
        self.resized.clear();
        self.segments.clear();
        self.text.clear();
    }

    /// How much memory the largest of its buffers holds, in bytes.
    pub(super) fn largest(&self) -> usize {
        (self.entries.capacity() * size_of::<Reference>())
            .max(self.runs.capacity() * size_of::<Run>())
            .max(self.patches.capacity() * size_of::<Patch>())
            .max(self.resized.capacity() * size_of::<Patch>())
            .max(self.segments.capacity() * size_of::<Segment>())
            .max(self.text.capacity())
    }
}

impl Place {
    fn new(slot: u32, offset: u32) -> Self {
        Place(u64::from(slot) << 32 | u64::from(offset))
    }

    fn offset(self) -> usize {
        self.0 as u32 as usize
    }
}

impl Patch {
    fn place(&self) -> Place {
        Place::new(self.slot, self.start)
    }

    /// Whether the reference is longer or shorter than what it stands in place of, or no slot's.
    #[inline(always)]
    fn is_resized(&self) -> bool {
        let length = (self.end - self.start) as usize;
        let slot = u32::try_from(self.reference.as_i32());
        !slot.is_ok_and(|slot| number::is_as_long(slot, length))
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
