//! The options, by unstorage's and ioredis's names.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::{Map, Value};

use super::NAME;
use super::given::{Given, Source, table};
use super::tls::TlsOptions;
use super::url::take_apart;
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

/// unstorage's options, ioredis's, and one of ours.
///
/// A configuration may also have those of ioredis's options that change nothing here, about queues, reconnecting and
/// features that sessions do not use; those that cannot be had are errors that say so. `connectionName` and
/// `disableClientInfo` change nothing on a cluster, nor the latter behind sentinels. A cluster has to be of Redis 6 or
/// later, or Valkey; a single server may be older.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Options {
    // unstorage's.
    /// Where the server is: `redis://USER:PASSWORD@HOST:PORT/DB`, `rediss://…` for TLS, `HOST:PORT`, or a socket's path. What
    /// it says comes before the other options, and after a `?` it may say any of them, as in `?family=6`.
    pub url: Option<String>,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// Seconds after which an item expires that is written without a ttl. None, or 0, means never.
    #[serde(deserialize_with = "number")]
    pub ttl: Option<u64>,
    /// How many keys the server is asked to look at for each page of a list; by default it chooses itself.
    #[serde(deserialize_with = "number")]
    pub scan_count: Option<u32>,
    /// Whether to connect when the store opens rather than at the first call; not so by default. That Redis is away is no
    /// error then.
    ///
    /// DIFFERENCE: a password that is refused is found at once.
    pub pre_connect: bool,
    /// The nodes that a cluster is found through. By default there is no cluster.
    pub cluster: Option<Vec<ClusterNode>>,
    /// What holds for the whole cluster: a [`ClusterOptions`]. Without [`cluster`](Options::cluster) it is not read.
    #[serde(deserialize_with = "table")]
    pub cluster_options: Given<ClusterOptions>,

    // ioredis's, for one server.
    /// The server's name or address, `127.0.0.1` by default.
    pub host: Option<String>,
    /// The server's port, 6379 by default.
    #[serde(deserialize_with = "number")]
    pub port: Option<u16>,
    /// 4 or 6 for addresses of IPv4 or IPv6 alone; by default, or with 0, either.
    #[serde(deserialize_with = "number")]
    pub family: Option<u8>,
    /// The path of a socket, instead of a host and a port.
    pub path: Option<String>,
    /// Who we are to the server.
    pub username: Option<String>,
    /// The password, with a user's name or without.
    pub password: Option<String>,
    /// The number of the database, 0 by default.
    #[serde(deserialize_with = "number")]
    pub db: Option<u32>,
    /// How the connection is encrypted: a [`TlsOptions`], or in a configuration `true` for the default ones. By default it
    /// is not, unless the URL begins with `rediss:`.
    pub tls: Option<Given<TlsOptions>>,
    /// What the names of all keys begin with, even before the base. Nothing by default.
    pub key_prefix: String,
    /// What the connection is called at the server.
    pub connection_name: Option<String>,
    /// How long connecting may take, in milliseconds: 2000 by default, or with 0.
    ///
    /// DIFFERENCE: ioredis waits for 10 seconds: longer than anybody waits for a page.
    #[serde(deserialize_with = "number")]
    pub connect_timeout: Option<u64>,
    /// How long an answer may take, in milliseconds: 2000 by default, or with 0.
    ///
    /// DIFFERENCE: ioredis waits for ever.
    #[serde(deserialize_with = "number")]
    pub command_timeout: Option<u64>,
    /// After how many milliseconds of silence the system asks whether the other end is there, in whole seconds, rounded up.
    /// By default, or with 0, it does not.
    #[serde(deserialize_with = "number")]
    pub keep_alive: Option<u64>,
    /// Whether small packets are sent at once, which is so by default.
    pub no_delay: Option<bool>,
    /// Whether the server is not told which library this is; it is by default.
    pub disable_client_info: bool,

    // ioredis's, for sentinels.
    /// The sentinels that know the master. By default there are none.
    pub sentinels: Option<Vec<SentinelAddress>>,
    /// Which master they watch; needed with sentinels.
    pub name: Option<String>,
    /// `master`, by default as well: replicas lag behind.
    pub role: Option<String>,
    /// Who we are to the sentinels.
    pub sentinel_username: Option<String>,
    /// The password at the sentinels.
    pub sentinel_password: Option<String>,
    /// `enableTLSForSentinelMode`: whether connections to the sentinels are encrypted too; not so by default.
    #[serde(rename = "enableTLSForSentinelMode")]
    pub enable_tls_for_sentinel_mode: bool,
    /// `sentinelTLS`: how they are then, as [`tls`](Options::tls) says it.
    #[serde(rename = "sentinelTLS")]
    pub sentinel_tls: Option<Given<TlsOptions>>,

    // Ours.
    /// Ours: how much the [near cache](super#the-near-cache) holds; `true` in a configuration for the default limits. By
    /// default there is none.
    #[serde(deserialize_with = "near_cache")]
    pub near_cache: Option<CacheLimits>,
}

/// Where a sentinel is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SentinelAddress {
    /// Its name or address, `127.0.0.1` by default.
    #[serde(default = "localhost")]
    pub host: String,
    /// Its port, 26379 by default.
    #[serde(default, deserialize_with = "number")]
    pub port: Option<u16>,
}

impl SentinelAddress {
    /// The sentinel on this host, at the usual port.
    pub fn new(host: impl Into<String>) -> SentinelAddress {
        SentinelAddress { host: host.into(), port: None }
    }
}

/// A node that a cluster is found through. In a configuration it is a URL, a port, or `{ host, port }` with the options of one
/// server; it is read when the store opens.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ClusterNode(pub(super) Value);

impl ClusterNode {
    /// The node at this URL, which says what [`Options::url`] may.
    pub fn new(url: impl Into<String>) -> ClusterNode {
        ClusterNode(Value::String(url.into()))
    }
}

impl fmt::Debug for ClusterNode {
    /// Leaves out what may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterNode").finish_non_exhaustive()
    }
}

/// ioredis's options for a whole cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ClusterOptions {
    /// What holds for the connection to each node: an [`Options`]. The `username`, the `password`, the `tls` and the
    /// `keyPrefix` beside the cluster serve as well where it has none.
    #[serde(deserialize_with = "table")]
    pub redis_options: Given<Options>,
    /// `master`, by default as well: replicas lag behind.
    pub scale_reads: Option<String>,
    /// How often a refused or misdirected command is sent again, 6 times by default.
    ///
    /// DIFFERENCE: ioredis does so 16 times: longer than anybody waits for a page.
    #[serde(deserialize_with = "number")]
    pub max_redirections: Option<u32>,
    /// What the names of all keys begin with, even before the base. Nothing by default.
    pub key_prefix: String,
}

/// How much the near cache holds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheLimits {
    /// In items, 10 000 by default.
    pub max: usize,
    /// In bytes, keys and values together, 16 MiB by default.
    pub max_size: usize,
}

impl Default for CacheLimits {
    fn default() -> CacheLimits {
        CacheLimits { max: 10_000, max_size: 16 << 20 }
    }
}

/// The option `nearCache`: `true`, or its limits.
fn near_cache<'de, D>(deserializer: D) -> Result<Option<CacheLimits>, D::Error>
where
    D: Deserializer<'de>,
{
    match Value::deserialize(deserializer)? {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(CacheLimits::default())),
        limits @ Value::Object(_) => {
            CacheLimits::deserialize(limits).map(Some).map_err(D::Error::custom)
        }
        _ => Err(D::Error::custom(
            "expected `true`, or a table such as `{ max: 10000, maxSize: 16777216 }`",
        )),
    }
}

/// What must not be shown.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&String> for Secret {
    fn from(secret: &String) -> Secret {
        Secret(secret.clone())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Options {
    /// The default options for the server at this URL, `HOST:PORT` or socket.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: Some(url.into()), ..Options::default() }
    }

    /// What a configuration says, with `url` taken apart: its parts come before the other options, as in ioredis.
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
            // It was taken apart; one in its own query means nothing.
            given.remove("url");
        }
        read(given)
    }

    /// What a program says, with `url` taken apart alike.
    pub(super) fn resolved(mut self) -> Result<Options> {
        let Some(url) = self.url.take() else { return Ok(self) };
        let mut parts = take_apart(&url)?;
        parts.remove("url");
        if self.tls.is_some() {
            parts.remove("tls");
        }
        let names: Vec<_> = parts.keys().cloned().collect();
        let said = read(parts)?;
        Ok(self.overridden(said, |field| {
            // The names of the options are those of the fields, but for `_` and the case.
            let name = field.replace('_', "");
            names.iter().any(|said| said.eq_ignore_ascii_case(&name))
        }))
    }

    /// These, with those fields of others that were said there.
    fn overridden(self, said: Options, is_said: impl Fn(&str) -> bool) -> Options {
        macro_rules! choose {
            ($($field:ident)*) => {
                Options { $($field: if is_said(stringify!($field)) { said.$field } else { self.$field }),* }
            };
        }
        choose! {
            url base ttl scan_count pre_connect cluster cluster_options host port family path username password db tls
            key_prefix connection_name connect_timeout command_timeout keep_alive no_delay disable_client_info sentinels
            name role sentinel_username sentinel_password enable_tls_for_sentinel_mode sentinel_tls near_cache
        }
    }

    /// The options of all nodes of a cluster.
    pub(super) fn for_cluster(&self) -> Result<ClusterOptions> {
        match self.cluster_options.source() {
            Source::Program(options) => Ok(ClusterOptions::clone(options)),
            Source::Configuration(given) => read(given.as_object().cloned().unwrap_or_default()),
        }
    }
}

impl ClusterOptions {
    /// The options of the connection to each node.
    pub(super) fn for_node(&self) -> Result<Options> {
        match self.redis_options.source() {
            Source::Program(options) => Options::clone(options).resolved(),
            Source::Configuration(given) => match given.as_object() {
                Some(given) => Options::read(given),
                None => Ok(Options::default()),
            },
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out what has secrets, or may have them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("base", &self.base)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .field("db", &self.db)
            .field("key_prefix", &self.key_prefix)
            .field("sentinels", &self.sentinels)
            .field("name", &self.name)
            .field("near_cache", &self.near_cache)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_url_says_comes_before_what_a_program_set() {
        let query = "scanCount=5&enableTlsForSentinelMode=true&noDelay=false&url=redis://elsewhere";
        let mut options = Options::new(format!("rediss://user:secret@here:1/2?{query}"));
        (options.host, options.port, options.db) = (Some("there".to_owned()), Some(9), Some(9));
        (options.scan_count, options.no_delay, options.ttl) = (Some(9), Some(true), Some(60));
        options.tls = Some(TlsOptions::default().into());
        let options = options.resolved().expect("options");
        assert_eq!(options.host.as_deref(), Some("here"));
        assert_eq!((options.port, options.db), (Some(1), Some(2)));
        assert_eq!(
            (options.scan_count, options.no_delay, options.ttl),
            (Some(5), Some(false), Some(60))
        );
        assert_eq!(options.username.zip(options.password), Some(("user".into(), "secret".into())));
        assert!(options.enable_tls_for_sentinel_mode);
        // `rediss:` says that there is TLS, and not how.
        let tls = options.tls.expect("TLS");
        assert!(matches!(tls.source(), Source::Program(_)));
    }
}
