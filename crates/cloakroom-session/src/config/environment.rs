//! The environment's part of the configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Map, Value};

use super::tables;
use crate::error::{Error, Result};

const PREFIX: &str = "CLOAKROOM_SESSION_";

/// The settings that are texts, whatever they look like.
const TEXTS: [&str; 13] = [
    "adapter",
    "outage",
    "corrupt",
    "driver",
    "cookie.name",
    "cookie.domain",
    "cookie.path",
    "hashIds.secret",
    "encryption.keys",
    "encryption.keyFile",
    "principal",
    "whenFull",
    "indexSecret",
];

/// What variables of a table's own begin with.
const OWN: [&str; 4] = ["COOKIE", "OPTIONS", "ENCRYPTION", "HASH_IDS"];

/// The settings that are tables, or one text that stands for one.
const TABLES: [&str; 3] = ["driver", "cookie", "options"];

/// What the environment says.
pub(super) struct Environment {
    /// In the form in which tables are merged.
    pub(super) map: Map<String, Value>,
    /// The variable by the setting's name, as in `cookie.maxAge`.
    pub(super) variables: BTreeMap<String, String>,
}

/// Reads the variables that are ours, and warns of those that were perhaps meant to be:
/// `CLOAKROOM_SESSION_COOKIE_MAX_AGE` is `cookie.maxAge`.
pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Environment> {
    let (mut map, mut tables, mut names) = (Map::new(), Map::new(), BTreeMap::new());
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = name.strip_prefix(PREFIX) else {
            if is_nearly_ours(name) {
                tracing::warn!(
                    variable = name,
                    "nobody reads this variable of the environment: those that configure sessions begin with {PREFIX}"
                );
            }
            continue;
        };
        let value = value
            .into_string()
            .map_err(|_| Error::config(format!("the environment variable {name} is not UTF-8")))?;
        let of_table =
            |table: &'static str| Some((table, key.strip_prefix(table)?.strip_prefix('_')?));
        match OWN.into_iter().find_map(of_table) {
            Some((table, key)) => {
                let (table, key) = (camel_case(table), camel_case(key));
                let path = format!("{table}.{key}");
                // What an option's text spells the driver knows, that knows what it wants.
                let value = match table.as_str() {
                    "options" => value.into(),
                    _ => spelled(&path, value),
                };
                names.insert(path, name.to_owned());
                if let Value::Object(table) =
                    tables.entry(table).or_insert_with(|| Map::new().into())
                {
                    table.insert(key, value);
                }
            }
            None => {
                let key = camel_case(key);
                map.insert(key.clone(), spelled(&key, value));
                names.insert(key, name.to_owned());
            }
        }
    }
    for (key, table) in tables {
        if map.contains_key(&key) {
            let name = OWN.into_iter().find(|name| camel_case(name) == key).unwrap_or_default();
            return Err(Error::config(format!(
                "the environment has both {PREFIX}{name} and variables that begin with {PREFIX}{name}_: use one"
            )));
        }
        map.insert(key, table);
    }
    Ok(Environment { map: tables::in_one_form(map)?, variables: names })
}

/// A setting's text, or the number, the switch or the table that it spells as JSON where the setting is none.
fn spelled(key: &str, text: String) -> Value {
    let is_text = TEXTS.contains(&key);
    match serde_json::from_str(&text) {
        Ok(table @ Value::Object(_)) if TABLES.contains(&key) => table,
        Ok(value) if !is_text && !TABLES.contains(&key) => value,
        _ => text.into(),
    }
}

/// Whether a variable was perhaps meant for us: `CLOAKROOM_TTL`, `CLOAKROOM_SESION_TTL`, `cloakroom_session_ttl`.
fn is_nearly_ours(name: &str) -> bool {
    let name = name.to_uppercase().replace('-', "_");
    if let Some(key) = name.strip_prefix("CLOAKROOM_") {
        let word = key.split('_').next().unwrap_or_default();
        if FIRST_WORDS.contains(&word) || PREFIX.ends_with(&format!("_{key}_")) {
            return true;
        }
    }
    let is_near = |length: usize| {
        let start: String = name.chars().take(length).collect();
        strsim::damerau_levenshtein(&start, PREFIX) <= 2
    };
    (PREFIX.len() - 1..=PREFIX.len() + 1).any(is_near)
}

/// What the names of settings begin with, in variables.
const FIRST_WORDS: [&str; 20] = [
    "DRIVER",
    "ADAPTER",
    "OPTIONS",
    "COOKIE",
    "TTL",
    "MAX",
    "TIMEOUT",
    "RETRIES",
    "IDLE",
    "ABSOLUTE",
    "REMEMBER",
    "TOUCH",
    "OUTAGE",
    "CORRUPT",
    "SWEEP",
    "ENCRYPTION",
    "HASH",
    "PRINCIPAL",
    "WHEN",
    "INDEX",
];

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
    use serde_json::json;

    use super::*;

    fn read_all(variables: &[(&str, &str)]) -> Result<Value> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        read(variables).map(|read| Value::Object(read.map))
    }

    #[test]
    fn names_become_astros_keys_and_values_what_they_look_like() {
        let map = read_all(&[
            ("CLOAKROOM_SESSION_DRIVER", "fs-lite"),
            ("CLOAKROOM_SESSION_TTL", "3600"),
            ("CLOAKROOM_SESSION_COOKIE_MAX_AGE", "60"),
            ("CLOAKROOM_SESSION_COOKIE_SECURE", "false"),
            ("HOME", "/root"),
        ]);
        let expected = json!({
            "driver": "fs-lite",
            "ttl": 3600,
            "cookie": { "maxAge": 60, "secure": false },
        });
        assert_eq!(map.unwrap(), expected);
    }

    #[test]
    fn a_text_stays_what_it_is_though_it_reads_as_json() {
        for text in
            ["12345678901234567890123", "1e5", "null", "0.10", "true", "\"7\"", "{}", "", " x "]
        {
            let map = read_all(&[
                ("CLOAKROOM_SESSION_OPTIONS_PASSWORD", text),
                ("CLOAKROOM_SESSION_COOKIE_NAME", text),
                ("CLOAKROOM_SESSION_COOKIE_PATH", text),
            ]);
            let expected = json!({ "options": { "password": text }, "cookie": { "name": text, "path": text } });
            assert_eq!(map.unwrap(), expected);
        }
        assert_eq!(
            read_all(&[("CLOAKROOM_SESSION_DRIVER", "7")]).unwrap(),
            json!({ "driver": "7" })
        );
        let cookie = read_all(&[("CLOAKROOM_SESSION_COOKIE", "123")]);
        assert_eq!(cookie.unwrap(), json!({ "cookie": { "name": "123" } }));
        for text in ["12345678901234567890", "null", "\"a secret in quotes\""] {
            let map = read_all(&[
                ("CLOAKROOM_SESSION_INDEX_SECRET", text),
                ("CLOAKROOM_SESSION_PRINCIPAL", text),
            ]);
            assert_eq!(map.unwrap(), json!({ "indexSecret": text, "principal": text }));
        }
    }

    #[test]
    fn a_table_may_be_one_variable() {
        let map = read_all(&[
            ("CLOAKROOM_SESSION_OPTIONS", r#"{ "max": 5 }"#),
            ("CLOAKROOM_SESSION_COOKIE", r#"{ "name": "sid" }"#),
        ]);
        assert_eq!(map.unwrap(), json!({ "options": { "max": 5 }, "cookie": { "name": "sid" } }));
    }

    #[test]
    fn a_name_of_any_letters_is_a_key_and_no_panic() {
        let map = read_all(&[("CLOAKROOM_SESSION_OPTIONS_A_\u{c9}T\u{c9}", "1"), (PREFIX, "2")]);
        assert_eq!(map.unwrap(), json!({ "options": { "a\u{c9}t\u{e9}": "1" }, "": 2 }));
    }

    #[test]
    fn a_value_and_a_table_of_one_name_are_an_error() {
        let names = ["CLOAKROOM_SESSION_COOKIE", "CLOAKROOM_SESSION_COOKIE_PATH"];
        for names in [names, [names[1], names[0]]] {
            let error = read_all(&names.map(|name| (name, "sid"))).unwrap_err().to_string();
            assert!(error.contains("CLOAKROOM_SESSION_COOKIE_"), "{error}");
        }
    }

    #[test]
    fn a_variable_that_was_perhaps_meant_for_us_is_told_from_others() {
        for name in [
            "CLOAKROOM_SESION_TTL",
            "CLOAKROOM_SESSIONS_TTL",
            "CLOAKROM_SESSION_TTL",
            "CLOAKROOM_SESSION",
            "cloakroom_session_ttl",
            "CLOAKROOM-SESSION-TTL",
            "CLOAKROOMSESSION_TTL",
            "CLOAKROOM_TTL",
            "CLOAKROOM_COOKIE_SECURE",
            "CLOAKROOM_MAX_SIZE",
            "CLOAKROOM_CORRUPT",
            "CLOAKROOM_INDEX_SECRET",
            "CLOAKROOM_WHEN_FULL",
            "CLOAKROOM_PRINCIPAL",
        ] {
            assert!(is_nearly_ours(name), "{name}");
        }
        for name in
            ["HOME", "CLOAKROOM_TOKEN", "CLOAKROOM_READ_TOKEN", "SESSION_TTL", "CLOUD_SESSION"]
        {
            assert!(!is_nearly_ours(name), "{name}");
        }
    }
}
