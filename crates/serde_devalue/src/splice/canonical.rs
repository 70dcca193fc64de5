//! The walk through texts in the form in which devalue writes them.
//!
//! Nearly all are of this form: no whitespace, no other escapes than devalue's, references in their shortest form, and
//! no primitive twice. Each slot is read once, in the order of the first visits, and what keeps its number is copied as
//! it is. At whatever differs in the least this walk gives up, and the [careful](super::careful) one begins anew, which
//! also knows what is wrong with it.

use super::{
    Object, Splice,
    buffers::Buffers,
    element::{Element, delimiter},
    gap::Target,
    output::Output,
    shape::{self, Kind, Shape},
    shared_primitives,
    state::State,
    texts::Source,
};
use crate::reference::Reference;

/// A container whose references are being visited.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// What it has become.
    slot: Reference,
    /// Its source; for an object that no source has, where its text begins.
    source: u32,
    /// Where its next element begins, or what follows the last one.
    at: u32,
    end: u32,
    kind: Kind,
    /// Whether an element was read before.
    is_resumed: bool,
}

/// Numbers the slots in pre-order of first visits; `None` if a text does not have this form.
pub(super) fn walk(splice: &Splice<'_>, buffers: &mut Buffers) -> Option<()> {
    buffers.states.resize(splice.texts.len(), State::UNSEEN);
    shared_primitives::find(splice, None, &mut buffers.known, &mut buffers.states)?;
    let Buffers { states, output, open, .. } = buffers;
    let mut walk = Walk { splice, states, output, open };
    for &entry in &splice.entries {
        let (reference, _) = walk.target(entry)?;
        // The stack is on the heap: values may be deep.
        while let Some(&open) = walk.open.last() {
            match open.kind {
                Kind::Built => walk.built(open)?,
                // Made for each of those that most containers are.
                Kind::Fields => walk.elements(open, Kind::Fields)?,
                Kind::Items => walk.elements(open, Kind::Items)?,
                kind => walk.elements(open, kind)?,
            }
        }
        walk.output.entries.push(reference);
    }
    Some(())
}

struct Walk<'w, 's> {
    splice: &'w Splice<'s>,
    states: &'w mut [State],
    output: &'w mut Output,
    open: &'w mut Vec<Open>,
}

impl Walk<'_, '_> {
    /// Visits what the elements of a container refer to, up to the next container or to the end.
    #[inline(always)]
    fn elements(&mut self, open: Open, kind: Kind) -> Option<()> {
        let depth = self.open.len();
        let source = self.splice.texts.sources.get(open.source as usize)?;
        let (text, index) = source.flat.parts();
        let slots = index.len() as u32;
        let (mut at, mut kind) = (open.at as usize, kind);
        let mut more = true;
        if open.is_resumed {
            (at, more) = delimiter(text, at, kind)?;
        }
        while more {
            let element = Element::read(text, at, kind, slots)?;
            at = element.end;
            kind = kind.next();
            if let Some(slot) = element.slot {
                let (new, is_open) = self.slot(source, source.first + slot, open.source)?;
                if new.as_i32() as u32 != slot {
                    self.output.patch(open.slot, (element.start, at), new);
                }
                if is_open {
                    let at = at as u32;
                    *self.open.get_mut(depth - 1)? = Open { at, kind, is_resumed: true, ..open };
                    return Some(());
                }
            }
            (at, more) = delimiter(text, at, kind)?;
        }
        if at != open.end as usize {
            return None;
        }
        self.open.pop();
        Some(())
    }

    /// Visits what the fields of an object refer to that no source has.
    fn built(&mut self, mut open: Open) -> Option<()> {
        let depth = self.open.len();
        while open.at < open.end {
            let gap = self.splice.gaps.get(open.at as usize)?;
            open.at += 1;
            let (new, is_open) = self.target(gap.target)?;
            let start = open.source as usize;
            self.output.patch(
                open.slot,
                (start + gap.start as usize, start + gap.end as usize),
                new,
            );
            if is_open {
                *self.open.get_mut(depth - 1)? = open;
                return Some(());
            }
        }
        self.open.pop();
        Some(())
    }

    /// What a target becomes, and whether that is a new container, which is open then.
    fn target(&mut self, target: Target) -> Option<(Reference, bool)> {
        let texts = &self.splice.texts;
        match target {
            Target::Sentinel(sentinel) => Some((sentinel, false)),
            Target::Slot(number) => {
                let source = texts.source_of(number)?;
                self.slot(texts.sources.get(source)?, number, source as u32)
            }
            Target::Primitive(piece) => {
                Some((self.primitive(texts.first_written() as u32 + piece)?, false))
            }
            Target::Object(object) => {
                let Object { piece, gaps } = self.splice.objects.get(object as usize)?.clone();
                let number = texts.first_written() as u32 + piece;
                let slot = self.output.add(number);
                let (at, end) = (gaps.start as u32, gaps.end as u32);
                let source = texts.part(number, number)?.start as u32;
                let kind = Kind::Built;
                self.open.push(Open { slot, source, at, end, kind, is_resumed: false });
                Some((slot, true))
            }
        }
    }

    /// What a slot of a source becomes, and whether that is a new container, which is open then.
    #[inline(always)]
    fn slot(
        &mut self,
        source: &Source<'_>,
        number: u32,
        source_at: u32,
    ) -> Option<(Reference, bool)> {
        let state = self.states.get_mut(number as usize)?;
        if let Some(reference) = state.reference() {
            return Some((reference, false));
        }
        if *state != State::UNSEEN {
            return Some((self.primitive(number)?, false));
        }
        let (text, _) = source.flat.parts();
        let bounds = source.bounds(number)?;
        let shape = shape::read(text, bounds)?;
        let slot = self.output.add(number);
        *state = State::done(slot);
        if let Shape::Container(kind, at) = shape {
            let (source, at, end) = (source_at, at as u32, bounds.1 as u32);
            self.open.push(Open { slot, source, at, end, kind, is_resumed: false });
            return Some((slot, true));
        }
        Some((slot, false))
    }

    /// What a primitive becomes that may be the same as another, or that no source has.
    fn primitive(&mut self, number: u32) -> Option<Reference> {
        let mut same = number;
        // Two steps at most: to the first of the short texts' that are alike, and to the largest source's.
        while let Some(other) = self.states.get(same as usize)?.other() {
            same = other;
        }
        let slot = match self.states.get(same as usize)?.reference() {
            Some(slot) => slot,
            None => self.output.add(same),
        };
        *self.states.get_mut(same as usize)? = State::done(slot);
        *self.states.get_mut(number as usize)? = State::done(slot);
        Some(slot)
    }
}
