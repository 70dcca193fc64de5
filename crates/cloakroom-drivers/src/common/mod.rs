//! What several drivers share: clients of HTTP, layouts of tables and of keys, deadlines. No driver by itself, and nothing
//! here knows which drivers there are.

#[allow(dead_code)] // Each driver needs a part of it.
pub(crate) mod advice;
#[cfg(any(
    feature = "cloudflare-kv-http",
    feature = "dynamodb",
    feature = "etcd",
    feature = "gcs",
    feature = "nats",
    feature = "redis",
    feature = "upstash"
))]
#[allow(dead_code)] // Each driver needs a part of it.
pub(crate) mod base;
pub(crate) mod capabilities;
#[cfg(any(feature = "memory", feature = "lru-cache"))]
pub(crate) mod deadlines;
#[cfg(any(feature = "memory", feature = "lru-cache"))]
pub(crate) mod first_version;
#[cfg(feature = "http-client")]
#[allow(dead_code, unused_imports)] // Each driver needs a part of it.
pub(crate) mod http;
#[cfg(any(feature = "redis", feature = "upstash"))]
pub(crate) mod keyspace;
#[cfg(any(feature = "sql", feature = "planetscale"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
// Each driver needs a part of it, and `sql` shows one.
pub(crate) mod table;
#[cfg(any(feature = "http-client", feature = "memcached", feature = "nats"))]
pub(crate) mod wall_clock;
#[cfg(all(
    any(feature = "cloudflare-kv-binding", feature = "cloudflare-r2-binding"),
    target_family = "wasm",
    target_os = "unknown"
))]
pub(crate) mod worker;
