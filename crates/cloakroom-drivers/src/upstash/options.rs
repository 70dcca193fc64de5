//! The options, by the names of unstorage and of `@upstash/redis`.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::http::{Address, Secret};
use cloakroom_storage::{Error, Result, options};

/// The JavaScript client's options that change nothing here: values are never taken for JSON, retries are those of every
/// driver, and a reader always sees what was written before.
const WITHOUT_EFFECT: &[&str] = &[
    "agent",
    "automaticDeserialization",
    "cache",
    "enableAutoPipelining",
    "enableTelemetry",
    "keepAlive",
    "latencyLogging",
    "readYourWrites",
    "responseEncoding",
    "retry",
    "signal",
];

/// unstorage's options.
///
/// A configuration may have those of the JavaScript client too (`retry`, `automaticDeserialization` and the like), which
/// change nothing here.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Options {
    /// Where the server is, as in `https://example.upstash.io`; by default the environment's `UPSTASH_REDIS_REST_URL`.
    pub url: Option<String>,
    /// What the server wants to be shown; by default the environment's `UPSTASH_REDIS_REST_TOKEN`.
    pub token: Option<String>,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// Seconds after which an item expires that is written without a ttl. None, or 0, means never.
    pub ttl: Option<u64>,
    /// How many keys the server is asked to look at for each page of a list; by default it chooses itself.
    pub scan_count: Option<u32>,
}

/// The environment variables that stand in for options.
#[derive(Clone, Debug)]
pub(crate) struct Variables {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Options {
    /// The default options for the server at this URL, with its token.
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Options {
        Options { url: Some(url.into()), token: Some(token.into()), ..Options::default() }
    }

    /// What a configuration of this driver says.
    pub(crate) fn read(driver: &'static str, given: &Map<String, Value>) -> Result<Options> {
        let mut given = given.clone();
        given.retain(|name, _| !WITHOUT_EFFECT.contains(&name.as_str()));
        options::parse(driver, &given)
    }

    /// Where the server is, and what it wants to be shown.
    pub(super) fn server(
        &mut self,
        driver: &'static str,
        variables: Option<&Variables>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<(Address, Secret)> {
        let from = |variable: &dyn Fn(&Variables) -> String| {
            environment(&variable(variables?)).filter(|value| !value.is_empty())
        };
        let url = self.url.take().filter(|url| !url.is_empty());
        let url = url
            .or_else(|| from(&|variables| variables.url.clone()))
            .ok_or_else(|| missing(driver, "url", variables.map(|variables| &variables.url)))?;
        let token = self.token.take().filter(|token| !token.is_empty());
        let token = token
            .or_else(|| from(&|variables| variables.token.clone()))
            .ok_or_else(|| missing(driver, "token", variables.map(|variables| &variables.token)))?;
        Ok((Address::new(driver, "url", &url)?, Secret::from(token)))
    }
}

impl fmt::Debug for Options {
    /// Leaves out the token, and the URL, which may have one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("base", &self.base)
            .field("ttl", &self.ttl)
            .field("scan_count", &self.scan_count)
            .finish_non_exhaustive()
    }
}

fn missing(driver: &'static str, option: &str, variable: Option<&String>) -> Error {
    let variable = variable.map(|name| format!(" or the variable `{name}`")).unwrap_or_default();
    options::invalid(driver, format!("the option `{option}`{variable} is needed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn server(options: Value, environment: &[(&str, &str)]) -> Result<(String, String)> {
        let variables = Variables { url: "THE_URL".into(), token: "THE_TOKEN".into() };
        let value = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        };
        let given = options.as_object().expect("an object");
        let (address, token) =
            Options::read("example", given)?.server("example", Some(&variables), value)?;
        Ok((address.as_str().to_owned(), token.expose().to_owned()))
    }

    #[test]
    fn the_environment_says_what_the_options_do_not() {
        let environment = [("THE_URL", "https://from.variable"), ("THE_TOKEN", "one")];
        let from = |options| server(options, &environment).expect("a server");
        assert_eq!(from(json!({})), ("https://from.variable".into(), "one".into()));
        assert_eq!(
            from(json!({ "url": "https://from.option/", "token": "two" })),
            ("https://from.option".into(), "two".into())
        );
        assert_eq!(from(json!({ "url": "", "token": "two" })).0, "https://from.variable");
    }

    #[test]
    fn what_nothing_says_is_named() {
        let error =
            |options| server(options, &[("THE_URL", "")]).expect_err("not enough").to_string();
        assert!(error(json!({})).contains("option `url` or the variable `THE_URL`"));
        let error = error(json!({ "url": "https://store.example" }));
        assert!(error.contains("option `token` or the variable `THE_TOKEN`"), "{error}");
    }

    #[test]
    fn options_of_the_javascript_client_change_nothing() {
        let given = json!({ "retry": { "retries": 3 }, "enableAutoPipelining": true, "base": "a" });
        let options = Options::read("example", given.as_object().expect("an object"));
        assert_eq!(options.expect("options").base, "a");
    }
}
