//! The walk through texts of any form.

use std::collections::HashMap;

use super::{
    Object, Splice,
    buffers::Buffers,
    content::{Content, Reader},
    gap::{Gap, Target},
    output::Output,
    state::State,
};
use crate::{
    error::{Error, Result},
    primitives::Primitives,
    reference::Reference,
};

/// A slot whose gaps are being visited.
pub(super) struct OpenSlot {
    slot: Reference,
    /// Where its text begins.
    start: usize,
    next: usize,
    end: usize,
}

/// Numbers the slots in pre-order of first visits.
///
/// # Errors
/// If a slot that is copied is not what devalue writes, or there are too many.
pub(super) fn walk(splice: &mut Splice<'_>, buffers: &mut Buffers) -> Result<()> {
    let Buffers { states, known, output, open_slots: open, gaps, .. } = buffers;
    known.clear(splice.texts.len());
    let entries = std::mem::take(&mut splice.entries);
    let zeros = HashMap::new();
    let mut walk = Walk { splice, states, known, output, open, gaps, zeros };
    for entry in entries {
        let reference = walk.target(entry)?;
        walk.visit_open()?;
        walk.output.entries.push(reference);
    }
    Ok(())
}

struct Walk<'w, 's> {
    splice: &'w mut Splice<'s>,
    /// It grows with the texts that are written.
    states: &'w mut Vec<State>,
    known: &'w mut Primitives,
    output: &'w mut Output,
    /// Outermost first.
    open: &'w mut Vec<OpenSlot>,
    gaps: &'w mut Vec<Gap>,
    zeros: HashMap<u32, bool>,
}

impl Walk<'_, '_> {
    /// Visits what the open slots refer to. The stack is on the heap: values may be deep.
    fn visit_open(&mut self) -> Result<()> {
        while let Some(open) = self.open.last_mut() {
            let Some(gap) = self.gaps.get(open.next).filter(|_| open.next < open.end).copied()
            else {
                self.open.pop();
                continue;
            };
            open.next += 1;
            let (slot, start) = (open.slot, open.start);
            let reference = self.target(gap.target)?;
            let place = (start + gap.start as usize, start + gap.end as usize);
            self.output.patch(slot, place, reference);
        }
        Ok(())
    }

    /// What a target becomes. A container that is new is open then.
    fn target(&mut self, target: Target) -> Result<Reference> {
        match target {
            Target::Sentinel(sentinel) => Ok(sentinel),
            Target::Slot(number) => match self.state(number).reference() {
                Some(reference) => Ok(reference),
                None => self.slot(number),
            },
            Target::Primitive(piece) => self.primitive(piece),
            Target::Object(object) => {
                let object = self.splice.objects.get(object as usize);
                let Object { piece, gaps } = object.ok_or_else(no_such_slot)?.clone();
                let start = self.gaps.len();
                self.gaps.extend_from_slice(&self.splice.gaps[gaps]);
                Ok(self.container(piece, start))
            }
        }
    }

    /// What a source's slot becomes that nothing has referred to yet.
    fn slot(&mut self, number: u32) -> Result<Reference> {
        let texts = &mut self.splice.texts;
        let source = texts.source_of(number).and_then(|source| texts.sources.get(source));
        let &source = source.ok_or_else(no_such_slot)?;
        let start = self.gaps.len();
        let content = Reader { source, gaps: self.gaps, texts, zeros: &mut self.zeros }
            .read((number - source.first) as usize)?;
        let reference = match content {
            Content::Primitive(text) => {
                let piece = texts.write(|written| written.extend_from_slice(&text))?;
                self.primitive(piece)?
            }
            Content::Sentinel(reference) => reference,
            Content::Container(text) => {
                let piece = texts.write(|written| written.extend_from_slice(&text))?;
                self.container(piece, start)
            }
        };
        self.set_state(number, reference);
        Ok(reference)
    }

    /// A slot for the container whose gaps were added from `start` on.
    fn container(&mut self, piece: u32, start: usize) -> Reference {
        let number = self.number(piece);
        let slot = self.output.add(number);
        let text = self.splice.texts.part(number, number).map_or(0, |part| part.start);
        self.open.push(OpenSlot { slot, start: text, next: start, end: self.gaps.len() });
        slot
    }

    /// The one slot of a primitive.
    fn primitive(&mut self, piece: u32) -> Result<Reference> {
        let number = self.number(piece);
        let texts = &self.splice.texts;
        let wanted = texts.get(number);
        let is_same = |known: Reference, ()| {
            known.slot().is_some_and(|known| texts.get(known as u32) == wanted)
        };
        let new = Reference::to_slot(number as usize).ok_or_else(no_such_slot)?;
        if let Some(same) = self.known.find_or_insert(wanted, (), new, is_same) {
            let known = same.slot().and_then(|same| self.state(same as u32).reference());
            return known.ok_or_else(no_such_slot);
        }
        let slot = self.output.add(number);
        self.set_state(number, slot);
        Ok(slot)
    }

    /// The number of a text that no source has.
    fn number(&self, piece: u32) -> u32 {
        self.splice.texts.first_written() as u32 + piece
    }

    fn state(&self, number: u32) -> State {
        self.states.get(number as usize).copied().unwrap_or(State::UNSEEN)
    }

    fn set_state(&mut self, number: u32, reference: Reference) {
        let number = number as usize;
        if self.states.len() <= number {
            self.states.resize(number + 1, State::UNSEEN);
        }
        self.states[number] = State::done(reference);
    }
}

#[cold]
fn no_such_slot() -> Error {
    Error::data("there is no such slot")
}
