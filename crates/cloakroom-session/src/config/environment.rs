//! The environment's part of the configuration.

use std::ffi::OsString;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

const PREFIX: &str = "CLOAKROOM_SESSION_";

/// The variables that are ours as a table: `CLOAKROOM_SESSION_COOKIE_MAX_AGE` is `cookie.maxAge`.
pub(super) fn map(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Map<String, Value>> {
    let (mut map, mut tables) = (Map::new(), Map::new());
    for (name, value) in variables {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let value = value.into_string().map_err(|_| {
            Error::config(format!("the environment variable {PREFIX}{key} is not UTF-8"))
        })?;
        // JSON where it reads as JSON, so that numbers and booleans are what they look like.
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        match key.split_once('_') {
            Some((table @ ("COOKIE" | "OPTIONS"), key)) => {
                let table = tables.entry(camel_case(table)).or_insert_with(|| Map::new().into());
                if let Value::Object(table) = table {
                    table.insert(camel_case(key), value);
                }
            }
            _ => {
                map.insert(camel_case(key), value);
            }
        }
    }
    for (key, table) in tables {
        if map.contains_key(&key) {
            let name = key.to_uppercase();
            return Err(Error::config(format!(
                "the environment has both {PREFIX}{name} and variables that begin with {PREFIX}{name}_: use one"
            )));
        }
        map.insert(key, table);
    }
    Ok(map)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_lowercase();
    words.fold(first, |camel, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(String::from).unwrap_or_default();
        camel + &initial + &letters.as_str().to_lowercase()
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

    #[test]
    fn a_name_of_any_letters_is_a_key_and_no_panic() {
        let map = read(&[("CLOAKROOM_SESSION_OPTIONS_A_\u{c9}T\u{c9}", "1"), (PREFIX, "2")]);
        assert_eq!(
            Value::Object(map),
            serde_json::json!({ "options": { "a\u{c9}t\u{e9}": 1 }, "": 2 })
        );
    }

    #[test]
    fn a_value_and_a_table_of_one_name_are_an_error() {
        let names = ["CLOAKROOM_SESSION_COOKIE", "CLOAKROOM_SESSION_COOKIE_PATH"];
        for names in [names, [names[1], names[0]]] {
            let variables = names.map(|name| (OsString::from(name), OsString::from("sid")));
            let error = map(variables.into_iter()).unwrap_err().to_string();
            assert!(error.contains("CLOAKROOM_SESSION_COOKIE_"), "{error}");
        }
    }
}
