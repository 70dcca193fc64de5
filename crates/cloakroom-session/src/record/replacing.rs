//! The change of one entry of a record whose others all stay: what most requests do.
//!
//! It is seen in one pass whether it is that, and nothing is decoded, listed or copied on the way.

use serde_devalue::{Flat, Index, Piece, Reference, Splice};

use crate::error::Result;

use super::entries::{Entry, Metadata};
use super::lifetime::is_own;
use super::principal::{INDEXED, Owner};
use super::{Change, Changes, Latest, Place, Record, Written, corrupt, trace};

/// One entry with another value, and what else of the record decides on its end and its index.
pub(super) struct Replacing<'a> {
    flat: Flat<'a>,
    key: &'a str,
    written: &'a Written,
    entry: Entry,
    /// The end of the record with its new value.
    pub(super) latest: Latest,
    /// The values of the entries that say whose session it is and where it is indexed, with the new one.
    owner: Option<Value<'a>>,
    indexed: Option<Value<'a>>,
}

type Value<'a> = (Flat<'a>, Reference);

/// A deadline that is longer, in bytes, is read once, however many share it: no number is that JavaScript writes.
const LONG: usize = 64;

impl<'a> Replacing<'a> {
    /// Looks whether a record becomes this. `None` where more is to be done, such as to leave out what has expired.
    pub(super) fn of(
        record: &'a Record,
        changes: &'a Changes,
        owner: &Owner<'_>,
    ) -> Result<Option<Replacing<'a>>> {
        let Some((key, written)) = replaced(changes, record.now) else { return Ok(None) };
        let flat = record.flat()?;
        let new = written.flat();
        let (mut found, mut owned, mut indexed) = (None, None, None);
        let mut latest = Latest::default();
        let mut before = Reference::ROOT;
        for pair in flat.root().and_then(|root| flat.map(root)).map_err(corrupt)? {
            let (name, whole) = pair.map_err(corrupt)?;
            // As devalue writes them: each entry has a key and a value of its own, in this order. What several share is read
            // once where all entries are listed, for it may be long.
            if !(before < name && name < whole) {
                return Ok(None);
            }
            before = whole;
            let Some(entry_key) = flat.token(name).and_then(plain) else { return Ok(None) };
            let mut is_readable = true;
            let metadata = Metadata::read(flat, whole, |expires| {
                is_readable = !is_long(flat, expires);
                is_readable.then(|| flat.number(expires).ok()).flatten()
            });
            let metadata = metadata.map_err(corrupt)?;
            if !is_readable {
                return Ok(None);
            }
            let entry = Entry { key: name, whole, metadata };
            if !entry.is_alive(record.now) {
                return Ok(None);
            }
            let mut value = metadata.data.map(|data| (flat, data));
            let mut expires = metadata.expires;
            if entry_key == key.as_bytes() {
                // The first of two counts for its place, and the last for its value.
                if found.replace(entry).is_some() {
                    return Ok(None);
                }
                value = new.root().ok().map(|root| (new, root));
                expires = written.expires;
            }
            if entry_key == owner.key().as_bytes() {
                owned = value;
            } else if entry_key == INDEXED.as_bytes() {
                indexed = value;
            }
            latest.add(is_own(entry_key), expires);
        }
        let of = |entry| Replacing { flat, key, written, entry, latest, owner: owned, indexed };
        Ok(found.map(of))
    }

    /// The record's new bytes, and their index where it is known already.
    pub(super) fn bytes(&self) -> serde_devalue::Result<(Vec<u8>, Option<Index>)> {
        let Replacing { flat, written, entry, .. } = self;
        let data = written.flat().root()?;
        let expires = written.expires.map_or(Piece::Undefined, Piece::Number);
        Splice::replace(*flat, (entry.key, entry.whole), written.flat(), |source| {
            [("data", Piece::Copy(source, data)), ("expires", expires)]
        })
    }

    /// Whose index the session has to be entered into before this is written.
    pub(super) fn unentered(&self, owner: &Owner<'_>) -> Option<String> {
        owner.unentered(self.owner, self.indexed)
    }

    /// The entry, if it ends later than it did, and when it did.
    pub(super) fn prolonged(&self) -> Option<(&'a str, f64)> {
        let end = self.entry.metadata.expires?;
        trace::is_prolonged(end, self.written.expires).then_some((self.key, end))
    }
}

/// The one entry that is set, where the key stands.
fn replaced(changes: &Changes, moment: f64) -> Option<(&str, &Written)> {
    match changes.only()? {
        (key, Change::Set { written, place: Place::Kept }) if written.is_alive(moment) => {
            Some((key, written))
        }
        _ => None,
    }
}

/// Whether a slot takes long to read.
fn is_long(flat: Flat<'_>, at: Reference) -> bool {
    flat.token(at).is_some_and(|token| token.len() > LONG)
}

/// What is in a string that has no escapes.
fn plain(token: &[u8]) -> Option<&[u8]> {
    let [b'"', name @ .., b'"'] = token else { return None };
    let is_plain = !name.iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    is_plain.then_some(name)
}
