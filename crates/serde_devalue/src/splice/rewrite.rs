//! Slots of a source that follow each other: their references, and copies of them with others.

use std::ops::Range;

use super::{
    element::{self, Element, delimiter},
    shape::{self, Kind, Shape},
    texts::Source,
};
use crate::{reference::Reference, text::number};

/// Copies slots, a comma before them, with each reference as `find` has it; `None` if a slot is not in devalue's form, or
/// if `find` does not know what a reference refers to.
pub(super) fn rewrite(
    source: &Source<'_>,
    slots: Range<u32>,
    out: &mut Vec<u8>,
    find: impl Fn(u32) -> Option<u32>,
) -> Option<()> {
    let (text, _) = source.flat.parts();
    let (start, _) = source.flat.bounds(slots.start as usize)?;
    let (_, end) = source.flat.bounds((slots.end as usize).checked_sub(1)?)?;
    out.push(b',');
    let offset = out.len().wrapping_sub(start);
    let mut copy = Copy { text, out, copied: start, end, offset };
    visit(source, slots, |start, end, slot| {
        let new = find(slot)?;
        if new != slot {
            copy.put(start, end, new);
        }
        Some(())
    })?;
    copy.advance(end);
    Some(())
}

/// Visits the references to slots, with where they begin and end; `None` if the visitor has it so, or if a slot is not
/// in devalue's form. Of strings, numbers and short names nothing is looked at.
#[inline(always)]
pub(super) fn visit(
    source: &Source<'_>,
    slots: Range<u32>,
    mut visitor: impl FnMut(usize, usize, u32) -> Option<()>,
) -> Option<()> {
    let (text, index) = source.flat.parts();
    let count = index.len() as u32;
    for (start, end) in index.bounds_of(slots.start as usize..slots.end as usize)? {
        // Most slots are primitives, and most of the others objects.
        match text.get(start)? {
            b'{' => fields(text, start + 1, end, count, &mut visitor)?,
            b'[' => match text.get(start + 1)? {
                b'0'..=b'9' | b'-' => {
                    elements(text, start + 1, end, Kind::Items, count, &mut visitor)?;
                }
                _ => {
                    if let Shape::Container(kind, at) = shape::read(text, (start, end))? {
                        elements(text, at, end, kind, count, &mut visitor)?;
                    }
                }
            },
            b' ' | b'\t' | b'\r' | b'\n' => return None,
            _ => {}
        }
    }
    Some(())
}

/// Visits the references of an object: as [`elements`], which also takes what is seldom.
#[inline(always)]
fn fields(
    text: &[u8],
    start: usize,
    end: usize,
    count: u32,
    visitor: &mut impl FnMut(usize, usize, u32) -> Option<()>,
) -> Option<()> {
    let mut at = start;
    while let Some(reference) = element::behind_short_name(text, at)
        && let Some((slot, behind)) = element::slot(text, reference, count)
    {
        if let Some(slot) = slot {
            visitor(reference, behind, slot)?;
        }
        at = behind + 1;
        match text.get(behind)? {
            b',' => {}
            b'}' => return (at == end).then_some(()),
            _ => return None,
        }
    }
    match text.get(at)? {
        b'}' if at == start && at + 1 == end => Some(()),
        _ => elements(text, at, end, Kind::Fields, count, visitor),
    }
}

/// Visits the references of a container.
#[inline(always)]
fn elements(
    text: &[u8],
    start: usize,
    end: usize,
    mut kind: Kind,
    count: u32,
    visitor: &mut impl FnMut(usize, usize, u32) -> Option<()>,
) -> Option<()> {
    let (mut at, mut more) = (start, true);
    while more {
        let element = Element::read(text, at, kind, count)?;
        if let Some(slot) = element.slot {
            visitor(element.start, element.end, slot)?;
        }
        kind = kind.next();
        (at, more) = delimiter(text, element.end, kind)?;
    }
    (at == end).then_some(())
}

struct Copy<'c> {
    text: &'c [u8],
    out: &'c mut Vec<u8>,
    /// What is before it is in `out`, each byte further on by `offset`, which wraps.
    copied: usize,
    offset: usize,
    end: usize,
}

/// So much is copied at once, and perhaps again if a reference in it is longer or shorter than before.
const CHUNK: usize = 512;

impl Copy<'_> {
    /// Writes a reference in place of what stands between two offsets.
    #[inline(always)]
    fn put(&mut self, start: usize, end: usize, slot: u32) {
        if self.copied < end {
            self.advance(end);
        }
        let length = end - start;
        let place = self.offset.wrapping_add(start);
        if number::is_as_long(slot, length)
            && let Some(place) = self.out.get_mut(place..place.wrapping_add(length))
        {
            number::overwrite_few_digits(place, slot);
        } else {
            self.out.truncate(place);
            Reference::from_i32(slot as i32).write(self.out, []);
            self.copied = end;
            self.offset = self.out.len().wrapping_sub(end);
        }
    }

    /// Copies up to an offset at least.
    fn advance(&mut self, to: usize) {
        let to = to.max(self.copied + CHUNK).min(self.end);
        self.out.extend_from_slice(self.text.get(self.copied..to).unwrap_or_default());
        self.copied = to;
    }
}
