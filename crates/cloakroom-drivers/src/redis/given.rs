//! Options within options.

use std::fmt;

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::{Map, Value};

/// Options within options: set by a program, by `into()`, or given by a configuration, which is read when the store opens,
/// and only if they count then.
#[derive(Clone)]
pub struct Given<T>(Source<T>);

#[derive(Clone)]
pub(super) enum Source<T> {
    Program(Box<T>),
    Configuration(Value),
}

impl<T> Given<T> {
    pub(super) fn source(&self) -> &Source<T> {
        &self.0
    }
}

impl<T> From<T> for Given<T> {
    fn from(options: T) -> Given<T> {
        Given(Source::Program(Box::new(options)))
    }
}

impl<T> Default for Given<T> {
    /// No options. A table rather than those of the type, which may have some of its own type within.
    fn default() -> Given<T> {
        Given(Source::Configuration(Value::Object(Map::new())))
    }
}

impl<T> fmt::Debug for Given<T> {
    /// Leaves out what may have a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl<'de, T> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given<T>, D::Error> {
        Value::deserialize(deserializer).map(Source::Configuration).map(Given)
    }
}

/// What can only be a table.
pub(super) fn table<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Given<T>, D::Error> {
    let table = Map::deserialize(deserializer)?;
    Ok(Given(Source::Configuration(Value::Object(table))))
}
