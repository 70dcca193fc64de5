//! Values that nobody reads or changes who has the store alone.
//!
//! `docs/at-rest.md` in the repository has the format, for programs in other languages.

mod key;
mod reseal;
mod ring;
mod sealed;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Swept, When,
};

pub use key::EncryptionKey;
pub use reseal::Resealed;
pub use ring::KeyRing;

/// Seals each value of a driver with AES-256-GCM-SIV, and opens it again.
///
/// A value is bound to its key: moved to another one it does not open. What does not open is an error of the kind
/// [`Corrupt`](ErrorKind::Corrupt), and stays in the store as it is. Keys, deadlines and lengths can be seen as before, and
/// whoever can write to the store can put back what a key had before.
///
/// It goes around [`Limits`](crate::Limits), so that a value is sealed once for all tries of a call, and within
/// [`HashedKeys`](crate::HashedKeys), so that what a value is bound to is the key in the store.
///
/// ```
/// use cloakroom_drivers::memory::Memory;
/// use cloakroom_storage::{Driver, Encrypted, ItemKey, KeyRing, When};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// // `openssl rand -base64 32` makes one.
/// let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
/// let store = Encrypted::new(Memory::new(), KeyRing::new([key])?);
///
/// let name = ItemKey::new("sess:42")?;
/// let _ = store.set(&name, "hello".into(), When::Always, None).await?;
/// assert_eq!(store.get(&name).await?.unwrap().value, "hello");
/// assert!(store.within().get(&name).await?.unwrap().value.starts_with(b"sealed.1."));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Encrypted<D> {
    driver: D,
    ring: KeyRing,
    accepts_plain: bool,
}

impl<D: Driver> Encrypted<D> {
    /// Seals the values of `driver` with the first key of the ring, and opens them with any of it.
    pub fn new(driver: D, ring: KeyRing) -> Encrypted<D> {
        Encrypted { driver, ring, accepts_plain: false }
    }

    /// Whether a value that is not sealed is taken as it is, which is for the time in which a store that was plain becomes
    /// sealed: as long as it is on, whoever can write to the store can put plain values into it. Off unless set.
    #[must_use]
    pub fn accept_plain(mut self, accepts_plain: bool) -> Encrypted<D> {
        self.accepts_plain = accepts_plain;
        self
    }

    /// The driver within, whose values are sealed.
    pub fn within(&self) -> &D {
        &self.driver
    }

    /// The driver within, whose values are sealed.
    pub fn into_inner(self) -> D {
        self.driver
    }

    fn open(&self, key: &ItemKey, item: Item) -> Result<Item> {
        let Item { value, version } = item;
        let value = if self.accepts_plain && !sealed::is_sealed(&value) {
            value
        } else {
            self.ring.open(key, &value).map_err(|reason| {
                Error::new(ErrorKind::Corrupt, reason.to_string())
                    .with_driver(self.name())
                    .with_operation(Operation::Get)
                    .with_key(key)
            })?
        };
        Ok(Item { value, version })
    }
}

#[async_trait]
impl<D: Driver> Driver for Encrypted<D> {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn system(&self) -> &'static str {
        self.driver.system()
    }

    fn capabilities(&self) -> Capabilities {
        let within = self.driver.capabilities();
        Capabilities {
            // No two sealings of the same bytes are alike, so even a version that is the bytes names one writing.
            version_per_write: within.version_per_write
                || within.compare_and_swap && !self.accepts_plain,
            empty_values: true,
            longest_value: within.longest_value.map(sealed::longest_plain),
            ..within
        }
    }

    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        self.driver.alias(key)
    }

    fn unwrapped(&self, key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        Ok(self.driver.unwrapped(key)?.or_else(|| Some((&self.driver, key.clone()))))
    }

    async fn advice(&self) -> Vec<Advice> {
        self.driver.advice().await
    }

    async fn time(&self) -> Result<Option<Duration>> {
        self.driver.time().await
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.driver.get(key).await?.map(|item| self.open(key, item)).transpose()
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.driver.get_with_ttl(key).await?;
        found.map(|(item, ttl)| Ok((self.open(key, item)?, ttl))).transpose()
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let sealed = self.ring.seal(key, &value).map_err(|error| {
            let error = error.with_driver(self.name()).with_operation(Operation::Set);
            error.with_key(key).with_unapplied(true)
        })?;
        self.driver.set(key, sealed, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.driver.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.driver.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.driver.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.driver.sweep(budget).await
    }
}
