//! The text that comes out of the walk.

use super::{
    gap::{Stretch, Target},
    walk::{Slot, Walk},
};

impl Walk<'_> {
    pub(super) fn text(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.buffers.out);
        let mut slots = &self.buffers.slots[..];
        while let Some((slot, rest)) = slots.split_first() {
            out.push(if out.is_empty() { b'[' } else { b',' });
            slots = rest;
            if slot.is_copy() {
                let mut end = slot.text.end;
                // Slots that follow each other in the source are copied in one piece.
                while let Some((next, rest)) = slots.split_first()
                    && next.is_copy()
                    && next.text.text == slot.text.text
                    && next.text.start == end + 1
                {
                    end = next.text.end;
                    slots = rest;
                }
                let whole = self.texts.whole(slot.text);
                copy(&mut out, whole, slot.text.start as usize, end as usize);
            } else {
                let end = rest.first().map_or(self.buffers.gaps.len(), |next| next.gaps as usize);
                self.write(slot, end, &mut out);
            }
        }
        out.push(b']');
        // Not larger than it must be: it may be kept for long.
        let text = out.to_vec();
        self.buffers.out = out;
        text
    }

    /// Writes a slot whose gaps end there.
    fn write(&self, slot: &Slot, end: usize, out: &mut Vec<u8>) {
        let whole = self.texts.whole(slot.text);
        let start = slot.text.start as usize;
        let mut copied = start;
        for gap in self.buffers.gaps.get(slot.gaps as usize..end).unwrap_or_default() {
            copy(out, whole, copied, start + gap.start as usize);
            if let Target::Done(reference) = gap.target {
                reference.write(out, []);
            }
            copied = start + gap.end as usize;
        }
        copy(out, whole, copied, slot.text.end as usize);
    }
}

impl Slot {
    /// Whether it is to the byte what the source has.
    fn is_copy(&self) -> bool {
        !self.is_renumbered && self.text.text != Stretch::WRITTEN
    }
}

/// Copies what stands between two offsets. What is short, as most of it is, takes no call.
#[inline(always)]
fn copy(out: &mut Vec<u8>, text: &[u8], start: usize, end: usize) {
    let length = end - start;
    match text.get(start..).and_then(<[u8]>::first_chunk::<16>) {
        Some(chunk) if length <= 16 => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() + length - 16);
        }
        _ => out.extend_from_slice(&text[start..end]),
    }
}
