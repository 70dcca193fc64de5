//! From Rust to devalue text.
//!
//! A value's slot number is given on the first visit, container before content, so that the numbers are JavaScript's.
//! A container's text is known only after its content was visited: it grows on a stack (`scratch`) and moves to the
//! finished text (`text`) when it is complete. At the end the slots are joined in the order of their numbers.

mod entries;
mod list;
mod literal;
mod parts;
mod primitives;
mod serializer;
mod sparse;
mod tagged;
mod unsupported;
mod utf16;

use std::collections::HashMap;

use serde::Serialize;

use self::primitives::Primitives;
use crate::{
    Error, Options, Result, Value,
    error::Step,
    reference::Reference,
    text::{number, string},
};

pub(crate) fn to_vec<T: ?Sized + Serialize>(value: &T, options: Options) -> Result<Vec<u8>> {
    let mut writer = Writer::new(options);
    let root = value.serialize(&mut writer)?;
    let out_of_order = writer.out_of_order;
    let text = writer.finish(root);
    if out_of_order {
        // Rare: what was written has the right properties in each object, but visited them in Rust's order, not in
        // JavaScript's. A `Value` has JavaScript's.
        let mut writer = Writer::new(options);
        let root = options.any_tag().from_slice::<Value>(&text)?.serialize(&mut writer)?;
        return Ok(writer.finish(root));
    }
    Ok(text)
}

pub(crate) fn to_string<T: ?Sized + Serialize>(value: &T, options: Options) -> Result<String> {
    // Only whole strings and ASCII were written.
    String::from_utf8(to_vec(value, options)?)
        .map_err(|error| Error::data("the written text is not UTF-8").with_source(error))
}

/// The text being written. `&mut Writer` is the crate's `serde::Serializer`.
pub(crate) struct Writer {
    options: Options,
    /// The text of finished slots, each with a comma behind it, in the order of finishing.
    text: Vec<u8>,
    /// Where in `text` each slot is.
    slots: Vec<Span>,
    /// The text of unfinished containers, outermost first.
    scratch: Vec<u8>,
    /// The slots of primitives by their text: equal text is an equal value.
    primitives: Primitives,
    /// The slots of [`Value::Shared`] by their id.
    shared: HashMap<u32, Reference>,
    depth: usize,
    /// Whether an object's keys came in an order that is not JavaScript's.
    out_of_order: bool,
}

#[derive(Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// A container that is being written.
#[derive(Clone, Copy)]
struct Open {
    reference: Reference,
    /// Where its text begins in `scratch`.
    start: usize,
}

impl Writer {
    fn new(options: Options) -> Self {
        Writer {
            options,
            text: Vec::with_capacity(256),
            slots: Vec::with_capacity(16),
            scratch: Vec::with_capacity(128),
            primitives: Primitives::default(),
            shared: HashMap::new(),
            depth: 0,
            out_of_order: false,
        }
    }

    fn finish(self, root: Reference) -> Vec<u8> {
        if root.slot().is_none() {
            return root.as_i32().to_string().into_bytes();
        }
        let mut out = Vec::with_capacity(self.text.len() + self.slots.len() + 2);
        out.push(b'[');
        let mut slots = self.slots.into_iter().peekable();
        while let Some(Span { start, mut end }) = slots.next() {
            // Many slots were finished one after the other.
            while let Some(next) = slots.next_if(|next| next.start == end + 1) {
                end = next.end;
            }
            out.extend_from_slice(&self.text[start..=end]);
        }
        out.pop();
        out.push(b']');
        out
    }

    /// The slot that comes next.
    fn next_reference(&self) -> Result<Reference> {
        Reference::to_slot(self.slots.len())
            .ok_or_else(|| Error::limit("a devalue text cannot have more than 2^31 slots"))
    }

    /// Begins a container.
    #[inline(always)] // The beginning is a constant.
    fn open(&mut self, beginning: &[u8]) -> Result<Open> {
        if self.depth == Options::MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        let reference = self.next_reference()?;
        // Its text comes later.
        self.slots.push(Span::default());
        let start = self.scratch.len();
        self.scratch.extend_from_slice(beginning);
        Ok(Open { reference, start })
    }

    /// Ends the innermost container.
    fn close(&mut self, open: Open, end: u8) -> Reference {
        self.scratch.push(end);
        let start = self.text.len();
        self.text.extend_from_slice(&self.scratch[open.start..]);
        if let Some(span) = open.reference.slot().and_then(|slot| self.slots.get_mut(slot)) {
            *span = Span { start, end: self.text.len() };
        }
        self.text.push(b',');
        self.scratch.truncate(open.start);
        self.depth -= 1;
        open.reference
    }

    /// Appends a reference to the innermost container.
    fn push_reference(&mut self, reference: Reference) {
        number::write_integer(&mut self.scratch, reference.as_i32().into());
    }

    /// The slot of a primitive whose text `write` appends.
    fn primitive(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Reference> {
        let start = self.text.len();
        write(&mut self.text);
        let span = Span { start, end: self.text.len() };
        let next = self.next_reference()?;
        match self.primitives.find_or_insert(&self.text, &self.slots, span, next) {
            Some(same) => {
                self.text.truncate(start);
                Ok(same)
            }
            None => {
                self.text.push(b',');
                self.slots.push(span);
                Ok(next)
            }
        }
    }

    fn number(&mut self, number: f64) -> Result<Reference> {
        match Reference::from_number(number) {
            Some(sentinel) => Ok(sentinel),
            None => self.primitive(|text| number::write(text, number)),
        }
    }

    fn string(&mut self, string: &str) -> Result<Reference> {
        self.primitive(|text| string::write(text, string))
    }

    fn integer(&mut self, integer: i128) -> Result<Reference> {
        const MAX: u128 = 1 << 53;
        if integer.unsigned_abs() <= MAX {
            return self.primitive(|text| number::write_integer(text, integer as i64));
        }
        if self.options.lossy_integers {
            return self.number(integer as f64);
        }
        Err(beyond_number(integer))
    }

    /// As a key of a Map or a member of a Set: JavaScript makes -0 a 0 there.
    fn key(&mut self, reference: Reference) -> Result<Reference> {
        if reference == Reference::NEGATIVE_ZERO { self.number(0.0) } else { Ok(reference) }
    }

    /// The text of a slot, empty as long as it is unfinished.
    fn slot_text(&self, reference: Reference) -> &[u8] {
        match reference.slot().and_then(|slot| self.slots.get(slot)) {
            Some(span) => &self.text[span.start..span.end],
            None => b"",
        }
    }

    /// Whether the slot is a primitive.
    fn is_primitive(&self, reference: Reference) -> bool {
        let text = self.slot_text(reference);
        match text.first() {
            None => reference.slot().is_none(),
            Some(b'{') => false,
            Some(b'[') => text.starts_with(br#"["BigInt","#),
            Some(_) => true,
        }
    }

    /// Says in an error that it is in the value of a Map's key.
    fn under_map_key(&self, error: Error, key: Option<Reference>) -> Error {
        let text = match key {
            Some(key) if self.is_primitive(key) => match key {
                Reference::NAN => "NaN".into(),
                Reference::INFINITY => "Infinity".into(),
                Reference::NEGATIVE_INFINITY => "-Infinity".into(),
                _ if key.slot().is_none() => key.as_i32().to_string().into(),
                _ => String::from_utf8_lossy(self.slot_text(key)),
            },
            _ => "...".into(),
        };
        error.under(Step::MapKey(&text))
    }
}

#[cold]
fn too_deep() -> Error {
    Error::limit(format!("nested more than {} containers deep", Options::MAX_DEPTH))
}

fn beyond_number(integer: impl std::fmt::Display) -> Error {
    Error::data(format!(
        "{integer} is beyond 2^53, where a JavaScript number loses digits: write it as a BigInt with \
         #[serde(with = \"serde_devalue::bigint\")], or allow the loss with Options::lossy_integers"
    ))
}
