//! The walk that numbers the slots of the new text.

use super::{
    Numbered, Object, Splice,
    buffers::Buffers,
    canonical::{self, Kind},
    content::{Content, Reader},
    gap::{Gap, Stretch, Target},
};
use crate::{
    error::{Error, Result},
    reference::Reference,
};

/// Writes the text of a splice.
pub(super) fn write(splice: Splice<'_>) -> Result<Vec<u8>> {
    let slots = splice.slots();
    if u32::try_from(slots).is_err() {
        return Err(too_many_slots());
    }
    let Splice { sources, entries, objects, gaps, primitives, written } = splice;
    let mut walk = Walk {
        texts: Texts { sources, written },
        objects,
        object_gaps: gaps,
        primitives,
        buffers: Buffers::take(slots),
    };
    walk.run(&entries)?;
    let text = walk.text();
    walk.buffers.keep();
    Ok(text)
}

/// What a slot has become that nothing has referred to yet.
pub(super) const UNSEEN: Reference = Reference::HOLE;

/// The slots of the new text.
pub(super) struct Walk<'s> {
    pub(super) texts: Texts<'s>,
    objects: Vec<Object>,
    object_gaps: Vec<Gap>,
    primitives: Vec<Stretch>,
    pub(super) buffers: Box<Buffers>,
}

/// The texts that slots are parts of.
pub(super) struct Texts<'s> {
    sources: Vec<Numbered<'s>>,
    /// What no source has.
    written: Vec<u8>,
}

pub(super) struct Slot {
    pub(super) text: Stretch,
    /// Where its gaps begin. They end where those of the next slot begin.
    pub(super) gaps: u32,
    /// Whether one of its references has another number than in the source.
    pub(super) is_renumbered: bool,
}

/// A slot whose gaps are being visited.
pub(super) struct Open {
    slot: usize,
    next: usize,
    end: usize,
    /// The source, and the number of its first slot.
    source: usize,
    first: u32,
}

impl<'s> Walk<'s> {
    /// Numbers the slots in pre-order of first visits. The stack is on the heap: values may be deep.
    fn run(&mut self, entries: &[Target]) -> Result<()> {
        let root = self.root(entries)?;
        self.buffers.open.push(root);
        while let Some(mut outside) = self.buffers.open.pop() {
            while outside.next < outside.end {
                let at = outside.next;
                outside.next += 1;
                let mut inside = None;
                let reference = match self.buffers.gaps[at].target {
                    Target::Done(_) => continue,
                    Target::Slot(slot) => {
                        let reference = match self.buffers.done[slot as usize] {
                            UNSEEN => self.copy(slot, outside.source, &mut inside)?,
                            known => known,
                        };
                        if reference.as_i32() as u32 != slot.wrapping_sub(outside.first) {
                            self.buffers.slots[outside.slot].is_renumbered = true;
                        }
                        reference
                    }
                    Target::Primitive(primitive) => {
                        self.primitive(self.primitives[primitive as usize])?
                    }
                    Target::Object(object) => self.object(object as usize, &mut inside)?,
                };
                self.buffers.gaps[at].target = Target::Done(reference);
                if let Some(inside) = inside {
                    self.buffers.open.push(std::mem::replace(&mut outside, inside));
                }
            }
        }
        Ok(())
    }

    /// The slot of the Map.
    fn root(&mut self, entries: &[Target]) -> Result<Open> {
        let mut text = b"[\"Map\"".to_vec();
        for &target in entries {
            text.push(b',');
            self.buffers.gaps.push(Gap::new(text.len(), text.len(), target)?);
        }
        text.push(b']');
        let mut root = None;
        let text = self.texts.write(&text)?;
        self.container(text, 0, (0, 0), &mut root)?;
        root.ok_or_else(too_many_slots)
    }

    /// What a source's slot becomes, which perhaps is this source's; if it is a container that is to be visited, this is
    /// put into `inside`.
    fn copy(&mut self, slot: u32, likely: usize, inside: &mut Option<Open>) -> Result<Reference> {
        let (number, local, bounds) = self.texts.slot(slot, likely).ok_or_else(no_such_slot)?;
        let source = &self.texts.sources[number];
        let first = source.first;
        let start = self.buffers.gaps.len();
        let kind = canonical::read(source, bounds, &mut self.buffers.gaps);
        // An index has offsets of 32 bits.
        let text = Stretch { text: number as u32, start: bounds.0 as u32, end: bounds.1 as u32 };
        let reference = match kind {
            Some(Kind::Primitive) => self.primitive(text)?,
            Some(Kind::Container) => self.container(text, start, (number, first), inside)?,
            None => {
                let content = Reader {
                    flat: source.flat,
                    first,
                    gaps: &mut self.buffers.gaps,
                    primitives: &mut self.primitives,
                    written: &mut self.texts.written,
                }
                .read(local)?;
                match content {
                    Content::Primitive(text) => {
                        let text = self.texts.write(&text)?;
                        self.primitive(text)?
                    }
                    Content::Sentinel(reference) => reference,
                    Content::Container(text) => {
                        let text = self.texts.write(&text)?;
                        self.container(text, start, (number, first), inside)?
                    }
                }
            }
        };
        self.buffers.done[slot as usize] = reference;
        Ok(reference)
    }

    /// The slot of an object that was built.
    fn object(&mut self, object: usize, inside: &mut Option<Open>) -> Result<Reference> {
        let start = self.buffers.gaps.len();
        let Object { text, gaps } = self.objects[object].clone();
        self.buffers.gaps.extend_from_slice(&self.object_gaps[gaps]);
        self.container(text, start, (0, 0), inside)
    }

    /// A slot for the container whose gaps were added from `start` on, with the source that it is of.
    fn container(
        &mut self,
        text: Stretch,
        start: usize,
        (source, first): (usize, u32),
        inside: &mut Option<Open>,
    ) -> Result<Reference> {
        let reference = self.next()?;
        let slot = self.buffers.slots.len();
        self.buffers.slots.push(Slot { text, gaps: count(start)?, is_renumbered: false });
        *inside = Some(Open { slot, next: start, end: self.buffers.gaps.len(), source, first });
        Ok(reference)
    }

    /// The one slot of a primitive.
    fn primitive(&mut self, text: Stretch) -> Result<Reference> {
        let new = self.next()?;
        let Walk { buffers, texts, .. } = self;
        let Buffers { known, slots, gaps, .. } = &mut **buffers;
        let wanted = texts.of(text);
        let is_same = |known: Reference, ()| {
            known.slot().is_some_and(|slot| texts.of(slots[slot].text) == wanted)
        };
        if let Some(same) = known.find_or_insert(wanted, (), new, is_same) {
            return Ok(same);
        }
        slots.push(Slot { text, gaps: count(gaps.len())?, is_renumbered: false });
        Ok(new)
    }

    /// The reference to the slot that comes next.
    fn next(&self) -> Result<Reference> {
        Reference::to_slot(self.buffers.slots.len()).ok_or_else(too_many_slots)
    }
}

impl<'s> Texts<'s> {
    /// Adds a text that no source has.
    fn write(&mut self, text: &[u8]) -> Result<Stretch> {
        let start = self.written.len();
        self.written.extend_from_slice(text);
        Stretch::written(start, self.written.len())
    }

    /// The source of a slot, the slot's place in it, and where it begins and ends.
    #[inline]
    fn slot(&self, slot: u32, likely: usize) -> Option<(usize, usize, (usize, usize))> {
        let of = |number: usize| {
            let source = self.sources.get(number)?;
            let local = slot.checked_sub(source.first)? as usize;
            Some((number, local, source.flat.bounds(local)?))
        };
        of(likely).or_else(|| {
            of(self.sources.partition_point(|source| source.first <= slot).checked_sub(1)?)
        })
    }

    /// The whole text that this is a part of.
    #[inline]
    pub(super) fn whole(&self, stretch: Stretch) -> &[u8] {
        match self.sources.get(stretch.text as usize) {
            Some(source) => source.flat.parts().0,
            None => &self.written,
        }
    }

    /// The part of a text.
    #[inline]
    fn of(&self, stretch: Stretch) -> &[u8] {
        let part = stretch.start as usize..stretch.end as usize;
        self.whole(stretch).get(part).unwrap_or_default()
    }
}

fn count(gaps: usize) -> Result<u32> {
    u32::try_from(gaps).map_err(|_| too_many_slots())
}

#[cold]
fn too_many_slots() -> Error {
    Error::limit("the text has too many slots")
}

#[cold]
fn no_such_slot() -> Error {
    Error::data("there is no such slot")
}
