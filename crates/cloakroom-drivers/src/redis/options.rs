//! The options, by unstorage's and ioredis's names.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, IntoConnectionInfo};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny};
use serde_json::{Map, Value};

use super::NAME;
use cloakroom_storage::{Error, Result, options};

/// ioredis's options that change nothing here. Those about queues: nothing is queued while Redis is away. Those about
/// reconnecting: it goes on for ever. Those about features that sessions do not use.
const WITHOUT_EFFECT: &[&str] = &[
    "autoPipeliningIgnoredCommands",
    "autoResendUnfulfilledCommands",
    "autoResubscribe",
    "blockingTimeout",
    "blockingTimeoutGrace",
    "clientInfoTag",
    "disconnectTimeout",
    "enableAutoPipelining",
    "enableOfflineQueue",
    "enableReadyCheck",
    "failoverDetector",
    "lazyConnect",
    "maxLoadingRetryTime",
    "maxRetriesPerRequest",
    "retryDelayOnClusterDown",
    "retryDelayOnFailover",
    "retryDelayOnMoved",
    "retryDelayOnTryAgain",
    "sentinelCommandTimeout",
    "sentinelMaxConnections",
    "shardedSubscribers",
    "showFriendlyErrorStack",
    "slotsRefreshInterval",
    "slotsRefreshTimeout",
    "socketTimeout",
    "stringNumbers",
    "updateSentinels",
];

/// ioredis's options that cannot be had, and what to do about it.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("Connector", "it is a JavaScript class; a connection of your own goes into the constructor"),
    ("monitor", "a connection that monitors holds no sessions"),
    ("natMap", "let the nodes announce addresses that can be reached"),
    ("preferredSlaves", "sessions are read from the master, which alone has the newest"),
    ("readOnly", "a session is written to"),
    ("reconnectOnError", "it is a JavaScript function; a demoted master is left by itself"),
    ("retryStrategy", "it is a JavaScript function; connecting is tried again by itself"),
    ("scripts", "it defines commands for JavaScript"),
    ("useSRVRecords", "name the nodes themselves"),
];

/// What a configuration says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    // unstorage's.
    /// Taken apart before; here to be known by its name.
    #[allow(dead_code)]
    url: Option<IgnoredAny>,
    pub(super) base: String,
    #[serde(deserialize_with = "number")]
    pub(super) ttl: Option<u64>,
    #[serde(deserialize_with = "number")]
    pub(super) scan_count: Option<u32>,
    pub(super) pre_connect: bool,
    pub(super) cluster: Option<Vec<Value>>,
    pub(super) cluster_options: Map<String, Value>,

    // ioredis's, for one server.
    pub(super) host: Option<String>,
    #[serde(deserialize_with = "number")]
    pub(super) port: Option<u16>,
    #[serde(deserialize_with = "number")]
    pub(super) family: Option<u8>,
    pub(super) path: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    #[serde(deserialize_with = "number")]
    pub(super) db: Option<u32>,
    pub(super) tls: Option<Value>,
    pub(super) key_prefix: String,
    pub(super) connection_name: Option<String>,
    #[serde(deserialize_with = "number")]
    pub(super) connect_timeout: Option<u64>,
    #[serde(deserialize_with = "number")]
    pub(super) command_timeout: Option<u64>,
    #[serde(deserialize_with = "number")]
    pub(super) keep_alive: Option<u64>,
    pub(super) no_delay: Option<bool>,
    pub(super) disable_client_info: bool,

    // ioredis's, for sentinels.
    pub(super) sentinels: Option<Vec<SentinelAddress>>,
    pub(super) name: Option<String>,
    pub(super) role: Option<String>,
    pub(super) sentinel_username: Option<String>,
    pub(super) sentinel_password: Option<Secret>,
    #[serde(rename = "enableTLSForSentinelMode")]
    pub(super) enable_tls_for_sentinel_mode: bool,
    #[serde(rename = "sentinelTLS")]
    pub(super) sentinel_tls: Option<Value>,

    // Ours.
    pub(super) near_cache: Option<NearCache>,
}

/// Where a sentinel is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SentinelAddress {
    #[serde(default = "localhost")]
    pub(super) host: String,
    #[serde(default, deserialize_with = "number")]
    pub(super) port: Option<u16>,
}

/// ioredis's options for a whole cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClusterOptions {
    pub(super) redis_options: Map<String, Value>,
    pub(super) scale_reads: Option<String>,
    #[serde(deserialize_with = "number")]
    pub(super) max_redirections: Option<u32>,
    pub(super) key_prefix: String,
}

/// Our option `nearCache`: `true`, or its limits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum NearCache {
    Switch(bool),
    Limits(CacheLimits),
}

/// How much the near cache holds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct CacheLimits {
    /// In items.
    pub(super) max: usize,
    /// In bytes, keys and values together.
    pub(super) max_size: usize,
}

impl Default for CacheLimits {
    fn default() -> CacheLimits {
        CacheLimits { max: 10_000, max_size: 16 << 20 }
    }
}

/// What must not be shown.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Options {
    /// What the options say, with `url` taken apart: its parts come before the other options, as in ioredis.
    pub(super) fn read(given: &Map<String, Value>) -> Result<Options> {
        let mut given = given.clone();
        if let Some(url) = given.remove("url").filter(|url| !url.is_null()) {
            let Value::String(url) = url else {
                return Err(invalid("option `url`: expected a string"));
            };
            let mut parts = take_apart(&url)?;
            // `rediss://` asks for TLS, and the option may say how.
            if given.get("tls").is_some_and(|tls| !tls.is_null()) {
                parts.remove("tls");
            }
            given.extend(parts);
        }
        read(given)
    }

    /// The options of all nodes of a cluster.
    pub(super) fn for_cluster(&self) -> Result<ClusterOptions> {
        read(self.cluster_options.clone())
    }
}

/// Reads options after those that ioredis knows and nobody needs here.
pub(super) fn read<T: serde::de::DeserializeOwned>(mut given: Map<String, Value>) -> Result<T> {
    given.retain(|name, _| !WITHOUT_EFFECT.contains(&name.as_str()));
    // `null`, `false` and the like switch them off, which is how things are.
    let wanted = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    for (name, advice) in UNSUPPORTED {
        if given.remove(*name).is_some_and(|value| wanted(&value)) {
            return Err(invalid(format!("option `{name}` is not supported: {advice}")));
        }
    }
    options::parse(NAME, &given)
}

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

/// A number, which may be written as a string, as one that comes from the environment is.
fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + TryFrom<u64>,
{
    let read = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64().and_then(|number| T::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    read.map(Some).ok_or_else(|| D::Error::custom("expected a whole number that is not too large"))
}

fn localhost() -> String {
    "127.0.0.1".to_owned()
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    options::invalid(NAME, message)
}
