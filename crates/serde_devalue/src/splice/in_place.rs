//! A change that leaves all else where it is.
//!
//! Where the new value of an entry has as many slots as the old one, no other slot moves. Then the text is copied as it
//! stands around them, and of the references it is only looked whether one leads to what has changed. So it is with most
//! changes: another number, another text, a list that has become longer by what is in the session already.

use std::ops::Range;

use super::{
    Splice,
    buffers::Buffers,
    map::{self, Entry, read_reference},
    ranges::Walk,
    rewrite::visit,
    shared_primitives,
    state::State,
    texts::Source,
};
use crate::{index::Index, reference::Reference};

/// The object that stands in place of an entry's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) key: Reference,
    pub(super) value: Reference,
    /// Its place among the objects that no source has.
    pub(super) object: u32,
}

/// Writes the text of the first source with the object in it, and its index; `None` where another slot would have to change
/// its place.
pub(super) fn write(
    splice: &Splice<'_>,
    replaced: Replaced,
    buffers: &mut Buffers,
) -> Option<(Vec<u8>, Index)> {
    let source = splice.texts.sources.first()?;
    let slots = slots_of(source, replaced)?;
    let Buffers { states, known, ranges, .. } = buffers;
    states.resize(splice.texts.len(), State::UNSEEN);
    shared_primitives::find(splice, Some(0), known, states)?;
    let mut walk = Walk::new(splice, source, states, ranges);
    walk.keep_up_to(slots.start);
    walk.insert_object(replaced.object)?;
    let referred = walk.inserted(slots.end)?;
    let body = &*ranges.body;
    // What the old value alone has brought along goes with it.
    visit(source, slots.start + 1..slots.end, |_, _, slot| (slot < slots.end).then_some(()))?;

    let (text, index) = source.flat.parts();
    let new = [b"[", body.get(1..)?, b"]"].concat();
    let new_index = Index::new(&new).ok()?;
    let is_kept = |slot: u32| {
        let inside = slot.wrapping_sub(slots.start + 1);
        if inside >= slots.end - slots.start - 1 {
            return Some(());
        }
        // It is the old value's, and shared: a primitive may be the same in the new one, which a container never is.
        let (new_start, new_end) = new_index.bounds(inside as usize)?;
        let (start, end) = index.bounds(slot as usize)?;
        let old = text.get(start..end)?;
        let is_container = matches!(old.first(), Some(b'[' | b'{'));
        (!is_container && new.get(new_start..new_end)? == old).then_some(())
    };
    let shared = index.shared(|| shared(source, &mut ranges.entries))?;
    shared.iter().try_for_each(|slot| is_kept(*slot))?;
    let shared = union(shared, referred);

    let (_, start) = source.flat.bounds(slots.start as usize)?;
    let (_, end) = source.flat.bounds(slots.end as usize - 1)?;
    let (before, behind) = (text.get(..start)?, text.get(end..)?);
    let length = before.len() + body.len() + behind.len();
    // Offsets of a text that is longer do not fit.
    u32::try_from(length).ok()?;
    let slots = slots.start as usize + 1..slots.end as usize;
    let index = index.with_slots(slots, &new_index, shared)?;
    let mut written = Vec::with_capacity(length);
    written.extend_from_slice(before);
    written.extend_from_slice(body);
    written.extend_from_slice(behind);
    Some((written, index))
}

/// The slots that an entry refers to and another one brings along; `None` if the text is not in devalue's form.
fn shared(source: &Source<'_>, entries: &mut Vec<Entry>) -> Option<Vec<u32>> {
    map::read(source, entries)?;
    let slots = source.flat.len() as u32;
    let ends = entries.iter().skip(1).map(|entry| entry.start).chain([slots]);
    let mut shared = Vec::new();
    for (start, end) in entries.iter().map(|entry| entry.start).zip(ends) {
        visit(source, start..end, |_, _, slot| {
            if slot < start || slot >= end {
                shared.push(slot);
            }
            Some(())
        })?;
    }
    Some(union(&[], shared))
}

/// The slots of both, each once.
fn union(some: &[u32], mut others: Vec<u32>) -> Vec<u32> {
    others.extend_from_slice(some);
    others.sort_unstable();
    others.dedup();
    // They are kept with the index.
    others.shrink_to_fit();
    others
}

/// The slots that an entry of the Map brings along, of which the first is its key and the second its value.
fn slots_of(source: &Source<'_>, replaced: Replaced) -> Option<Range<u32>> {
    let (text, index) = source.flat.parts();
    let (start, end) = index.bounds(0)?;
    let map_text = text.get(start..end)?;
    if !map_text.starts_with(map::TAG) {
        return None;
    }
    let (key, value) = (replaced.key.slot()? as u32, replaced.value.slot()? as u32);
    let slots = index.len();
    let mut end = slots as u32;
    let mut at = map::TAG.len();
    let mut seen = 0;
    let mut is_found = false;
    while map_text.get(at..)? != b"]" {
        let (entry_key, behind) = read_reference(map_text, at, slots)?;
        let (entry_value, behind) = read_reference(map_text, behind, slots)?;
        at = behind;
        if (entry_key, entry_value) == (replaced.key, replaced.value) {
            if is_found || key <= seen || value != key + 1 {
                return None;
            }
            is_found = true;
            seen = value;
            continue;
        }
        for reference in [entry_key, entry_value] {
            let Some(slot) = reference.slot().map(|slot| slot as u32) else { continue };
            if slot > seen {
                // The first that comes behind it.
                end = if is_found { end.min(slot) } else { end };
                seen = slot;
            } else if is_found && slot >= key {
                return None;
            }
        }
    }
    is_found.then_some(key..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flat, Piece};

    /// The text with another number under a key, and whether all else stayed in its place.
    fn replaced(text: &str, key: &str, number: f64) -> (String, bool) {
        let index = Index::new(text.as_bytes()).unwrap();
        let flat = Flat::new(text.as_bytes(), &index);
        let entry = flat.entry(flat.root().unwrap(), key).unwrap().unwrap();
        let (text, index) =
            Splice::replace(flat, entry, flat, |_| [("n", Piece::Number(number))]).unwrap();
        (String::from_utf8(text).unwrap(), index.is_some())
    }

    #[track_caller]
    fn check(text: &str, (expected, in_place): (&str, bool)) {
        assert_eq!(replaced(text, "b", 8.0), (expected.to_owned(), in_place));
    }

    #[test]
    fn a_value_with_as_many_slots_is_written_over_the_old_one() {
        let text = r#"[["Map",1,2,4,5,7,8],"a",{"n":3},6,"b",{"n":6},7,"c",[3]]"#;
        let expected = r#"[["Map",1,2,4,5,7,8],"a",{"n":3},6,"b",{"n":6},8,"c",[3]]"#;
        check(text, (expected, true));
        // The last one, and a text that says more than once what it was.
        let text = r#"[["Map",1,2],"b",{"m":3},"much longer than a number"]"#;
        check(text, (r#"[["Map",1,2],"b",{"n":3},8]"#, true));
    }

    #[test]
    fn a_primitive_that_the_record_has_already_needs_no_slot() {
        let text = r#"[["Map",1,2,4,5],"a",[3],8,"b",{"n":3}]"#;
        check(text, (text, true));
        let text = r#"[["Map",1,2,4,5],"a",[3],8,"b",{"n":6},7]"#;
        check(text, (r#"[["Map",1,2,4,5],"a",[3],8,"b",{"n":3}]"#, false));
    }

    #[test]
    fn what_others_share_with_the_old_value_moves_to_them() {
        let text = r#"[["Map",1,2,4,5],"b",{"n":3},7,"c",[3,6],9]"#;
        check(text, (r#"[["Map",1,2,4,5],"b",{"n":3},8,"c",[6,7],7,9]"#, false));
        // Unless it is the same now.
        let text = r#"[["Map",1,2,4,5],"b",{"m":3},8,"c",[3,6],9]"#;
        check(text, (r#"[["Map",1,2,4,5],"b",{"n":3},8,"c",[3,6],9]"#, true));
    }

    #[test]
    fn a_primitive_that_stands_behind_moves_to_the_front() {
        let text = r#"[["Map",1,2,4,5],"b",{"n":3},7,"c",[6],8]"#;
        check(text, (r#"[["Map",1,2,4,5],"b",{"n":3},8,"c",[3]]"#, false));
    }
}
