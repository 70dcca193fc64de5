//! The drivers: one file, one feature and one row each.

#[cfg(all(feature = "cloudflare-kv-binding", target_family = "wasm", target_os = "unknown"))]
pub mod cloudflare_kv_binding;
#[cfg(feature = "cloudflare-kv-http")]
pub mod cloudflare_kv_http;
#[cfg(all(feature = "cloudflare-r2-binding", target_family = "wasm", target_os = "unknown"))]
pub mod cloudflare_r2_binding;
#[cfg(feature = "db0")]
pub mod db0;
#[cfg(feature = "fs-lite")]
pub mod fs_lite;
#[cfg(feature = "http")]
pub mod http;
mod info;
#[cfg(feature = "lru-cache")]
pub mod lru_cache;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "netlify-blobs")]
pub mod netlify_blobs;
#[cfg(feature = "null")]
pub mod null;
mod open;
#[cfg(feature = "overlay")]
pub mod overlay;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sql")]
pub mod sql;
mod unavailable;
#[cfg(feature = "upstash")]
pub mod upstash;
#[cfg(feature = "vercel-kv")]
pub mod vercel_kv;
#[cfg(all(
    any(feature = "cloudflare-kv-binding", feature = "cloudflare-r2-binding"),
    target_family = "wasm",
    target_os = "unknown"
))]
mod worker;

pub use info::{DriverInfo, Reach};
#[cfg(feature = "overlay")]
use open::open_unlimited;
pub use open::{Limits, open, open_with_limits};
pub use unavailable::left_out;

use crate::Capabilities;
use Reach::{Machine, Network, Process};

/// The function that opens a driver, if its feature is there.
macro_rules! opener {
    ($feature:literal, $driver:path) => {
        opener!(@ $feature, |options| async { <$driver>::open(options) })
    };
    ($feature:literal, $driver:path, async) => {
        opener!(@ $feature, |options| <$driver>::open(options))
    };
    // Inside of a Worker only.
    ($feature:literal, $driver:path, worker) => {{
        #[cfg(all(target_family = "wasm", target_os = "unknown"))]
        {
            opener!($feature, $driver)
        }
        #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
        {
            None
        }
    }};
    (@ $feature:literal, |$options:ident| $open:expr) => {{
        #[cfg(feature = $feature)]
        {
            Some(|$options| {
                Box::pin(async move { $open.await.map(|driver| std::sync::Arc::new(driver) as crate::DynDriver) })
            })
        }
        #[cfg(not(feature = $feature))]
        {
            None
        }
    }};
}

/// What a store can do that has everything and sweeps its expired items.
const SWEPT: Capabilities = Capabilities {
    retains: true,
    compare_and_swap: true,
    expiry: true,
    native_ttl: false,
    iteration: true,
    durable: true,
    shared: true,
    read_only: false,
    empty_values: true,
    longest_value: None,
};

/// What a store can do that has everything, and frees expired items by itself.
const FREED: Capabilities = Capabilities { native_ttl: true, ..SWEPT };

/// What a store in the memory of a process can do.
const MEMORY: Capabilities = Capabilities { durable: false, shared: false, ..SWEPT };

static DRIVERS: &[DriverInfo] = &[
    DriverInfo {
        name: "cloudflare-kv-binding",
        aliases: &["cloudflareKVBinding"],
        feature: "cloudflare-kv-binding",
        summary: "In Cloudflare's KV, from inside of a Worker.",
        since: "0.1",
        reach: Network,
        capabilities: Capabilities { compare_and_swap: false, ..FREED },
        varies: false,
        note: "inside of Workers; a change may take a minute to be seen elsewhere",
        round_trips: Some((1, 1)),
        tested_against: "workerd by miniflare 4, unstorage's own driver in the same Worker",
        open: opener!("cloudflare-kv-binding", cloudflare_kv_binding::CloudflareKvBinding, worker),
    },
    DriverInfo {
        name: "cloudflare-kv-http",
        aliases: &[],
        feature: "cloudflare-kv-http",
        summary: "In Cloudflare's key-value store, over its API.",
        since: "0.1",
        reach: Network,
        capabilities: Capabilities { compare_and_swap: false, ..FREED },
        varies: false,
        note: "a change may take a minute to be seen elsewhere",
        round_trips: Some((1, 1)),
        tested_against: "a shim of its API over workerd's own store, unstorage's own driver",
        open: opener!("cloudflare-kv-http", cloudflare_kv_http::CloudflareKvHttp),
    },
    DriverInfo {
        name: "cloudflare-r2-binding",
        aliases: &[],
        feature: "cloudflare-r2-binding",
        summary: "In Cloudflare's R2, from inside of a Worker.",
        since: "0.1",
        reach: Network,
        capabilities: Capabilities { empty_values: false, ..SWEPT },
        varies: false,
        note: "inside of Workers, where a cron trigger sweeps",
        round_trips: Some((1, 1)),
        tested_against: "workerd by miniflare 4, unstorage's own driver in the same Worker",
        open: opener!("cloudflare-r2-binding", cloudflare_r2_binding::CloudflareR2Binding, worker),
    },
    DriverInfo {
        name: "db0",
        aliases: &[],
        feature: "db0",
        summary: "unstorage's table in PostgreSQL, MySQL, MariaDB or SQLite, shared with JavaScript.",
        since: "0.1",
        reach: Network,
        capabilities: SWEPT,
        varies: true,
        note: "as `sql`; slower to list, and JavaScript reads what has expired until it is swept",
        round_trips: Some((1, 1)),
        tested_against: "PostgreSQL 15, MariaDB 10.11, SQLite 3, and unstorage's own driver on each",
        open: opener!("db0", db0::Db0, async),
    },
    DriverInfo {
        name: "fs-lite",
        aliases: &["fs"],
        feature: "fs-lite",
        summary: "One file per item in a folder, shared by the processes of a machine.",
        since: "0.1",
        reach: Machine,
        capabilities: Capabilities { empty_values: false, ..SWEPT },
        varies: false,
        note: "the default; `sync = true` survives a power cut too",
        round_trips: None,
        tested_against: "unstorage's own driver, two processes, `kill -9`",
        open: opener!("fs-lite", fs_lite::FsLite),
    },
    DriverInfo {
        name: "http",
        aliases: &[],
        feature: "http",
        summary: "Behind unstorage's HTTP server, or behind `cloakroom serve`.",
        since: "0.1",
        reach: Network,
        capabilities: FREED,
        varies: true,
        note: "whatever the server behind it can, with `cloakroom serve`; with JavaScript's the last writer wins, and nothing expires",
        round_trips: Some((1, 1)),
        tested_against: "unstorage's own server and driver",
        open: opener!("http", http::Http, async),
    },
    DriverInfo {
        name: "lru-cache",
        aliases: &[],
        feature: "lru-cache",
        summary: "In this process's memory, up to a limit; the least recently used go first.",
        since: "0.1",
        reach: Process,
        capabilities: MEMORY,
        varies: false,
        note: "the least recently used go first",
        round_trips: None,
        tested_against: "–",
        open: opener!("lru-cache", lru_cache::LruCache),
    },
    DriverInfo {
        name: "memory",
        aliases: &[],
        feature: "memory",
        summary: "In this process's memory. Gone when it ends.",
        since: "0.1",
        reach: Process,
        capabilities: MEMORY,
        varies: false,
        note: "",
        round_trips: None,
        tested_against: "–",
        open: opener!("memory", memory::Memory),
    },
    DriverInfo {
        name: "netlify-blobs",
        aliases: &[],
        feature: "netlify-blobs",
        summary: "In the blobs of a site on Netlify, where Astro's adapter keeps sessions.",
        since: "0.1",
        reach: Network,
        capabilities: SWEPT,
        varies: false,
        note: "outside Netlify twice the round trips; to list and to sweep asks for each blob",
        round_trips: Some((1, 1)),
        tested_against: "Netlify's own development server with ETags added, unstorage's own driver",
        open: opener!("netlify-blobs", netlify_blobs::NetlifyBlobs),
    },
    DriverInfo {
        name: "null",
        aliases: &[],
        feature: "null",
        summary: "Nowhere: every write is forgotten.",
        since: "0.1",
        reach: Process,
        capabilities: Capabilities { retains: false, native_ttl: true, ..MEMORY },
        varies: false,
        note: "",
        round_trips: None,
        tested_against: "–",
        open: opener!("null", null::Null),
    },
    DriverInfo {
        name: "overlay",
        aliases: &[],
        feature: "overlay",
        summary: "A store above others, which stay as they are.",
        since: "0.1",
        reach: Network,
        capabilities: SWEPT,
        varies: true,
        note: "whatever its first layer can",
        round_trips: None,
        tested_against: "unstorage's own driver, both over files",
        open: opener!("overlay", overlay::Overlay, async),
    },
    DriverInfo {
        name: "redis",
        aliases: &[],
        feature: "redis",
        summary: "In Redis or Valkey, shared by any number of machines.",
        since: "0.1",
        reach: Network,
        capabilities: FREED,
        varies: false,
        note: "with `appendonly yes`; what a replica had not yet is lost in a failover",
        round_trips: Some((1, 1)),
        tested_against: "Redis 7.0, Valkey 9.1, failovers of clusters and sentinels, TLS; unstorage's own driver",
        open: opener!("redis", redis::Redis, async),
    },
    DriverInfo {
        name: "sql",
        aliases: &[],
        feature: "sql",
        summary: "A table in PostgreSQL, MySQL, MariaDB or SQLite, shared by any number of machines.",
        since: "0.1",
        reach: Network,
        capabilities: SWEPT,
        varies: true,
        note: "SQLite: the processes of a machine; `synchronous = \"full\"` survives a power cut too",
        round_trips: Some((1, 1)),
        tested_against: "PostgreSQL 15, MariaDB 10.11, SQLite 3",
        open: opener!("sql", sql::Sql, async),
    },
    DriverInfo {
        name: "upstash",
        aliases: &[],
        feature: "upstash",
        summary: "In Upstash's Redis, over HTTP.",
        since: "0.1",
        reach: Network,
        capabilities: FREED,
        varies: false,
        note: "shared with `redis` over its own protocol",
        round_trips: Some((1, 1)),
        tested_against: "a REST shim over Redis 7.0, unstorage's own driver",
        open: opener!("upstash", upstash::Upstash),
    },
    DriverInfo {
        name: "vercel-kv",
        aliases: &[],
        feature: "vercel-kv",
        summary: "As `upstash`, with the environment variables of Vercel's projects.",
        since: "0.1",
        reach: Network,
        capabilities: FREED,
        varies: false,
        note: "as `upstash`",
        round_trips: Some((1, 1)),
        tested_against: "a REST shim over Redis 7.0, unstorage's own driver",
        open: opener!("vercel-kv", vercel_kv::VercelKv),
    },
];

/// Every driver that this version knows, compiled in or not.
pub fn drivers() -> &'static [DriverInfo] {
    DRIVERS
}
