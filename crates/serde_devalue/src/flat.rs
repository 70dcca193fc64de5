//! The borrowed view of a text: any slot, without the others.

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    index::Index,
    reference::Reference,
    slot::{Fields, MapEntries, Slot},
    text::{number, string},
    token::{Cursor, Members, Tokens},
};

/// A devalue text and its [`Index`]: reads single values, and nothing but the slots that they need.
///
/// It never panics, even when the index belongs to another text: what it returns is then an error, or some value
/// of the text.
///
/// ```
/// use serde_devalue::{Flat, Index};
///
/// # fn main() -> serde_devalue::Result<()> {
/// let text = br#"[["Map",1,2,3,4],"name","Ann","visits",7]"#;
/// let index = Index::new(text)?;
/// let flat = Flat::new(text, &index);
/// for entry in flat.map(flat.root()?)? {
///     let (key, value) = entry?;
///     if flat.string_eq(key, "visits") {
///         assert_eq!(flat.number(value)?, 7.0);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flat<'a> {
    text: &'a [u8],
    index: &'a Index,
}

impl<'a> Flat<'a> {
    /// The view of a text through its index.
    pub fn new(text: &'a [u8], index: &'a Index) -> Flat<'a> {
        Flat { text, index }
    }

    /// The text and the index.
    pub(crate) fn parts(&self) -> (&'a [u8], &'a Index) {
        (self.text, self.index)
    }

    /// The number of slots.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Where the text's value begins: slot 0, or a sentinel such as `undefined`.
    ///
    /// # Errors
    /// If the index belongs to a longer text.
    pub fn root(&self) -> Result<Reference> {
        match self.index.bounds(0) {
            Some((start, _)) if start > self.text.len() => Err(Error::eof(self.text.len())),
            _ => Ok(self.index.root()),
        }
    }

    /// The entries of a Map.
    ///
    /// # Errors
    /// If it is not a Map. The iterator stops at an entry that is not two references.
    pub fn map(&self, at: Reference) -> Result<MapEntries<'a>> {
        if let Some(entries) = self.map_canonical(at) {
            return Ok(entries);
        }
        match self.at(at)? {
            Some(Slot::Tagged { tag, args }) if tag == "Map" => Ok(MapEntries(args)),
            _ => Err(expected("a Map", at)),
        }
    }

    /// The fields of a plain object.
    ///
    /// # Errors
    /// If it is not one. The iterator stops at a field that is not a key and a reference, and at `__proto__`.
    pub fn object(&self, at: Reference) -> Result<Fields<'a>> {
        match self.at(at)? {
            Some(Slot::Object(fields)) => Ok(fields),
            _ => Err(expected("an object", at)),
        }
    }

    /// A string, borrowed from the text where it has no escapes.
    ///
    /// # Errors
    /// If it is not a string, or holds an unpaired surrogate.
    #[inline]
    pub fn string(&self, at: Reference) -> Result<Cow<'a, str>> {
        if let Some(string) = self.plain_string(at) {
            return Ok(Cow::Borrowed(string));
        }
        match self.at(at)? {
            Some(Slot::String(string)) => string.to_str(),
            _ => Err(expected("a string", at)),
        }
    }

    /// Whether it is this string. Everything that is not a string is not.
    pub fn string_eq(&self, at: Reference, other: &str) -> bool {
        match self.is_plain_string(at, other) {
            Some(is_same) => is_same,
            None => matches!(self.at(at), Ok(Some(Slot::String(string))) if string.is(other)),
        }
    }

    /// A number, NaN, the infinities and -0 among them.
    ///
    /// # Errors
    /// If it is not a number. A BigInt is not one.
    #[inline]
    pub fn number(&self, at: Reference) -> Result<f64> {
        if let Some((start, end)) = at.slot().and_then(|slot| self.index.bounds(slot))
            && let Some(number) = self.text.get(start..end).and_then(number::parse_canonical)
        {
            return Ok(number);
        }
        match self.at(at)? {
            Some(Slot::Number(number)) => Ok(number),
            Some(_) => Err(expected("a number", at)),
            None => at.number().ok_or_else(|| expected("a number", at)),
        }
    }

    /// What a slot is as it stands in the text, whitespace around it included; `None` for a sentinel.
    #[inline]
    pub fn token(&self, at: Reference) -> Option<&'a [u8]> {
        let (start, end) = self.index.bounds(at.slot()?)?;
        self.text.get(start..end)
    }

    /// A string without escapes, and without whitespace around it.
    #[inline]
    fn plain_string(&self, at: Reference) -> Option<&'a str> {
        let (start, end) = self.index.bounds(at.slot()?)?;
        let [b'"', body @ .., b'"'] = self.text.get(start..end)? else { return None };
        let is_plain = string::is_plain(self.text, start + 1, end - 1);
        if is_plain { std::str::from_utf8(body).ok() } else { None }
    }

    /// The entries of a Map, if its tag is written as devalue writes it.
    fn map_canonical(&self, at: Reference) -> Option<MapEntries<'a>> {
        const TAG: &[u8] = b"[\"Map\"";
        let slot = at.slot()?;
        let (start, end) = self.index.bounds(slot)?;
        let bounds = (start.checked_add(TAG.len())?, end);
        if !self.text.get(start..end)?.starts_with(TAG) {
            return None;
        }
        let cursor = Cursor::new(self.text, bounds, slot, self.len());
        Some(MapEntries(Tokens::behind_first(cursor)))
    }

    /// The slot at a reference; `None` for a sentinel.
    fn at(&self, at: Reference) -> Result<Option<Slot<'a>>> {
        at.slot().map(|slot| self.slot(slot)).transpose()
    }

    /// The shape of a slot.
    pub(crate) fn slot(&self, slot: usize) -> Result<Slot<'a>> {
        self.index.slot(self.text, slot)
    }

    /// The beginning of a slot.
    pub(crate) fn cursor(&self, slot: usize) -> Result<Cursor<'a>> {
        self.index.cursor(self.text, slot)
    }

    /// Where a slot begins and ends, whitespace around it included.
    pub(crate) fn bounds(&self, slot: usize) -> Option<(usize, usize)> {
        self.index.bounds(slot)
    }

    /// Checks that every slot is JSON, those that nothing refers to as well, as `JSON.parse` does.
    pub(crate) fn validate(&self) -> Result<()> {
        (0..self.len()).try_for_each(|slot| self.validate_slot(slot))
    }

    /// Checks that a slot is JSON, whatever it means.
    pub(crate) fn validate_slot(&self, slot: usize) -> Result<()> {
        let mut cursor = self.cursor(slot)?;
        match cursor.peek() {
            Some(b'{') => Members::new(cursor).try_for_each(|member| member.map(drop)),
            Some(b'[') => Tokens::new(cursor).try_for_each(|token| token.map(drop)),
            _ => {
                cursor.scalar()?;
                cursor.finish()
            }
        }
    }
}

/// What borrows from the text alone, and outlives the index.
impl Index {
    /// The shape of a slot.
    pub(crate) fn slot<'t>(&self, text: &'t [u8], slot: usize) -> Result<Slot<'t>> {
        Slot::read(self.cursor(text, slot)?)
    }

    fn cursor<'t>(&self, text: &'t [u8], slot: usize) -> Result<Cursor<'t>> {
        match self.bounds(slot) {
            Some(bounds) => Ok(Cursor::new(text, bounds, slot, self.len())),
            None => Err(Error::data("there is no such slot").at_slot(slot)),
        }
    }
}

fn expected(what: &str, at: Reference) -> Error {
    let error = Error::data(format!("expected {what}"));
    match at.slot() {
        Some(slot) => error.at_slot(slot),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, test: impl FnOnce(Flat<'_>)) {
        let index = Index::new(text.as_bytes()).unwrap();
        test(Flat::new(text.as_bytes(), &index));
    }

    fn slot(number: usize) -> Reference {
        Reference::to_slot(number).unwrap()
    }

    #[test]
    fn values_are_read_by_reference() {
        check(r#" [ {"a" : 1 , "\u0062":-1 } ,"x\n", ["Map",1,3,4,-6], 2.5 , -0, []]"#, |flat| {
            let fields: Vec<_> = flat.object(slot(0)).unwrap().map(Result::unwrap).collect();
            assert_eq!(fields, [("a".into(), slot(1)), ("b".into(), Reference::UNDEFINED)]);
            assert_eq!(flat.string(slot(1)).unwrap(), "x\n");
            assert!(flat.string_eq(slot(1), "x\n") && !flat.string_eq(slot(1), "x\\n"));
            let entries: Vec<_> = flat.map(slot(2)).unwrap().map(Result::unwrap).collect();
            assert_eq!(entries, [(slot(1), slot(3)), (slot(4), Reference::NEGATIVE_ZERO)]);
            assert_eq!(flat.number(slot(3)).unwrap(), 2.5);
            assert!(flat.number(slot(4)).unwrap().is_sign_negative());
            assert!(flat.number(Reference::NAN).unwrap().is_nan());
            assert!(flat.number(Reference::UNDEFINED).unwrap_err().is_data());
            assert!(flat.map(slot(5)).unwrap_err().is_data());
            flat.validate().unwrap();
        });
    }

    #[test]
    fn arrays_are_dense_sparse_or_tagged() {
        check(r#"[[1,-2,1.0,-3],"x",[-7,5,1,1,4,-1],["D\u0061te",""],[],[-7,0]]"#, |flat| {
            let Ok(Slot::Array(items)) = flat.slot(0) else { panic!("expected an array") };
            let items: Vec<_> = items.map(Result::unwrap).collect();
            assert_eq!(items, [slot(1), Reference::HOLE, slot(1), Reference::NAN]);
            let Ok(Slot::SparseArray { length: 5, items }) = flat.slot(2) else {
                panic!("expected a sparse array of 5")
            };
            let items: Vec<_> = items.map(Result::unwrap).collect();
            assert_eq!(items, [(1, slot(1)), (4, Reference::UNDEFINED)]);
            assert!(matches!(flat.slot(3), Ok(Slot::Tagged { tag, .. }) if tag == "Date"));
            assert!(
                matches!(flat.slot(4), Ok(Slot::Array(items)) if items.clone().next().is_none())
            );
            assert!(matches!(flat.slot(5), Ok(Slot::SparseArray { length: 0, .. })));
        });
    }

    /// Reads a slot to its end.
    fn drain(flat: Flat<'_>, number: usize) -> Result<()> {
        match flat.slot(number)? {
            Slot::Object(mut fields) => fields.try_for_each(|field| field.map(drop)),
            Slot::Array(mut items) => items.try_for_each(|item| item.map(drop)),
            Slot::SparseArray { mut items, .. } => items.try_for_each(|item| item.map(drop)),
            Slot::Tagged { tag, args } if tag == "Map" => {
                MapEntries(args).try_for_each(|entry| entry.map(drop))
            }
            Slot::Tagged { mut args, .. } => {
                while let Some(reference) = args.next_reference() {
                    reference?;
                }
                Ok(())
            }
            Slot::Null | Slot::Bool(_) | Slot::Number(_) | Slot::String(_) => Ok(()),
        }
    }

    #[test]
    fn what_is_not_json_is_a_syntax_error_in_its_slot() {
        for (text, offset) in [
            ("[1,]", 3),
            ("[,1]", 1),
            ("[01]", 2),
            ("[NaN]", 1),
            ("[truex]", 5),
            ("[1 2]", 3),
            ("[\"a\nb\"]", 3),
            (r#"["\x41"]"#, 2),
            ("[[0,]]", 4),
            ("[[0 0]]", 4),
            ("[[0]0]", 4),
            ("[{\"a\":0,}]", 8),
            ("[{\"a\" 0}]", 6),
            ("[{a:0}]", 2),
            ("[{\"a\":}]", 6),
            ("[{\"a\":0}0]", 8),
            ("[{0:0}]", 2),
        ] {
            check(text, |flat| {
                let error = flat.validate().unwrap_err();
                assert!(error.is_syntax(), "{text}: {error}");
                assert_eq!(error.offset(), Some(offset), "{text}: {error}");
                assert!(error.slot().is_some(), "{text}: {error}");
            });
        }
    }

    #[test]
    fn what_devalue_does_not_write_is_a_data_error_in_its_slot() {
        for text in [
            "[{\"a\":1}]",
            "[[4294967295]]",
            "[[9223372036854775807]]",
            "[{\"a\":\"1\"}]",
            "[{\"a\":null}]",
            "[[true]]",
            "[{\"a\":-2}]",
            "[{\"a\":-7}]",
            "[{\"a\":-8}]",
            "[{\"a\":0.5}]",
            "[{\"a\":-1e999}]",
            "[{\"__pr\\u006fto__\":0}]",
            "[[0,-7]]",
            "[[-7]]",
            "[[-7,-1]]",
            "[[-7,\"3\"]]",
            "[[-7,4294967296]]",
            "[[-7,3,-1,0]]",
            "[[-7,3,3,0]]",
            "[[-7,3,0.5,0]]",
            "[[-7,3,0,-2]]",
            "[[-7,3,0]]",
            "[[-7,0,0,0]]",
            "[[\"Map\",0]]",
            "[[\"Map\",-2,0]]",
            "[[\"Set\",9]]",
        ] {
            check(text, |flat| {
                let error = drain(flat, 0).unwrap_err();
                assert!(error.is_data(), "{text}: {error}");
                assert_eq!(error.slot(), Some(0), "{text}: {error}");
            });
        }
    }

    #[test]
    fn the_index_of_another_text_does_no_harm() {
        let index = Index::new(br#"[["Map",1,2],"key","value"]"#).unwrap();
        for text in ["", "[", "[[\"Map\",1,2],\"key\",\"val", "éééééééééééééééééééééé"]
        {
            let flat = Flat::new(text.as_bytes(), &index);
            for number in 0..4 {
                assert!(drain(flat, number).is_err() || text.len() > 20);
            }
        }
    }
}
