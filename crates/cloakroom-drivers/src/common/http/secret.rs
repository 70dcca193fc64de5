//! What a configuration says and nobody else shall read.

use std::fmt;

use http::HeaderValue;
use serde::Deserialize;

use cloakroom_storage::{Error, Result, options};

/// A token, a key or a password.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// The secret itself. Keep it out of logs.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The value of a header that says `PREFIX SECRET`, or the secret alone where the prefix is empty.
    ///
    /// # Errors
    /// When no header can have it.
    pub(crate) fn header(&self, driver: &'static str, prefix: &str) -> Result<HeaderValue, Error> {
        let text = format!("{prefix} {}", self.0);
        let mut value = HeaderValue::from_str(text.trim_start()).map_err(|_| {
            options::invalid(driver, "a token has characters that no HTTP header can have")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Secret {
        Secret(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
