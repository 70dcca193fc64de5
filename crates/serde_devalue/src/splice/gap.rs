//! Where references will stand, and what they will refer to.

use crate::{
    error::{Error, Result},
    reference::Reference,
};

/// A part of a slot's text that a reference will replace, by offsets from the slot's beginning.
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
    /// A primitive that no source has, by its place among the texts that none has.
    Primitive(u32),
    /// An object that no source has.
    Object(u32),
    /// A sentinel.
    Sentinel(Reference),
}

impl Gap {
    #[inline]
    pub(super) fn new(start: usize, end: usize, target: Target) -> Result<Self> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Gap { start, end, target }),
            _ => Err(Error::limit("texts of 4 GiB and more are not supported")),
        }
    }
}

impl Target {
    /// What a reference of a source refers to, whose first slot has this number.
    #[inline]
    pub(super) fn copied(first: u32, reference: Reference) -> Self {
        match reference.slot() {
            Some(slot) => Target::Slot(first.wrapping_add(slot as u32)),
            None => Target::Sentinel(reference),
        }
    }
}
