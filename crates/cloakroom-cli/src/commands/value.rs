//! A value of JavaScript's as a text for people.

use cloakroom_session::devalue::Value;

/// What keys of secrets have in them.
const SECRETS: [&str; 13] = [
    "secret",
    "password",
    "passwd",
    "token",
    "csrf",
    "credential",
    "otp",
    "apikey",
    "api_key",
    "jwt",
    "bearer",
    "verifier",
    "private",
];

/// What stands in the place of one.
pub(super) const HIDDEN: &str = "(--reveal shows it)";

/// Whether an entry's key sounds like that of a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRETS.iter().any(|word| key.contains(word))
}

/// What the value is in JavaScript.
pub(super) fn type_name(value: &Value) -> &'static str {
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

/// The value on one line, with the types that JSON has not; what sounds like a secret within is hidden unless it is revealed.
pub(super) fn shown(value: &Value, reveal: bool) -> String {
    let shown = |value: &Value| shown(value, reveal);
    let listed = |name: &str, items: &[Value]| {
        format!("{name}[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
    };
    match value {
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
                let text =
                    if !reveal && is_secret(&key) { HIDDEN.to_owned() } else { shown(value) };
                format!("{key}: {text}")
            });
            braced(entries)
        }
        Value::Array(items) => listed("", items),
        Value::Set(members) => listed("Set ", members),
        Value::Map(entries) => {
            let entries =
                entries.iter().map(|(key, value)| format!("{} → {}", shown(key), shown(value)));
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
