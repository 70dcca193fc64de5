//! Every store that sessions can be shared in, ready to be configured.

use std::ops::Deref;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::RedisCluster;
use crate::denokv::DenoKv;
use crate::etcd::Etcd;
use crate::gcs::Gcs;
use crate::mariadb::MariaDb;
use crate::memcached::Memcached;
use crate::mongodb::MongoDb;
use crate::moto::Moto;
use crate::nats::Nats;
use crate::node::NodeServer;
use crate::planetscale::PlanetScale;
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::sentinel::RedisSentinel;
use crate::server::{Server, folder};
use crate::upstash::Upstash;

const NETLIFY_TOKEN: &str = "a token of the tests";

/// The key of every emulator's account, as Microsoft has published it.
const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running store, and what a configuration says to reach it.
pub struct Store {
    config: Value,
    /// Of the one server.
    port: Option<u16>,
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
    /// Redis over HTTP.
    Upstash(Upstash),
    /// PlanetScale's interface over MariaDB.
    PlanetScale(PlanetScale),
    /// Any other single server.
    Server(Box<dyn Deref<Target = Server> + Send + Sync>),
}

impl Store {
    /// Files.
    #[must_use]
    pub fn fs_lite() -> Option<Self> {
        let folder = folder();
        let options = json!({ "base": text(folder.path()) });
        Some(Self::new("fs-lite", options, None, Peer::Folder(folder)))
    }

    /// Files above files.
    #[must_use]
    pub fn overlay() -> Option<Self> {
        let folder = folder();
        let layers = ["first", "lower"].map(
            |layer| json!({ "driver": "fs-lite", "options": { "base": folder.path().join(layer) } }),
        );
        let options = json!({ "layers": layers });
        Some(Self::new("overlay", options, None, Peer::Folder(folder)))
    }

    /// Redis.
    #[must_use]
    pub fn redis() -> Option<Self> {
        Some(Self::one_redis(Redis::start()?))
    }

    /// Valkey.
    #[must_use]
    pub fn valkey() -> Option<Self> {
        Some(Self::one_redis(Redis::valkey()?))
    }

    fn one_redis(redis: Redis) -> Self {
        let options = json!({ "url": redis.url() });
        Self::new("redis", options, Some(redis.port()), Peer::Redis(redis))
    }

    /// A cluster of Redis.
    #[must_use]
    pub fn redis_cluster() -> Option<Self> {
        let cluster = RedisCluster::start()?;
        let nodes = cluster.nodes().into_iter().map(|(_, port)| address(port));
        let options = json!({ "cluster": nodes.collect::<Value>() });
        Some(Self::new("redis", options, None, Peer::RedisCluster(cluster)))
    }

    /// Redis watched by sentinels.
    #[must_use]
    pub fn redis_sentinel() -> Option<Self> {
        let group = RedisSentinel::start()?;
        let sentinels = group.sentinels().into_iter().map(address);
        let options = json!({ "name": "mymaster", "sentinels": sentinels.collect::<Value>() });
        Some(Self::new("redis", options, None, Peer::RedisSentinel(group)))
    }

    /// PostgreSQL, for `sql` or `db0`.
    #[must_use]
    pub fn postgres(driver: &'static str) -> Option<Self> {
        let postgres = Postgres::start()?;
        let options = json!({ "url": postgres.url() });
        Some(Self::server_of(driver, options, postgres.port(), postgres))
    }

    /// MariaDB, for `sql` or `db0`.
    #[must_use]
    pub fn mariadb(driver: &'static str) -> Option<Self> {
        let mariadb = MariaDb::start()?;
        let options = json!({ "url": mariadb.url() });
        Some(Self::server_of(driver, options, mariadb.port(), mariadb))
    }

    /// SQLite, for `sql` or `db0`.
    #[must_use]
    pub fn sqlite(driver: &'static str) -> Option<Self> {
        let folder = folder();
        let options = json!({ "url": format!("sqlite:{}/sessions.db", text(folder.path())) });
        Some(Self::new(driver, options, None, Peer::Folder(folder)))
    }

    /// MongoDB's protocol.
    #[must_use]
    pub fn mongodb() -> Option<Self> {
        let mongodb = MongoDb::start()?;
        let options = json!({ "connectionString": format!("{}&maxPoolSize=4", mongodb.url()) });
        Some(Self::server_of("mongodb", options, mongodb.port(), mongodb).slow())
    }

    /// PlanetScale.
    #[must_use]
    pub fn planetscale() -> Option<Self> {
        let planetscale = PlanetScale::start()?;
        let options = json!({ "url": planetscale.url() });
        Some(Self::new("planetscale", options, None, Peer::PlanetScale(planetscale)).slow())
    }

    /// Deno KV.
    #[must_use]
    pub fn deno_kv() -> Option<Self> {
        let denokv = DenoKv::start()?;
        let options =
            json!({ "path": denokv.url(), "openKvOptions": { "accessToken": DenoKv::TOKEN } });
        Some(Self::server_of("deno-kv", options, denokv.port(), denokv).slow())
    }

    /// Redis over HTTP.
    #[must_use]
    pub fn upstash() -> Option<Self> {
        let upstash = Upstash::start()?;
        let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN });
        let port = upstash.port();
        Some(Self::new("upstash", options, Some(port), Peer::Upstash(upstash)).slow())
    }

    /// Netlify's blobs.
    #[must_use]
    pub fn netlify_blobs() -> Option<Self> {
        let server = NodeServer::start("netlify-blobs", "@netlify/blobs", &[NETLIFY_TOKEN])?;
        let options = json!({
            "name": "astro-sessions",
            "consistency": "strong",
            "siteID": "site",
            "token": NETLIFY_TOKEN,
            "edgeURL": server.url(),
            "uncachedEdgeURL": server.url(),
        });
        Some(Self::node("netlify-blobs", options, server))
    }

    /// S3.
    #[must_use]
    pub fn s3() -> Option<Self> {
        let moto = Moto::start()?;
        let mut options = amazon(&moto.url());
        options["bucket"] = json!(Moto::BUCKET);
        Some(Self::server_of("s3", options, moto.port(), moto).slow())
    }

    /// Google Cloud Storage.
    #[must_use]
    pub fn gcs() -> Option<Self> {
        let gcs = Gcs::start()?;
        let options = json!({ "bucket": Gcs::BUCKET, "endpoint": gcs.url() });
        Some(Self::server_of("gcs", options, gcs.port(), gcs).slow())
    }

    /// DynamoDB, with a table that the first who comes makes.
    #[must_use]
    pub fn dynamodb() -> Option<Self> {
        let dynalite = NodeServer::start("dynalite", "dynalite", &[])?;
        let mut options = amazon(&dynalite.url());
        options["table"] = json!("sessions");
        options["createTable"] = json!(true);
        options["sweep"] = json!(true);
        Some(Self::node("dynamodb", options, dynalite))
    }

    /// Azure's blobs.
    #[must_use]
    pub fn azure_storage_blob() -> Option<Self> {
        Self::azurite("azure-storage-blob", "blob")
    }

    /// Azure's tables.
    #[must_use]
    pub fn azure_storage_table() -> Option<Self> {
        Self::azurite("azure-storage-table", "table")
    }

    fn azurite(driver: &'static str, service: &str) -> Option<Self> {
        let azurite = NodeServer::start("azurite", "azurite", &[service])?;
        let address = format!("{}/devstoreaccount1", azurite.url());
        let account = format!("AccountName=devstoreaccount1;AccountKey={AZURE_KEY}");
        let endpoints = format!("BlobEndpoint={address};TableEndpoint={address}");
        let options = json!({ "connectionString": format!("{account};{endpoints}") });
        Some(Self::node(driver, options, azurite))
    }

    /// Azure Cosmos DB.
    #[must_use]
    pub fn azure_cosmos() -> Option<Self> {
        let cosmosdb = NodeServer::start("cosmosdb", "@vercel/cosmosdb-server", &[AZURE_KEY])?;
        let options = json!({ "endpoint": cosmosdb.url(), "accountKey": AZURE_KEY });
        Some(Self::node("azure-cosmos", options, cosmosdb))
    }

    /// memcached.
    #[must_use]
    pub fn memcached() -> Option<Self> {
        let memcached = Memcached::start()?;
        let options = json!({ "url": memcached.url() });
        Some(Self::server_of("memcached", options, memcached.port(), memcached))
    }

    /// etcd.
    #[must_use]
    pub fn etcd() -> Option<Self> {
        let etcd = Etcd::start()?;
        let options = json!({ "url": etcd.url() });
        Some(Self::server_of("etcd", options, etcd.port(), etcd).slow())
    }

    /// Debian's NATS.
    #[must_use]
    pub fn nats() -> Option<Self> {
        Some(Self::one_nats(Nats::start()?))
    }

    /// The newest NATS.
    #[must_use]
    pub fn newest_nats() -> Option<Self> {
        Some(Self::one_nats(Nats::newest()?))
    }

    fn one_nats(nats: Nats) -> Self {
        let options = json!({ "url": nats.url() });
        Self::server_of("nats", options, nats.port(), nats)
    }

    fn node(driver: &'static str, options: Value, server: NodeServer) -> Self {
        Self::server_of(driver, options, server.port(), server).slow()
    }

    fn server_of(
        driver: &'static str,
        options: Value,
        port: u16,
        server: impl Deref<Target = Server> + Send + Sync + 'static,
    ) -> Self {
        Self::new(driver, options, Some(port), Peer::Server(Box::new(server)))
    }

    fn new(driver: &'static str, options: Value, port: Option<u16>, peer: Peer) -> Self {
        let cookie = json!({ "secure": false });
        let config = json!({ "driver": driver, "options": options, "cookie": cookie });
        Self { config, port, peer }
    }

    /// One that waits for the disk, or is interpreted, takes longer over sixteen hundred calls at once than anybody would
    /// wait.
    fn slow(mut self) -> Self {
        self.config["timeout"] = json!(60_000);
        self
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
            Peer::Upstash(upstash) => Some(upstash),
            Peer::Server(server) => Some(server),
            Peer::Folder(_)
            | Peer::RedisCluster(_)
            | Peer::RedisSentinel(_)
            | Peer::PlanetScale(_) => None,
        }
    }

    /// The port of the one server.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A whole configuration, in JSON.
    #[must_use]
    pub fn config(&self) -> String {
        self.config.to_string()
    }
}

fn amazon(endpoint: &str) -> Value {
    json!({
        "endpoint": endpoint,
        "region": Moto::REGION,
        "accessKeyId": Moto::KEY_ID,
        "secretAccessKey": Moto::SECRET,
    })
}

fn address(port: u16) -> Value {
    json!({ "host": "127.0.0.1", "port": port })
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is text")
}
