//! What a slot is that has the form in which devalue writes it.

use crate::{
    reference::Reference,
    text::{number, string},
};

/// What a slot is.
pub(super) enum Shape {
    /// A slot that is shared by value.
    Primitive,
    /// A container without references.
    Leaf,
    /// A container, and where the first of its elements begins.
    Container(Kind, usize),
}

/// What the elements of a container are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Items,
    Fields,
    /// The fields of an object without a prototype.
    NullFields,
    Members,
    /// The next element of a Map is a key.
    Keys,
    /// The next element of a Map is a value.
    Values,
    /// One reference behind a tag, as every reducer of JavaScript writes it. Views on a buffer have their offset and
    /// their length behind it.
    Argument,
    /// What comes behind the argument.
    Behind,
    /// The fields of an object that no source has.
    Built,
}

impl Kind {
    /// What comes behind an element.
    #[inline(always)]
    pub(super) fn next(self) -> Self {
        match self {
            Kind::Keys => Kind::Values,
            Kind::Values => Kind::Keys,
            Kind::Argument => Kind::Behind,
            other => other,
        }
    }

    /// What closes a container of which an element of this kind could follow.
    #[inline(always)]
    pub(super) fn closing(self) -> Option<u8> {
        match self {
            Kind::Fields => Some(b'}'),
            Kind::Values => None,
            _ => Some(b']'),
        }
    }
}

/// What stands between two offsets, if it has that form. Of a container's elements nothing is looked at.
#[inline]
pub(super) fn read(text: &[u8], (start, end): (usize, usize)) -> Option<Shape> {
    let slot = text.get(start..end)?;
    let is_primitive = match slot.first()? {
        b'"' => is_string(text, start, end),
        b'-' | b'0'..=b'9' => is_number(slot),
        b'{' if slot == b"{}" => return Some(Shape::Leaf),
        b'{' => return Some(Shape::Container(Kind::Fields, start + 1)),
        b'[' => return list(text, start, slot),
        _ => matches!(slot, b"null" | b"true" | b"false"),
    };
    is_primitive.then_some(Shape::Primitive)
}

#[inline(always)]
fn is_string(text: &[u8], start: usize, end: usize) -> bool {
    string::is_canonical_token(text.get(start..end).unwrap_or_default())
        || escaped_string_end(text, start) == Some(end)
}

fn list(text: &[u8], start: usize, slot: &[u8]) -> Option<Shape> {
    match slot {
        b"[]" | b"[\"Map\"]" | b"[\"Set\"]" | b"[\"null\"]" => return Some(Shape::Leaf),
        [b'[', b'"', b'D', b'a', b't', b'e', b'"', b',', date @ .., b']']
            if string::is_canonical_token(date) =>
        {
            return Some(Shape::Leaf);
        }
        [b'[', b'"', ..] => {}
        _ => return Some(Shape::Container(Kind::Items, start + 1)),
    }
    let tag_end = string_end(text, start + 1)?;
    let tag = text.get(start + 2..tag_end - 1)?;
    let argument = tag_end + 1;
    let &[b',', first] = text.get(tag_end..)?.first_chunk()? else { return None };
    let kind = match tag {
        b"Map" => Kind::Keys,
        b"Set" => Kind::Members,
        b"null" => Kind::NullFields,
        b"URL" if first == b'"' => return None,
        b"BigInt" if first == b'"' => {
            return is_end_of_strings(text, argument, start + slot.len())
                .then_some(Shape::Primitive);
        }
        _ if first == b'"' => {
            return is_end_of_strings(text, argument, start + slot.len()).then_some(Shape::Leaf);
        }
        _ if holds_literals(tag) => return None,
        _ => Kind::Argument,
    };
    Some(Shape::Container(kind, argument))
}

/// Whether the argument of a tag is no reference, whatever it looks like.
pub(crate) fn holds_literals(tag: &[u8]) -> bool {
    matches!(tag, b"BigInt" | b"Date" | b"RegExp" | b"ArrayBuffer" | b"URLSearchParams")
        || tag.starts_with(b"Temporal.")
}

/// Whether a list ends with the strings that begin at an offset, and there.
fn is_end_of_strings(text: &[u8], start: usize, end: usize) -> bool {
    let mut at = start;
    while text.get(at) == Some(&b'"') {
        let Some(behind) = string_end(text, at) else { return false };
        match text.get(behind) {
            Some(b',') => at = behind + 1,
            delimiter => return delimiter == Some(&b']') && behind + 1 == end,
        }
    }
    false
}

/// Where the string ends that begins with a quote at an offset.
#[inline(always)]
pub(super) fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let close = string::skip_canonical(text, start + 1);
    match text.get(close)? {
        b'"' => Some(close + 1),
        _ => escaped_string_end(text, start),
    }
}

/// The same for a string with escapes, or with characters that share a byte with what is escaped.
#[cold]
fn escaped_string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at = string::skip_canonical(text, at);
        match text.get(at..)? {
            [b'"', ..] => return Some(at + 1),
            [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
            [b'\\', b'u', ..] => return rewritten_string_end(text, start),
            [0xe2, rest @ ..] if !matches!(rest, [0x80, 0xa8 | 0xa9, ..]) => at += 1,
            _ => return None,
        }
    }
}

/// The same for a string that can only be compared with what is written for it.
fn rewritten_string_end(text: &[u8], start: usize) -> Option<usize> {
    let (string, end) = string::RawString::scan(text, start).ok()?;
    (*string.canonical() == *string.token()).then_some(end)
}

#[inline(always)]
fn is_number(slot: &[u8]) -> bool {
    number::is_canonical_token(slot) || is_unusual_number(slot)
}

/// With an exponent, or with more digits than tell by themselves.
#[cold]
fn is_unusual_number(slot: &[u8]) -> bool {
    if number::scan(slot, 0).ok() != Some(slot.len()) {
        return false;
    }
    let number = number::parse(slot);
    if Reference::from_number(number).is_some() {
        return false;
    }
    let mut canonical = Vec::with_capacity(slot.len());
    number::write(&mut canonical, number);
    canonical == slot
}
