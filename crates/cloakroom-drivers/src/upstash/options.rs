//! The options, by the names of unstorage and of `@upstash/redis`.

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

/// What a configuration says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    url: Option<String>,
    token: Option<Secret>,
    pub(super) base: String,
    pub(super) ttl: Option<u64>,
    pub(super) scan_count: Option<u32>,
}

/// The environment variables that stand in for options.
#[derive(Clone, Debug)]
pub(crate) struct Variables {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Options {
    pub(super) fn read(driver: &'static str, given: &Map<String, Value>) -> Result<Options> {
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
        let token = self.token.take().filter(|token| !token.expose().is_empty());
        let token = token
            .or_else(|| from(&|variables| variables.token.clone()).map(Secret::from))
            .ok_or_else(|| missing(driver, "token", variables.map(|variables| &variables.token)))?;
        Ok((Address::new(driver, "url", &url)?, token))
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
