//! The table of drivers: which there are, what each can do, and how a name becomes one. A new driver is one row here,
//! and a module of its own in the crate.

mod added;
mod info;
mod open;
mod unavailable;

pub use added::Registry;
pub use info::{DriverInfo, Reach};
pub use open::{open, open_with_limits};
pub use unavailable::left_out;

use crate::common::capabilities::{FREED, MEMORY, SWEPT};
use Reach::{Machine, Network, Process};
use cloakroom_storage::Capabilities;
#[cfg(feature = "overlay")]
pub(crate) use open::open_unlimited;

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
                Box::pin(async move { $open.await.map(|driver| std::sync::Arc::new(driver) as cloakroom_storage::DynDriver) })
            })
        }
        #[cfg(not(feature = $feature))]
        {
            None
        }
    }};
}

/// What most rows say.
const ROW: DriverInfo = DriverInfo {
    name: "",
    aliases: &[],
    summary: "",
    since: "0.1",
    reach: Network,
    capabilities: SWEPT,
    varies: false,
    note: "",
    round_trips: Some((1, 1)),
    tested_against: "–",
    open: None,
};

static DRIVERS: &[DriverInfo] = &[
    DriverInfo {
        name: "azure-cosmos",
        summary: "One document per item in a container of Azure Cosmos DB, shared by any number of machines.",
        capabilities: Capabilities { longest_value: Some(1_500_000), ..SWEPT },
        note: "in a container with a `DefaultTimeToLive` also by itself; JavaScript reads what has expired until it is gone",
        tested_against: "`@vercel/cosmosdb-server` 1.0, an emulator, and unstorage's own driver on it",
        open: opener!("azure-cosmos", crate::azure_cosmos::AzureCosmos),
        ..ROW
    },
    DriverInfo {
        name: "azure-storage-blob",
        summary: "One blob per item in a container of Azure Storage, shared by any number of machines.",
        note: "a sweep lists the whole container; JavaScript reads what has expired until it is swept",
        tested_against: "Azurite 3.37, Microsoft's emulator, and unstorage's own driver on it",
        open: opener!("azure-storage-blob", crate::azure_storage_blob::AzureStorageBlob),
        ..ROW
    },
    DriverInfo {
        name: "azure-storage-table",
        summary: "One entity per item in a table of Azure Storage, shared by any number of machines.",
        capabilities: Capabilities { longest_value: Some(32 * 1024), ..SWEPT },
        note: "a session of at most 32768 letters; JavaScript reads what has expired until it is swept",
        tested_against: "Azurite 3.37, Microsoft's emulator, and unstorage's own driver on it",
        open: opener!("azure-storage-table", crate::azure_storage_table::AzureStorageTable),
        ..ROW
    },
    DriverInfo {
        name: "cloudflare-kv-binding",
        aliases: &["cloudflareKVBinding"],
        summary: "In Cloudflare's KV, from inside of a Worker.",
        capabilities: Capabilities { compare_and_swap: false, ..FREED },
        note: "inside of Workers; a change may take a minute to be seen elsewhere",
        tested_against: "workerd by miniflare 4, unstorage's own driver in the same Worker",
        open: opener!(
            "cloudflare-kv-binding",
            crate::cloudflare_kv_binding::CloudflareKvBinding,
            worker
        ),
        ..ROW
    },
    DriverInfo {
        name: "cloudflare-kv-http",
        summary: "In Cloudflare's key-value store, over its API.",
        capabilities: Capabilities { compare_and_swap: false, ..FREED },
        note: "a change may take a minute to be seen elsewhere",
        tested_against: "a shim of its API over workerd's own store, unstorage's own driver",
        open: opener!("cloudflare-kv-http", crate::cloudflare_kv_http::CloudflareKvHttp),
        ..ROW
    },
    DriverInfo {
        name: "cloudflare-r2-binding",
        summary: "In Cloudflare's R2, from inside of a Worker.",
        capabilities: Capabilities { empty_values: false, ..SWEPT },
        note: "inside of Workers, where a cron trigger sweeps",
        round_trips: Some((1, 2)),
        tested_against: "workerd by miniflare 4, unstorage's own driver in the same Worker",
        open: opener!(
            "cloudflare-r2-binding",
            crate::cloudflare_r2_binding::CloudflareR2Binding,
            worker
        ),
        ..ROW
    },
    DriverInfo {
        name: "db0",
        summary: "unstorage's table in PostgreSQL, MySQL, MariaDB or SQLite, shared with JavaScript.",
        varies: true,
        note: "as `sql`; slower to list, and JavaScript reads what has expired until it is swept",
        tested_against: "PostgreSQL 15, MariaDB 10.11, SQLite 3, and unstorage's own driver on each",
        open: opener!("db0", crate::db0::Db0, async),
        ..ROW
    },
    DriverInfo {
        name: "deno-kv",
        aliases: &["deno-kv-node"],
        summary: "A database of Deno KV, over its network protocol, shared by any number of machines.",
        capabilities: Capabilities { longest_value: Some(64 * 1024 - 6), ..FREED },
        note: "sessions of up to 64 KB, half of that with letters beyond Latin-1; Deno's own files only behind `denokv`",
        tested_against: "Deno's server `denokv` 0.14, and unstorage's own driver",
        open: opener!("deno-kv", crate::deno_kv::DenoKv),
        ..ROW
    },
    DriverInfo {
        name: "dynamodb",
        summary: "A table of Amazon's DynamoDB, shared by any number of machines. Not one of unstorage's.",
        capabilities: FREED,
        varies: true,
        note: "not one of unstorage's; values of at most 398 KB; DynamoDB's own expiry has to be on, or `sweep = true`",
        tested_against: "dynalite 4.0, and moto 5.2's DynamoDB, which checks signatures",
        open: opener!("dynamodb", crate::dynamodb::DynamoDb, async),
        ..ROW
    },
    DriverInfo {
        name: "etcd",
        summary: "In etcd, shared by any number of machines.",
        capabilities: FREED,
        note: "one more round trip to write, once a second at most, for a deadline that no item had",
        tested_against: "etcd 3.4",
        open: opener!("etcd", crate::etcd::Etcd),
        ..ROW
    },
    DriverInfo {
        name: "fs-lite",
        aliases: &["fs"],
        summary: "One file per item in a folder, shared by the processes of a machine.",
        reach: Machine,
        capabilities: Capabilities { empty_values: false, ..SWEPT },
        note: "the default; `sync = true` survives a power cut too",
        round_trips: None,
        tested_against: "unstorage's own driver, two processes, `kill -9`",
        open: opener!("fs-lite", crate::fs_lite::FsLite),
        ..ROW
    },
    DriverInfo {
        name: "gcs",
        summary: "Objects in Google Cloud Storage, shared by any number of machines. Not one of unstorage's.",
        note: "not one of unstorage's; about one change of a session each second; a sweep lists the whole bucket",
        tested_against: "fake-gcs-server 1.54, with the conditions added that it leaves out",
        open: opener!("gcs", crate::gcs::Gcs),
        ..ROW
    },
    DriverInfo {
        name: "http",
        summary: "Behind unstorage's HTTP server, or behind `cloakroom serve`.",
        capabilities: FREED,
        varies: true,
        note: "whatever the server behind it can, with `cloakroom serve`; with JavaScript's the last writer wins, and nothing expires",
        tested_against: "unstorage's own server and driver",
        open: opener!("http", crate::http::Http, async),
        ..ROW
    },
    DriverInfo {
        name: "lru-cache",
        summary: "In this process's memory, up to a limit; the least recently used go first.",
        reach: Process,
        capabilities: MEMORY,
        note: "the least recently used go first",
        round_trips: None,
        tested_against: "–",
        open: opener!("lru-cache", crate::lru_cache::LruCache),
        ..ROW
    },
    DriverInfo {
        name: "memcached",
        summary: "In memcached's memory, shared by any number of machines. Gone when it ends.",
        capabilities: Capabilities { iteration: false, durable: false, ..FREED },
        note: "a full server throws sessions out; keys cannot be listed, and an item may live two seconds longer",
        tested_against: "memcached 1.6",
        open: opener!("memcached", crate::memcached::Memcached),
        ..ROW
    },
    DriverInfo {
        name: "memory",
        summary: "In this process's memory. Gone when it ends.",
        reach: Process,
        capabilities: MEMORY,
        round_trips: None,
        tested_against: "–",
        open: opener!("memory", crate::memory::Memory),
        ..ROW
    },
    DriverInfo {
        name: "mongodb",
        summary: "unstorage's collection in MongoDB, shared with JavaScript.",
        note: "makes the unique index that JavaScript's lacks; JavaScript reads what has expired until it is swept",
        tested_against: "SecantusDB 0.7, which speaks MongoDB's protocol; unstorage's own driver",
        open: opener!("mongodb", crate::mongodb::MongoDb, async),
        ..ROW
    },
    DriverInfo {
        name: "nats",
        summary: "In a key-value bucket of NATS, shared by any number of machines.",
        varies: true,
        note: "2 to move a deadline; NATS 2.11 and later frees expired items by itself",
        tested_against: "NATS 2.9 and 2.15",
        open: opener!("nats", crate::nats::Nats),
        ..ROW
    },
    DriverInfo {
        name: "netlify-blobs",
        summary: "In the blobs of a site on Netlify, where Astro's adapter keeps sessions.",
        note: "outside Netlify twice the round trips; to list and to sweep asks for each blob",
        tested_against: "Netlify's own development server with ETags added, unstorage's own driver",
        open: opener!("netlify-blobs", crate::netlify_blobs::NetlifyBlobs),
        ..ROW
    },
    DriverInfo {
        name: "null",
        summary: "Nowhere: every write is forgotten.",
        reach: Process,
        capabilities: Capabilities { retains: false, native_ttl: true, ..MEMORY },
        round_trips: None,
        tested_against: "–",
        open: opener!("null", crate::null::Null),
        ..ROW
    },
    DriverInfo {
        name: "overlay",
        summary: "A store above others, which stay as they are.",
        varies: true,
        note: "whatever its first layer can",
        round_trips: None,
        tested_against: "unstorage's own driver, both over files",
        open: opener!("overlay", crate::overlay::Overlay, async),
        ..ROW
    },
    DriverInfo {
        name: "planetscale",
        summary: "unstorage's table in a database of PlanetScale, over HTTP, shared with JavaScript.",
        varies: true,
        note: "JavaScript reads what has expired until it is swept; the table may need a deploy request",
        tested_against: "a shim over MariaDB 10.11, and unstorage's own driver",
        open: opener!("planetscale", crate::planetscale::PlanetScale, async),
        ..ROW
    },
    DriverInfo {
        name: "redis",
        summary: "In Redis or Valkey, shared by any number of machines.",
        capabilities: FREED,
        note: "with `appendonly yes`; what a replica had not yet is lost in a failover",
        tested_against: "Redis 7.0, Valkey 9.1, failovers of clusters and sentinels, TLS; unstorage's own driver",
        open: opener!("redis", crate::redis::Redis, async),
        ..ROW
    },
    DriverInfo {
        name: "s3",
        summary: "Objects in Amazon S3, Cloudflare R2 or another such store, shared by any number of machines.",
        varies: true,
        note: "a sweep asks for every object: beyond some thousands, a lifecycle rule of the bucket and `lifecycle = true`; Cloudflare R2 by its S3 API, not run",
        tested_against: "moto 5.2's S3, which checks signatures; unstorage's own driver",
        open: opener!("s3", crate::s3::S3),
        ..ROW
    },
    DriverInfo {
        name: "sql",
        summary: "A table in PostgreSQL, MySQL, MariaDB or SQLite, shared by any number of machines.",
        varies: true,
        note: "SQLite: the processes of a machine; `synchronous = \"full\"` survives a power cut too",
        tested_against: "PostgreSQL 15, MariaDB 10.11, SQLite 3",
        open: opener!("sql", crate::sql::Sql, async),
        ..ROW
    },
    DriverInfo {
        name: "upstash",
        summary: "In Upstash's Redis, over HTTP.",
        capabilities: FREED,
        note: "shared with `redis` over its own protocol",
        tested_against: "a REST shim over Redis 7.0, unstorage's own driver",
        open: opener!("upstash", crate::upstash::Upstash),
        ..ROW
    },
    DriverInfo {
        name: "vercel-kv",
        summary: "As `upstash`, with the environment variables of Vercel's projects.",
        capabilities: FREED,
        note: "as `upstash`",
        tested_against: "a REST shim over Redis 7.0, unstorage's own driver",
        open: opener!("vercel-kv", crate::vercel_kv::VercelKv),
        ..ROW
    },
];

/// Every driver that this version knows, compiled in or not.
pub fn drivers() -> &'static [DriverInfo] {
    DRIVERS
}
