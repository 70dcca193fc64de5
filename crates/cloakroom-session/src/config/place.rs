//! Where a store is, by what may be shown of its options.

use serde_json::{Map, Value};

/// The options that say where and are no secrets, in the order in which they are said.
const PLACES: [&str; 15] = [
    "url",
    "uri",
    "endpoint",
    "host",
    "port",
    "path",
    "base",
    "database",
    "db",
    "bucket",
    "table",
    "tableName",
    "name",
    "binding",
    "region",
];

/// Such as `url=redis://localhost:6379/0, base=shop`, for logs.
pub(super) fn shown(options: &Map<String, Value>) -> String {
    let shown = PLACES.iter().filter_map(|name| {
        let value = match options.get(*name)? {
            Value::String(text) => without_secrets(text),
            number @ Value::Number(_) => number.to_string(),
            _ => return None,
        };
        Some(format!("{name}={value}"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// A URL without its user, its password and its query, which may hold a token; any other text as it is, unless it looks as
/// if it had such parts.
fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#', ';']).next().unwrap_or_default();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    // A password may have a slash in it that nobody escaped, so what is before the last `@` is left out.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest: String = rest.chars().take(LONGEST).collect();
    scheme.map_or_else(|| rest.clone(), |scheme| format!("{scheme}://{rest}"))
}

/// In characters.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_said_without_its_secrets() {
        let shown = |options: Value| shown(options.as_object().unwrap());
        let redis = json!({ "url": "redis://user:hunter2@db.example:6379/1?token=hunter2", "base": "shop" });
        assert_eq!(shown(redis), "url=redis://db.example:6379/1, base=shop");
        let unescaped = json!({ "url": "postgres://user:hun/ter2@x@db.example/shop" });
        assert_eq!(shown(unescaped), "url=postgres://db.example/shop");
        assert_eq!(shown(json!({ "url": "user:hunter2@db:6379" })), "url=db:6379");
        assert_eq!(
            shown(json!({ "url": "sqlite:/var/x.db", "password": "hunter2" })),
            "url=sqlite:/var/x.db"
        );
        assert_eq!(
            shown(json!({ "host": "db", "port": 6379, "token": "hunter2" })),
            "host=db, port=6379"
        );
        assert_eq!(shown(json!({})), "");
    }
}
