//! What a URL says.

use redis::{ConnectionAddr, IntoConnectionInfo};
use serde_json::{Map, Value};

use super::options::invalid;
use cloakroom_storage::{Error, Result};

/// The options that a URL, a socket's path or `host:port` stands for.
pub(super) fn take_apart(url: &str) -> Result<Map<String, Value>> {
    if url.starts_with('/') && !url.starts_with("//") {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        // Only for its query.
        let parsed =
            redis::parse_redis_url(&format!("redis://localhost?{query}")).ok_or_else(no_url)?;
        let mut options = from_query(&parsed.query_pairs().into_owned().collect::<Vec<_>>());
        options.insert("path".to_owned(), path.into());
        return Ok(options);
    }
    let whole = match url {
        _ if url.starts_with("//") => format!("redis:{url}"),
        _ if url.contains("://") => url.to_owned(),
        _ => format!("redis://{url}"),
    };
    let parsed = redis::parse_redis_url(&whole).ok_or_else(no_url)?;
    if !matches!(parsed.scheme(), "redis" | "rediss") {
        return Err(no_url());
    }
    let mut options = from_query(&parsed.query_pairs().into_owned().collect::<Vec<_>>());
    if let Some(port) = parsed.port() {
        options.insert("port".to_owned(), port.into());
    }
    let has_db = !parsed.path().trim_matches('/').is_empty();
    if parsed.scheme() == "rediss" {
        options.entry("tls").or_insert(true.into());
    }
    // The cause may repeat the URL's password, so it is not kept.
    let info = parsed.into_connection_info().map_err(|_| no_url())?;
    if let ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } = info.addr() {
        options.insert("host".to_owned(), host.as_str().into());
    }
    let login = info.redis_settings();
    for (name, value) in [("username", login.username()), ("password", login.password())] {
        if let Some(value) = value {
            options.insert(name.to_owned(), value.into());
        }
    }
    if has_db {
        options.insert("db".to_owned(), login.db().into());
    }
    Ok(options)
}

fn no_url() -> Error {
    invalid(
        "option `url`: expected `redis://host:port/db`, `rediss://…` for TLS, or a socket's path",
    )
}

/// `?family=6` is the option `family`.
fn from_query(query: &[(String, String)]) -> Map<String, Value> {
    let value = |text: &str| match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => Value::from(text),
    };
    query.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}
