//! Which keys records are sealed with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloakroom_storage::{DynDriver, Encrypted, EncryptionKey, KeyRing};
use serde_json::{Map, Value};

use super::super::fields::{self, Fields, Unusable, kind};
use crate::error::{Error, Result};

/// The keys that records are sealed with: the first seals, and all open.
///
/// ```
/// use cloakroom_session::{Config, EncryptionConfig};
///
/// // `openssl rand -base64 32` makes one.
/// let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
/// let mut config = Config::new("memory");
/// config.encryption = Some(EncryptionConfig::new([key]));
/// # Ok::<(), cloakroom_session::storage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionConfig {
    /// 32 bytes each, as 64 hexadecimal digits or as base64; or one text with commas between them. The first seals, and all
    /// open.
    pub keys: Vec<EncryptionKey>,
    /// `keyFile`: a file with a key on each line, in place of `keys`. Lines that begin with `#` are left out. It is read when
    /// the store is opened.
    pub key_file: Option<PathBuf>,
    /// `acceptPlain`: takes records that are not sealed as they are, for the time in which a store that was plain becomes
    /// sealed. As long as it is on, whoever can write to the store can make sessions. Off unless set.
    pub accept_plain: bool,
}

impl EncryptionConfig {
    /// Seals with the first of these keys, and opens with all of them.
    pub fn new(keys: impl IntoIterator<Item = EncryptionKey>) -> EncryptionConfig {
        EncryptionConfig { keys: keys.into_iter().collect(), key_file: None, accept_plain: false }
    }

    pub(super) fn from_map(map: Map<String, Value>) -> fields::Result<EncryptionConfig> {
        let mut fields = Fields::new("encryption.", map);
        let mut config = EncryptionConfig::new([]);
        if let Some(value) = fields.take("keys") {
            config.keys = keys(value)?;
        }
        config.key_file = fields.string("keyFile")?.map(PathBuf::from);
        config.accept_plain = fields.boolean("acceptPlain")?.unwrap_or_default();
        fields.finish()?;
        config.usable()?;
        Ok(config)
    }

    /// What no key can tell by itself.
    fn usable(&self) -> fields::Result<()> {
        let refused = |message: &str| Err(Unusable::new("encryption.keys", message));
        match (self.keys.is_empty(), &self.key_file) {
            (false, Some(_)) => refused("encryption has both keys and keyFile: use one of them"),
            (true, None) => refused(
                "encryption has no keys: set keys, or keyFile (`openssl rand -base64 32` makes one)",
            ),
            _ => Ok(()),
        }
    }

    /// The keys, of which the first seals; from the file where there is one.
    ///
    /// ```
    /// use cloakroom_session::EncryptionConfig;
    ///
    /// let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
    /// let ring = EncryptionConfig::new([key]).ring()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where there is none, one is there twice, or the file cannot be read.
    pub fn ring(&self) -> Result<KeyRing> {
        self.usable()?;
        let (keys, of) = match &self.key_file {
            Some(path) => (read(path)?, format!("the key file {}", path.display())),
            None => (self.keys.clone(), "encryption.keys".to_owned()),
        };
        KeyRing::new(keys).map_err(|error| Error::config(format!("{of}: {error}")))
    }

    pub(super) fn around(&self, driver: DynDriver) -> Result<DynDriver> {
        Ok(Arc::new(Encrypted::new(driver, self.ring()?).accept_plain(self.accept_plain)))
    }
}

/// A list of texts, or one text with commas in between or that spells the list, as a variable of the environment has it. What is wrong with one is told
/// without showing it.
fn keys(value: Value) -> fields::Result<Vec<EncryptionKey>> {
    let texts: Vec<Value> = match value {
        Value::Array(texts) => texts,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(texts)) => texts,
            _ => {
                let keys = text.split(',').map(str::trim).filter(|text| !text.is_empty());
                keys.map(Value::from).collect()
            }
        },
        other => vec![other],
    };
    let key = |(at, value): (usize, &Value)| {
        let refused = |reason: &dyn std::fmt::Display| {
            let message = format!("encryption.keys: number {}: {reason}", at + 1);
            Unusable::new("encryption.keys", message)
        };
        match value {
            Value::String(text) => text.parse().map_err(|error| refused(&error)),
            other => Err(refused(&format_args!("it is {}, and must be a text", kind(other)))),
        }
    };
    texts.iter().enumerate().map(key).collect()
}

/// Whether a text is a key, or several with commas between them, where a path should be.
pub(in super::super) fn is_key(text: &str) -> bool {
    text.split(',').any(|one| one.trim().parse::<EncryptionKey>().is_ok())
}

/// The keys of a file, one on a line.
fn read(path: &Path) -> Result<Vec<EncryptionKey>> {
    // Not to be shown in an error, as a path would be.
    if path.to_str().is_some_and(is_key) {
        return Err(Error::config(
            "encryption.keyFile is a key: it must be the path of a file with keys; a key itself is said as `keys`",
        ));
    }
    let failed = |reason: &dyn std::fmt::Display| {
        Error::config(format!("encryption.keyFile: the key file {}: {reason}", path.display()))
    };
    let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(|error| failed(&error))?);
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let key = |(at, line): (usize, &str)| {
        line.parse().map_err(|error| failed(&format_args!("line {}: {error}", at + 1)))
    };
    lines.map(key).collect()
}
