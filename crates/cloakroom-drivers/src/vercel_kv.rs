//! `vercel-kv`: as [`upstash`](super::upstash), which is what stands behind it, with the variables of Vercel's projects.
//!
//! # Options
//! unstorage's: those of `upstash`, and `env`, the beginning of the variables' names. It is `KV` where nothing is said, so
//! that `url` and `token` come from `KV_REST_API_URL` and `KV_REST_API_TOKEN`; `false` means that no variable is read.

use serde_json::{Map, Value};

use super::upstash::{Upstash, Variables};
use cloakroom_storage::{Result, options};

const NAME: &str = "vercel-kv";

/// Opens an [`Upstash`] as Vercel's projects have it.
#[derive(Debug)]
#[non_exhaustive]
pub struct VercelKv;

impl VercelKv {
    /// A store with options as a configuration gives them. Nothing is asked of it yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions).
    pub fn open(given: &Map<String, Value>) -> Result<Upstash> {
        let mut given = given.clone();
        let variables = variables(given.remove("env").as_ref())?;
        Upstash::open_as(NAME, &given, variables.as_ref())
    }
}

fn variables(env: Option<&Value>) -> Result<Option<Variables>> {
    let prefix = match env {
        None | Some(Value::Null) => "KV",
        Some(Value::Bool(false)) => return Ok(None),
        Some(Value::String(prefix)) if prefix.is_empty() => "KV",
        Some(Value::String(prefix)) => prefix,
        Some(_) => {
            let message = "option `env`: expected the beginning of names, as in `KV`, or `false`";
            return Err(options::invalid(NAME, message));
        }
    };
    Ok(Some(Variables {
        url: format!("{prefix}_REST_API_URL"),
        token: format!("{prefix}_REST_API_TOKEN"),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn env_begins_the_names_of_the_variables() {
        let url = |env: Value| variables(Some(&env)).expect("it fits").map(|names| names.url);
        assert_eq!(url(Value::Null).as_deref(), Some("KV_REST_API_URL"));
        assert_eq!(url(json!("SHOP")).as_deref(), Some("SHOP_REST_API_URL"));
        assert_eq!(url(json!(false)), None);
        assert!(variables(Some(&json!(7))).is_err());
    }
}
