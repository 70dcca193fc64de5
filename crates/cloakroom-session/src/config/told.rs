//! What an Astro site tells of its sessions itself: the file `cloakroom.json` that its package `@cloakroom/astro` writes
//! whenever the site is built or started. It is a configuration as any other, but for the two things that are undone here.

use std::env;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The name of the file that it was made from.
pub(super) const MADE_FROM: &str = "astroConfig";

/// What stands in the place of a text that came from a variable of the environment, which may be a secret.
const VARIABLE: &str = "$env";

/// The same in the form of any configuration.
///
/// # Errors
/// Where a variable is not set that the site had.
pub(super) fn settled(mut map: Map<String, Value>) -> Result<Map<String, Value>> {
    if map.remove(MADE_FROM).is_some()
        && let Some(options) = map.get_mut("options")
    {
        fill_in(options)?;
    }
    Ok(map)
}

fn fill_in(value: &mut Value) -> Result<()> {
    match value {
        Value::Object(table) => match (table.len(), table.get(VARIABLE)) {
            (1, Some(Value::String(name))) => {
                let set = env::var(name).map_err(|_| {
                    let message = format!("the environment variable {name}, which the site takes an option from, is not set");
                    Error::config(message)
                })?;
                *value = set.into();
                Ok(())
            }
            _ => table.values_mut().try_for_each(fill_in),
        },
        Value::Array(values) => values.iter_mut().try_for_each(fill_in),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settle(value: Value) -> Result<Value> {
        let Value::Object(map) = value else { panic!("a table") };
        settled(map).map(Value::Object)
    }

    #[test]
    fn a_variable_stands_in_for_its_value_where_a_site_has_told_so() {
        let told = json!({
            "astroConfig": "astro.config.mjs",
            "driver": "redis",
            "options": { "base": "site", "tls": [{ "$env": "CARGO_PKG_NAME" }], "host": { "$env": "CARGO_PKG_NAME" } },
        });
        let name = "cloakroom-session";
        let settled = settle(told).unwrap();
        let options = json!({ "base": "site", "tls": [name], "host": name });
        assert_eq!(settled, json!({ "driver": "redis", "options": options }));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let told =
            json!({ "astroConfig": null, "options": { "url": { "$env": "CLOAKROOM_NOT_SET" } } });
        let error = settle(told).unwrap_err().to_string();
        assert!(error.contains("CLOAKROOM_NOT_SET"), "{error}");
    }

    #[test]
    fn what_no_site_has_told_is_as_it_is() {
        let own = json!({ "driver": "memory", "options": { "a": { "$env": "PATH" } } });
        assert_eq!(settle(own.clone()).unwrap(), own);
    }
}
