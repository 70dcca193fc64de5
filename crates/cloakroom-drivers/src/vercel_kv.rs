//! `vercel-kv`: as [`upstash`], which is what stands behind it, with the variables of Vercel's projects.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::{Map, Value};

use super::upstash::{self, Upstash, Variables};
use cloakroom_storage::{Result, options};

const NAME: &str = "vercel-kv";

/// Opens an [`Upstash`] as Vercel's projects have it.
///
/// ```
/// use cloakroom_drivers::vercel_kv::{Options, VercelKv};
///
/// let store = VercelKv::new(Options::new("https://example.upstash.io", "secret"))?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct VercelKv;

/// unstorage's options.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Options {
    /// Those of `upstash`, which stand beside `env` in a configuration. Its `url` and `token` have other variables here.
    #[serde(flatten)]
    pub upstash: upstash::Options,
    /// The beginning of the variables' names that are read where `url` and `token` are missing: `KV` by default, so that
    /// they come from `KV_REST_API_URL` and `KV_REST_API_TOKEN`. With none, `false` in a configuration, no variable is read.
    #[serde(default = "kv", deserialize_with = "beginning")]
    pub env: Option<String>,
}

impl Options {
    /// The default options for the server at this URL, with its token.
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Options {
        Options { upstash: upstash::Options::new(url, token), env: kv() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { upstash: upstash::Options::default(), env: kv() }
    }
}

impl VercelKv {
    /// A store at a server, of which nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    #[allow(clippy::new_ret_no_self)] // The store is the same, whoever is in front of it.
    pub fn new(options: Options) -> Result<Upstash> {
        let variables = options.env.as_deref().map(variables);
        Upstash::new_as(NAME, options.upstash, variables.as_ref())
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`VercelKv::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is
    /// unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Upstash> {
        // One by one, since flattened options are not told from unknown ones.
        let mut options = options.clone();
        let env = env(options.remove("env").as_ref())
            .map_err(|message| options::invalid(NAME, format!("option `env`: {message}")))?;
        VercelKv::new(Options { upstash: upstash::Options::read(NAME, &options)?, env })
    }
}

fn kv() -> Option<String> {
    Some("KV".to_owned())
}

/// What the option `env` means, or what is wrong with it.
fn env(given: Option<&Value>) -> Result<Option<String>, &'static str> {
    match given {
        None | Some(Value::Null) => Ok(kv()),
        Some(Value::Bool(false)) => Ok(None),
        Some(Value::String(beginning)) => Ok(Some(beginning.clone())),
        Some(_) => Err("expected the beginning of names, as in `KV`, or `false`"),
    }
}

fn beginning<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    env(Some(&Value::deserialize(deserializer)?)).map_err(D::Error::custom)
}

/// The variables whose names begin so. Nothing is as good as the usual.
fn variables(beginning: &str) -> Variables {
    let beginning = if beginning.is_empty() { "KV" } else { beginning };
    Variables {
        url: format!("{beginning}_REST_API_URL"),
        token: format!("{beginning}_REST_API_TOKEN"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn env_begins_the_names_of_the_variables() {
        let url = |given: Value| {
            let env = env(Some(&given)).expect("it fits");
            env.as_deref().map(variables).map(|names| names.url)
        };
        assert_eq!(url(Value::Null).as_deref(), Some("KV_REST_API_URL"));
        assert_eq!(url(json!("SHOP")).as_deref(), Some("SHOP_REST_API_URL"));
        assert_eq!(url(json!("")).as_deref(), Some("KV_REST_API_URL"));
        assert_eq!(url(json!(false)), None);
        assert!(env(Some(&json!(7))).is_err());
    }

    #[test]
    fn the_options_are_read_beside_each_other() {
        let given = json!({ "base": "sess", "env": "SHOP" });
        let options: Options = serde_json::from_value(given).expect("options");
        assert_eq!(options.upstash.base, "sess");
        assert_eq!(options.env.as_deref(), Some("SHOP"));
        let options: Options = serde_json::from_value(json!({})).expect("options");
        assert_eq!(options.env, kv());
    }
}
