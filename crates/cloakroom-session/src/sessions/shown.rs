//! What is stored, as text for people: on a terminal, on a page.

use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use serde_devalue::Value;

use crate::clock::time;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::forms::{is_secret, is_secret_value};

use super::StoredSession;

/// What keys of secrets have in them, beyond those of form fields: these hold what a program keeps for itself.
/// Letters and digits alone are compared.
const SECRETS: [&str; 15] = [
    "otp",
    "jwt",
    "bearer",
    "verifier",
    "private",
    "cookie",
    "session",
    "signature",
    "hmac",
    "seed",
    "magiclink",
    "resetlink",
    "recovery",
    "databaseurl",
    "connectionstring",
];

/// What stands in the place of a secret within a value.
const HIDDEN: &str = "(hidden)";

/// What becomes of values that look like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are left out.
    Hide,
    /// They are shown as the others are.
    Reveal,
}

/// An entry of a session, as people are shown it: see [`StoredSession::shown`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownEntry {
    /// What it is called.
    pub key: String,
    /// What its value is in JavaScript: `string`, `Date`, `Map` …
    pub type_name: &'static str,
    /// The value on one line, with the types that JSON has not; `None` where it looks like a secret and those are hidden.
    pub text: Option<String>,
    /// When it ends by itself, where it has a `ttl` of its own.
    pub expires: Option<SystemTime>,
}

impl StoredSession {
    /// Its entries as text for people, in the order in which they were set. Where secrets are hidden, so is each value whose key
    /// sounds like one (`token`, `password` …), also within others, and each that is a payment card's number, a key in its
    /// envelope, or an address or `URLSearchParams` with such a parameter, or with a user's name, in it.
    ///
    /// What somebody stored is in it as it is: make it [`printable`] before it is shown.
    ///
    /// # Errors
    /// With [`ErrorKind::Corrupt`] where an entry makes no sense.
    pub fn shown(&self, secrets: Secrets) -> Result<Vec<ShownEntry>> {
        let expires = |key: &str| {
            let record = self.record()?;
            record.expires(key, record.now()).ok()??.map(time)
        };
        let shown = |(key, value): (String, Value)| {
            let is_hidden =
                secrets == Secrets::Hide && (sounds_secret(&key) || looks_secret(&value));
            let text = (!is_hidden).then(|| shown(&value, secrets));
            ShownEntry { type_name: type_name(&value), text, expires: expires(&key), key }
        };
        Ok(self.entries()?.into_iter().map(shown).collect())
    }
}

/// Without what is in it.
impl std::fmt::Debug for ShownEntry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ShownEntry").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A text as one line that is read as it is written: each character that moves a cursor, or turns the direction of what
/// follows, or cannot be seen, is `�`.
///
/// ```
/// use cloakroom_session::printable;
///
/// assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
/// ```
pub fn printable(text: &str) -> String {
    let moves = |letter: char| {
        letter.is_control()
            || matches!(
                letter,
                '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                    | '\u{e0000}'..='\u{e007f}'
            )
    };
    text.chars().map(|letter| if moves(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Whether an entry's key sounds like that of a secret.
fn sounds_secret(key: &str) -> bool {
    let letters: String =
        key.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    is_secret(key) || SECRETS.iter().any(|word| letters.contains(word))
}

/// Whether a value is a secret whatever its key is, or an address that has one in it.
fn looks_secret(value: &Value) -> bool {
    match value.unshared() {
        Value::String(text) => {
            let text = text.to_string();
            is_secret_value(&text) || text.contains("://") && leads_to_secret(&text)
        }
        Value::Url(url) => leads_to_secret(url.as_str()),
        Value::UrlSearchParams(parameters) => has_secret(parameters.as_str()),
        _ => false,
    }
}

/// Whether an address has a secret in it.
fn leads_to_secret(address: &str) -> bool {
    let (place, parameters) = address.split_once(['?', '#']).unwrap_or((address, ""));
    let host = place.split('/').nth(2).unwrap_or_default();
    // Who is named before the host has a password, or the name is one.
    host.contains('@') || has_secret(parameters)
}

/// Whether the name of a parameter of an address sounds like that of a secret.
fn has_secret(parameters: &str) -> bool {
    parameters.split(['&', '?', '#']).any(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default().replace('+', " ");
        sounds_secret(&percent_decode_str(&name).decode_utf8_lossy())
    })
}

/// What the value is in JavaScript.
fn type_name(value: &Value) -> &'static str {
    match value.unshared() {
        Value::Undefined => "undefined",
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::BigInt(_) => "bigint",
        Value::String(_) => "string",
        Value::Boxed(_) | Value::Object(_) | Value::NullObject(_) => "object",
        Value::Date(_) => "Date",
        Value::RegExp(_) => "RegExp",
        Value::Url(_) => "URL",
        Value::UrlSearchParams(_) => "URLSearchParams",
        Value::Array(_) | Value::SparseArray(_) => "Array",
        Value::Map(_) => "Map",
        Value::Set(_) => "Set",
        Value::ArrayBuffer(_) => "ArrayBuffer",
        Value::TypedArray(_) => "TypedArray",
        Value::Temporal(_) => "Temporal",
        Value::Custom(_) => "custom",
        _ => "reference",
    }
}

/// The value on one line.
fn shown(value: &Value, secrets: Secrets) -> String {
    let hides = secrets == Secrets::Hide;
    let shown = |value: &Value| shown(value, secrets);
    let listed = |name: &str, items: &[Value]| {
        format!("{name}[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
    };
    match value {
        value if hides && looks_secret(value) => HIDDEN.to_owned(),
        Value::Undefined => "undefined".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number.to_string(),
        Value::BigInt(number) => format!("{number}n"),
        Value::String(text) => format!("{:?}", text.to_string()),
        Value::Date(date) => format!("Date {date}"),
        Value::Url(url) => format!("URL {url}"),
        Value::UrlSearchParams(params) => format!("URLSearchParams {params}"),
        Value::Object(object) | Value::NullObject(object) => {
            let entries = object.iter().map(|(key, value)| {
                let key = key.to_string();
                let is_hidden = hides && sounds_secret(&key);
                let text = if is_hidden { HIDDEN.to_owned() } else { shown(value) };
                format!("{key}: {text}")
            });
            braced(entries)
        }
        Value::Array(items) => listed("", items),
        Value::Set(members) => listed("Set ", members),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let is_hidden = hides
                    && matches!(key.unshared(), Value::String(key) if sounds_secret(&key.to_string()));
                let text = if is_hidden { HIDDEN.to_owned() } else { shown(value) };
                format!("{} → {text}", shown(key))
            });
            format!("Map {}", braced(entries))
        }
        Value::Shared(id, value) => format!("#{id} = {}", shown(value)),
        Value::Reference(id) => format!("#{id}"),
        other => format!("{other:?}"),
    }
}

fn braced(parts: impl Iterator<Item = String>) -> String {
    format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
}
