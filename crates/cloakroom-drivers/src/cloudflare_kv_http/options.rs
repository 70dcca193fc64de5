//! Which namespace it is, and who asks.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::NAME;
use crate::common::base::base_of_unstorage;
use crate::common::http::{Address, Secret, encoded};
use cloakroom_storage::{Error, Result, options};

const API: &str = "https://api.cloudflare.com";

/// The shortest lifetime that Cloudflare takes, in seconds.
const SHORTEST: u64 = 60;

/// What a configuration says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    account_id: Option<String>,
    namespace_id: Option<String>,
    #[serde(rename = "apiURL")]
    api_url: Option<String>,
    base: String,
    #[serde(rename = "minTTL")]
    min_ttl: Option<u64>,
    api_token: Option<Secret>,
    user_service_key: Option<Secret>,
    email: Option<Secret>,
    api_key: Option<Secret>,
}

impl Options {
    pub(super) fn read(given: &Map<String, Value>) -> Result<Options> {
        options::parse(NAME, given)
    }

    /// What all paths of the namespace begin with.
    pub(super) fn address(&self) -> Result<Address> {
        let part = |option: &str, value: &Option<String>| match value.as_deref() {
            None | Some("") => Err(invalid(format!("the option `{option}` is needed"))),
            Some(value) => Ok(encoded(value)),
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
        let headers: Vec<(&'static str, HeaderValue)> = match (
            &self.api_token,
            &self.user_service_key,
            &self.email,
            &self.api_key,
        ) {
            (Some(token), ..) => vec![("authorization", token.header(NAME, "Bearer")?)],
            (_, Some(key), ..) => vec![("x-auth-user-service-key", key.header(NAME, "")?)],
            (_, _, Some(email), Some(key)) => vec![
                ("x-auth-email", email.header(NAME, "")?),
                ("x-auth-key", key.header(NAME, "")?),
            ],
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

fn invalid(message: impl Into<String>) -> Error {
    options::invalid(NAME, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(given: Value) -> Options {
        Options::read(given.as_object().expect("an object")).expect("options")
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
