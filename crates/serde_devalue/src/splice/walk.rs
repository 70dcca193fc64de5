//! The walk that numbers the slots, and the text that comes out of it.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

use super::content::{self, Bracket, Content, Part, Target};
use crate::{
    error::{Error, Result},
    flat::Flat,
    reference::Reference,
    text::number,
};

/// Writes the text whose root is a list of these parts.
pub(super) fn write<'s>(sources: &[Flat<'s>], root: Vec<Part<'s>>) -> Result<Vec<u8>> {
    let mut walk = Walk {
        sources,
        done: sources.iter().map(|source| vec![None; source.len()]).collect(),
        primitives: HashMap::new(),
        slots: Vec::new(),
        parts: root,
    };
    walk.run()?;
    let capacity = sources.iter().map(Flat::text_len).sum::<usize>() + 64;
    Ok(walk.text(capacity))
}

struct Walk<'w, 's> {
    sources: &'w [Flat<'s>],
    /// For each source and slot, what it has become.
    done: Vec<Vec<Option<Reference>>>,
    /// Primitives by their text. The hasher is seeded at random: the texts come from visitors.
    primitives: HashMap<Cow<'s, [u8]>, Reference>,
    /// The slots of the new text, in its order.
    slots: Vec<Slot<'s>>,
    /// The parts of all containers: those of one stand side by side.
    parts: Vec<Part<'s>>,
}

enum Slot<'s> {
    Primitive(Cow<'s, [u8]>),
    Container(Bracket, Range<usize>),
}

impl<'s> Walk<'_, 's> {
    /// Numbers the slots in pre-order of first visits. The stack is on the heap: values may be deep.
    fn run(&mut self) -> Result<()> {
        let root = 0..self.parts.len();
        self.push(Slot::Container(Bracket::List, root.clone()))?;
        let mut open = vec![root];
        while let Some(parts) = open.last_mut() {
            let Some(at) = parts.next() else {
                open.pop();
                continue;
            };
            let target = std::mem::replace(&mut self.parts[at].target, Target::None);
            let (reference, inside) = match target {
                Target::None => continue,
                Target::Done(reference) => (reference, None),
                Target::Primitive(text) => (self.primitive(text)?, None),
                Target::Object(fields) => {
                    let start = self.parts.len();
                    self.parts.extend(fields);
                    self.container(Bracket::Object, start)?
                }
                Target::Slot { source, slot } => self.copy(source, slot)?,
            };
            self.parts[at].target = Target::Done(reference);
            open.extend(inside);
        }
        Ok(())
    }

    /// What a source's slot becomes, and where its parts are if this is the first visit.
    fn copy(&mut self, source: usize, slot: usize) -> Result<(Reference, Option<Range<usize>>)> {
        if let Some(reference) = self.done[source][slot] {
            return Ok((reference, None));
        }
        let start = self.parts.len();
        let (reference, inside) =
            match content::read(self.sources[source], source, slot, &mut self.parts)? {
                Content::Primitive(text) => (self.primitive(text)?, None),
                Content::Sentinel(reference) => (reference, None),
                Content::Container(bracket) => self.container(bracket, start)?,
            };
        self.done[source][slot] = Some(reference);
        Ok((reference, inside))
    }

    /// A slot for the container whose parts were added from `start` on.
    fn container(
        &mut self,
        bracket: Bracket,
        start: usize,
    ) -> Result<(Reference, Option<Range<usize>>)> {
        let parts = start..self.parts.len();
        Ok((self.push(Slot::Container(bracket, parts.clone()))?, Some(parts)))
    }

    /// The one slot of a primitive.
    fn primitive(&mut self, text: Cow<'s, [u8]>) -> Result<Reference> {
        let reference = next(&self.slots)?;
        match self.primitives.entry(text) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => {
                self.slots.push(Slot::Primitive(new.key().clone()));
                Ok(*new.insert(reference))
            }
        }
    }

    fn push(&mut self, slot: Slot<'s>) -> Result<Reference> {
        let reference = next(&self.slots)?;
        self.slots.push(slot);
        Ok(reference)
    }

    fn text(&self, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        let mut separator = b'[';
        for slot in &self.slots {
            out.push(separator);
            separator = b',';
            match slot {
                Slot::Primitive(text) => out.extend_from_slice(text),
                Slot::Container(Bracket::Object, parts) => {
                    container(&mut out, *b"{}", &self.parts[parts.clone()], |out, part| {
                        out.extend_from_slice(&part.label);
                        out.push(b':');
                        reference(out, &part.target);
                    });
                }
                Slot::Container(Bracket::List, parts) => {
                    container(&mut out, *b"[]", &self.parts[parts.clone()], |out, part| {
                        out.extend_from_slice(&part.label);
                        reference(out, &part.target);
                    });
                }
            }
        }
        out.push(b']');
        out
    }
}

/// The reference to the slot that comes next.
fn next(slots: &[Slot<'_>]) -> Result<Reference> {
    Reference::to_slot(slots.len()).ok_or_else(|| Error::limit("the text has too many slots"))
}

fn container<'s>(
    out: &mut Vec<u8>,
    [open, close]: [u8; 2],
    parts: &[Part<'s>],
    write: impl Fn(&mut Vec<u8>, &Part<'s>),
) {
    out.push(open);
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, part);
    }
    out.push(close);
}

/// Writes what a part refers to, if it refers to anything.
fn reference(out: &mut Vec<u8>, target: &Target<'_>) {
    if let Target::Done(reference) = target {
        number::write_integer(out, reference.as_i32().into());
    }
}
