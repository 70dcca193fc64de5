//! What keeps secrets from who has the store alone: records that are sealed, and IDs that are hashed.
//!
//! Both stand around the driver with its limits and its near cache: what such a cache holds is what the store has. The IDs are
//! hashed first, so that a record is bound to the key that it has in the store.

#[cfg(feature = "encryption")]
mod encryption;
#[cfg(feature = "hash-ids")]
mod hash_ids;

use std::fmt;
use std::path::Path;

use cloakroom_storage::DynDriver;

use super::fields::{self, Fields};
use super::{Config, is_script};
use crate::error::Result;

#[cfg(feature = "encryption")]
pub use encryption::EncryptionConfig;
#[cfg(all(feature = "astro-config", feature = "encryption"))]
pub(super) use encryption::is_key;

/// Reads `encryption` and `hashIds`.
pub(super) fn read(fields: &mut Fields, config: &mut Config) -> fields::Result<()> {
    let (encryption, hash_ids) = (fields.table("encryption")?, fields.take("hashIds"));
    #[cfg(feature = "encryption")]
    {
        config.encryption = encryption.map(EncryptionConfig::from_map).transpose()?;
    }
    #[cfg(not(feature = "encryption"))]
    if encryption.is_some() {
        return Err(missing("encryption", "encryption"));
    }
    #[cfg(feature = "hash-ids")]
    {
        config.hash_ids = hash_ids.map(hash_ids::from_value).transpose()?.flatten();
    }
    #[cfg(not(feature = "hash-ids"))]
    if hash_ids.is_some_and(|value| value != false) {
        return Err(missing("hashIds", "hash-ids"));
    }
    _ = config;
    Ok(())
}

/// To go on without would put secrets where they must not be.
#[cfg(not(all(feature = "encryption", feature = "hash-ids")))]
fn missing(key: &str, feature: &str) -> fields::Unusable {
    let message = format!("{key} needs the feature `{feature}` of cloakroom: enable it");
    fields::Unusable::new(key, message)
}

impl Config {
    /// A driver with what is configured around it.
    pub(crate) fn around(&self, driver: DynDriver) -> Result<DynDriver> {
        #[cfg(feature = "encryption")]
        let driver = match &self.encryption {
            Some(encryption) => encryption.around(driver)?,
            None => driver,
        };
        #[cfg(feature = "hash-ids")]
        let driver: DynDriver = match &self.hash_ids {
            Some(hasher) => {
                std::sync::Arc::new(cloakroom_storage::HashedKeys::new(driver, hasher.clone()))
            }
            None => driver,
        };
        Ok(driver)
    }

    /// Says who finds nothing in the store, which nobody would see from an empty page: an Astro site of which this configuration
    /// comes finds it where it has told the same itself.
    pub(crate) fn tell_at_rest(&self) {
        const ALONE: &str = "only programs with the same `encryption` and `hashIds` find the sessions of this store";
        let at_rest = AtRest(self);
        if at_rest.settings().is_empty() {
            return;
        }
        // What a site has told has this name, beside its source and beside what is built.
        let is_told = |path: &Path| path.file_name().is_some_and(|name| name == "cloakroom.json");
        let is_astros = |source: &str| is_script(Path::new(source)) || is_told(Path::new(source));
        let has_told =
            |key: &str| self.sources.of(key).is_some_and(|source| is_told(Path::new(source)));
        let is_known = at_rest.settings().into_iter().all(has_told);
        match self.sources.of("driver").is_some_and(is_astros) && !is_known {
            true => tracing::warn!(
                ?at_rest,
                "{ALONE}: the Astro site that this configuration comes from finds none of them, unless its package \
                 @cloakroom/astro is given them as well"
            ),
            false => tracing::info!(?at_rest, "{ALONE}"),
        }
    }
}

/// What of it is configured, without secrets.
pub(super) struct AtRest<'a>(pub(super) &'a Config);

impl AtRest<'_> {
    /// The names of those that are on.
    fn settings(&self) -> Vec<&'static str> {
        let AtRest(_config) = self;
        let settings: &[Option<&'static str>] = &[
            #[cfg(feature = "encryption")]
            _config.encryption.is_some().then_some("encryption"),
            #[cfg(feature = "hash-ids")]
            _config.hash_ids.is_some().then_some("hashIds"),
        ];
        settings.iter().copied().flatten().collect()
    }
}

impl fmt::Debug for AtRest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("AtRest");
        #[cfg(feature = "encryption")]
        shown.field("encryption", &self.0.encryption);
        #[cfg(feature = "hash-ids")]
        shown.field("hash_ids", &self.0.hash_ids);
        shown.finish()
    }
}

#[cfg(test)]
mod tests;
