//! Reads a table key by key, and refuses what is left over.

use serde_json::{Map, Value};

use crate::error::Error;

/// A result of reading a key.
pub(super) type Result<T, E = Unusable> = std::result::Result<T, E>;

/// A key that makes no sense as it is, and what to do about it.
#[derive(Debug)]
pub(super) struct Unusable {
    /// With the names of its tables: `cookie.sameSite`.
    pub(super) key: String,
    pub(super) message: String,
}

impl Unusable {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Unusable {
        Unusable { key: key.into(), message: message.into() }
    }
}

impl From<Unusable> for Error {
    fn from(unusable: Unusable) -> Error {
        Error::config(unusable.message)
    }
}

/// A table of the configuration. It learns the keys that exist by being asked for them.
pub(super) struct Fields {
    /// What stands before a key in messages: `cookie.`.
    path: &'static str,
    values: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn new(path: &'static str, values: Map<String, Value>) -> Fields {
        Fields { path, values, known: Vec::new() }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        // `null` says nothing, as `undefined` does in Astro's own file.
        self.values.remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn string(&mut self, key: &'static str) -> Result<Option<String>> {
        self.typed(key, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(super) fn integer(&mut self, key: &'static str) -> Result<Option<u64>> {
        self.typed(key, "a whole number, 0 or above", Value::as_u64)
    }

    /// What is no table may be a URL with a password in it, and is not shown.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Option<Map<String, Value>>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(table)) => Ok(Some(table)),
            Some(other) => {
                let key = format!("{}{key}", self.path);
                let message = format!("{key} is {}: it must be a table", kind(&other));
                Err(Unusable::new(key, message))
            }
        }
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => {
                let key = format!("{}{key}", self.path);
                let message = format!("{key} is {}: it must be {expected}", described(&value));
                Err(Unusable::new(key, message))
            }
        }
    }

    /// # Errors
    /// Names the first key that nobody asked for, and the nearest that somebody did.
    pub(super) fn finish(self) -> Result<()> {
        let Some(unknown) = self.values.keys().next() else { return Ok(()) };
        let advice = match nearest(unknown, &self.known) {
            Some(near) => format!("did you mean `{}{near}`?", self.path),
            None => format!("it can be one of {}", self.known.join(", ")),
        };
        let key = format!("{}{unknown}", self.path);
        let message = format!("unknown key `{key}` in the configuration: {advice}");
        Err(Unusable::new(key, message))
    }
}

/// A value as it was written where that is short and can hardly be a secret, and else its kind.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 40 || text.contains("://") => {
            kind(value).to_owned()
        }
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        value => value.to_string(),
    }
}

/// What kind of value this is.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// The known word that was most likely meant.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance =
        |key: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), &key.to_lowercase());
    known
        .iter()
        .min_by_key(|key| distance(key))
        .filter(|key| distance(key) <= 1 + key.len() / 3)
        .copied()
}
