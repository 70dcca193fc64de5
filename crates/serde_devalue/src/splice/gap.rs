//! Where references will stand, and what they will refer to.

use crate::{
    error::{Error, Result},
    reference::Reference,
};

/// A part of a slot's text that a reference will replace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) target: Target,
}

/// What the reference will refer to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A slot of the sources, by its number among all of them.
    Slot(u32),
    /// A primitive that has its text, but perhaps no slot yet.
    Primitive(u32),
    /// An object that no source has.
    Object(u32),
    /// A slot of the new text, or a sentinel.
    Done(Reference),
}

/// A part of a text: of a source, or of what was written for this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// The number of the source.
    pub(super) text: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Gap {
    #[inline]
    pub(super) fn new(start: usize, end: usize, target: Target) -> Result<Self> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Gap { start, end, target }),
            _ => Err(too_long()),
        }
    }
}

impl Target {
    /// What a reference of a source refers to, whose first slot has this number.
    #[inline]
    pub(super) fn copied(first: u32, reference: Reference) -> Self {
        match u32::try_from(reference.as_i32()) {
            Ok(slot) => Target::Slot(first.wrapping_add(slot)),
            Err(_) => Target::Done(reference),
        }
    }
}

impl Stretch {
    /// In place of a source: what was written here.
    pub(super) const WRITTEN: u32 = u32::MAX;

    pub(super) fn written(start: usize, end: usize) -> Result<Self> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Stretch { text: Self::WRITTEN, start, end }),
            _ => Err(too_long()),
        }
    }
}

#[cold]
fn too_long() -> Error {
    Error::limit("texts of 4 GiB and more are not supported")
}
