//! The inside of a slot, token by token: strict JSON, of scalars only.

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

    /// What a token refers to that is anything but an item of an array.
    fn value(&self, token: Token<'a>) -> Result<Reference> {
        match self.item(token)? {
            // DIFFERENCE: JavaScript reads a hole as undefined outside arrays. Nothing writes it.
            Reference::HOLE => Err(self.invalid("a hole can only stand in an array", token)),
            reference => Ok(reference),
        }
    }

    fn invalid(&self, message: &'static str, token: Token<'a>) -> Error {
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

    /// The next token as an item of an array, where holes are allowed.
    pub(crate) fn next_item(&mut self) -> Option<Result<Reference>> {
        let token = self.next()?;
        Some(token.and_then(|token| self.cursor.item(token)))
    }

    /// The next token as a reference to a value, which a hole is not.
    pub(crate) fn next_reference(&mut self) -> Option<Result<Reference>> {
        let token = self.next()?;
        Some(token.and_then(|token| self.reference(token)))
    }

    /// What a token that came from here refers to, if it is not a hole.
    pub(crate) fn reference(&self, token: Token<'a>) -> Result<Reference> {
        self.cursor.value(token)
    }

    /// That a token is not what it should be.
    pub(crate) fn invalid(&self, message: &'static str, token: Token<'a>) -> Error {
        self.cursor.invalid(message, token)
    }

    /// That a token is missing at the end.
    pub(crate) fn missing(&self, message: &'static str) -> Error {
        Error::data(message).at_slot(self.cursor.slot)
    }

    fn advance(&mut self) -> Result<Option<Token<'a>>> {
        match self.progress {
            Progress::Done => return Ok(None),
            Progress::First if self.cursor.peek() == Some(b']') => return self.close(),
            Progress::First => self.progress = Progress::Later,
            Progress::Later => match self.cursor.peek() {
                Some(b',') => self.cursor.advance(),
                Some(b']') => return self.close(),
                _ => return Err(self.cursor.expected("`,` or `]`")),
            },
        }
        self.cursor.scalar().map(Some)
    }

    fn close(&mut self) -> Result<Option<Token<'a>>> {
        self.progress = Progress::Done;
        self.cursor.advance();
        self.cursor.finish().map(|()| None)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.advance();
        if token.is_err() {
            self.progress = Progress::Done;
        }
        token.transpose()
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
    pub(crate) fn next_field(&mut self) -> Option<Result<(RawString<'a>, Reference)>> {
        let member = self.next()?;
        Some(member.and_then(|(key, token)| {
            if key.is("__proto__") {
                let message = "an object must not have a `__proto__` property";
                return Err(self.cursor.invalid(message, token));
            }
            Ok((key, self.cursor.value(token)?))
        }))
    }

    fn advance(&mut self) -> Result<Option<(RawString<'a>, Token<'a>)>> {
        match self.progress {
            Progress::Done => return Ok(None),
            Progress::First if self.cursor.peek() == Some(b'}') => return self.close(),
            Progress::First => self.progress = Progress::Later,
            Progress::Later => match self.cursor.peek() {
                Some(b',') => self.cursor.advance(),
                Some(b'}') => return self.close(),
                _ => return Err(self.cursor.expected("`,` or `}`")),
            },
        }
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a key"));
        }
        let Scalar::String(key) = self.cursor.scalar()?.scalar else {
            return Err(self.cursor.expected("a key"));
        };
        if self.cursor.peek() != Some(b':') {
            return Err(self.cursor.expected("`:`"));
        }
        self.cursor.advance();
        let token = self.cursor.scalar()?;
        Ok(Some((key, token)))
    }

    fn close(&mut self) -> Result<Option<(RawString<'a>, Token<'a>)>> {
        self.progress = Progress::Done;
        self.cursor.advance();
        self.cursor.finish().map(|()| None)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(RawString<'a>, Token<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.advance();
        if member.is_err() {
            self.progress = Progress::Done;
        }
        member.transpose()
    }
}
