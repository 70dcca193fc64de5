//! Which namespace it is, and who asks.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::NAME;
use crate::common::base::base_of_unstorage;
use crate::common::http::{Address, Secret, encoded};
use cloakroom_storage::{Error, Result, options};

const API: &str = "https://api.cloudflare.com";

/// The shortest lifetime that Cloudflare takes, in seconds.
const SHORTEST: u64 = 60;

/// unstorage's options.
///
/// Who asks is said by [`api_token`](Options::api_token), or by [`user_service_key`](Options::user_service_key), or by
/// [`email`](Options::email) and [`api_key`](Options::api_key): the first of these that is there counts.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Options {
    /// The account's ID.
    pub account_id: String,
    /// The namespace's ID.
    pub namespace_id: String,
    /// `apiURL`: where Cloudflare's API is, `https://api.cloudflare.com` by default.
    #[serde(rename = "apiURL")]
    pub api_url: Option<String>,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// `minTTL`: the shortest lifetime that the store is told, in seconds: 60 by default, and at least. All programs that
    /// share a namespace need the same.
    #[serde(rename = "minTTL")]
    pub min_ttl: Option<u64>,
    /// A token of the API.
    pub api_token: Option<String>,
    /// A service key.
    pub user_service_key: Option<String>,
    /// The e-mail address of the account's user, with `apiKey`.
    pub email: Option<String>,
    /// The user's key of the API, with `email`.
    pub api_key: Option<String>,
}

impl Options {
    /// The default options for a namespace of an account. Who asks has to be said besides.
    pub fn new(account_id: impl Into<String>, namespace_id: impl Into<String>) -> Options {
        Options {
            account_id: account_id.into(),
            namespace_id: namespace_id.into(),
            ..Options::default()
        }
    }

    /// What all paths of the namespace begin with.
    pub(super) fn address(&self) -> Result<Address> {
        let part = |option: &str, value: &str| match value {
            "" => Err(invalid(format!("the option `{option}` is needed"))),
            value => Ok(encoded(value)),
        };
        let account = part("accountId", &self.account_id)?;
        let namespace = part("namespaceId", &self.namespace_id)?;
        let api = self.api_url.as_deref().filter(|url| !url.is_empty()).unwrap_or(API);
        let api = Address::new(NAME, "apiURL", api)?;
        let path = format!("/client/v4/accounts/{account}/storage/kv/namespaces/{namespace}");
        Address::new(NAME, "apiURL", &format!("{}{path}", api.as_str()))
    }

    /// The headers that say who asks.
    pub(super) fn credentials(&self) -> Result<HeaderMap> {
        let header = |secret: &String, prefix| Secret::from(secret.clone()).header(NAME, prefix);
        let headers: Vec<(&'static str, HeaderValue)> = match (
            &self.api_token,
            &self.user_service_key,
            &self.email,
            &self.api_key,
        ) {
            (Some(token), ..) => vec![("authorization", header(token, "Bearer")?)],
            (_, Some(key), ..) => vec![("x-auth-user-service-key", header(key, "")?)],
            (_, _, Some(email), Some(key)) => {
                vec![("x-auth-email", header(email, "")?), ("x-auth-key", header(key, "")?)]
            }
            _ => {
                return Err(invalid(
                    "one of the options `apiToken`, `userServiceKey`, or `email` and `apiKey` is needed",
                ));
            }
        };
        let named = |(name, value)| (HeaderName::from_static(name), value);
        Ok(headers.into_iter().map(named).collect())
    }

    /// What the keys of all items begin with.
    pub(super) fn prefix(&self) -> String {
        match base_of_unstorage(&self.base) {
            base if base.is_empty() => base,
            base => format!("{base}:"),
        }
    }

    /// The shortest lifetime that the store is told, in seconds.
    pub(super) fn shortest(&self) -> u64 {
        self.min_ttl.unwrap_or(SHORTEST).max(SHORTEST)
    }
}

impl fmt::Debug for Options {
    /// Leaves out who asks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account_id", &self.account_id)
            .field("namespace_id", &self.namespace_id)
            .field("base", &self.base)
            .field("min_ttl", &self.min_ttl)
            .finish_non_exhaustive()
    }
}

fn invalid(message: impl Into<String>) -> Error {
    options::invalid(NAME, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn options(given: Value) -> Options {
        options::parse(NAME, given.as_object().expect("an object")).expect("options")
    }

    #[test]
    fn each_kind_of_credentials_has_its_headers() {
        for (given, names) in [
            (json!({ "apiToken": "t", "userServiceKey": "u" }), &["authorization"][..]),
            (json!({ "userServiceKey": "u" }), &["x-auth-user-service-key"]),
            (json!({ "email": "a@b.example", "apiKey": "k" }), &["x-auth-email", "x-auth-key"]),
        ] {
            let headers = options(given).credentials().expect("credentials");
            assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), names);
            assert!(headers.values().all(HeaderValue::is_sensitive));
        }
        let error = options(json!({ "email": "a@b.example" })).credentials().expect_err("half");
        assert!(error.to_string().contains("`apiToken`"), "{error}");
    }

    #[test]
    fn the_shortest_lifetime_is_never_shorter_than_cloudflares() {
        assert_eq!(options(json!({})).shortest(), 60);
        assert_eq!(options(json!({ "minTTL": 5 })).shortest(), 60);
        assert_eq!(options(json!({ "minTTL": 300 })).shortest(), 300);
    }
}
