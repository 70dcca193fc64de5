//! The two stores, as they are read and written for a migration.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_drivers::overlay;
use cloakroom_session::{Config, SessionId};
use cloakroom_storage::{
    Bytes, Capabilities, Driver as _, DynDriver, Encrypted, HashedKeys, ItemKey, KeyHasher,
    KeyRing, When,
};
use serde_json::Value;

use crate::commands::rotate::is_session_or_index;
use crate::output::say;

/// How long what is written to find out whether the two are one may stay, where it cannot be removed.
const PROBE: Duration = Duration::from_secs(60);

/// Where the items are, and where they go.
pub(super) struct Stores {
    pub(super) from: DynDriver,
    pub(super) to: DynDriver,
    /// The target without what is configured around it.
    bare_to: DynDriver,
    /// What hashes the keys on their way, where the source does not and the target does.
    hasher: Option<KeyHasher>,
    /// Whether the source's keys are hashes.
    is_hashed: bool,
    /// Whether the target lists what it has.
    pub(super) lists_target: bool,
    /// What the two are, in one text without secrets.
    pub(super) about: String,
}

/// A store as it was configured, and its driver.
struct End {
    config: Config,
    driver: DynDriver,
    ring: Option<KeyRing>,
}

impl Stores {
    /// Opens both, and says which they are.
    ///
    /// # Errors
    /// When one cannot be opened, or has not what is needed of it; when both are the same; and when the keys of the source cannot
    /// become those of the target.
    pub(super) async fn open(from: &Path, to: &Path) -> Result<Stores, Box<dyn Error>> {
        let (from, to) = (Config::from_file(from)?, Config::from_file(to)?);
        let hasher = match (&from.hash_ids, &to.hash_ids) {
            (from, to) if from == to => None,
            (None, Some(hasher)) => Some(hasher.clone()),
            (Some(_), _) => {
                return Err("the source has `hashIds`, and the target has not the same: nobody knows an ID from its hash, so what is \
                            stored under one can go only where the same hash is used. Give both the same `hashIds`"
                    .into());
            }
            (None, None) => None,
        };
        if to.driver == "overlay" {
            return Err("the target is an overlay, which shows what is below it as if it were there: give the configuration of its \
                        first layer alone, which is the store that shall have everything"
                .into());
        }
        let about = format!("{} {} to {} {}", from.driver, from.place(), to.driver, to.place());
        say(format_args!("from `{}` {}", from.driver, from.place()));
        say(format_args!("to `{}` {}", to.driver, to.place()));
        let (from, to) = (End::open(from).await?, End::open(to).await?);
        let is_hashed = from.config.hash_ids.is_some();
        from.is_fit_to_read()?;
        to.is_fit_to_write()?;
        to.is_another_than(&from).await?;

        let bare_to = to.driver.clone();
        // What nothing has to be done to goes as it is, readable or not.
        let is_bare = hasher.is_none() && from.ring == to.ring;
        let (from, mut to) = match is_bare {
            true => (from.driver, to.driver),
            false => (from.opened(), to.opened()),
        };
        if let Some(hasher) = &hasher {
            to = Arc::new(HashedKeys::new(to, hasher.clone()));
        }
        let lists_target = bare_to.capabilities().iteration;
        Ok(Stores { from, to, bare_to, hasher, is_hashed, lists_target, about })
    }

    /// Whether a key of the source is a session's or an index's: what else is there is somebody else's, and stays.
    pub(super) fn is_ours(&self, key: &ItemKey) -> bool {
        match self.is_hashed {
            true => KeyHasher::is_hash(key.as_str()),
            false => is_session_or_index(key.as_str()),
        }
    }

    /// Whether a key that the target lists is a session's or an index's.
    pub(super) fn is_ours_there(&self, key: &ItemKey) -> bool {
        // Those that are hashed on their way are listed as aliases, and nothing else is.
        self.hasher.is_some() || self.is_ours(key)
    }

    /// What a key of either store is known by: the same for the same item.
    ///
    /// # Errors
    /// As [`cloakroom_storage::Driver::alias`].
    pub(super) fn name(&self, key: &ItemKey) -> cloakroom_storage::Result<ItemKey> {
        self.to.alias(key)
    }

    /// Whether what the target lists can be asked for in the source.
    pub(super) fn has_common_keys(&self) -> bool {
        self.hasher.is_none()
    }

    /// What the value shall be in the target. Where IDs are hashed on their way, those that an index has are, too: else who reads
    /// the store would find them there.
    pub(super) fn translated(&self, key: &ItemKey, value: Bytes) -> Bytes {
        if self.hasher.is_none() || !key.as_str().starts_with("principal:") {
            return value;
        }
        self.without_ids(&value).unwrap_or(value)
    }

    /// A page of an index with the aliases of the IDs; `None` where it is none.
    fn without_ids(&self, page: &[u8]) -> Option<Bytes> {
        let mut page: Value = serde_json::from_slice(page).ok()?;
        for session in page.get_mut("sessions")?.as_array_mut()? {
            let key = session.get_mut("key")?;
            if let Some(id) = key.as_str().and_then(SessionId::parse) {
                let alias = self.to.alias(&ItemKey::new(&id.to_string()).ok()?).ok()?;
                *key = alias.as_str().into();
            }
        }
        serde_json::to_vec(&page).ok().map(Bytes::from)
    }

    /// Whether the target says of this key that what other layers of an overlay have there counts no more.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn is_over(&self, key: &ItemKey) -> cloakroom_storage::Result<bool> {
        overlay::counts_no_more(&*self.bare_to, &self.key_there(key)?).await
    }

    /// Whether the target has the word there by which an overlay says that the item was removed.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn is_removed(&self, key: &ItemKey) -> cloakroom_storage::Result<bool> {
        let found = self.bare_to.get(&self.key_there(key)?).await?;
        Ok(found.is_some_and(|item| overlay::is_word(&item.value)))
    }

    fn key_there(&self, key: &ItemKey) -> cloakroom_storage::Result<ItemKey> {
        self.hasher.as_ref().map_or_else(|| Ok(key.clone()), |hasher| hasher.hash(key))
    }
}

impl End {
    async fn open(config: Config) -> Result<End, Box<dyn Error>> {
        let driver = config.open_driver().await?;
        let ring = config.encryption.as_ref().map(|encryption| encryption.ring()).transpose()?;
        Ok(End { config, driver, ring })
    }

    fn is_fit_to_read(&self) -> Result<(), Box<dyn Error>> {
        let capabilities = self.driver.capabilities();
        if !capabilities.iteration {
            return Err(
                self.refused("the source cannot list what it has, so nobody knows what to copy")
            );
        }
        match is_of_one_process(&capabilities) {
            true => Err(self.refused("the source lives in one process, and this is another")),
            false => Ok(()),
        }
    }

    fn is_fit_to_write(&self) -> Result<(), Box<dyn Error>> {
        let capabilities = self.driver.capabilities();
        if capabilities.read_only {
            return Err(self.refused("the target cannot be written to"));
        }
        if !capabilities.retains || is_of_one_process(&capabilities) {
            return Err(self.refused("the target lives in one process, and ends with this command"));
        }
        if !capabilities.expiry {
            return Err(self.refused(
                "the target keeps no deadlines, so what is copied there would live for ever",
            ));
        }
        if !capabilities.compare_and_swap {
            say(format_args!(
                "`{}` cannot compare and swap: what another writes to the target at the same moment is lost, so let \
                 nobody use it until this is done",
                self.config.driver
            ));
        }
        Ok(())
    }

    /// Finds out by an item that is written to the one, and is there in the other where both are the same.
    async fn is_another_than(&self, source: &End) -> Result<(), Box<dyn Error>> {
        // Every store takes such a key, and nobody has this one.
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| "the system has no random bytes")?;
        let random = u128::from_le_bytes(random);
        let key =
            ItemKey::new(&format!("{:08x}-migration-{:012x}", random >> 96, random as u64 >> 16))?;
        let _ = self.driver.set(&key, "0".into(), When::Always, Some(PROBE)).await?;
        let seen = source.driver.get(&key).await;
        self.driver.remove(&key, When::Always).await?;
        match seen? {
            None => Ok(()),
            Some(_) => Err("the source shows what is written to the target: they are the same store, or one is above the other".into()),
        }
    }

    /// The driver with its values opened.
    fn opened(self) -> DynDriver {
        let accepts_plain = self.config.encryption.as_ref().is_some_and(|it| it.accept_plain);
        match self.ring {
            None => self.driver,
            Some(ring) => Arc::new(Encrypted::new(self.driver, ring).accept_plain(accepts_plain)),
        }
    }

    fn refused(&self, why: &str) -> Box<dyn Error> {
        format!("{why}: `{}` {}", self.config.driver, self.config.place()).into()
    }
}

fn is_of_one_process(capabilities: &Capabilities) -> bool {
    !capabilities.durable && !capabilities.shared
}
