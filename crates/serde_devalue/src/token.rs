//! The inside of a slot, token by token: strict JSON, of scalars only.

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    index::skip_whitespace,
    reference::Reference,
    text::{number, string::RawString},
};

/// A scalar token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) scalar: Scalar<'a>,
    pub(crate) offset: usize,
}

/// What a scalar token says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As it is written, of JSON's grammar.
    Number(&'a [u8]),
    String(RawString<'a>),
}

/// A reference and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) reference: Reference,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A place in one slot of a text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    slot: usize,
    slots: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of the slot that stands between two offsets.
    pub(crate) fn new(
        text: &'a [u8],
        (start, end): (usize, usize),
        slot: usize,
        slots: usize,
    ) -> Self {
        let mut cursor = Cursor { text, at: start, end, slot, slots };
        cursor.skip_whitespace();
        cursor
    }

    pub(crate) fn skip_whitespace(&mut self) {
        self.at = skip_whitespace(self.text, self.at);
    }

    /// The next byte of the slot.
    pub(crate) fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.text.get(self.at).copied() } else { None }
    }

    fn advance(&mut self) {
        self.at += 1;
        self.skip_whitespace();
    }

    /// The next scalar, and the whitespace behind it.
    pub(crate) fn scalar(&mut self) -> Result<Token<'a>> {
        let offset = self.at;
        let (scalar, end) = self.scan_scalar().map_err(|error| error.at_slot(self.slot))?;
        self.at = end;
        self.skip_whitespace();
        // Only if the text is not the one that was indexed.
        if end > self.end {
            Err(self.expected("the end of the slot"))
        } else {
            Ok(Token { scalar, offset })
        }
    }

    fn scan_scalar(&self) -> Result<(Scalar<'a>, usize)> {
        let at = self.at;
        let rest = self.text.get(at..).unwrap_or_default();
        match self.peek() {
            Some(b'"') => {
                RawString::scan(self.text, at).map(|(string, end)| (Scalar::String(string), end))
            }
            Some(b'-' | b'0'..=b'9') => {
                let end = number::scan(self.text, at)?;
                Ok((Scalar::Number(&self.text[at..end]), end))
            }
            Some(b't') if rest.starts_with(b"true") => Ok((Scalar::Bool(true), at + 4)),
            Some(b'f') if rest.starts_with(b"false") => Ok((Scalar::Bool(false), at + 5)),
            Some(b'n') if rest.starts_with(b"null") => Ok((Scalar::Null, at + 4)),
            _ => Err(self.expected("a value")),
        }
    }

    /// The next key, and the colon behind it.
    fn key(&mut self) -> Result<RawString<'a>> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key"));
        }
        let (key, end) =
            RawString::scan(self.text, self.at).map_err(|error| error.at_slot(self.slot))?;
        self.at = end;
        self.skip_whitespace();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.advance();
        Ok(key)
    }

    /// The slot from here to its end, without the whitespace behind it.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..self.end).unwrap_or_default().trim_ascii_end()
    }

    /// Where the cursor stands in the text.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The next scalar as a reference.
    fn place(&mut self) -> Result<Place> {
        let start = self.at;
        // Nearly all are like this. Anything else goes the long way.
        let rest = self.text.get(start..).unwrap_or_default();
        if let Some((reference, behind @ [b',' | b']' | b'}', ..])) =
            Reference::read_canonical(rest, self.slots)
            && let end = self.text.len() - behind.len()
            && end < self.end
        {
            self.at = end;
            return Ok(Place { reference, start, end });
        }
        let token = self.scalar()?;
        let end = match token.scalar {
            Scalar::Number(text) => start + text.len(),
            _ => start,
        };
        Ok(Place { reference: self.item(token)?, start, end })
    }

    /// That the slot ends here.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.at == self.end { Ok(()) } else { Err(self.expected("the end of the slot")) }
    }

    fn expected(&self, what: &str) -> Error {
        Error::syntax(format!("expected {what}"), self.at).at_slot(self.slot)
    }

    /// What a token refers to that is an item of an array.
    fn item(&self, token: Token<'a>) -> Result<Reference> {
        let Scalar::Number(text) = token.scalar else {
            return Err(self.invalid("expected a reference to a slot", token));
        };
        let number = number::parse_integer(text).or_else(|| {
            // JavaScript compares numbers, not their text: `1.0` and `1e0` are slot 1 too.
            let number = number::parse(text);
            let integer = number as i64;
            (integer as f64 == number).then_some(integer)
        });
        let reference = number.and_then(|number| match usize::try_from(number) {
            Ok(slot) if slot < self.slots => Reference::to_slot(slot),
            Ok(_) => None,
            Err(_) => Reference::from_sentinel(number),
        });
        // DIFFERENCE: JavaScript reads unknown negative and fractional references as undefined. Nothing writes them.
        reference.ok_or_else(|| self.invalid("there is no slot of that index", token))
    }

    /// Refuses a hole where only a value can stand.
    fn value(&self, place: Place) -> Result<Place> {
        if place.reference.is_hole() {
            // DIFFERENCE: JavaScript reads a hole as undefined outside arrays. Nothing writes it.
            let error = Error::data("a hole can only stand in an array");
            return Err(error.at_slot(self.slot).at_offset(place.start));
        }
        Ok(place)
    }

    fn invalid(&self, message: impl Into<Cow<'static, str>>, token: Token<'a>) -> Error {
        Error::data(message).at_slot(self.slot).at_offset(token.offset)
    }
}

/// Where in a bracketed list of tokens we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    First,
    Later,
    Done,
}

impl Progress {
    /// Steps over the separator; whether another token comes, or the list is closed.
    fn advance(&mut self, cursor: &mut Cursor<'_>, close: u8) -> Result<bool> {
        let next = cursor.peek();
        match self {
            Progress::Done => return Ok(false),
            _ if next == Some(close) => {
                *self = Progress::Done;
                cursor.advance();
                return cursor.finish().map(|()| false);
            }
            Progress::First => *self = Progress::Later,
            Progress::Later if next == Some(b',') => cursor.advance(),
            Progress::Later => return Err(cursor.expected("`,` or the closing bracket")),
        }
        Ok(true)
    }
}

/// The scalar tokens of an array slot. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    cursor: Cursor<'a>,
    progress: Progress,
}

impl<'a> Tokens<'a> {
    /// From the cursor at the opening bracket.
    pub(crate) fn new(mut cursor: Cursor<'a>) -> Self {
        cursor.advance();
        Tokens { cursor, progress: Progress::First }
    }

    /// From the cursor behind the first token.
    pub(crate) fn behind_first(cursor: Cursor<'a>) -> Self {
        Tokens { cursor, progress: Progress::Later }
    }

    /// The first byte of the next token, or the closing bracket.
    pub(crate) fn peek(&self) -> Option<u8> {
        let mut cursor = self.cursor.clone();
        if self.progress == Progress::Later && cursor.peek() == Some(b',') {
            cursor.advance();
        }
        cursor.peek()
    }

    /// The next two tokens as references to values, if they stand there as devalue writes them behind others.
    #[inline(always)]
    pub(crate) fn next_canonical_pair(&mut self) -> Option<(Reference, Reference)> {
        if self.progress != Progress::Later {
            return None;
        }
        let Cursor { text, at, end, slots, .. } = self.cursor;
        let rest = text.get(at..end)?;
        let (first, rest) = Reference::read_canonical(rest.strip_prefix(b",")?, slots)?;
        let (second, rest) = Reference::read_canonical(rest.strip_prefix(b",")?, slots)?;
        let is_whole = matches!(rest, [b',' | b']', ..]) && !first.is_hole() && !second.is_hole();
        is_whole.then(|| {
            self.cursor.at = end - rest.len();
            (first, second)
        })
    }

    /// The next token as an item of an array, where holes are allowed.
    pub(crate) fn next_item(&mut self) -> Option<Result<Place>> {
        self.next_with(Cursor::place)
    }

    /// The next token as a reference to a value, which a hole is not.
    pub(crate) fn next_value(&mut self) -> Option<Result<Place>> {
        self.next_with(|cursor| cursor.place().and_then(|place| cursor.value(place)))
    }

    /// The next token as a reference to a value, which a hole is not.
    #[inline]
    pub(crate) fn next_reference(&mut self) -> Option<Result<Reference>> {
        // Nearly all are like this. Anything else goes the long way.
        if self.progress == Progress::Later
            && let Some([b',', rest @ ..]) = self.cursor.text.get(self.cursor.at..)
            && let Some((reference, [b',' | b']', behind @ ..])) =
                Reference::read_canonical(rest, self.cursor.slots)
            && !reference.is_hole()
            && let end = self.cursor.text.len() - behind.len() - 1
            && end < self.cursor.end
        {
            self.cursor.at = end;
            return Some(Ok(reference));
        }
        Some(self.next_value()?.map(|place| place.reference))
    }

    /// That a token is not what it should be.
    pub(crate) fn invalid(&self, message: impl Into<Cow<'static, str>>, token: Token<'a>) -> Error {
        self.cursor.invalid(message, token)
    }

    /// That a token is missing at the end.
    pub(crate) fn missing(&self, message: &'static str) -> Error {
        Error::data(message).at_slot(self.cursor.slot)
    }

    /// Reads what comes next, unless the list ends here.
    fn next_with<T>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
    ) -> Option<Result<T>> {
        let next = self.progress.advance(&mut self.cursor, b']').and_then(|more| match more {
            true => read(&mut self.cursor).map(Some),
            false => Ok(None),
        });
        if next.is_err() {
            self.progress = Progress::Done;
        }
        next.transpose()
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with(Cursor::scalar)
    }
}

/// The keys and scalar tokens of an object slot. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    cursor: Cursor<'a>,
    progress: Progress,
}

impl<'a> Members<'a> {
    /// From the cursor at the opening brace.
    pub(crate) fn new(mut cursor: Cursor<'a>) -> Self {
        cursor.advance();
        Members { cursor, progress: Progress::First }
    }

    /// The next key and what it refers to.
    pub(crate) fn next_field(&mut self) -> Option<Result<(RawString<'a>, Place)>> {
        self.next_with(|cursor, key| {
            if key.is("__proto__") {
                let error = Error::data("an object must not have a `__proto__` property");
                return Err(error.at_slot(cursor.slot).at_offset(key.offset()));
            }
            let place = cursor.place()?;
            Ok((key, cursor.value(place)?))
        })
    }

    /// Reads a key, and lets `read` read the rest of the field, unless the object ends here.
    fn next_with<T>(
        &mut self,
        read: impl FnOnce(&mut Cursor<'a>, RawString<'a>) -> Result<T>,
    ) -> Option<Result<T>> {
        let next = self.progress.advance(&mut self.cursor, b'}').and_then(|more| match more {
            true => {
                let key = self.cursor.key()?;
                read(&mut self.cursor, key).map(Some)
            }
            false => Ok(None),
        });
        if next.is_err() {
            self.progress = Progress::Done;
        }
        next.transpose()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(RawString<'a>, Token<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with(|cursor, key| Ok((key, cursor.scalar()?)))
    }
}
