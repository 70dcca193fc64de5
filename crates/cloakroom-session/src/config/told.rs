//! What an Astro site tells of its sessions itself: the file `cloakroom.json` that its package `@cloakroom/astro` writes
//! whenever the site is built or started. It is a configuration as any other, but for what is undone here.

use std::env;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// The name of the file that it was made from.
pub(super) const MADE_FROM: &str = "astroConfig";

/// What stands in the place of a text that came from a variable of the environment, which may be a secret.
const VARIABLE: &str = "$env";

/// The environment: the value of a name.
type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The settings in which there may be such.
const WITH_VARIABLES: [&str; 3] = ["options", "hashIds", "encryption"];

/// The secret of a site that hashes its IDs and names no variable: where it is set, it counts.
const SECRET: &str = "CLOAKROOM_SESSION_HASH_IDS_SECRET";

/// The same in the form of any configuration.
///
/// # Errors
/// Where a variable is not set that the site has.
pub(super) fn settled(map: Map<String, Value>) -> Result<Map<String, Value>> {
    settled_by(map, &|name| env::var(name).ok())
}

fn settled_by(mut map: Map<String, Value>, variable: Variables<'_>) -> Result<Map<String, Value>> {
    if map.remove(MADE_FROM).is_none() {
        return Ok(map);
    }
    for setting in WITH_VARIABLES {
        if let Some(value) = map.get_mut(setting) {
            fill_in(setting, value, variable)?;
        }
    }
    if let Some(hash_ids @ Value::Bool(true)) = map.get_mut("hashIds")
        && let Some(secret) = variable(SECRET)
    {
        *hash_ids = json!({ "secret": secret });
    }
    Ok(map)
}

/// Whether a site has told that its IDs are hashed or its records sealed.
#[cfg(feature = "astro-config")]
pub(super) fn is_at_rest(map: &Map<String, Value>) -> bool {
    ["hashIds", "encryption"].iter().any(|setting| map.contains_key(*setting))
}

fn fill_in(setting: &str, value: &mut Value, variable: Variables<'_>) -> Result<()> {
    match value {
        Value::Object(table) => match (table.len(), table.get(VARIABLE)) {
            (1, Some(Value::String(name))) => {
                let set = variable(name).ok_or_else(|| {
                    let message = format!(
                        "the environment variable {name}, which the site takes its `{setting}` from, is not set: this server \
                         needs it as well"
                    );
                    Error::config(message)
                })?;
                *value = set.into();
                Ok(())
            }
            _ => table.values_mut().try_for_each(|value| fill_in(setting, value, variable)),
        },
        Value::Array(values) => {
            values.iter_mut().try_for_each(|value| fill_in(setting, value, variable))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(value: Value) -> Result<Value> {
        let Value::Object(map) = value else { panic!("a table") };
        let of_tests = [
            ("SITE_HOST", "redis.example"),
            ("SITE_KEY", "a key"),
            ("CLOAKROOM_SESSION_HASH_IDS_SECRET", "a secret of some length"),
        ];
        let variable = |name: &str| {
            of_tests.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        settled_by(map, &variable).map(Value::Object)
    }

    #[test]
    fn a_variable_stands_in_for_its_value_where_a_site_has_told_so() {
        let told = json!({
            "astroConfig": "astro.config.mjs",
            "driver": "redis",
            "options": { "base": "site", "tls": [{ "$env": "SITE_HOST" }], "host": { "$env": "SITE_HOST" } },
        });
        let name = "redis.example";
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
    fn a_secret_that_is_nowhere_is_named_with_the_setting_that_needs_it() {
        let variable = json!({ "$env": "CLOAKROOM_NOT_SET" });
        for (setting, value) in [
            ("hashIds", json!({ "secret": variable })),
            ("encryption", json!({ "keys": variable, "acceptPlain": true })),
            ("encryption", json!({ "keys": [variable] })),
        ] {
            let error = settle(json!({ "astroConfig": "astro.config.mjs", setting: value }));
            let error = error.unwrap_err().to_string();
            let expected = format!("CLOAKROOM_NOT_SET, which the site takes its `{setting}` from");
            assert!(error.contains(&expected), "{error}");
        }
    }

    #[test]
    fn what_a_site_seals_with_comes_from_the_variable_that_it_names() {
        let encryption = json!({ "keys": [{ "$env": "SITE_KEY" }], "acceptPlain": true });
        let told = json!({ "astroConfig": "astro.config.mjs", "encryption": encryption });
        let expected = json!({ "encryption": { "keys": ["a key"], "acceptPlain": true } });
        assert_eq!(settle(told).unwrap(), expected);
    }

    #[test]
    fn a_secret_that_is_set_counts_where_a_site_names_none_as_it_does_there() {
        let told = json!({ "astroConfig": "astro.config.mjs", "hashIds": true });
        let expected = json!({ "hashIds": { "secret": "a secret of some length" } });
        assert_eq!(settle(told.clone()).unwrap(), expected);
        let Value::Object(told) = told else { panic!("a table") };
        let settled = settled_by(told, &|_| None).unwrap();
        assert_eq!(Value::Object(settled), json!({ "hashIds": true }));
    }

    #[test]
    fn what_no_site_has_told_is_as_it_is() {
        let own = json!({ "driver": "memory", "options": { "a": { "$env": "PATH" } } });
        assert_eq!(settle(own.clone()).unwrap(), own);
    }
}
