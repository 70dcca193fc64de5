//! From devalue text to Rust.
//!
//! A [`Node`] is a reference in a text, and the crate's `serde::Deserializer`: it reads the slot that it refers to when
//! serde asks for it, and nothing else. A slot that is referred to twice is read twice, so what a small text may cost
//! is bounded by a [budget].

mod access;
mod budget;
mod canonical;
pub(crate) mod content;
mod key;
mod keys;
mod node;
mod shape;
mod tagged;
mod tree;
mod view;

use std::cell::{Cell, RefCell};

use hashbrown::HashMap;
use serde::Deserialize;

use self::{budget::Budget, shape::Shapes};
use crate::{
    Error, Flat, Index, Options, Result, index::is_whitespace, reference::Reference, slot::Slot,
};

pub(crate) fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8], options: Options) -> Result<T> {
    let index = Index::new(text)?;
    read(text, std::str::from_utf8(text).ok(), &index, options)
}

/// The same of a text that is known to be UTF-8.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str, options: Options) -> Result<T> {
    let index = Index::new(text.as_bytes())?;
    read(text.as_bytes(), Some(text), &index, options)
}

fn read<'de, T: Deserialize<'de>>(
    text: &'de [u8],
    valid_text: Option<&'de str>,
    index: &Index,
    options: Options,
) -> Result<T> {
    let flat = Flat::new(text, index);
    let root = flat.root()?;
    let roots = [root];
    let reader = Reader {
        valid_text,
        read: vec![Cell::new(false); index.len()],
        ..Reader::new(text, index, options, &roots)
    };
    let value = match reader.decode(root) {
        Ok(value) => value,
        Err(error) if root.slot().is_none() => {
            return Err(error.at_offset(text.len() - text.trim_ascii_start().len()));
        }
        // JavaScript would have found first what is not JSON.
        Err(error) => return flat.validate().and(Err(error)),
    };
    // What nothing has read must be JSON as well.
    for (slot, read) in reader.read.iter().enumerate() {
        if !read.get() {
            flat.validate_slot(slot)?;
        }
    }
    Ok(value)
}

impl<'a> Flat<'a> {
    /// Reads the value at a reference, and nothing else.
    ///
    /// # Errors
    /// If a slot that it needs is not well-formed, or the value does not fit the type.
    pub fn decode<T: Deserialize<'a>>(&self, at: Reference) -> Result<T> {
        self.decode_with(at, Options::new())
    }

    /// [`decode`](Flat::decode) with options.
    ///
    /// # Errors
    /// As there.
    pub fn decode_with<T: Deserialize<'a>>(&self, at: Reference, options: Options) -> Result<T> {
        let (text, index) = self.parts();
        Reader::new(text, index, options, &[at]).decode(at)
    }

    /// The values at several references, in their order. Together they may take what one may, since each of them may refer
    /// to the same.
    ///
    /// # Errors
    /// As [`decode`](Flat::decode), for each. Once there is nothing left to be taken, for all that are not small.
    pub fn decode_each<'at, T: Deserialize<'a>>(
        &self,
        at: &'at [Reference],
        options: Options,
    ) -> impl Iterator<Item = Result<T>> + use<'a, 'at, T>
    where
        'a: 'at,
    {
        let (text, index) = self.parts();
        let reader = Reader::new(text, index, options, at);
        at.iter().map(move |at| reader.decode(*at))
    }
}

/// What all nodes of one call share.
pub(crate) struct Reader<'r, 'de> {
    text: &'de [u8],
    /// The same, where it was found to be UTF-8 as a whole.
    valid_text: Option<&'de str>,
    index: &'r Index,
    options: Options,
    /// What is read with one budget.
    roots: &'r [Reference],
    budget: Budget,
    /// Which slots were read to their end, where that matters.
    read: Vec<Cell<bool>>,
    /// The items of the containers that are being read, outermost first.
    items: RefCell<Vec<Item>>,
    shapes: RefCell<Shapes<'de>>,
    /// The lengths of the buffers that views were found to fit in.
    buffers: RefCell<HashMap<usize, usize>>,
    sharing: RefCell<tree::Sharing>,
}

/// What a container holds at one place.
#[derive(Clone, Copy)]
struct Item {
    /// An item of an array or a Set, a key or a value of a Map, or the value of a property.
    reference: Reference,
    /// The item's index in a sparse array, and 0 elsewhere.
    index: u32,
}

impl Item {
    fn of(reference: Reference) -> Self {
        Item { reference, index: 0 }
    }
}

impl<'r, 'de> Reader<'r, 'de> {
    fn new(text: &'de [u8], index: &'r Index, options: Options, roots: &'r [Reference]) -> Self {
        Reader {
            text,
            valid_text: None,
            index,
            options,
            roots,
            budget: Budget::new(options.allowance),
            read: Vec::new(),
            items: RefCell::new(Vec::with_capacity(32)),
            shapes: RefCell::new(Shapes::default()),
            buffers: RefCell::default(),
            sharing: RefCell::new(tree::Sharing::default()),
        }
    }

    fn decode<T: Deserialize<'de>>(&self, at: Reference) -> Result<T> {
        T::deserialize(Node { reader: self, at, outer: None }).map_err(|error| at_slot(error, at))
    }

    /// The shape of a slot in any form. All of it may be looked at.
    fn slot(&self, slot: usize) -> Result<Slot<'de>> {
        let (start, end) = self.index.bounds(slot).unwrap_or_default();
        self.spend(end - start)?;
        self.index.slot(self.text, slot)
    }

    /// Whether the slot begins with this, perhaps after whitespace.
    fn may_begin_with(&self, slot: usize, wanted: u8) -> bool {
        let first = self.index.bounds(slot).and_then(|(start, _)| self.text.get(start));
        first.is_none_or(|byte| *byte == wanted || is_whitespace(byte))
    }

    fn mark_read(&self, slot: usize) {
        if let Some(read) = self.read.get(slot) {
            read.set(true);
        }
    }
}

#[cold]
fn at_slot(error: Error, at: Reference) -> Error {
    match at.slot() {
        Some(slot) => error.at_slot(slot),
        None => error,
    }
}

/// A reference in a text: what it refers to is read by serde's request.
#[derive(Clone, Copy)]
pub(crate) struct Node<'r, 'de> {
    reader: &'r Reader<'r, 'de>,
    at: Reference,
    outer: Option<&'r Frame<'r>>,
}

/// A container that is being read, and those around it.
#[derive(Clone, Copy)]
struct Frame<'r> {
    slot: usize,
    depth: usize,
    outer: Option<&'r Frame<'r>>,
}

impl Frame<'_> {
    /// Refuses a container in itself, and too many in each other.
    #[inline]
    fn check(outer: Option<&Frame<'_>>, slot: usize, depth: usize) -> Result<()> {
        let mut around = outer;
        while let Some(frame) = around {
            if frame.slot == slot {
                return Err(Error::data("the value contains itself, which only `Value` can hold")
                    .at_slot(slot));
            }
            around = frame.outer;
        }
        if depth > Options::MAX_DEPTH { Err(too_deep(slot)) } else { Ok(()) }
    }
}

#[cold]
fn too_deep(slot: usize) -> Error {
    let max = Options::MAX_DEPTH;
    Error::limit(format!("nested more than {max} containers deep")).at_slot(slot)
}

impl<'r, 'de> Node<'r, 'de> {
    /// Enters the container that the node refers to.
    fn enter(&self) -> Result<Frame<'r>> {
        let slot = self.at.slot().unwrap_or_default();
        let depth = self.outer.map_or(0, |outer| outer.depth) + 1;
        Frame::check(self.outer, slot, depth)?;
        Ok(Frame { slot, depth, outer: self.outer })
    }

    /// The same place, of another reference: a box's content.
    fn inside<'f>(&self, frame: &'f Frame<'f>, at: Reference) -> Node<'f, 'de>
    where
        'r: 'f,
    {
        Node { reader: self.reader, at, outer: Some(frame) }
    }
}
