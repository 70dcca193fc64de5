//! Every store that sessions can be shared in, ready to be configured.

use std::fmt::Write as _;
use std::path::Path;

use tempfile::TempDir;

use crate::cluster::RedisCluster;
use crate::mariadb::MariaDb;
use crate::node::NodeServer;
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::sentinel::RedisSentinel;
use crate::server::{Server, folder};
use crate::upstash::Upstash;

const NETLIFY_TOKEN: &str = "a token of the tests";

/// A running store, and what a configuration says to reach it.
pub struct Store {
    driver: &'static str,
    peer: Peer,
}

/// What keeps the data.
pub enum Peer {
    /// A folder: of files, or of one database.
    Folder(TempDir),
    /// Redis or Valkey.
    Redis(Redis),
    /// A cluster of Redis.
    RedisCluster(RedisCluster),
    /// Redis watched by sentinels.
    RedisSentinel(RedisSentinel),
    /// PostgreSQL.
    Postgres(Postgres),
    /// MariaDB.
    MariaDb(MariaDb),
    /// Redis over HTTP.
    Upstash(Upstash),
    /// Netlify's blobs.
    NetlifyBlobs(NodeServer),
}

impl Store {
    /// Files.
    #[must_use]
    pub fn fs_lite() -> Option<Self> {
        Some(Self { driver: "fs-lite", peer: Peer::Folder(folder()) })
    }

    /// Files above files.
    #[must_use]
    pub fn overlay() -> Option<Self> {
        Some(Self { driver: "overlay", peer: Peer::Folder(folder()) })
    }

    /// Redis.
    #[must_use]
    pub fn redis() -> Option<Self> {
        Some(Self { driver: "redis", peer: Peer::Redis(Redis::start()?) })
    }

    /// Valkey.
    #[must_use]
    pub fn valkey() -> Option<Self> {
        Some(Self { driver: "redis", peer: Peer::Redis(Redis::valkey()?) })
    }

    /// A cluster of Redis.
    #[must_use]
    pub fn redis_cluster() -> Option<Self> {
        Some(Self { driver: "redis", peer: Peer::RedisCluster(RedisCluster::start()?) })
    }

    /// Redis watched by sentinels.
    #[must_use]
    pub fn redis_sentinel() -> Option<Self> {
        Some(Self { driver: "redis", peer: Peer::RedisSentinel(RedisSentinel::start()?) })
    }

    /// PostgreSQL, for `sql` or `db0`.
    #[must_use]
    pub fn postgres(driver: &'static str) -> Option<Self> {
        Some(Self { driver, peer: Peer::Postgres(Postgres::start()?) })
    }

    /// MariaDB, for `sql` or `db0`.
    #[must_use]
    pub fn mariadb(driver: &'static str) -> Option<Self> {
        Some(Self { driver, peer: Peer::MariaDb(MariaDb::start()?) })
    }

    /// SQLite, for `sql` or `db0`.
    #[must_use]
    pub fn sqlite(driver: &'static str) -> Option<Self> {
        Some(Self { driver, peer: Peer::Folder(folder()) })
    }

    /// Redis over HTTP.
    #[must_use]
    pub fn upstash() -> Option<Self> {
        Some(Self { driver: "upstash", peer: Peer::Upstash(Upstash::start()?) })
    }

    /// Netlify's blobs.
    #[must_use]
    pub fn netlify_blobs() -> Option<Self> {
        let server = NodeServer::start("netlify-blobs", "@netlify/blobs", &[NETLIFY_TOKEN])?;
        Some(Self { driver: "netlify-blobs", peer: Peer::NetlifyBlobs(server) })
    }

    /// What keeps the data.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The one server, where there is exactly one.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        match &self.peer {
            Peer::Redis(redis) => Some(redis),
            Peer::Postgres(postgres) => Some(postgres),
            Peer::MariaDb(mariadb) => Some(mariadb),
            Peer::Upstash(upstash) => Some(upstash),
            Peer::NetlifyBlobs(server) => Some(server),
            Peer::Folder(_) | Peer::RedisCluster(_) | Peer::RedisSentinel(_) => None,
        }
    }

    /// The port of the one server.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match &self.peer {
            Peer::Redis(redis) => Some(redis.port()),
            Peer::Postgres(postgres) => Some(postgres.port()),
            Peer::MariaDb(mariadb) => Some(mariadb.port()),
            Peer::Upstash(upstash) => Some(upstash.port()),
            Peer::NetlifyBlobs(server) => Some(server.port()),
            Peer::Folder(_) | Peer::RedisCluster(_) | Peer::RedisSentinel(_) => None,
        }
    }

    /// A whole configuration, in JSON.
    #[must_use]
    pub fn config(&self) -> String {
        let options = match &self.peer {
            Peer::Folder(folder) if self.driver == "fs-lite" => {
                option("base", &text(folder.path()))
            }
            Peer::Folder(folder) if self.driver == "overlay" => {
                let layers = ["first", "lower"].map(|layer| {
                    let base = option("base", &text(&folder.path().join(layer)));
                    format!("{{\"driver\":\"fs-lite\",\"options\":{{{base}}}}}")
                });
                format!("\"layers\":[{}]", layers.join(","))
            }
            Peer::Folder(folder) => {
                option("url", &format!("sqlite:{}/sessions.db", text(folder.path())))
            }
            Peer::Redis(redis) => option("url", &redis.url()),
            Peer::RedisCluster(cluster) => {
                let ports = cluster.nodes().into_iter().map(|(_, port)| port);
                format!("\"cluster\":{}", addresses(ports))
            }
            Peer::RedisSentinel(group) => {
                format!("\"name\":\"mymaster\",\"sentinels\":{}", addresses(group.sentinels()))
            }
            Peer::Postgres(postgres) => option("url", &postgres.url()),
            Peer::MariaDb(mariadb) => option("url", &mariadb.url()),
            Peer::Upstash(upstash) => {
                let token = option("token", Upstash::TOKEN);
                format!("{},{token}", option("url", &upstash.url()))
            }
            Peer::NetlifyBlobs(server) => {
                let url = server.url();
                [
                    option("name", "astro-sessions"),
                    option("consistency", "strong"),
                    option("siteID", "site"),
                    option("token", NETLIFY_TOKEN),
                    option("edgeURL", &url),
                    option("uncachedEdgeURL", &url),
                ]
                .join(",")
            }
        };
        // A server in JavaScript takes longer over sixteen hundred calls at once than anybody would wait.
        let timeout = match &self.peer {
            Peer::Upstash(_) | Peer::NetlifyBlobs(_) => ",\"timeout\":60000",
            _ => "",
        };
        format!(
            "{{\"driver\":\"{}\",\"options\":{{{options}}},\"cookie\":{{\"secure\":false}}{timeout}}}",
            self.driver
        )
    }
}

fn option(name: &str, value: &str) -> String {
    format!("\"{name}\":\"{value}\"")
}

fn text(path: &Path) -> String {
    path.to_str().expect("a temporary folder's name is text").to_owned()
}

fn addresses(ports: impl IntoIterator<Item = u16>) -> String {
    let mut list = String::new();
    for port in ports {
        let separator = if list.is_empty() { '[' } else { ',' };
        _ = write!(list, "{separator}{{\"host\":\"127.0.0.1\",\"port\":{port}}}");
    }
    list + "]"
}
