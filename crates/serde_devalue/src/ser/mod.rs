//! From Rust to devalue text.
//!
//! A value's slot number is given on the first visit, container before content, so that the numbers are JavaScript's.
//! Primitives are written one after the other (`primitives`). A container's text is known only after its content was
//! visited: it grows on a stack (`scratch`) and moves to the other finished ones (`finished`) when it is complete. At
//! the end the containers are put between the primitives where they were opened.

mod buffers;
mod entries;
mod list;
mod literal;
mod parts;
mod serializer;
mod sparse;
mod tagged;
mod unsupported;
mod utf16;
mod value;

use std::{borrow::Cow, collections::HashMap};

use serde::Serialize;

use self::buffers::Buffers;
use crate::{
    Date, Error, Options, Result, Value,
    error::Step,
    reference::Reference,
    text::{
        number,
        string::{self, RawString},
    },
    types::date::{iso_bytes, with_iso_text},
};

pub(crate) use self::value::write_directly;

pub(crate) fn to_vec<T: ?Sized + Serialize>(value: &T, options: Options) -> Result<Vec<u8>> {
    let mut writer = Writer::new(options);
    let root = value.serialize(&mut writer)?;
    let (out_of_order, repeated) = (writer.out_of_order, writer.repeated);
    let text = writer.finish(root);
    if repeated > options.allowance / 8 {
        // Rare. With half of the allowance, because a text that is embedded in another has longer references.
        options.allowance(options.allowance / 2).any_tag().from_slice::<Value>(&text)?;
    }
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
    /// How many slots have their number.
    slots: usize,
    buffers: Box<Buffers>,
    /// The slots of the primitives that have only one text.
    words: [Option<Reference>; 3],
    /// The slots of [`Value::Shared`] by their id.
    shared: HashMap<u32, Reference>,
    depth: usize,
    /// How long the texts are, all together, that were not written because there was a slot for them.
    repeated: usize,
    /// Whether an object's keys came in an order that is not JavaScript's.
    out_of_order: bool,
}

#[derive(Clone, Copy)]
struct Container {
    reference: Reference,
    /// How much of `text` comes before it.
    place: usize,
    /// Where its text begins in `finished`, and in `scratch` until it is finished.
    start: usize,
    /// Where its text ends, without the comma.
    end: usize,
}

/// A container that is being written, by its number among all containers.
#[derive(Clone, Copy)]
struct Open(usize);

/// The primitives that have only one text.
#[derive(Clone, Copy)]
enum Word {
    Null,
    False,
    True,
}

impl Writer {
    fn new(options: Options) -> Self {
        Self::with_buffers(options, Buffers::take())
    }

    fn with_buffers(options: Options, buffers: Box<Buffers>) -> Self {
        Writer {
            options,
            slots: 0,
            buffers,
            words: [None; 3],
            shared: HashMap::new(),
            depth: 0,
            repeated: 0,
            out_of_order: false,
        }
    }

    fn finish(self, root: Reference) -> Vec<u8> {
        if root.slot().is_none() {
            return root.as_i32().to_string().into_bytes();
        }
        let Buffers { text, finished, containers, .. } = &*self.buffers;
        let mut out = Vec::with_capacity(text.len() + finished.len() + 2 + COPIED_AT_ONCE);
        out.push(b'[');
        let mut copied = 0;
        for container in containers {
            append_part(&mut out, text, copied, container.place);
            append_part(&mut out, finished, container.start, container.end + 1);
            copied = container.place;
        }
        out.extend_from_slice(&text[copied..]);
        out.pop();
        out.push(b']');
        self.buffers.keep();
        out
    }

    /// The slot that comes next.
    fn next_reference(&self) -> Result<Reference> {
        Reference::to_slot(self.slots).ok_or_else(too_many_slots)
    }

    /// Begins a container.
    #[cfg_attr(not(debug_assertions), inline(always))] // The beginning is a constant.
    fn open(&mut self, beginning: &[u8]) -> Result<Open> {
        if self.depth == Options::MAX_DEPTH {
            return Err(too_deep());
        }
        let reference = self.next_reference()?;
        self.depth += 1;
        self.slots += 1;
        let (place, start) = (self.buffers.text.len(), self.buffers.scratch.len());
        self.buffers.containers.push(Container { reference, place, start, end: start });
        self.buffers.scratch.extend_from_slice(beginning);
        Ok(Open(self.buffers.containers.len() - 1))
    }

    /// A container that holds no references: `write` appends its text.
    #[inline]
    fn container_of(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Reference> {
        if self.depth == Options::MAX_DEPTH {
            return Err(too_deep());
        }
        let reference = self.next_reference()?;
        self.slots += 1;
        let Buffers { text, finished, containers, .. } = &mut *self.buffers;
        let (place, start) = (text.len(), finished.len());
        write(finished);
        containers.push(Container { reference, place, start, end: finished.len() });
        finished.push(b',');
        Ok(reference)
    }

    /// Ends the innermost container, with this byte in place of the comma behind its last item.
    fn close(&mut self, open: Open, end: u8) -> Reference {
        self.depth -= 1;
        let Some(container) = self.buffers.containers.get_mut(open.0) else {
            return Reference::UNDEFINED;
        };
        if self.buffers.scratch.last() == Some(&b',') {
            self.buffers.scratch.pop();
        }
        self.buffers.scratch.extend_from_slice(&[end, b',']);
        let scratch = container.start;
        container.start = self.buffers.finished.len();
        let length = self.buffers.scratch.len();
        append_part(&mut self.buffers.finished, &self.buffers.scratch, scratch, length);
        container.end = self.buffers.finished.len() - 1;
        self.buffers.scratch.truncate(scratch);
        container.reference
    }

    /// Appends an item to the innermost container.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn push_reference(&mut self, reference: Reference) {
        reference.write(&mut self.buffers.scratch, *b",");
    }

    /// The slot of a primitive whose text `write` appends.
    #[inline]
    fn primitive(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Reference> {
        let start = self.buffers.text.len();
        write(&mut self.buffers.text);
        self.buffers.text.push(b',');
        self.written(start)
    }

    /// The slot of the primitive whose text, with a comma, was appended from `start` on.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn written(&mut self, start: usize) -> Result<Reference> {
        let next = self.next_reference()?;
        let Buffers { primitives, text, .. } = &mut *self.buffers;
        // The comma tells where a text ends: none is the beginning of another.
        let (known, new) = text.split_at(start);
        let is_same =
            |_, start| known.get(start..).is_some_and(|text: &[u8]| text.starts_with(new));
        match primitives.find_or_insert(new, start, next, is_same) {
            Some(same) => {
                self.repeated += self.buffers.text.len() - start;
                self.buffers.text.truncate(start);
                Ok(same)
            }
            None => {
                self.slots += 1;
                Ok(next)
            }
        }
    }

    fn word(&mut self, word: Word) -> Result<Reference> {
        if let Some(same) = self.words[word as usize] {
            return Ok(same);
        }
        let next = self.next_reference()?;
        self.buffers.text.extend_from_slice(match word {
            Word::Null => b"null,",
            Word::False => b"false,",
            Word::True => b"true,",
        });
        self.slots += 1;
        self.words[word as usize] = Some(next);
        Ok(next)
    }

    fn number(&mut self, number: f64) -> Result<Reference> {
        match Reference::from_number(number) {
            Some(sentinel) => Ok(sentinel),
            None => self.primitive(|text| number::write(text, number)),
        }
    }

    fn date(&mut self, date: Date) -> Result<Reference> {
        match iso_bytes(date) {
            Some(text) => self.container_of(|out| {
                out.extend_from_slice(b"[\"Date\",\"");
                out.extend_from_slice(&text);
                out.extend_from_slice(b"\"]");
            }),
            None => with_iso_text(date, |text| self.tagged(b"[\"Date\",", text)),
        }
    }

    fn string(&mut self, string: &str) -> Result<Reference> {
        self.find_string(string)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn find_string(&mut self, string: &str) -> Result<Reference> {
        let start = self.buffers.text.len();
        string::write_with(&mut self.buffers.text, string, *b"\",");
        self.written(start)
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

    /// The text of a finished container; empty for anything else.
    fn container_text(&self, reference: Reference) -> &[u8] {
        let container = self.container(reference).and_then(|at| self.buffers.containers.get(at));
        container.and_then(|at| self.buffers.finished.get(at.start..at.end)).unwrap_or_default()
    }

    /// The number of a container among all containers.
    fn container(&self, reference: Reference) -> Option<usize> {
        self.buffers
            .containers
            .binary_search_by_key(&reference, |container| container.reference)
            .ok()
    }

    /// Whether it is a primitive.
    fn is_primitive(&self, reference: Reference) -> bool {
        self.container(reference).is_none()
    }

    /// Says in an error that it is in the value of a Map's key.
    fn under_map_key(&self, error: Error, key: Option<Reference>) -> Error {
        let text = match key {
            Some(key) if self.is_primitive(key) => match key {
                Reference::NAN => "NaN".into(),
                Reference::INFINITY => "Infinity".into(),
                Reference::NEGATIVE_INFINITY => "-Infinity".into(),
                _ if key.slot().is_none() => key.as_i32().to_string().into(),
                _ => self.primitive_text(key),
            },
            _ => "...".into(),
        };
        error.under(Step::MapKey(&text))
    }

    fn primitive_text(&self, reference: Reference) -> Cow<'_, str> {
        let word = self.words.iter().position(|word| *word == Some(reference));
        if let Some(word) = word {
            return ["null", "false", "true"][word].into();
        }
        let text = self.buffers.primitives.place(reference);
        let text = text.and_then(|start| self.buffers.text.get(start..)).unwrap_or_default();
        let end = match text.first() {
            Some(b'"') => RawString::scan(text, 0).ok().map(|(_, end)| end),
            Some(b'[') => text.iter().position(|&byte| byte == b']').map(|end| end + 1),
            _ => text.iter().position(|&byte| byte == b','),
        };
        String::from_utf8_lossy(&text[..end.unwrap_or(text.len())])
    }
}

/// Most texts of containers, and those between them, are shorter.
const COPIED_AT_ONCE: usize = 64;

/// Appends a part of a text. What is short is copied without a call, and what is behind it with it, for the moment.
#[cfg_attr(not(debug_assertions), inline(always))]
fn append_part(out: &mut Vec<u8>, text: &[u8], start: usize, end: usize) {
    let length = end.wrapping_sub(start);
    match text.get(start..).and_then(<[u8]>::first_chunk::<COPIED_AT_ONCE>) {
        Some(chunk) if length <= COPIED_AT_ONCE => {
            let length = out.len() + length;
            out.extend_from_slice(chunk);
            out.truncate(length);
        }
        _ => out.extend_from_slice(&text[start..end]),
    }
}

#[cold]
fn too_many_slots() -> Error {
    Error::limit("a devalue text cannot have more than 2^31 slots")
}

#[cold]
fn proto() -> Error {
    Error::data("an object must not have a `__proto__` property")
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
