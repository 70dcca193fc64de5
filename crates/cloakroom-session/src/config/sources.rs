//! Where each setting was said, for whoever has to change it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cloakroom_storage::{Error as StorageError, ErrorKind};
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

    /// Who is to look at what a driver could not be opened with: the one who said the option that is wrong, all who said
    /// any where that may be each of them, or the one who named the driver.
    pub(super) fn of_failure(&self, error: &StorageError) -> Option<String> {
        let named = |key: &str| self.0.get(key).map(|source| format!("it is set by {source}"));
        match error.kind() {
            ErrorKind::InvalidOptions => match error.option() {
                Some(option) => named(&format!("options.{option}")),
                None => self.of_options().map(|said| format!("the options are set by {said}")),
            },
            ErrorKind::UnknownDriver | ErrorKind::FeatureDisabled | ErrorKind::Unsupported => {
                named("driver").or_else(|| named("adapter"))
            }
            _ => None,
        }
    }

    /// Each once.
    fn of_options(&self) -> Option<String> {
        let options = self.0.iter().filter(|(key, _)| key.starts_with("options."));
        let said: BTreeSet<&str> = options.map(|(_, source)| source.as_str()).collect();
        (!said.is_empty()).then(|| Vec::from_iter(said).join(" and "))
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
