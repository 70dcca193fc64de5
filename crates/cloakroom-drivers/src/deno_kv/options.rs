//! What a configuration says.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::NAME;
use crate::common::http::{Address, Secret};
use cloakroom_storage::{ItemKey, Result, options};

/// Where the token is looked for that the options lack.
const TOKEN: &str = "DENO_KV_ACCESS_TOKEN";

/// unstorage's options.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The URL of the database, such as `https://api.deno.com/databases/ID/connect` or `http://localhost:4512`.
    pub path: String,
    /// What all keys begin with.
    pub base: String,
    /// Seconds after which an item expires that is written without a ttl.
    pub ttl: Option<u64>,
    /// Options of the client that JavaScript uses.
    pub open_kv_options: OpenKvOptions,
}

/// The options of JavaScript's client that mean something here.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenKvOptions {
    /// The token; by default the environment's `DENO_KV_ACCESS_TOKEN`.
    pub access_token: Option<String>,
}

impl Options {
    /// The default options for the database at this URL.
    pub fn new(path: impl Into<String>) -> Options {
        Options { path: path.into(), ..Options::default() }
    }

    pub(super) fn url(&self) -> Result<Url> {
        if !self.path.contains("://") {
            let message = "option `path` has to be the URL of a server of Deno KV, as in `http://localhost:4512`; \
                           a file that Deno opens by itself is not reached from here: let `denokv` serve it";
            return Err(options::invalid(NAME, message));
        }
        Address::new(NAME, "path", &self.path)?;
        let url = self.path.trim().parse();
        url.map_err(|_| options::invalid(NAME, "option `path` has to be a URL"))
    }

    pub(super) fn base(&self) -> Result<Option<ItemKey>> {
        let base = self.base.trim_matches([':', '/', '\\']);
        let base = Some(base).filter(|base| !base.is_empty()).map(ItemKey::new).transpose();
        base.map_err(|error| {
            options::invalid(NAME, "option `base` cannot begin a key").with_source(error)
        })
    }

    pub(super) fn token(&self) -> Result<Secret> {
        let token = self.open_kv_options.access_token.clone();
        let token = token.or_else(|| std::env::var(TOKEN).ok()).filter(|token| !token.is_empty());
        token.map(Secret::from).ok_or_else(|| {
            let message = format!("the access token is missing: set `{TOKEN}` in the environment");
            options::invalid(NAME, message)
        })
    }
}

impl fmt::Debug for OpenKvOptions {
    /// Leaves out the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenKvOptions").finish_non_exhaustive()
    }
}
