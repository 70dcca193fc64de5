//! The walk that numbers the slots, and the text that comes out of it.

use std::{borrow::Cow, hash::BuildHasher, ops::Range};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{
    Built, Splice,
    content::{Content, Reader},
    draft::{Gap, Target},
};
use crate::{
    error::{Error, Result},
    flat::Flat,
    reference::Reference,
    text::number,
};

/// Writes the text of a splice.
pub(super) fn write(splice: Splice<'_>) -> Result<Vec<u8>> {
    let Splice { sources, root, objects, primitives } = splice;
    let slots = sources.iter().map(Flat::len).sum();
    let mut walk = Walk {
        done: sources.iter().map(|source| vec![None; source.len()]).collect(),
        sources,
        objects,
        primitives,
        known: HashTable::with_capacity(slots),
        hasher: DefaultHashBuilder::default(),
        slots: Vec::with_capacity(slots),
        gaps: Vec::with_capacity(slots),
    };
    walk.run(root)?;
    Ok(walk.text())
}

struct Walk<'s> {
    sources: Vec<Flat<'s>>,
    /// The objects that no source has, until they are written.
    objects: Vec<Built>,
    /// The texts of primitives that are referred to by their text.
    primitives: Vec<Cow<'s, [u8]>>,
    /// For each source and slot, what it has become.
    done: Vec<Vec<Option<Reference>>>,
    /// The slots of primitives, found by their text. The hasher is seeded at random: visitors choose the texts.
    known: HashTable<Reference>,
    hasher: DefaultHashBuilder,
    /// The slots of the new text, in its order.
    slots: Vec<Slot<'s>>,
    /// The gaps of all slots: those of one stand side by side.
    gaps: Vec<Gap>,
}

struct Slot<'s> {
    text: Cow<'s, [u8]>,
    gaps: Range<usize>,
    /// The source and its slot of which this is a copy, byte for byte while no gap says otherwise.
    origin: Option<(usize, usize)>,
}

/// A reference, and the gaps of its slot if they are to be visited.
type Visited = (Reference, Option<Open>);

/// A slot whose gaps are being visited.
struct Open {
    slot: usize,
    gaps: Range<usize>,
}

impl<'s> Walk<'s> {
    /// Numbers the slots in pre-order of first visits. The stack is on the heap: values may be deep.
    fn run(&mut self, root: Built) -> Result<()> {
        let (_, root) = self.build(root)?;
        let mut open: Vec<_> = root.into_iter().collect();
        while let Some(Open { slot: outside, gaps }) = open.last_mut() {
            let Some(at) = gaps.next() else {
                open.pop();
                continue;
            };
            let (outside, target) = (*outside, self.gaps[at].target);
            let (reference, inside) = match target {
                Target::Done(_) => continue,
                Target::Primitive(at) => {
                    let text = std::mem::take(&mut self.primitives[at]);
                    (self.primitive(text, None)?, None)
                }
                Target::Object(at) => {
                    let object = std::mem::take(&mut self.objects[at]);
                    self.build(object)?
                }
                Target::Slot { source, slot } => self.copy(source, slot as usize)?,
            };
            self.gaps[at].target = Target::Done(reference);
            if !target.is_written_as(reference) {
                self.slots[outside].origin = None;
            }
            open.extend(inside);
        }
        Ok(())
    }

    /// What a source's slot becomes.
    fn copy(&mut self, source: usize, slot: usize) -> Result<Visited> {
        if let Some(reference) = self.done[source][slot] {
            return Ok((reference, None));
        }
        let start = self.gaps.len();
        let (gaps, primitives) = (&mut self.gaps, &mut self.primitives);
        let mut reader = Reader { flat: self.sources[source], source, gaps, primitives };
        let canonical = reader.read_canonical(slot);
        let origin = canonical.is_some().then_some((source, slot));
        let content = match canonical {
            Some(content) => content,
            None => reader.read(slot)?,
        };
        let (reference, inside) = match content {
            Content::Primitive(text) => (self.primitive(text, origin)?, None),
            Content::Sentinel(reference) => (reference, None),
            Content::Container(text) => self.container(text, start, origin)?,
        };
        self.done[source][slot] = Some(reference);
        Ok((reference, inside))
    }

    /// The slot of something that was built.
    fn build(&mut self, built: Built) -> Result<Visited> {
        let start = self.gaps.len();
        self.gaps.extend(built.gaps);
        self.container(Cow::Owned(built.text), start, None)
    }

    /// A slot for the container whose gaps were added from `start` on.
    fn container(
        &mut self,
        text: Cow<'s, [u8]>,
        start: usize,
        origin: Option<(usize, usize)>,
    ) -> Result<Visited> {
        let gaps = start..self.gaps.len();
        let reference = self.next()?;
        let open = Open { slot: self.slots.len(), gaps: gaps.clone() };
        self.slots.push(Slot { text, gaps, origin });
        Ok((reference, Some(open)))
    }

    /// The one slot of a primitive.
    fn primitive(
        &mut self,
        text: Cow<'s, [u8]>,
        origin: Option<(usize, usize)>,
    ) -> Result<Reference> {
        let new = self.next()?;
        let Walk { known, hasher, slots, .. } = self;
        let text_of = |reference: &Reference| match reference.slot() {
            Some(slot) => &*slots[slot].text,
            None => b"",
        };
        let hash = hasher.hash_one(&*text);
        if let Some(known) = known.find(hash, |known| *text_of(known) == *text) {
            return Ok(*known);
        }
        known.insert_unique(hash, new, |known| hasher.hash_one(text_of(known)));
        slots.push(Slot { text, gaps: 0..0, origin });
        Ok(new)
    }

    /// The reference to the slot that comes next.
    fn next(&self) -> Result<Reference> {
        Reference::to_slot(self.slots.len())
            .ok_or_else(|| Error::limit("the text has too many slots"))
    }

    fn text(&self) -> Vec<u8> {
        let length: usize = self.slots.iter().map(|slot| slot.text.len() + 1).sum();
        let mut out = Vec::with_capacity(length + 2 * self.gaps.len());
        let mut slots = &self.slots[..];
        while let Some((slot, rest)) = slots.split_first() {
            out.push(if out.is_empty() { b'[' } else { b',' });
            slots = match self.copied(slots) {
                Some((text, count)) => {
                    out.extend_from_slice(text);
                    &slots[count..]
                }
                None => {
                    self.write(slot, &mut out);
                    rest
                }
            };
        }
        out.push(b']');
        out
    }

    /// The text of the slots, from the first on, that stand beside each other in a source as they do here, and how many
    /// these are.
    fn copied(&self, slots: &[Slot<'s>]) -> Option<(&'s [u8], usize)> {
        let (source, first) = slots.first()?.origin?;
        let is_copy = |(at, slot): &(usize, &Slot<'_>)| slot.origin == Some((source, first + at));
        let count = slots.iter().enumerate().take_while(is_copy).count();
        Some((self.sources[source].stretch(first, count)?, count))
    }

    fn write(&self, slot: &Slot<'_>, out: &mut Vec<u8>) {
        let mut copied = 0;
        for gap in &self.gaps[slot.gaps.clone()] {
            out.extend_from_slice(&slot.text[copied..gap.start as usize]);
            if let Target::Done(reference) = gap.target {
                number::write_integer(out, reference.as_i32().into());
            }
            copied = gap.end as usize;
        }
        out.extend_from_slice(&slot.text[copied..]);
    }
}
