//! What a slot to be copied is made of.

use std::borrow::Cow;

use crate::{
    error::Result,
    flat::Flat,
    reference::Reference,
    slot::Slot,
    text::{number, string},
    token::{Scalar, Token, Tokens},
};

/// One part of a container's slot: a literal, an item, or a field.
#[derive(Debug)]
pub(super) struct Part<'s> {
    /// The text of the literal, or of the field's key.
    pub(super) label: Cow<'s, [u8]>,
    pub(super) target: Target<'s>,
}

/// What an item or a field refers to.
#[derive(Debug)]
pub(super) enum Target<'s> {
    /// Nothing: the part is a literal.
    None,
    /// A slot of a source.
    Slot { source: usize, slot: usize },
    /// A primitive that has its text, but perhaps no slot yet.
    Primitive(Cow<'s, [u8]>),
    /// A plain object that no source has.
    Object(Vec<Part<'s>>),
    /// A slot of the text that is being written, or a sentinel.
    Done(Reference),
}

impl<'s> Part<'s> {
    pub(super) fn literal(text: &'static [u8]) -> Self {
        Part { label: Cow::Borrowed(text), target: Target::None }
    }

    pub(super) fn item(target: Target<'s>) -> Self {
        Part { label: Cow::Borrowed(b""), target }
    }
}

impl Target<'_> {
    /// What a reference of a source refers to.
    pub(super) fn copied(source: usize, reference: Reference) -> Self {
        match reference.slot() {
            Some(slot) => Target::Slot { source, slot },
            None => Target::Done(reference),
        }
    }

    /// JavaScript's Maps and Sets turn -0 into 0.
    fn collection_key(source: usize, reference: Reference) -> Self {
        match reference {
            Reference::NEGATIVE_ZERO => Target::Primitive(Cow::Borrowed(b"0")),
            reference => Target::copied(source, reference),
        }
    }
}

/// What a slot of a source holds.
pub(super) enum Content<'s> {
    /// A slot that the text shares by value, as JavaScript would write it.
    Primitive(Cow<'s, [u8]>),
    /// A literal that JavaScript writes as a sentinel: `-0` and `1e400`.
    Sentinel(Reference),
    /// An object or a list, whose parts were added.
    Container(Bracket),
}

/// How a container's slot is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bracket {
    Object,
    List,
}

/// Reads a slot and adds its parts to `parts`.
pub(super) fn read<'s>(
    flat: Flat<'s>,
    source: usize,
    slot: usize,
    parts: &mut Vec<Part<'s>>,
) -> Result<Content<'s>> {
    let mut cursor = flat.cursor(slot)?;
    if !matches!(cursor.peek(), Some(b'[' | b'{')) {
        let token = cursor.scalar()?;
        cursor.finish()?;
        return Ok(primitive(token));
    }
    match Slot::read(cursor)? {
        Slot::Object(mut fields) => {
            while let Some(field) = fields.next_raw() {
                let (key, value) = field?;
                parts.push(Part { label: key.canonical(), target: Target::copied(source, value) });
            }
            return Ok(Content::Container(Bracket::Object));
        }
        Slot::Array(items) => {
            for item in items {
                parts.push(Part::item(Target::copied(source, item?)));
            }
        }
        Slot::SparseArray { length, items } => {
            parts.push(Part::literal(b"-7"));
            parts.push(index(length));
            for item in items {
                let (at, item) = item?;
                parts.push(index(at));
                parts.push(Part::item(Target::copied(source, item)));
            }
        }
        Slot::Tagged { tag, mut args } if tag == "BigInt" => return bigint(&mut args),
        Slot::Tagged { tag, args } => {
            parts.push(Part { label: tag_text(tag.clone()), target: Target::None });
            read_args(&tag, args, source, parts)?;
        }
        // Scalars were read above.
        Slot::Null | Slot::Bool(_) | Slot::Number(_) | Slot::String(_) => {}
    }
    Ok(Content::Container(Bracket::List))
}

/// The tag tells which arguments are references.
fn read_args<'s>(
    tag: &str,
    mut args: Tokens<'s>,
    source: usize,
    parts: &mut Vec<Part<'s>>,
) -> Result<()> {
    match tag {
        "Set" => {
            while let Some(member) = args.next_reference() {
                parts.push(Part::item(Target::collection_key(source, member?)));
            }
        }
        "Map" => {
            while let Some(key) = args.next_reference() {
                parts.push(Part::item(Target::collection_key(source, key?)));
                let value = args.next_reference();
                let value =
                    value.ok_or_else(|| args.missing("the last key of the Map has no value"))??;
                parts.push(Part::item(Target::copied(source, value)));
            }
        }
        "null" => {
            while let Some(key) = args.next().transpose()? {
                match key.scalar {
                    Scalar::String(name) if !name.is("__proto__") => {
                        parts.push(Part { label: name.canonical(), target: Target::None });
                    }
                    _ => return Err(args.invalid("expected a key other than `__proto__`", key)),
                }
                let value = args.next_reference();
                let value = value.ok_or_else(|| args.missing("the last key has no value"))??;
                parts.push(Part::item(Target::copied(source, value)));
            }
        }
        _ => {
            // `["Tag",reference]`, as every reducer of JavaScript writes, and the view on a buffer, whose offset and
            // length follow; or a built-in type that holds literals.
            let mut first = true;
            while let Some(token) = args.next().transpose()? {
                parts.push(match token.scalar {
                    Scalar::Number(_) if first && !holds_literals(tag) => {
                        Part::item(Target::copied(source, args.reference(token)?))
                    }
                    // Astro writes its URLs through a reducer, and reads both forms.
                    Scalar::String(href) if first && tag == "URL" => {
                        Part::item(Target::Primitive(href.canonical()))
                    }
                    _ => Part { label: literal(token), target: Target::None },
                });
                first = false;
            }
        }
    }
    Ok(())
}

fn holds_literals(tag: &str) -> bool {
    matches!(tag, "Date" | "RegExp" | "ArrayBuffer" | "URLSearchParams")
        || tag.starts_with("Temporal.")
}

/// A literal argument.
fn literal(token: Token<'_>) -> Cow<'_, [u8]> {
    match token.scalar {
        Scalar::Null => Cow::Borrowed(b"null"),
        Scalar::Bool(true) => Cow::Borrowed(b"true"),
        Scalar::Bool(false) => Cow::Borrowed(b"false"),
        Scalar::Number(text) => Cow::Borrowed(text),
        Scalar::String(string) => string.canonical(),
    }
}

/// A slot that is a scalar.
fn primitive(token: Token<'_>) -> Content<'_> {
    let Scalar::Number(text) = token.scalar else {
        return Content::Primitive(literal(token));
    };
    if number::parse_integer(text).is_some() && text != b"-0" {
        return Content::Primitive(Cow::Borrowed(text));
    }
    let number = number::parse(text);
    match Reference::from_number(number) {
        Some(sentinel) => Content::Sentinel(sentinel),
        None => {
            let mut canonical = Vec::with_capacity(text.len());
            number::write(&mut canonical, number);
            Content::Primitive(Cow::Owned(canonical))
        }
    }
}

/// A BigInt, which is a primitive, although its slot is a list.
fn bigint<'s>(args: &mut Tokens<'s>) -> Result<Content<'s>> {
    let Some(digits) = args.next().transpose()? else {
        return Err(args.missing("a BigInt has digits"));
    };
    args.try_for_each(|token| token.map(drop))?;
    Ok(Content::Primitive(Cow::Owned([b"[\"BigInt\",", &*literal(digits), b"]"].concat())))
}

fn index<'s>(index: u32) -> Part<'s> {
    let mut text = Vec::new();
    number::write_integer(&mut text, index.into());
    Part { label: Cow::Owned(text), target: Target::None }
}

/// A tag with its quotes. JavaScript does not escape a reducer's name, so neither do we, where it can be read at all.
fn tag_text<'s>(tag: Cow<'_, str>) -> Cow<'s, [u8]> {
    Cow::Owned(match tag {
        Cow::Borrowed(tag) => [b"\"", tag.as_bytes(), b"\""].concat(),
        Cow::Owned(tag) => {
            let mut text = Vec::new();
            string::write(&mut text, &tag);
            text
        }
    })
}
