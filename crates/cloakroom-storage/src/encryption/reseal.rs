//! Values that are sealed anew, with another key.

use super::{Encrypted, sealed};
use crate::{Driver, Error, ErrorKind, ItemKey, Operation, Result, SetOutcome, When};

/// After so many writers who were faster, something else is wrong.
const ATTEMPTS: usize = 100;

/// What became of a value that was to be sealed with the first key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resealed {
    /// It was plain, or sealed with another key, and is sealed with the first one now.
    Anew,
    /// It was sealed with the first key already.
    Already,
    /// There is no such item, or no more.
    Missing,
}

impl<D: Driver> Encrypted<D> {
    /// Seals a value with the first key of the ring, unless it is already: what is written to is sealed anew by itself, and what
    /// is only read is not. So nothing needs an old key once each of the [`keys`](Driver::keys) was given to this.
    ///
    /// The value and its deadline stay what they are, and whoever uses the store meanwhile loses nothing: it is a
    /// compare-and-swap. One whose deadline is moved at the same moment may keep the one from before.
    ///
    /// ```
    /// use cloakroom_drivers::memory::Memory;
    /// use cloakroom_storage::{Driver, Encrypted, EncryptionKey, ItemKey, KeyRing, Resealed, When};
    ///
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let (old, new) = (EncryptionKey::new([1; 32]), EncryptionKey::new([2; 32]));
    /// let key = ItemKey::new("sess:42")?;
    /// let store = Encrypted::new(Memory::new(), KeyRing::new([old.clone()])?);
    /// let _ = store.set(&key, "hello".into(), When::Always, None).await?;
    ///
    /// let store = Encrypted::new(store.into_inner(), KeyRing::new([new.clone(), old])?);
    /// assert_eq!(store.reseal(&key).await?, Resealed::Anew);
    ///
    /// let store = Encrypted::new(store.into_inner(), KeyRing::new([new])?);
    /// assert_eq!(store.get(&key).await?.unwrap().value, "hello");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`get`](Driver::get) and [`set`](Driver::set): [`ErrorKind::Corrupt`] where no key of the ring opens it, or it is
    /// plain and that is not [accepted](Encrypted::accept_plain); [`ErrorKind::Unsupported`] where the driver cannot compare and
    /// swap.
    pub async fn reseal(&self, key: &ItemKey) -> Result<Resealed> {
        for _ in 0..ATTEMPTS {
            let Some((item, ttl)) = self.driver.get_with_ttl(key).await? else {
                return Ok(Resealed::Missing);
            };
            let is_current = sealed::is_sealed_with(&item.value, &self.ring.first);
            let version = When::Version(item.version.clone());
            // Also what needs nothing, so that whoever asks learns what does not open.
            let value = self.open(key, item)?.value;
            if is_current {
                return Ok(Resealed::Already);
            }
            if self.set(key, value, version, ttl).await? != SetOutcome::Conflict {
                return Ok(Resealed::Anew);
            }
        }
        let message = "it is written to all the time, so that it could not be sealed anew";
        Err(Error::new(ErrorKind::Other, message)
            .with_driver(self.name())
            .with_operation(Operation::Set)
            .with_key(key))
    }
}
