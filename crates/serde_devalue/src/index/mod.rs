//! Where the slots of a text are.

#[cfg(target_arch = "x86_64")]
mod blocks;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod simd;

use std::{ops::Range, sync::OnceLock};

use crate::{
    error::{Error, Result},
    reference::Reference,
    text::number,
};

/// Where the slots of a devalue text begin and end.
///
/// It is made in one pass and owns nothing of the text, so that it can be kept beside the bytes.
/// With both, a [`Flat`](crate::Flat) reads single values without decoding the rest.
///
/// ```
/// # fn main() -> serde_devalue::Result<()> {
/// let index = serde_devalue::Index::new(br#"[{"name":1},"Ann"]"#)?;
/// assert_eq!(index.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    /// The offsets of the opening bracket, of each comma between slots and of the closing bracket: slot `i` stands
    /// between bounds `i` and `i + 1`. Empty if the root is a sentinel.
    bounds: Vec<u32>,
    root: Reference,
    /// What was found out about who shares its slots, where somebody has asked: see [`Index::shared`].
    shared: OnceLock<Vec<u32>>,
}

impl Index {
    /// Finds the slots of a text: one pass, and memory for as many offsets as there are slots.
    ///
    /// It checks all that decides where the slots are: UTF-8, the strings' ends, and that the brackets match. The
    /// inside of a slot is checked when the slot is read.
    ///
    /// # Errors
    /// If the text is not UTF-8, not an array of slots nor a root sentinel such as `-1`, if brackets are nested
    /// deeper than in anything that devalue writes, or if the text is 4 GiB or longer.
    pub fn new(text: &[u8]) -> Result<Index> {
        let start = skip_whitespace(text, 0);
        #[cfg(target_arch = "x86_64")]
        if text.get(start) == Some(&b'[')
            && let Some(bounds) = simd::find_slots(text, start)
        {
            return Ok(Index::of(bounds, Reference::ROOT));
        }
        Self::new_scalar(text, start)
    }

    /// [`Index::new`] without vectors, to compare with it.
    #[doc(hidden)]
    pub fn new_without_vectors(text: &[u8]) -> Result<Index> {
        Self::new_scalar(text, skip_whitespace(text, 0))
    }

    /// Byte by byte: where there are no vectors, and for texts with something wrong, which it can name.
    fn new_scalar(text: &[u8], start: usize) -> Result<Index> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::limit("texts of 4 GiB and more are not supported"));
        }
        std::str::from_utf8(text).map_err(|error| match error.error_len() {
            Some(_) => Error::syntax("the text is not UTF-8", error.valid_up_to()),
            None => Error::eof(error.valid_up_to()),
        })?;
        let (root, bounds, end) = match text.get(start) {
            Some(b'[') => {
                let (bounds, end) = scalar::find_slots(text, start)?;
                (Reference::ROOT, bounds, end)
            }
            Some(b'-' | b'0'..=b'9') => {
                let end = number::scan(text, start)?;
                let root = root_sentinel(number::parse(&text[start..end]), start)?;
                (root, Vec::new(), end)
            }
            Some(b'"' | b'{' | b't' | b'f' | b'n') => return Err(not_devalue(start)),
            Some(_) => return Err(Error::syntax("expected `[`", start)),
            None => return Err(Error::eof(start)),
        };
        let end = skip_whitespace(text, end);
        if end < text.len() {
            return Err(Error::syntax("expected nothing after the value", end));
        }
        if let [open, close] = *bounds
            && skip_whitespace(text, open as usize + 1) == close as usize
        {
            return Err(Error::data("a devalue text has one slot at least").at_offset(start));
        }
        Ok(Index::of(bounds, root))
    }

    fn of(bounds: Vec<u32>, root: Reference) -> Index {
        Index { bounds, root, shared: OnceLock::new() }
    }

    /// The number of slots. A text whose root is a sentinel, such as `-1`, has none.
    pub fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// Whether there are no slots: the root is a sentinel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slot 0, or the root's sentinel.
    pub fn root(&self) -> Reference {
        self.root
    }

    /// Where a slot begins and ends, whitespace around it included.
    pub(crate) fn bounds(&self, slot: usize) -> Option<(usize, usize)> {
        let &[start, end] = self.bounds.get(slot..)?.first_chunk()?;
        Some((start as usize + 1, end as usize))
    }

    /// The slots that somebody else refers to than who brings them along, and perhaps some that nobody does any more: what
    /// `find` finds, once.
    pub(crate) fn shared(&self, find: impl FnOnce() -> Option<Vec<u32>>) -> Option<&[u32]> {
        if let Some(shared) = self.shared.get() {
            return Some(shared);
        }
        let found = find()?;
        Some(self.shared.get_or_init(|| found))
    }

    /// The index of the text that has the slots of another in place of as many.
    pub(crate) fn with_slots(
        &self,
        slots: Range<usize>,
        others: &Index,
        shared: Vec<u32>,
    ) -> Option<Index> {
        let before = self.bounds.get(..slots.start)?;
        let [behind @ .., _] = &*others.bounds else { return None };
        let after = self.bounds.get(slots.end..)?;
        let (start, end) = (*self.bounds.get(slots.start)?, *after.first()?);
        let new_end = start + others.bounds.last()?;
        let mut bounds = Vec::with_capacity(self.bounds.len());
        bounds.extend_from_slice(before);
        bounds.extend(behind.iter().map(|bound| bound + start));
        bounds.extend(after.iter().map(|bound| bound - end + new_end));
        let index = Index { bounds, root: self.root, shared: OnceLock::from(shared) };
        (index.len() == self.len()).then_some(index)
    }

    /// Where each of these slots begins and ends.
    pub(crate) fn bounds_of(
        &self,
        slots: Range<usize>,
    ) -> Option<impl Iterator<Item = (usize, usize)>> {
        self.bounds.get(slots.start..slots.end + 1).map(between)
    }

    /// Where each slot begins and ends.
    pub(crate) fn all_bounds(&self) -> impl Iterator<Item = (usize, usize)> {
        between(&self.bounds)
    }
}

/// What is between each two neighbours of these offsets.
fn between(offsets: &[u32]) -> impl Iterator<Item = (usize, usize)> {
    let ends = offsets.get(1..).unwrap_or_default();
    offsets.iter().zip(ends).map(|(start, end)| (*start as usize + 1, *end as usize))
}

/// How many offsets a text of some length has, about.
fn expected(length: usize) -> usize {
    // Most slots take 16 bytes and more; a text may promise nothing, so the guess is bounded.
    (length / 16).min(4096) + 8
}

/// JSON's whitespace (RFC 8259, section 2).
#[inline]
pub(crate) fn is_whitespace(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where the whitespace ends that begins at `start`.
#[inline]
pub(crate) fn skip_whitespace(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while text.get(at).is_some_and(is_whitespace) {
        at += 1;
    }
    at
}

/// The sentinels that may stand in place of the array of slots.
fn root_sentinel(number: f64, offset: usize) -> Result<Reference> {
    match number {
        -1.0 => Ok(Reference::UNDEFINED),
        -3.0 => Ok(Reference::NAN),
        -4.0 => Ok(Reference::INFINITY),
        -5.0 => Ok(Reference::NEGATIVE_INFINITY),
        -6.0 => Ok(Reference::NEGATIVE_ZERO),
        _ => Err(not_devalue(offset)),
    }
}

fn not_devalue(offset: usize) -> Error {
    Error::data("not a devalue text: expected an array of slots, or one of -1, -3, -4, -5 and -6")
        .at_offset(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(text: &str) -> Vec<&str> {
        let index = Index::new(text.as_bytes()).unwrap();
        (0..index.len())
            .map(|slot| index.bounds(slot).map(|(start, end)| text[start..end].trim()).unwrap())
            .collect()
    }

    #[test]
    fn slots_are_found_through_strings_brackets_and_whitespace() {
        assert_eq!(slots("[1]"), ["1"]);
        assert_eq!(
            slots(r#" [ {"a,]}\"":1 , "b":2} , "[,\\" ,["x",","],-1,true ] "#),
            [r#"{"a,]}\"":1 , "b":2}"#, r#""[,\\""#, r#"["x",","]"#, "-1", "true"],
        );
    }

    #[test]
    fn a_root_sentinel_has_no_slots() {
        for (text, root) in [
            ("-1", Reference::UNDEFINED),
            (" -3 ", Reference::NAN),
            ("-40e-1", Reference::INFINITY),
            ("-5.0", Reference::NEGATIVE_INFINITY),
            ("-6", Reference::NEGATIVE_ZERO),
        ] {
            let index = Index::new(text.as_bytes()).unwrap();
            assert_eq!((index.root(), index.len()), (root, 0));
        }
    }

    #[test]
    fn any_other_root_is_an_error() {
        for text in ["[]", "[ ]", "{}", "\"hello\"", "null", "true", "0", "1", "-2", "-7", "0.5"] {
            assert!(Index::new(text.as_bytes()).unwrap_err().is_data(), "{text}");
        }
    }

    #[test]
    fn a_broken_structure_is_an_error_at_its_byte() {
        for (text, offset) in
            [("[1]x", 3), ("[[1}]", 3), ("[1}", 2), ("\u{feff}[1]", 0), ("undefined", 0)]
        {
            let error = Index::new(text.as_bytes()).unwrap_err();
            assert!(error.is_syntax(), "{text}: {error}");
            assert_eq!(error.offset(), Some(offset), "{text}");
        }
        for text in ["", " ", "[", "[1,", "[\"", "[\"\\", "[[1]", "[{\"a\":1}", "-"] {
            assert!(Index::new(text.as_bytes()).unwrap_err().is_eof(), "{text}");
        }
        assert!(Index::new(b"[\"\xff\"]").unwrap_err().is_syntax());
        let error = Index::new(b"[1,[[]]]").unwrap_err();
        assert!(error.is_data());
        assert_eq!((error.slot(), error.offset()), (Some(1), Some(4)));
    }
}
