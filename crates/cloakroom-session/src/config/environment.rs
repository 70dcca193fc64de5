//! The environment's part of the configuration.

use std::ffi::OsString;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

const PREFIX: &str = "CLOAKROOM_SESSION_";

/// The variables that are ours as a table: `CLOAKROOM_SESSION_COOKIE_MAX_AGE` is `cookie.maxAge`.
pub(super) fn map(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Map<String, Value>> {
    let mut map = Map::new();
    for (name, value) in variables {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let value = value.into_string().map_err(|_| {
            Error::config(format!("the environment variable {PREFIX}{key} is not UTF-8"))
        })?;
        // JSON where it reads as JSON, so that numbers and booleans are what they look like.
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        match key.split_once('_') {
            Some((table @ ("COOKIE" | "OPTIONS"), key)) => {
                let table =
                    map.entry(camel_case(table)).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(table) = table {
                    table.insert(camel_case(key), value);
                }
            }
            _ => {
                map.insert(camel_case(key), value);
            }
        }
    }
    Ok(map)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_lowercase();
    words.fold(first, |camel, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        camel + initial + &rest.to_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Map<String, Value> {
        map(variables.iter().map(|(name, value)| (name.into(), value.into()))).unwrap()
    }

    #[test]
    fn names_become_astros_keys_and_values_what_they_look_like() {
        let map = read(&[
            ("CLOAKROOM_SESSION_DRIVER", "fs-lite"),
            ("CLOAKROOM_SESSION_TTL", "3600"),
            ("CLOAKROOM_SESSION_COOKIE_MAX_AGE", "60"),
            ("CLOAKROOM_SESSION_COOKIE_SECURE", "false"),
            ("CLOAKROOM_SESSION_OPTIONS_READ_ONLY", "true"),
            ("CLOAKROOM_SESSION_OPTIONS_BASE", "\"7\""),
            ("HOME", "/root"),
        ]);
        let expected = serde_json::json!({
            "driver": "fs-lite",
            "ttl": 3600,
            "cookie": { "maxAge": 60, "secure": false },
            "options": { "readOnly": true, "base": "7" },
        });
        assert_eq!(Value::Object(map), expected);
    }
}
