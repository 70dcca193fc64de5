//! Whose sessions they are, and how many one may have.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::Config;
use super::fields::{Fields, Result, Unusable, described, kind};
use crate::error::{Error, Result as SessionResult};
use crate::record::Path;

/// The shortest secret that is one, in bytes.
const SHORTEST_SECRET: usize = 16;

/// The most sessions that can be counted for sure.
const MOST: u32 = 100;

/// What becomes of a sign-in whose principal has as many sessions as it may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The principal's oldest session is ended for it.
    #[default]
    EndOldest,
    /// It is refused, with [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions). A session that was signed in
    /// elsewhere, by an Astro site, is ended as soon as it is seen.
    Refuse,
}

impl WhenFull {
    fn from_value(value: &Value) -> Result<WhenFull> {
        match value.as_str() {
            Some("endOldest") => Ok(WhenFull::EndOldest),
            Some("refuse") => Ok(WhenFull::Refuse),
            _ => {
                let value = described(value);
                let message =
                    format!("whenFull is {value}: it must be \"endOldest\" or \"refuse\"");
                Err(Unusable::new("whenFull", message))
            }
        }
    }
}

/// A secret by which the store's name of a principal's index is made.
///
/// ```
/// use cloakroom_session::{Config, IndexSecret};
///
/// let mut config = Config::new("memory");
/// config.index_secret = Some(IndexSecret::new("from the environment")?);
/// # Ok::<(), cloakroom_session::Error>(())
/// ```
#[derive(Clone)]
pub struct IndexSecret(pub(crate) Hmac<Sha256>);

impl IndexSecret {
    /// A text, or bytes, best random.
    ///
    /// # Errors
    /// Where there are fewer than 16 bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> SessionResult<IndexSecret> {
        let secret = secret.as_ref();
        let refused = || {
            Error::config(format!(
                "indexSecret has {} bytes: it must have {SHORTEST_SECRET} at least, and be random",
                secret.len()
            ))
        };
        if secret.len() < SHORTEST_SECRET {
            return Err(refused());
        }
        Hmac::new_from_slice(secret).map(IndexSecret).map_err(|_| refused())
    }

    fn from_value(value: &Value) -> Result<IndexSecret> {
        let refused = |message: String| Unusable::new("indexSecret", message);
        let Some(secret) = value.as_str() else {
            return Err(refused(format!("indexSecret is {}: it must be a text", kind(value))));
        };
        IndexSecret::new(secret).map_err(|error| refused(error.to_string()))
    }
}

/// Two that make the same of each name.
impl PartialEq for IndexSecret {
    fn eq(&self, other: &IndexSecret) -> bool {
        self.0.clone().finalize() == other.0.clone().finalize()
    }
}

impl Eq for IndexSecret {}

/// Without the secret.
impl fmt::Debug for IndexSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IndexSecret(…)")
    }
}

/// Reads `principal`, `maxSessions`, `whenFull` and `indexSecret`.
pub(super) fn read(fields: &mut Fields, config: &mut Config) -> Result<()> {
    config.principal = fields.string("principal")?;
    config.max_sessions =
        fields.integer("maxSessions")?.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    if let Some(value) = fields.take("whenFull") {
        config.when_full = WhenFull::from_value(&value)?;
    }
    if let Some(value) = fields.take("indexSecret") {
        config.index_secret = Some(IndexSecret::from_value(&value)?);
    }
    Ok(())
}

impl Config {
    /// Where a record says whose session it is, where the configuration tells.
    pub(crate) fn principal_path(&self) -> Option<Path> {
        self.principal.as_deref().and_then(Path::parse)
    }

    /// What no driver can tell by itself.
    pub(super) fn usable_principals(&self) -> Result<()> {
        if let Some(path) = &self.principal
            && Path::parse(path).is_none()
        {
            let message = format!(
                "principal is {path:?}: it must be the key of an entry that says whose session it is, or a path into it \
                 such as \"user.id\""
            );
            return Err(Unusable::new("principal", message));
        }
        match self.max_sessions {
            Some(0) => Err(Unusable::new(
                "maxSessions",
                "maxSessions is 0, which lets nobody sign in: leave it out, or set it above 0",
            )),
            Some(most) if most > MOST => {
                let message = format!("maxSessions is {most}: it can be {MOST} at most");
                Err(Unusable::new("maxSessions", message))
            }
            _ => Ok(()),
        }
    }
}
