//! The walk that copies whole ranges of slots.
//!
//! In a text that devalue wrote, the slots that an entry of the Map brings along stand next to each other, in the order
//! of the entries. Where a record keeps its entries in their order, their slots are copied as they stand, and only the
//! references among them are read: each moves by as much as the range that it refers to. This gives up where a slot
//! would have to change its place: where what was shared with an entry that is gone is not there any more.

use std::ops::Range;

use super::{
    Object, Splice,
    buffers::Buffers,
    gap::Target,
    map::{self, Entry},
    rewrite::{rewrite, visit},
    shared_primitives,
    state::State,
    texts::Source,
};
use crate::reference::Reference;

/// What grows while ranges are copied.
#[derive(Default)]
pub(super) struct Ranges {
    pub(super) entries: Vec<Entry>,
    kept: Vec<Kept>,
    taken: Vec<u32>,
    /// The keys and values of the new Map, in turn.
    references: Vec<Reference>,
    /// All slots but the Map's, with a comma before each.
    pub(super) body: Vec<u8>,
}

/// Slots of the record that follow each other in the new text as well.
#[derive(Clone, Copy)]
struct Kept {
    start: u32,
    end: u32,
    /// What the first one has become.
    new: u32,
}

impl Kept {
    #[inline(always)]
    fn find(self, slot: u32) -> Option<u32> {
        let place = slot.wrapping_sub(self.start);
        (place < self.end - self.start).then(|| self.new + place)
    }
}

/// Writes the text; `None` if the entries of one source are not kept in their order, or if another walk has to see to it.
pub(super) fn walk(splice: &Splice<'_>, buffers: &mut Buffers) -> Option<Vec<u8>> {
    let kept = splice.entries.iter().step_by(2).find_map(|key| match key {
        Target::Slot(number) => Some(*number),
        _ => None,
    });
    let at = splice.texts.source_of(kept?)?;
    let source = splice.texts.sources.get(at)?;
    let Buffers { states, known, ranges, .. } = buffers;
    map::read(source, &mut ranges.entries)?;
    states.resize(splice.texts.len(), State::UNSEEN);
    shared_primitives::find(splice, Some(at), known, states)?;
    let mut walk = Walk::new(splice, source, states, ranges);
    walk.entries()?;
    Some(walk.text())
}

pub(super) struct Walk<'w, 's> {
    splice: &'w Splice<'s>,
    /// The record.
    source: &'w Source<'s>,
    /// Of the record only what was taken out of its place.
    states: &'w mut [State],
    entries: &'w [Entry],
    /// Those of the record, in their order.
    kept: &'w mut Vec<Kept>,
    /// The record's slots that an entry before them has taken out of their places, in ascending order.
    taken: &'w mut Vec<u32>,
    references: &'w mut Vec<Reference>,
    body: &'w mut Vec<u8>,
    /// How many slots there are behind the Map's.
    count: u32,
    /// The slots of the record below this one are where they were.
    unmoved: u32,
    /// The record's slots that were not written again, because they are the same.
    referred: Vec<u32>,
}

impl<'w, 's> Walk<'w, 's> {
    pub(super) fn new(
        splice: &'w Splice<'s>,
        source: &'w Source<'s>,
        states: &'w mut [State],
        ranges: &'w mut Ranges,
    ) -> Self {
        let Ranges { entries, kept, taken, references, body } = ranges;
        Walk {
            splice,
            source,
            states,
            entries,
            kept,
            taken,
            references,
            body,
            count: 0,
            unmoved: 1,
            referred: Vec::new(),
        }
    }

    /// Keeps the slots of the record up to this one, and leaves it to the caller to copy them.
    pub(super) fn keep_up_to(&mut self, slot: u32) {
        self.kept.push(Kept { start: 1, end: slot + 1, new: 1 });
        (self.count, self.unmoved) = (slot, slot + 1);
    }

    /// The slots before it that what was written behind those refers to; `None` if what is in the record from a slot on
    /// would have to move.
    pub(super) fn inserted(self, behind: u32) -> Option<Vec<u32>> {
        let is_moved =
            self.count + 1 != behind || self.taken.last().is_some_and(|at| *at >= behind);
        (!is_moved).then_some(self.referred)
    }

    fn entries(&mut self) -> Option<()> {
        // The first entry of the record that was not looked at yet, and the first of those that are kept next.
        let (mut next, mut first) = (0, 0);
        for &[key, value] in self.splice.entries.as_chunks().0 {
            if let Target::Slot(_) = key {
                let is_wanted =
                    |entry: &Entry| self.is(key, entry.key) && self.is(value, entry.value);
                let found = next + self.entries.get(next..)?.iter().position(is_wanted)?;
                if found > next {
                    self.keep(first, next)?;
                    self.leave(next, found)?;
                    first = found;
                }
                next = found + 1;
            } else {
                self.keep(first, next)?;
                first = next;
                self.insert(key, value)?;
            }
        }
        self.keep(first, next)
    }

    /// Whether this is a reference of the record.
    #[inline(always)]
    fn is(&self, target: Target, reference: Reference) -> bool {
        match target {
            Target::Slot(number) => {
                number.wrapping_sub(self.source.first) == reference.as_i32() as u32
            }
            Target::Sentinel(sentinel) => sentinel == reference,
            _ => false,
        }
    }

    /// The slots of the record that its entries bring along, from one to before another.
    fn slots(&self, first: usize, end: usize) -> Range<u32> {
        let slots = self.source.flat.len() as u32;
        let start_of = |entry: usize| self.entries.get(entry).map_or(slots, |entry| entry.start);
        start_of(first)..start_of(end)
    }

    /// Leaves out the entries of the record from one to before another, if all that they bring along goes with them.
    ///
    /// A slot that one of them has inside, and that the next entry shares, may look as if that had brought it along.
    fn leave(&self, first: usize, end: usize) -> Option<()> {
        let slots = self.slots(first, end);
        visit(self.source, slots.clone(), |_, _, slot| (slot < slots.end).then_some(()))
    }

    /// Keeps the entries of the record from one to before another.
    fn keep(&mut self, first: usize, end: usize) -> Option<()> {
        let entries = self.entries.get(first..end)?;
        if entries.is_empty() {
            return Some(());
        }
        let Range { mut start, end } = self.slots(first, end);
        let numbered = self.kept.len();
        let from = self.taken.partition_point(|taken| *taken < start);
        for at in from..=self.taken.len() {
            let stop = self.taken.get(at).map_or(end, |taken| end.min(*taken));
            if start < stop {
                self.kept.push(Kept { start, end: stop, new: self.count + 1 });
                if start == self.unmoved && start == self.count + 1 {
                    self.unmoved = stop;
                }
                self.count += stop - start;
            }
            start = stop + 1;
            if start >= end {
                break;
            }
        }
        for at in numbered..self.kept.len() {
            let range = *self.kept.get(at)?;
            let find = |slot| match slot {
                0 => None,
                _ if slot < self.unmoved => Some(slot),
                _ => range.find(slot).or_else(|| find(self.kept, self.states, self.source, slot)),
            };
            rewrite(self.source, range.start..range.end, self.body, find)?;
        }
        for entry in entries {
            for reference in [entry.key, entry.value] {
                let new = match reference.slot() {
                    Some(slot) => slot_reference(self.find(slot as u32)?),
                    None => reference,
                };
                self.references.push(new);
            }
        }
        Some(())
    }

    /// What a slot of the record has become.
    fn find(&self, slot: u32) -> Option<u32> {
        find(self.kept, self.states, self.source, slot)
    }

    /// Adds an entry that the record does not have.
    fn insert(&mut self, key: Target, value: Target) -> Option<()> {
        let (Target::Primitive(key), Target::Object(object)) = (key, value) else { return None };
        let mut written = self.count;
        let key = self.splice.texts.first_written() as u32 + key;
        let key_slot = self.number(key)?;
        self.write(key, &mut written)?;
        let slot = self.insert_object(object)?;
        self.references.extend([slot_reference(key_slot), slot_reference(slot)]);
        Some(())
    }

    /// Adds an object that no source has, and what it refers to.
    pub(super) fn insert_object(&mut self, object: u32) -> Option<u32> {
        let texts = &self.splice.texts;
        let Object { piece, gaps } = self.splice.objects.get(object as usize)?.clone();
        let gaps = self.splice.gaps.get(gaps)?;
        // What it refers to is numbered before it is written, and stands behind it.
        self.count += 1;
        let slot = self.count;
        let text = texts.get(texts.first_written() as u32 + piece);
        self.body.push(b',');
        let mut copied = 0;
        for gap in gaps {
            self.body.extend_from_slice(text.get(copied..gap.start as usize)?);
            self.number_target(gap.target)?.write(self.body, []);
            copied = gap.end as usize;
        }
        self.body.extend_from_slice(text.get(copied..)?);
        let mut written = slot;
        for gap in gaps {
            match gap.target {
                Target::Slot(first) => self.write_source(first, &mut written)?,
                Target::Primitive(piece) => {
                    self.write(texts.first_written() as u32 + piece, &mut written)?;
                }
                _ => {}
            }
        }
        Some(slot)
    }

    /// What a field of an object becomes.
    fn number_target(&mut self, target: Target) -> Option<Reference> {
        let texts = &self.splice.texts;
        let slot = match target {
            Target::Sentinel(sentinel) => return Some(sentinel),
            Target::Primitive(piece) => self.number(texts.first_written() as u32 + piece)?,
            Target::Slot(first) => {
                // All of another source, or nothing.
                let source = texts.sources.get(texts.source_of(first)?)?;
                if source.first != first || first == self.source.first {
                    return None;
                }
                for number in first..first + source.flat.len() as u32 {
                    self.number(number)?;
                }
                self.states.get(first as usize)?.reference()?.slot()? as u32
            }
            Target::Object(_) => return None,
        };
        Some(slot_reference(slot))
    }

    /// Numbers a text that the record does not have, or finds it in what was copied of the record.
    fn number(&mut self, number: u32) -> Option<u32> {
        let mut same = number;
        let slot = loop {
            let state = *self.states.get(same as usize)?;
            if let Some(done) = state.reference() {
                break done.slot()? as u32;
            }
            match state.other() {
                Some(other) => same = other,
                None => {
                    let place = same.wrapping_sub(self.source.first);
                    let is_of_record = (place as usize) < self.source.flat.len();
                    if is_of_record && let Some(kept) = self.find(place) {
                        self.referred.push(place);
                        break kept;
                    }
                    if is_of_record {
                        let at = self.taken.partition_point(|taken| *taken < place);
                        self.taken.insert(at, place);
                    }
                    self.count += 1;
                    *self.states.get_mut(same as usize)? = State::done(slot_reference(self.count));
                    break self.count;
                }
            }
        };
        *self.states.get_mut(number as usize)? = State::done(slot_reference(slot));
        Some(slot)
    }

    /// Writes a text that was numbered, if it is the next one.
    fn write(&mut self, number: u32, written: &mut u32) -> Option<()> {
        if self.states.get(number as usize)?.reference()?.slot()? as u32 == *written + 1 {
            self.body.push(b',');
            self.body.extend_from_slice(self.splice.texts.get(number));
            *written += 1;
        }
        Some(())
    }

    /// Writes those slots of a source that were numbered next.
    fn write_source(&mut self, first: u32, written: &mut u32) -> Option<()> {
        let source = self.splice.texts.sources.get(self.splice.texts.source_of(first)?)?;
        let slots = source.flat.len() as u32;
        let states = self.states.get(first as usize..)?.get(..slots as usize)?;
        let slot_of =
            |slot: u32| states.get(slot as usize)?.reference()?.slot().map(|slot| slot as u32);
        let mut start = 0;
        while start < slots {
            let mut end = start;
            while end < slots && slot_of(end) == Some(*written + 1) {
                end += 1;
                *written += 1;
            }
            if start < end {
                rewrite(source, start..end, self.body, slot_of)?;
            }
            start = end + 1;
        }
        Some(())
    }

    /// The text, once all slots are written.
    fn text(&mut self) -> Vec<u8> {
        // The Map is written last, and stands first.
        let end = self.body.len();
        self.body.push(b'[');
        self.body.extend_from_slice(map::TAG);
        for reference in &*self.references {
            self.body.push(b',');
            reference.write(self.body, []);
        }
        self.body.push(b']');
        let (slots, map) = self.body.split_at(end);
        // Not larger than it must be: it may be kept for long.
        let mut text = Vec::with_capacity(self.body.len() + 1);
        text.extend_from_slice(map);
        text.extend_from_slice(slots);
        text.push(b']');
        text
    }
}

/// What a slot of the record has become.
#[inline]
fn find(kept: &[Kept], states: &[State], source: &Source<'_>, slot: u32) -> Option<u32> {
    let at = kept.partition_point(|range| range.end <= slot);
    if let Some(new) = kept.get(at).and_then(|range| range.find(slot)) {
        return Some(new);
    }
    let state = states.get(source.first as usize + slot as usize)?;
    state.reference()?.slot().map(|slot| slot as u32)
}

fn slot_reference(slot: u32) -> Reference {
    // There are fewer slots than a reference can name.
    Reference::from_i32(slot as i32)
}

impl Ranges {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.kept.clear();
        self.taken.clear();
        self.references.clear();
        self.body.clear();
    }

    pub(super) fn largest(&self) -> usize {
        (self.entries.capacity() * size_of::<Entry>())
            .max(self.kept.capacity() * size_of::<Kept>())
            .max(self.taken.capacity() * size_of::<u32>())
            .max(self.references.capacity() * size_of::<Reference>())
            .max(self.body.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flat, Index, Piece};

    /// The text without the entries at these places, and with a new one in place of each.
    fn changed(text: &str, places: &[usize]) -> Option<String> {
        let index = Index::new(text.as_bytes()).unwrap();
        let flat = Flat::new(text.as_bytes(), &index);
        let mut splice = Splice::map();
        let source = splice.source(flat);
        for (at, entry) in flat.map(flat.root().unwrap()).unwrap().enumerate() {
            let (key, value) = entry.unwrap();
            if places.contains(&at) {
                let key = flat.string(key).unwrap();
                splice.object(&key, &[("n", Piece::Number(7.0))]).unwrap();
            } else {
                splice.keep(source, key, value).unwrap();
            }
        }
        let text = walk(&splice, &mut Buffers::take())?;
        assert_eq!(text.capacity(), text.len(), "no more is kept than the text");
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn what_stands_behind_a_change_moves_with_its_references() {
        assert_eq!(
            changed(r#"[["Map",1,2,5,6],"a",[3,4],1,2,"b",[7,-1],{"x":6}]"#, &[0]).unwrap(),
            r#"[["Map",1,2,4,5],"a",{"n":3},7,"b",[6,-1],{"x":5}]"#,
        );
    }

    #[test]
    fn a_primitive_moves_to_the_first_who_has_it() {
        assert_eq!(
            changed(r#"[["Map",1,2,3,4],"a",[],"b",[5,6,7],6,7,8]"#, &[0]).unwrap(),
            r#"[["Map",1,2,4,5],"a",{"n":3},7,"b",[6,3,7],6,8]"#,
        );
        assert_eq!(
            changed(r#"[["Map",1,2,4,5],"a",[3],7,"b",[3]]"#, &[1]).unwrap(),
            r#"[["Map",1,2,4,5],"a",[3],7,"b",{"n":3}]"#,
        );
    }

    #[test]
    fn a_slot_that_has_to_change_its_place_is_for_another_walk() {
        // Shared with an entry that is gone: a value inside of it, and the next one's key.
        assert_eq!(changed(r#"[["Map",1,2,4,5],"a",[3],[],"b",[3]]"#, &[0]), None);
        assert_eq!(changed(r#"[["Map",1,2,3,5],"a",[3,4],"b",0,[]]"#, &[0]), None);
        // Refers to what comes later, as devalue never does.
        assert_eq!(changed(r#"[["Map",1,2,3,4],"a",[4],"b",[]]"#, &[1]), None);
    }
}
