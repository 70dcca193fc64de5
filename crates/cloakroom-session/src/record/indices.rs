//! The indices of the records that this thread has seen last, so that nobody makes one twice.
//!
//! An index is a function of the bytes. Requests of a session often follow each other, and then the record is what it was, or
//! what the request before has written, whose index is known by then: to compare the bytes takes an eighth of the time that an
//! index takes. Each thread has its own, which costs no lock and shares nothing.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use serde_devalue::Index;

use crate::id::SessionId;

/// Of so many sessions, at most: with a few dozen that come again and again, most find theirs.
const MOST: usize = 512;

/// Of records up to this size, in bytes, so that what each thread has a hand on stays small.
const LARGEST: usize = 8 << 10;

type Kept = Option<(Bytes, Arc<Index>)>;

thread_local! {
    /// Empty in threads that answer no requests.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// The index of these bytes, which are the session's now.
pub(super) fn find(id: SessionId, bytes: &[u8]) -> Option<Arc<Index>> {
    let found = KEPT.try_with(|kept| {
        let kept = kept.try_borrow().ok()?;
        let (known, index) = kept.get(place(id))?.as_ref()?;
        (known == bytes).then(|| Arc::clone(index))
    });
    found.ok().flatten()
}

/// Keeps the index of a session's record for the next request.
pub(super) fn keep(id: SessionId, bytes: &Bytes, index: &Arc<Index>) {
    if bytes.len() > LARGEST {
        return;
    }
    // What was there before is dropped when nothing is borrowed any more.
    let before = KEPT.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        if kept.is_empty() {
            kept.resize(MOST, None);
        }
        kept.get_mut(place(id))?.replace((bytes.clone(), Arc::clone(index)))
    });
    drop(before);
}

/// Where a session's index would be.
fn place(id: SessionId) -> usize {
    id.random_bits() as usize % MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed(text: &[u8]) -> (Bytes, Arc<Index>) {
        (Bytes::copy_from_slice(text), Arc::new(Index::new(text).unwrap()))
    }

    #[test]
    fn the_same_bytes_are_known_and_no_others() {
        let id = SessionId::random();
        let (bytes, index) = indexed(b"[1]");
        keep(id, &bytes, &index);
        assert!(Arc::ptr_eq(&find(id, b"[1]").unwrap(), &index));
        for other in [&b"[2]"[..], b"[1] ", b"[1", b""] {
            assert!(find(id, other).is_none());
        }
    }

    #[test]
    fn whoever_shares_the_place_has_the_index_of_the_same_bytes_or_none() {
        let (bytes, index) = indexed(b"[1]");
        let ids: Vec<_> = (0..10 * MOST).map(|_| SessionId::random()).collect();
        ids.iter().for_each(|id| keep(*id, &bytes, &index));
        let (others, other_index) = indexed(b"[[1],2]");
        ids.iter().take(MOST).for_each(|id| keep(*id, &others, &other_index));
        for id in ids {
            assert!(find(id, &bytes).is_none_or(|found| found.len() == 1));
            assert!(find(id, &others).is_none_or(|found| found.len() == 2));
        }
    }

    #[test]
    fn a_large_record_is_not_kept() {
        let id = SessionId::random();
        let (bytes, index) = indexed(format!("[\"{}\"]", "a".repeat(LARGEST)).as_bytes());
        keep(id, &bytes, &index);
        assert!(find(id, &bytes).is_none());
    }
}
