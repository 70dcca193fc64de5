//! Keys that are of no use to who has the store alone.

use std::fmt;
use std::future::ready;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Swept, When,
};

/// What begins an [alias](Driver::alias): a hash that stands for the key that it was made of.
const HASHED: &str = "hashed:";

/// The shortest secret that is one.
const SHORTEST_SECRET: usize = 16;

/// What makes a store's key of a key: SHA-256, or HMAC-SHA-256 with a secret, of its bytes, as 64 lower-case hexadecimal
/// digits, which every store takes and no file system confuses.
///
/// A session's ID has 122 random bits, so nobody finds it from its SHA-256. A secret keeps those who know an ID from seeing
/// whether the store has it, and those who can write to the store from putting a session there for an ID of their own.
///
/// ```
/// use cloakroom_storage::{ItemKey, KeyHasher};
///
/// let id = ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11")?;
/// let hashed = KeyHasher::hmac_sha256("from the environment")?.hash(&id)?;
/// assert_eq!(hashed.as_str().len(), 64);
/// assert_ne!(hashed, KeyHasher::sha256().hash(&id)?);
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyHasher(Option<Hmac<Sha256>>);

impl KeyHasher {
    /// SHA-256.
    pub fn sha256() -> KeyHasher {
        KeyHasher(None)
    }

    /// HMAC-SHA-256 with this secret.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where it is shorter than 16 bytes.
    pub fn hmac_sha256(secret: impl AsRef<[u8]>) -> Result<KeyHasher> {
        let secret = secret.as_ref();
        let refused = || {
            let message = format!(
                "the secret has {} bytes: it must have {SHORTEST_SECRET} at least, and be random",
                secret.len()
            );
            Error::new(ErrorKind::InvalidOptions, message)
        };
        if secret.len() < SHORTEST_SECRET {
            return Err(refused());
        }
        Ok(KeyHasher(Some(Hmac::new_from_slice(secret).map_err(|_| refused())?)))
    }

    /// The key in the store.
    ///
    /// # Errors
    /// None: what it makes is a key.
    pub fn hash(&self, key: &ItemKey) -> Result<ItemKey> {
        ItemKey::new(&hexadecimal(&self.digest(key.as_str())))
    }

    /// Whether a text looks like a key that this makes: 64 lower-case hexadecimal digits.
    pub fn is_hash(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    fn digest(&self, text: &str) -> [u8; 32] {
        match &self.0 {
            Some(keyed) => keyed.clone().chain_update(text).finalize().into_bytes().into(),
            None => Sha256::digest(text).into(),
        }
    }
}

/// Two that make the same of each key.
impl PartialEq for KeyHasher {
    fn eq(&self, other: &KeyHasher) -> bool {
        self.digest("") == other.digest("")
    }
}

impl Eq for KeyHasher {}

/// Without the secret.
impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Some(_) => "KeyHasher(HMAC-SHA-256)",
            None => "KeyHasher(SHA-256)",
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Keeps each item of a driver under a hash of its key, so that what is read in the store serves nobody as a key: a session's
/// key is its ID, which is a credential.
///
/// Who has no key and shall have the item all the same is given its [alias](Driver::alias), below `hashed:`, which no other key
/// may begin with.
///
/// Nobody knows a key from its hash, so the items cannot be listed by their keys, and
/// [`iteration`](Capabilities::iteration) is off: [`keys`](Driver::keys) gives their aliases. A prefix, which no hash begins with,
/// is refused.
///
/// ```
/// use cloakroom_drivers::memory::Memory;
/// use cloakroom_storage::{Driver, HashedKeys, ItemKey, KeyHasher, When};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let store = HashedKeys::new(Memory::new(), KeyHasher::sha256());
/// let id = ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11")?;
/// let _ = store.set(&id, "hello".into(), When::Always, None).await?;
/// assert_eq!(store.get(&id).await?.unwrap().value, "hello");
/// assert_eq!(store.within().get(&id).await?, None);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct HashedKeys<D> {
    driver: D,
    hasher: KeyHasher,
}

impl<D: Driver> HashedKeys<D> {
    /// Keeps the items of `driver` under what `hasher` makes of their keys.
    pub fn new(driver: D, hasher: KeyHasher) -> HashedKeys<D> {
        HashedKeys { driver, hasher }
    }

    /// The driver within, whose keys are hashes.
    pub fn within(&self) -> &D {
        &self.driver
    }

    /// The driver within, whose keys are hashes.
    pub fn into_inner(self) -> D {
        self.driver
    }

    /// The key in the store of a key, or of an alias.
    fn stored(&self, key: &ItemKey) -> Result<ItemKey> {
        match key.as_str().strip_prefix(HASHED) {
            Some(hash) => ItemKey::new(hash),
            None => self.hasher.hash(key),
        }
    }
}

#[async_trait]
impl<D: Driver> Driver for HashedKeys<D> {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn system(&self) -> &'static str {
        self.driver.system()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { iteration: false, ..self.driver.capabilities() }
    }

    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        ItemKey::new(&format!("{HASHED}{}", self.stored(key)?.as_str()))
    }

    fn unwrapped(&self, key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        let stored = self.stored(key)?;
        Ok(self.driver.unwrapped(&stored)?.or(Some((&self.driver, stored))))
    }

    async fn advice(&self) -> Vec<Advice> {
        self.driver.advice().await
    }

    async fn time(&self) -> Result<Option<Duration>> {
        self.driver.time().await
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.driver.get(&self.stored(key)?).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.driver.get_with_ttl(&self.stored(key)?).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.driver.set(&self.stored(key)?, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.driver.remove(&self.stored(key)?, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.driver.touch(&self.stored(key)?, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        if prefix.is_empty() {
            let alias = |hash: ItemKey| {
                // What else is in the store is somebody else's.
                let is_ours = KeyHasher::is_hash(hash.as_str());
                is_ours.then(|| ItemKey::new(&format!("{HASHED}{}", hash.as_str())))
            };
            let aliases = self.driver.keys(prefix).filter_map(move |hash| {
                ready(match hash {
                    Ok(hash) => alias(hash),
                    Err(error) => Some(Err(error)),
                })
            });
            return Box::pin(aliases);
        }
        let message = "the keys are hashed, so nobody knows which begin with a prefix; list all, which gives their aliases";
        let error = Error::new(ErrorKind::Unsupported, message)
            .with_driver(self.name())
            .with_operation(Operation::Keys);
        Box::pin(stream::once(std::future::ready(Err(error))))
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.driver.sweep(budget).await
    }
}
