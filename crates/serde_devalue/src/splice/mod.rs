//! A new text out of pieces of others.

mod buffers;
mod canonical;
mod careful;
mod content;
mod draft;
mod element;
mod gap;
mod output;
mod ranges;
mod rewrite;
mod shape;
mod shared_primitives;
mod state;
mod texts;

use std::ops::Range;

use crate::{
    error::{Error, Result},
    flat::Flat,
    kept,
    reference::Reference,
    text::{number, string},
};
use buffers::Buffers;
use gap::{Gap, Target};
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
        self.entry(key, Target::Object(self.objects.len() as u32 - 1))
    }

    /// Writes the text.
    ///
    /// # Errors
    /// If a slot that had to be read is not what devalue writes, or the text has more slots than references can name.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.texts.len() > State::NUMBERS {
            return Err(too_many_slots());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Index;

    /// Every entry of the Map in `text`, copied.
    fn copied(text: &str) -> Result<String> {
        let index = Index::new(text.as_bytes())?;
        let flat = Flat::new(text.as_bytes(), &index);
        let mut splice = Splice::map();
        let source = splice.source(flat);
        for entry in flat.map(flat.root()?)? {
            let (key, value) = entry?;
            splice.copy(&flat.string(key)?, source, value)?;
        }
        Ok(String::from_utf8(splice.finish()?).unwrap())
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(copied(text).unwrap(), expected);
    }

    #[track_caller]
    fn check_unchanged(text: &str) {
        check(text, text);
    }

    #[test]
    fn slots_are_numbered_in_javascripts_order() {
        check(
            r#"[["Map",6,5,4,2],"unused",{"x":3,"y":3},[4,-2,-1,-6],"a",[2,4,5],"b"]"#,
            r#"[["Map",1,2,5,3],"b",[3,5,2],{"x":4,"y":4},[5,-2,-1,-6],"a"]"#,
        );
    }

    #[test]
    fn primitives_are_shared_by_value_and_containers_by_identity() {
        check(
            r#"[["Map",1,2,3,4],"a",[5,6,7,8,9],"b",[10,6,11,8,12],1,[],1.0,["BigInt","1"],["Date",""],"a",[],["BigInt","1"]]"#,
            r#"[["Map",1,2,7,8],"a",[3,4,3,5,6],1,[],["BigInt","1"],["Date",""],"b",[1,4,9,5,5],[]]"#,
        );
    }

    #[test]
    fn primitives_are_shared_among_sources() {
        let texts = [
            r#"[[1,2,3],"a",1,["BigInt","1"]]"#,
            r#"[[1,2,3,4,5,6],"b",1,"a",["BigInt","1"],{"a":3},"c"]"#,
            r#"["c"]"#,
            r#"["d"]"#,
            r#"["d"]"#,
        ];
        let indices = texts.map(|text| Index::new(text.as_bytes()).unwrap());
        let mut splice = Splice::map();
        for (key, (text, index)) in ["a", "b", "d", "e", "f"].iter().zip(texts.iter().zip(&indices))
        {
            let source = splice.source(Flat::new(text.as_bytes(), index));
            let number = Piece::Number(1.0);
            splice
                .object(key, &[("data", Piece::Copy(source, Reference::ROOT)), ("n", number)])
                .unwrap();
        }
        assert_eq!(
            String::from_utf8(splice.finish().unwrap()).unwrap(),
            r#"[["Map",1,2,6,7,11,12,13,14,15,16],"a",{"data":3,"n":4},[1,4,5],1,["BigInt","1"],"b",{"data":8,"n":4},[6,4,1,5,9,10],{"a":1},"c","d",{"data":10,"n":4},"e",{"data":11,"n":4},"f",{"data":11,"n":4}]"#,
        );
    }

    #[test]
    fn references_that_grow_or_shrink_are_written_anew() {
        let list = |first: usize| {
            (0..110).map(|item| (first + item).to_string()).collect::<Vec<_>>().join(",")
        };
        let items = (0..110).map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(",");
        let long = format!(r#"[["Map",1,2,3,4],"a","b","c",[{}],{items}]"#, list(5));
        let index = Index::new(long.as_bytes()).unwrap();
        let flat = Flat::new(long.as_bytes(), &index);
        let slot = |slot| Reference::to_slot(slot).unwrap();
        let mut splice = Splice::map();
        let source = splice.source(flat);
        splice.keep(source, slot(3), slot(4)).unwrap();
        let short = format!(r#"[["Map",1,2],"c",[{}],{items}]"#, list(3));
        assert_eq!(String::from_utf8(splice.finish().unwrap()).unwrap(), short);

        let index = Index::new(short.as_bytes()).unwrap();
        let mut splice = Splice::map();
        let source = splice.source(Flat::new(short.as_bytes(), &index));
        splice.copy("a", source, Reference::UNDEFINED).unwrap();
        splice.copy("b", source, Reference::UNDEFINED).unwrap();
        splice.keep(source, slot(1), slot(2)).unwrap();
        let long = format!(r#"[["Map",1,-1,2,-1,3,4],"a","b","c",[{}],{items}]"#, list(5));
        assert_eq!(String::from_utf8(splice.finish().unwrap()).unwrap(), long);
    }

    #[test]
    fn every_kind_of_slot_is_copied() {
        check_unchanged(
            r#"[["Map",1,2],"key",[3,4,5,6,8,11,12,15,17],["Date","1970-01-01T00:00:00.000Z"],["RegExp","a","gi"],["BigInt","12"],["URL",7],"https://e.com/",["Set",9,10],1,true,["URLSearchParams","a=1"],{"x":13,"y":14},null,"y",["null","x",16,"y",9],"\u003Cb>",["Object",18],"boxed"]"#,
        );
        check_unchanged(
            r#"[["Map",1,2],"key",[3,5,6,7,8,9],["Uint8Array",4,1,2],["ArrayBuffer","AQID"],["DataView",4],["Temporal.PlainDate","2026-11-23"],[-7,1000,3,1,999,-1],["Custom",1],["Map",1,-3]]"#,
        );
    }

    #[test]
    fn cycles_are_copied() {
        check_unchanged(r#"[["Map",1,2],"self",{"me":2,"map":3},["Map",1,3]]"#);
    }

    #[test]
    fn a_reference_to_the_root_copies_the_map_as_a_value() {
        check(r#"[["Map",1,0],"self"]"#, r#"[["Map",1,2],"self",["Map",1,2]]"#);
    }

    #[test]
    fn foreign_forms_become_javascripts() {
        check(
            " [ [ \"Map\" , 1 , 2 ] , \"\\u006b\" , [ 3 , 4 , 5 , 6, 7.0, 8 ] , 1.50 , \"a\\/<\" , -0 , 1e400,1E2,{\"\\u0061\" : 1}] ",
            r#"[["Map",1,2],"k",[3,4,-6,-4,5,6],1.5,"a/\u003C",100,{"a":1}]"#,
        );
        check(
            r#"[["Map",1,2,3,4,5,6],"a",["URL","https://e.com/"],"b",["Map",-6,1],"c",["Set",-6]]"#,
            r#"[["Map",1,2,4,5,7,8],"a",["URL",3],"https://e.com/","b",["Map",6,1],0,"c",["Set",6]]"#,
        );
        check(
            r#"[["Map",1,2],"a",["Map",3,3,4,4],-0.0,["Set",3]]"#,
            r#"[["Map",1,2],"a",["Map",3,-6,4,4],0,["Set",3]]"#,
        );
        check(
            r#"[["Map",1,2],"a",["RegExp",1e400,1.50]]"#,
            r#"[["Map",1,2],"a",["RegExp",1e400,1.5]]"#,
        );
    }

    #[test]
    fn what_javascript_writes_is_taken_as_it_is() {
        let text = r#"[["Map",1,2],"\u003Ca\"\\\n€",[3,4,5,6,7],1e-7,12345678901234567000,"\u2028\ud800",-0.5,1e+21]"#;
        check_unchanged(text);
        // Nothing of it was written anew.
        let index = Index::new(text.as_bytes()).unwrap();
        let mut splice = Splice::map();
        let source = splice.source(Flat::new(text.as_bytes(), &index));
        let slot = |slot| Reference::to_slot(slot).unwrap();
        splice.keep(source, slot(1), slot(2)).unwrap();
        assert!(canonical::walk(&splice, &mut Buffers::take()).is_some());
    }

    #[test]
    fn what_javascript_would_write_otherwise_is_written_anew() {
        for (other, canonical) in [
            (r#""<""#, r#""\u003C""#),
            (r#""\/""#, r#""/""#),
            (r#""\u000a""#, r#""\n""#),
            ("\"\u{2028}\"", r#""\u2028""#),
            ("1.50", "1.5"),
            ("0.0000001", "1e-7"),
            ("12345678901234567890", "12345678901234567000"),
        ] {
            check(
                &format!(r#"[["Map",1,2],"key",{other}]"#),
                &format!(r#"[["Map",1,2],"key",{canonical}]"#),
            );
        }
        check(r#"[["Map",1,2],"key",[3,4],1e400,-0]"#, r#"[["Map",1,2],"key",[-4,-6]]"#);
    }

    #[test]
    fn deep_values_take_no_stack() {
        let depth = 100_000;
        let mut text = String::from(r#"[["Map",1,2],"deep""#);
        for slot in 3..depth {
            text.push_str(&format!(",[{slot}]"));
        }
        text.push_str(",[]]");
        check_unchanged(&text);
    }

    #[test]
    fn what_javascript_refuses_to_read_is_not_copied() {
        for slot in [
            r#"{"__proto__":1}"#,
            r#"["null","__proto__",1]"#,
            r#"["null",1,1]"#,
            r#"["null","a"]"#,
            r#"["Map",1]"#,
            r#"["Set","a"]"#,
            "[7]",
            "{\"a\":-2}",
            "01",
        ] {
            let error = copied(&format!(r#"[["Map",1,2],"key",{slot}]"#)).unwrap_err();
            assert_eq!(error.slot(), Some(2), "{slot}: {error}");
        }
    }

    #[test]
    fn objects_are_built_in_place() {
        let text = br#"["a"]"#;
        let index = Index::new(text).unwrap();
        let mut splice = Splice::map();
        let source = splice.source(Flat::new(text, &index));
        let data = Piece::Copy(source, Reference::ROOT);
        splice.object("a", &[("data", data), ("expires", Piece::Number(-0.0))]).unwrap();
        splice
            .object(
                "b",
                &[("data", Piece::Copy(source, Reference::NAN)), ("b", Piece::Number(0.5))],
            )
            .unwrap();
        assert!(splice.object("c", &[("__proto__", data)]).is_err());
        assert!(splice.copy("c", Source(1), Reference::ROOT).is_err());
        assert!(splice.copy("c", source, Reference::HOLE).is_err());
        assert!(splice.copy("c", source, Reference::to_slot(1).unwrap()).is_err());
        assert_eq!(
            String::from_utf8(splice.finish().unwrap()).unwrap(),
            r#"[["Map",1,2,3,4],"a",{"data":1,"expires":-6},"b",{"data":-3,"b":5},0.5]"#,
        );
    }
}
