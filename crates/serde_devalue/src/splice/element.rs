//! The elements of a container that has the form in which devalue writes it.

use super::shape::{self, Kind};
use crate::text::{number, string};

/// What an element refers to, and where the reference stands.
pub(super) struct Element {
    pub(super) start: usize,
    pub(super) end: usize,
    /// `None` for a sentinel.
    pub(super) slot: Option<u32>,
}

impl Element {
    /// The element that begins at an offset, of a text that has so many slots.
    #[inline(always)]
    pub(super) fn read(text: &[u8], at: usize, kind: Kind, slots: u32) -> Option<Self> {
        let start = behind_key(text, at, kind)?;
        let (slot, length) = number::parse_digits(text.get(start..)?)?;
        if slot >= slots || !number::has_no_zeros_before(slot, length) {
            return Some(Element { start, end: start + sentinel(text, start, kind)?, slot: None });
        }
        Some(Element { start, end: start + length, slot: Some(slot) })
    }
}

/// Where the reference begins behind a name that is short, as most are. All that matters of it is where it ends.
#[inline(always)]
pub(super) fn behind_short_name(text: &[u8], start: usize) -> Option<usize> {
    let [b'"', name @ ..] = text.get(start..)?.first_chunk::<9>()? else { return None };
    let length = string::find_quote(*name)?;
    let end = start + 1 + length;
    let [before, _, colon] = text.get(end - 1..)?.first_chunk()?;
    // A quote that is escaped ends nothing.
    (*before != b'\\' && *colon == b':').then_some(end + 2)
}

/// The slot of a reference, or `None` for `undefined`, and where it ends.
#[inline(always)]
pub(super) fn slot(text: &[u8], start: usize, slots: u32) -> Option<(Option<u32>, usize)> {
    let rest = text.get(start..)?;
    let (slot, length) = number::parse_few_digits(rest)?;
    if length == 0 {
        return rest.starts_with(b"-1").then_some((None, start + 2));
    }
    let is_slot = slot < slots && (length == 1 || rest.first() != Some(&b'0'));
    is_slot.then_some((Some(slot), start + length))
}

/// Where the reference of an element begins: behind its key, if it has one.
#[inline(always)]
fn behind_key(text: &[u8], start: usize, kind: Kind) -> Option<usize> {
    let separator = match kind {
        Kind::Fields => b':',
        Kind::NullFields => b',',
        _ => return Some(start),
    };
    if text.get(start) != Some(&b'"') {
        return None;
    }
    let end = shape::string_end(text, start)?;
    let is_name =
        text.get(end) == Some(&separator) && text.get(start..end) != Some(b"\"__proto__\"");
    is_name.then_some(end + 1)
}

/// Where the next element begins, or the container ends, and which of both it is.
#[inline(always)]
pub(super) fn delimiter(text: &[u8], at: usize, kind: Kind) -> Option<(usize, bool)> {
    let at = if kind == Kind::Behind { skip_numbers(text, at)? } else { at };
    let delimiter = *text.get(at)?;
    if delimiter == b',' && kind != Kind::Behind {
        Some((at + 1, true))
    } else {
        (Some(delimiter) == kind.closing()).then_some((at + 1, false))
    }
}

/// How long a sentinel is that such an element may be.
#[cold]
fn sentinel(text: &[u8], start: usize, kind: Kind) -> Option<usize> {
    let &[b'-', digit @ b'1'..=b'6'] = text.get(start..)?.first_chunk()? else { return None };
    let is_allowed = match digit {
        b'2' => kind == Kind::Items,
        // JavaScript's Maps and Sets turn -0 into 0.
        b'6' => !matches!(kind, Kind::Keys | Kind::Members),
        _ => true,
    };
    is_allowed.then_some(2)
}

/// Where the numbers end that views on a buffer have behind the reference.
fn skip_numbers(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while text.get(at) == Some(&b',') {
        let (number, length) = number::parse_digits(text.get(at + 1..)?)?;
        if !number::has_no_zeros_before(number, length) {
            return None;
        }
        at += 1 + length;
    }
    Some(at)
}
