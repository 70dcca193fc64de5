//! What reading one value may cost, or several together.
//!
//! Slots that are referred to often are read as often, so that a small text can stand for a large value. All that this
//! takes is paid from one account: memory for what is made, and a unit for each byte of text that is looked at. What
//! stands in a text once is always affordable; how often that may be repeated is what the allowance limits.

use std::cell::Cell;

use super::Reader;
use crate::{Error, Flat, Index, Result, reference::Reference, slot::Slot, splice::holds_literals};

/// A value, wherever it is held: about its bytes in memory.
pub(super) const VALUE: usize = 32;
/// A key that a value has, without the key's text.
pub(super) const KEY: usize = 32;
/// An object or a Map with entries. Rust's maps make room for several at once.
pub(super) const ENTRIES: usize = 256;

/// How much each byte may cost of the text that the value itself takes. What is there once never costs as much.
const PER_BYTE: usize = 32;

/// What may still be spent.
pub(super) struct Budget {
    left: Cell<usize>,
    /// Whether the length of the value's own text is part of it.
    is_whole: Cell<bool>,
}

impl Budget {
    pub(super) fn new(allowance: usize) -> Self {
        Budget { left: Cell::new(allowance), is_whole: Cell::new(false) }
    }
}

impl Reader<'_, '_> {
    /// Pays for something before it is done.
    ///
    /// # Errors
    /// If there is not so much left.
    #[inline(always)]
    pub(super) fn spend(&self, amount: usize) -> Result<()> {
        match self.budget.left.get().checked_sub(amount) {
            Some(left) => {
                self.budget.left.set(left);
                Ok(())
            }
            None => self.overspend(amount),
        }
    }

    /// Pays for as many things that cost the same.
    #[inline(always)]
    pub(super) fn spend_each(&self, count: usize, amount: usize) -> Result<()> {
        self.spend(count.saturating_mul(amount))
    }

    /// Few texts come here: those that are long, and those that repeat much. Only now the value's own text is measured,
    /// so that the same value is read, or refused, whatever else the text holds.
    #[cold]
    #[inline(never)]
    fn overspend(&self, amount: usize) -> Result<()> {
        let left = self.budget.left.replace(0);
        let with = |length: usize| left.saturating_add(length.saturating_mul(PER_BYTE));
        if with(self.text.len()) >= amount && !self.budget.is_whole.replace(true) {
            let own = own_length(self.text, self.index, self.roots);
            if let Some(left) = with(own).checked_sub(amount) {
                self.budget.left.set(left);
                return Ok(());
            }
        }
        Err(Error::limit(
            "what the text repeats by shared references is too much to be read: see Options::allowance",
        ))
    }
}

/// The length of all slots that values need, each counted once.
fn own_length(text: &[u8], index: &Index, roots: &[Reference]) -> usize {
    let flat = Flat::new(text, index);
    let mut seen = vec![false; index.len()];
    let mut length = 0;
    let mut open = roots.to_vec();
    while let Some(reference) = open.pop() {
        let Some(slot) = reference.slot() else { continue };
        match seen.get_mut(slot) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let Some((start, end)) = index.bounds(slot) else { continue };
        length += end - start;
        // What is wrong with a slot is found when it is read.
        if let Ok(content) = flat.slot(slot) {
            add_references(content, &mut open);
        }
    }
    length
}

/// Adds what a slot refers to, up to what is wrong with it.
fn add_references(slot: Slot<'_>, references: &mut Vec<Reference>) {
    match slot {
        Slot::Null | Slot::Bool(_) | Slot::Number(_) | Slot::String(_) => {}
        Slot::Object(mut fields) => {
            references.extend(std::iter::from_fn(|| fields.next_raw()?.ok()).map(|(_, at)| at));
        }
        Slot::Array(items) => references.extend(items.map_while(Result::ok)),
        Slot::SparseArray { items, .. } => {
            references.extend(items.map_while(Result::ok).map(|(_, at)| at));
        }
        Slot::Tagged { tag, mut args } => match &*tag {
            "Map" | "Set" => references.extend(std::iter::from_fn(|| args.next_reference()?.ok())),
            "null" => references.extend(std::iter::from_fn(|| {
                args.next()?.ok()?;
                args.next_reference()?.ok()
            })),
            tag if holds_literals(tag.as_bytes()) => {}
            _ => references.extend(args.next_reference().and_then(Result::ok)),
        },
    }
}
