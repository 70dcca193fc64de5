//! What a configuration says.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::NAME;
use crate::common::http::Secret;
use cloakroom_storage::{Result, options};

/// unstorage's options for `http`, and one of ours.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The URL that the items are below, such as `https://store.example/sessions`.
    pub base: String,
    /// What goes along with every request, such as an `authorization`; nothing by default.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Ours: what the server speaks. By default it is asked who it is.
    pub protocol: Option<Protocol>,
}

/// What is spoken, where nobody shall find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Protocol {
    /// unstorage's own.
    Unstorage,
    /// That of `cloakroom serve`.
    Cloakroom,
}

impl Options {
    /// The default options for the server at this URL.
    pub fn new(base: impl Into<String>) -> Options {
        Options { base: base.into(), headers: BTreeMap::new(), protocol: None }
    }

    pub(super) fn headers(&self) -> Result<HeaderMap> {
        let headers = self.headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).map_err(|_| {
                options::invalid(NAME, format!("option `headers`: `{name}` is no header"))
            })?;
            Ok((name, Secret::from(value.clone()).header(NAME, "")?))
        });
        headers.collect()
    }
}

impl fmt::Debug for Options {
    /// Leaves out the headers, and the URL, where a password may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
