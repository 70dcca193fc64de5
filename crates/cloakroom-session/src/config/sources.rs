//! Where each setting was said, for whoever has to change it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// By a setting's name with its table's, as in `cookie.maxAge`: a file, or a variable of the environment.
#[derive(Clone, Default)]
pub(super) struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Notes that a source says all of this.
    pub(super) fn note(&mut self, map: &Map<String, Value>, source: &str) {
        for (key, value) in map {
            match value {
                Value::Object(table) => {
                    for name in table.keys() {
                        self.put(format!("{key}.{name}"), source);
                    }
                }
                _ => self.put(key.clone(), source),
            }
        }
    }

    pub(super) fn put(&mut self, key: String, source: &str) {
        self.0.insert(key, source.to_owned());
    }

    /// Leaves those that are still set.
    pub(super) fn keep(&mut self, map: &Map<String, Value>) {
        self.0.retain(|key, _| match key.split_once('.') {
            Some((table, key)) => map.get(table).is_some_and(|table| table.get(key).is_some()),
            None => map.contains_key(key),
        });
    }

    /// Who says this, or what is in it.
    pub(super) fn of(&self, key: &str) -> Option<&str> {
        let within = |name: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        let table = || self.0.iter().find(|(name, _)| within(name)).map(|(_, source)| source);
        self.0.get(key).or_else(table).map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `driver: cloakroom.toml, ttl: CLOAKROOM_SESSION_TTL`.
impl fmt::Display for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (key, source)) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(formatter, "{separator}{key}: {source}")?;
        }
        Ok(())
    }
}

/// Two configurations that say the same are equal, wherever it was said.
impl PartialEq for Sources {
    fn eq(&self, _: &Sources) -> bool {
        true
    }
}
