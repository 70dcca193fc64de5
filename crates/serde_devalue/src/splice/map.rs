//! The Map at the root of a record, in the form in which devalue writes it.

use super::texts::Source;
use crate::reference::Reference;

/// An entry of the record's Map.
pub(super) struct Entry {
    pub(super) key: Reference,
    pub(super) value: Reference,
    /// The first of the slots that it brings along.
    pub(super) start: u32,
}

/// Finds the slots that each entry of a record brings along.
pub(super) fn read(source: &Source<'_>, entries: &mut Vec<Entry>) -> Option<()> {
    let (text, _) = source.flat.parts();
    let slots = source.flat.len();
    let (start, end) = source.flat.bounds(0)?;
    let map = text.get(start..end)?;
    if !map.starts_with(TAG) {
        return None;
    }
    let mut at = TAG.len();
    // The first slot that no entry before has referred to.
    let mut seen = 0;
    while map.get(at..)? != b"]" {
        let (key, behind) = read_reference(map, at, slots)?;
        let (value, behind) = read_reference(map, behind, slots)?;
        at = behind;
        let mut start = 0;
        for reference in [key, value] {
            if reference.as_i32() > seen {
                seen = reference.as_i32();
                start = if start == 0 { seen as u32 } else { start };
            }
        }
        entries.push(Entry { key, value, start });
    }
    // One that brings nothing along begins, and ends, where the next one begins.
    let mut next = slots as u32;
    for entry in entries.iter_mut().rev() {
        if entry.start == 0 {
            entry.start = next;
        }
        next = entry.start;
    }
    (next == 1 || slots == 1).then_some(())
}

/// What the text of a Map begins with.
pub(super) const TAG: &[u8] = b"[\"Map\"";

/// The reference behind a comma, and where it ends.
#[inline(always)]
pub(super) fn read_reference(text: &[u8], at: usize, slots: usize) -> Option<(Reference, usize)> {
    let [b',', rest @ ..] = text.get(at..)? else { return None };
    let (reference, behind) = Reference::read_canonical(rest, slots)?;
    Some((reference, text.len() - behind.len()))
}
