//! A new text out of pieces of others.

mod buffers;
mod canonical;
mod careful;
mod content;
mod draft;
mod element;
mod gap;
mod in_place;
mod map;
mod output;
mod ranges;
mod rewrite;
mod shape;
mod shared_primitives;
mod state;
#[cfg(test)]
mod tests;
mod texts;

use std::ops::Range;

use crate::{
    error::{Error, Result},
    flat::Flat,
    index::Index,
    kept,
    reference::Reference,
    text::{number, string},
};
use buffers::Buffers;
use gap::{Gap, Target};
use in_place::Replaced;
use output::too_many_slots;
use state::State;
use texts::Texts;

pub(crate) use shape::holds_literals;

/// Writes a new devalue text out of pieces of others, without decoding them.
///
/// Slots are copied and their references rewritten. Slots are numbered in JavaScript's order, primitives are shared by
/// value, containers by identity within one source: for texts that devalue or this crate wrote, the output is to the
/// byte what JavaScript writes when it parses the sources, builds the Map and stringifies it, with URLs in Astro's
/// form.
///
/// Other texts may stay in their form where [`keep`](Splice::keep) copies what stands together. What is copied otherwise
/// gets its slots in order, and its strings and numbers in JavaScript's form. Nothing else does: the order of keys and
/// the choice between dense and sparse arrays stay as they are, the literals of dates and the like are not interpreted,
/// and a primitive for which a source has two slots may keep both.
///
/// ```
/// use serde_devalue::{Flat, Index, Piece, Splice};
///
/// # fn main() -> serde_devalue::Result<()> {
/// let record = br#"[["Map",1,2],"cart",["Set",3],"apple"]"#;
/// let index = Index::new(record)?;
/// let flat = Flat::new(record, &index);
///
/// let mut splice = Splice::map();
/// let source = splice.source(flat);
/// for entry in flat.map(flat.root()?)? {
///     let (key, value) = entry?;
///     splice.copy(&flat.string(key)?, source, value)?;
/// }
/// splice.object("visits", &[("data", Piece::Number(7.0)), ("expires", Piece::Undefined)])?;
/// assert_eq!(
///     splice.finish()?,
///     br#"[["Map",1,2,4,5],"cart",["Set",3],"apple","visits",{"data":6,"expires":-1},7]"#,
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Splice<'s> {
    /// The sources, and the texts of objects, keys and numbers.
    texts: Texts<'s>,
    /// The keys and values of the root, in turn.
    entries: Vec<Target>,
    /// The objects that no source has, with gaps where the references will stand.
    objects: Vec<Object>,
    /// The gaps of the objects.
    gaps: Vec<Gap>,
    /// The keys and numbers that no source has.
    primitives: Vec<u32>,
}

/// An object that was built here.
#[derive(Clone, Debug)]
struct Object {
    /// Its text, by its place among those that no source has.
    piece: u32,
    gaps: Range<usize>,
}

/// A text that pieces are copied from, known to the [`Splice`] that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source(usize);

/// The value of a field that [`Splice::object`] writes.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// The subtree at a reference of a source.
    Copy(Source, Reference),
    /// A number, NaN, the infinities and -0 among them.
    Number(f64),
    /// JavaScript's `undefined`.
    Undefined,
}

impl<'s> Splice<'s> {
    /// A text whose root is a Map, which gets its entries in the order of the calls.
    pub fn map() -> Splice<'s> {
        Splice {
            entries: Vec::with_capacity(32),
            primitives: Vec::with_capacity(16),
            texts: Texts::new(),
            ..Splice::default()
        }
    }

    /// A text with one change: all entries of the Map at its root stay, and this one gets a plain object with these fields for
    /// its value, which may be copied from `other`. As [`keep`](Splice::keep) and [`object`](Splice::object) for one entry
    /// after the other, and for less. With the new text comes its index, where that is known already.
    ///
    /// A value in which the Map itself is, as in no session's, goes on to refer to it where no slot has to move; otherwise it
    /// gets the old Map for a value.
    ///
    /// ```
    /// use serde_devalue::{Flat, Index, Piece, Reference, Splice};
    ///
    /// # fn main() -> serde_devalue::Result<()> {
    /// let record = br#"[["Map",1,2,4,5],"visits",{"n":3},7,"theme","dark"]"#;
    /// let index = Index::new(record)?;
    /// let record = Flat::new(record, &index);
    /// let Some(entry) = record.entry(record.root()?, "visits")? else { return Ok(()) };
    /// let (text, _) = Splice::replace(record, entry, record, |_| [("n", Piece::Number(8.0))])?;
    /// assert_eq!(text, br#"[["Map",1,2,4,5],"visits",{"n":3},8,"theme","dark"]"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As those, and if the Map has no such entry.
    pub fn replace<const N: usize>(
        record: Flat<'s>,
        (key, value): (Reference, Reference),
        other: Flat<'s>,
        fields: impl FnOnce(Source) -> [(&'s str, Piece); N],
    ) -> Result<(Vec<u8>, Option<Index>)> {
        let mut splice = Splice { texts: Texts::new(), ..Splice::default() };
        let source = splice.source(record);
        let other = splice.source(other);
        let object = splice.built(&fields(other))?;
        splice.target(Piece::Copy(source, key))?;
        splice.target(Piece::Copy(source, value))?;
        splice.check_numbers()?;
        let replaced = Replaced { key, value, object };
        let mut buffers = Buffers::take();
        if let Some((text, index)) = in_place::write(&splice, replaced, &mut buffers) {
            buffers.keep();
            return Ok((text, Some(index)));
        }
        buffers.keep();
        splice.keep_all_but(replaced)?;
        Ok((splice.finish()?, None))
    }

    /// Adds a source. Containers are shared within one source, never among sources.
    pub fn source(&mut self, flat: Flat<'s>) -> Source {
        self.texts.add(flat);
        Source(self.texts.sources.len() - 1)
    }

    /// Adds the entry `key` → the subtree of `source` at `value`.
    ///
    /// The key must be new: entries are not compared.
    ///
    /// # Errors
    /// If the source is another `Splice`'s, or has no such slot.
    pub fn copy(&mut self, key: &str, source: Source, value: Reference) -> Result<()> {
        let value = self.target(Piece::Copy(source, value))?;
        self.entry(key, value)
    }

    /// Adds an entry of a source: its key, whatever that is, and its value.
    ///
    /// As [`copy`](Splice::copy), without reading the key. Where a source keeps its entries in their order, all that
    /// stands between two changes is copied at once.
    ///
    /// # Errors
    /// If the source is another `Splice`'s, or has no such slots.
    pub fn keep(&mut self, source: Source, key: Reference, value: Reference) -> Result<()> {
        let key = self.target(Piece::Copy(source, key))?;
        let value = self.target(Piece::Copy(source, value))?;
        self.entries.extend([key, value]);
        Ok(())
    }

    /// Adds the entry `key` → a plain object with these fields, in this order.
    ///
    /// The key and the names must be new: they are not compared. JavaScript would put names that are array indices,
    /// such as `0`, first: so should the caller.
    ///
    /// # Errors
    /// As [`copy`](Splice::copy), and if a field is named `__proto__`, which JavaScript would refuse to read.
    pub fn object(&mut self, key: &str, fields: &[(&str, Piece)]) -> Result<()> {
        let object = self.built(fields)?;
        self.entry(key, Target::Object(object))
    }

    /// An object that no source has, by its place among those.
    fn built(&mut self, fields: &[(&str, Piece)]) -> Result<u32> {
        let first = self.gaps.len();
        for &(name, piece) in fields {
            if name == "__proto__" {
                return Err(Error::data("an object must not have a `__proto__` property"));
            }
            let target = self.target(piece)?;
            self.gaps.push(Gap::new(0, 0, target)?);
        }
        let gaps = &mut self.gaps[first..];
        let mut placed = Ok(());
        let piece = self.texts.write(|written| {
            let start = written.len();
            written.push(b'{');
            for (at, ((name, _), gap)) in fields.iter().zip(gaps).enumerate() {
                if at > 0 {
                    written.push(b',');
                }
                string::write_with(written, name, *b"\":");
                let place = written.len() - start;
                match Gap::new(place, place, gap.target) {
                    Ok(placed) => *gap = placed,
                    Err(error) => placed = Err(error),
                }
            }
            written.push(b'}');
        })?;
        placed?;
        self.objects.push(Object { piece, gaps: first..self.gaps.len() });
        Ok(self.objects.len() as u32 - 1)
    }

    /// Writes the text.
    ///
    /// # Errors
    /// If a slot that had to be read is not what devalue writes, or the text has more slots than references can name.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.check_numbers()?;
        let mut buffers = Buffers::take();
        if let Some(text) = ranges::walk(&self, &mut buffers) {
            buffers.keep();
            return Ok(text);
        }
        kept::Buffers::clear(&mut *buffers);
        if canonical::walk(&self, &mut buffers).is_none() {
            kept::Buffers::clear(&mut *buffers);
            careful::walk(&mut self, &mut buffers)?;
        }
        let text = buffers.output.write(&self.texts);
        buffers.keep();
        Ok(text)
    }

    fn check_numbers(&self) -> Result<()> {
        if self.texts.len() > State::NUMBERS { Err(too_many_slots()) } else { Ok(()) }
    }

    /// All entries of the first source, one of them with its new value.
    fn keep_all_but(&mut self, replaced: Replaced) -> Result<()> {
        let Some(source) = self.texts.sources.first().copied() else { return Ok(()) };
        // Written once, however often the Map has the entry.
        let mut new_key = None;
        for entry in source.flat.map(source.flat.root()?)? {
            let (key, value) = entry?;
            if (key, value) != (replaced.key, replaced.value) {
                self.keep(Source(0), key, value)?;
                continue;
            }
            let key = match new_key {
                Some(key) => key,
                None => {
                    let name = source.flat.string(key)?;
                    *new_key.insert(self.primitive(|text| string::write(text, &name))?)
                }
            };
            self.entries.extend([key, Target::Object(replaced.object)]);
        }
        match new_key {
            Some(_) => Ok(()),
            None => Err(Error::data("the Map has no such entry")),
        }
    }

    fn entry(&mut self, key: &str, value: Target) -> Result<()> {
        let key = self.primitive(|text| string::write(text, key))?;
        self.entries.extend([key, value]);
        Ok(())
    }

    fn primitive(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Target> {
        let piece = self.texts.write(write)?;
        self.primitives.push(piece);
        Ok(Target::Primitive(piece))
    }

    fn target(&mut self, piece: Piece) -> Result<Target> {
        match piece {
            Piece::Undefined => Ok(Target::Sentinel(Reference::UNDEFINED)),
            Piece::Number(number) => match Reference::from_number(number) {
                Some(sentinel) => Ok(Target::Sentinel(sentinel)),
                None => self.primitive(|text| number::write(text, number)),
            },
            Piece::Copy(source, reference) => {
                let Some(source) = self.texts.sources.get(source.0) else {
                    return Err(Error::data("the source belongs to another splice"));
                };
                match reference.slot() {
                    Some(slot) if slot >= source.flat.len() => {
                        Err(Error::data("there is no such slot").at_slot(slot))
                    }
                    None if reference.is_hole() => {
                        Err(Error::data("a hole can only stand in an array"))
                    }
                    _ => Ok(Target::copied(source.first, reference)),
                }
            }
        }
    }
}
