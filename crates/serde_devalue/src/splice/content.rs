//! What a slot to be copied holds.

use std::{borrow::Cow, collections::HashMap};

use super::{
    draft::Draft,
    gap::{Gap, Target},
    shape::holds_literals,
    texts::{Source, Texts},
};
use crate::{
    error::Result,
    index::is_whitespace,
    reference::Reference,
    slot::{array_index, is_sparse},
    text::number,
    token::{Cursor, Members, Place, Scalar, Token, Tokens},
};

/// What a slot holds, as JavaScript would write it.
pub(super) enum Content<'s> {
    /// A slot that is shared by value.
    Primitive(Cow<'s, [u8]>),
    /// A literal that JavaScript writes as a sentinel: `-0` and `1e400`.
    Sentinel(Reference),
    /// A slot with the gaps that were added.
    Container(Cow<'s, [u8]>),
}

/// Reads slots of one source, and adds the gaps of what it reads.
pub(super) struct Reader<'r, 's> {
    pub(super) source: Source<'s>,
    pub(super) gaps: &'r mut Vec<Gap>,
    pub(super) texts: &'r mut Texts<'s>,
    /// Which slots are -0, of those that begin as it does: many may refer to one that is long to look at.
    pub(super) zeros: &'r mut HashMap<u32, bool>,
}

impl<'s> Reader<'_, 's> {
    /// Reads one slot.
    pub(super) fn read(&mut self, slot: usize) -> Result<Content<'s>> {
        let mut cursor = self.source.flat.cursor(slot)?;
        match cursor.peek() {
            Some(b'{') => self.object(cursor),
            Some(b'[') => self.list(cursor),
            _ => {
                let token = cursor.scalar()?;
                cursor.finish()?;
                Ok(match sentinel(token) {
                    Some(sentinel) => Content::Sentinel(sentinel),
                    None => Content::Primitive(literal(token)),
                })
            }
        }
    }

    fn object(&mut self, cursor: Cursor<'s>) -> Result<Content<'s>> {
        let mut draft = Draft::new(cursor.rest(), cursor.offset());
        let mut members = Members::new(cursor);
        while let Some(field) = members.next_field() {
            let (key, place) = field?;
            draft.comma();
            draft.token(key.canonical(), key.offset());
            draft.punctuation(b':');
            self.gap(&mut draft, place)?;
        }
        draft.punctuation(b'}');
        Ok(Content::Container(draft.finish()))
    }

    fn list(&mut self, cursor: Cursor<'s>) -> Result<Content<'s>> {
        let mut draft = Draft::new(cursor.rest(), cursor.offset());
        let mut tokens = Tokens::new(cursor);
        // The first token tells what a list is.
        let mut first = None;
        if let Some(b'"' | b'-') = tokens.peek() {
            first = tokens.clone().next().transpose()?;
        }
        let mut is_primitive = false;
        match first.map(|token| (token, token.scalar)) {
            Some((token, Scalar::String(tag))) => {
                tokens.next();
                draft.comma();
                // JavaScript does not escape the name of a reducer.
                draft.token(Cow::Borrowed(tag.token()), token.offset);
                let tag = tag.to_str()?;
                is_primitive = tag == "BigInt";
                self.args(&tag, &mut tokens, &mut draft)?;
            }
            Some((token, scalar)) if is_sparse(scalar) => {
                tokens.next();
                draft.comma();
                draft.token(literal(token), token.offset);
                self.sparse(&mut tokens, &mut draft)?;
            }
            _ => {
                while let Some(item) = tokens.next_item() {
                    draft.comma();
                    self.gap(&mut draft, item?)?;
                }
            }
        }
        draft.punctuation(b']');
        let text = draft.finish();
        Ok(if is_primitive { Content::Primitive(text) } else { Content::Container(text) })
    }

    fn sparse(&mut self, tokens: &mut Tokens<'s>, draft: &mut Draft<'s>) -> Result<()> {
        let index =
            |tokens: &mut Tokens<'s>, draft: &mut Draft<'s>, limit| -> Result<Option<u32>> {
                let Some(token) = tokens.next().transpose()? else { return Ok(None) };
                let index = array_index(tokens, token, limit)?;
                draft.comma();
                draft.token(literal(token), token.offset);
                Ok(Some(index))
            };
        let length = index(tokens, draft, 1 << 32)?;
        let length = length.ok_or_else(|| tokens.missing("a sparse array has a length"))?;
        while index(tokens, draft, length.into())?.is_some() {
            self.value(tokens, draft, "the last index of a sparse array has no item")?;
        }
        Ok(())
    }

    /// The arguments of a tag, which tells what is a reference and what is not.
    fn args(&mut self, tag: &str, args: &mut Tokens<'s>, draft: &mut Draft<'s>) -> Result<()> {
        match tag {
            "Set" => {
                while let Some(member) = args.next_value() {
                    self.collection_key(draft, member?)?;
                }
            }
            "Map" => {
                while let Some(key) = args.next_value() {
                    self.collection_key(draft, key?)?;
                    self.value(args, draft, "the last key of the Map has no value")?;
                }
            }
            "null" => {
                while let Some(key) = args.next().transpose()? {
                    if !matches!(key.scalar, Scalar::String(name) if !name.is("__proto__")) {
                        return Err(args.invalid("expected a key other than `__proto__`", key));
                    }
                    draft.comma();
                    draft.token(literal(key), key.offset);
                    self.value(args, draft, "the last key has no value")?;
                }
            }
            _ => {
                // As every reducer of JavaScript writes: `["Tag",reference]`. Views on a buffer have their offset and
                // their length behind it.
                if !holds_literals(tag.as_bytes())
                    && matches!(args.peek(), Some(b'0'..=b'9' | b'-'))
                {
                    self.value(args, draft, "the tag has no argument")?;
                } else if tag == "URL"
                    && let Some(href) = args.next().transpose()?
                {
                    self.url(draft, href)?;
                }
                while let Some(token) = args.next().transpose()? {
                    draft.comma();
                    draft.token(literal(token), token.offset);
                }
            }
        }
        Ok(())
    }

    /// devalue's own form of a URL becomes Astro's, which has the text in a slot. Astro reads both.
    fn url(&mut self, draft: &mut Draft<'s>, href: Token<'s>) -> Result<()> {
        let place = Place { reference: Reference::ROOT, start: href.offset, end: href.offset };
        draft.comma();
        self.primitive(draft, place, literal(href))
    }

    /// JavaScript's Maps and Sets turn -0 into 0.
    fn collection_key(&mut self, draft: &mut Draft<'s>, key: Place) -> Result<()> {
        draft.comma();
        if self.is_negative_zero(key.reference)? {
            return self.primitive(draft, key, Cow::Borrowed(b"0"));
        }
        self.gap(draft, key)
    }

    /// Whether it is the sentinel, or a slot that holds it as a literal, as nothing writes it.
    fn is_negative_zero(&mut self, reference: Reference) -> Result<bool> {
        let Some(slot) = reference.slot() else {
            return Ok(reference == Reference::NEGATIVE_ZERO);
        };
        let (text, index) = self.source.flat.parts();
        let first = index.bounds(slot).and_then(|(start, _)| text.get(start));
        if first.is_some_and(|first| *first != b'-' && !is_whitespace(first)) {
            return Ok(false);
        }
        let number = self.source.first.wrapping_add(slot as u32);
        if let Some(is_zero) = self.zeros.get(&number) {
            return Ok(*is_zero);
        }
        let mut cursor = self.source.flat.cursor(slot)?;
        let is_zero = cursor.peek() == Some(b'-')
            && sentinel(cursor.scalar()?) == Some(Reference::NEGATIVE_ZERO);
        self.zeros.insert(number, is_zero);
        Ok(is_zero)
    }

    /// The next token, which must refer to a value.
    fn value(
        &mut self,
        tokens: &mut Tokens<'s>,
        draft: &mut Draft<'s>,
        missing: &'static str,
    ) -> Result<()> {
        let value = tokens.next_value().ok_or_else(|| tokens.missing(missing))??;
        draft.comma();
        self.gap(draft, value)
    }

    fn gap(&mut self, draft: &mut Draft<'s>, place: Place) -> Result<()> {
        self.gaps.push(draft.gap(place, Target::copied(self.source.first, place.reference))?);
        Ok(())
    }

    fn primitive(
        &mut self,
        draft: &mut Draft<'s>,
        place: Place,
        text: Cow<'s, [u8]>,
    ) -> Result<()> {
        let piece = self.texts.write(|written| written.extend_from_slice(&text))?;
        self.gaps.push(draft.gap(place, Target::Primitive(piece))?);
        Ok(())
    }
}

/// A scalar as JavaScript writes it.
fn literal(token: Token<'_>) -> Cow<'_, [u8]> {
    match token.scalar {
        Scalar::Null => Cow::Borrowed(b"null"),
        Scalar::Bool(true) => Cow::Borrowed(b"true"),
        Scalar::Bool(false) => Cow::Borrowed(b"false"),
        Scalar::String(string) => string.canonical(),
        Scalar::Number(text) if number::is_canonical(text) => Cow::Borrowed(text),
        Scalar::Number(text) => match number::parse(text) {
            number if number.is_finite() => {
                let mut canonical = Vec::with_capacity(text.len());
                number::write(&mut canonical, number);
                Cow::Owned(canonical)
            }
            _ => Cow::Borrowed(text),
        },
    }
}

/// The sentinel of a literal that JavaScript would not write.
fn sentinel(token: Token<'_>) -> Option<Reference> {
    match token.scalar {
        Scalar::Number(text) if !number::is_canonical(text) => {
            Reference::from_number(number::parse(text))
        }
        _ => None,
    }
}
