//! The keys of a store: the first seals, all open.

use std::cell::RefCell;

use bytes::Bytes;

use super::key::EncryptionKey;
use super::sealed::{self, Unopened};
use crate::{Error, ErrorKind, ItemKey, Result};

/// The keys of a store. The first seals, and all open.
///
/// A new key goes to the end of the ring first, everywhere; then to its front, everywhere; and the old one goes when what it
/// has sealed was [sealed anew](super::Encrypted::reseal). So every program opens at any time what any other has sealed.
///
/// ```
/// use cloakroom_storage::{EncryptionKey, KeyRing};
///
/// let ring = KeyRing::new([EncryptionKey::new([2; 32]), EncryptionKey::new([1; 32])])?;
/// assert!(KeyRing::new([]).is_err());
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    pub(super) first: EncryptionKey,
    others: Vec<EncryptionKey>,
}

impl KeyRing {
    /// A ring of these keys.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where there is none, or one twice.
    pub fn new(keys: impl IntoIterator<Item = EncryptionKey>) -> Result<KeyRing> {
        let refused = |message| Err(Error::new(ErrorKind::InvalidOptions, message));
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else {
            return refused("there is no key: one is needed to seal with");
        };
        let ring = KeyRing { first, others: keys.collect() };
        let is_twice = |(at, key): (usize, &EncryptionKey)| {
            ring.keys().skip(at + 1).any(|it| it.id() == key.id())
        };
        if ring.keys().enumerate().any(is_twice) {
            return refused("a key is there twice: each is needed once");
        }
        Ok(ring)
    }

    fn keys(&self) -> impl Iterator<Item = &EncryptionKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(super) fn seal(&self, key: &ItemKey, plain: &[u8]) -> Result<Bytes> {
        sealed::seal(&self.first, key, &nonce()?, plain).ok_or_else(|| {
            Error::new(ErrorKind::TooLarge, "it is longer than anything that can be sealed")
        })
    }

    pub(super) fn open(&self, key: &ItemKey, sealed: &[u8]) -> Result<Bytes, Unopened> {
        sealed::open(sealed, key, |id| {
            self.keys().find(|key| key.id() == id).ok_or_else(|| self.lacks(id))
        })
    }

    /// Which key it is that is needed, and which there are.
    fn lacks(&self, id: &str) -> Unopened {
        let there = self.keys().map(EncryptionKey::id).collect::<Vec<_>>().join(", ");
        Unopened::NoKey { needed: id.to_owned(), there }
    }
}

/// Random bytes for a value of its own. The system is asked for those of many values at once, since it takes as long for a few as
/// a fifth of the sealing.
fn nonce() -> Result<[u8; sealed::NONCE]> {
    const AT_ONCE: usize = 64;
    thread_local! {
        static NONCES: RefCell<Vec<[u8; sealed::NONCE]>> = const { RefCell::new(Vec::new()) };
    }
    NONCES.with_borrow_mut(|nonces| {
        if let Some(nonce) = nonces.pop() {
            return Ok(nonce);
        }
        let mut fresh = [[0; sealed::NONCE]; AT_ONCE];
        getrandom::fill(fresh.as_flattened_mut()).map_err(|error| {
            Error::new(ErrorKind::Other, "the system has no random bytes").with_source(error)
        })?;
        let [nonce, others @ ..] = fresh;
        nonces.extend(others);
        Ok(nonce)
    })
}
