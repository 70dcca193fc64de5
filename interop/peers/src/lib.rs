//! Starts the real servers that the tests talk to, on free ports of the loopback.
//!
//! A value owns its processes and its folder: dropping it ends both, and so does the end of the test process, however it
//! ends. A `start` gives `None`, and prints why, where the server's program is not installed; with `CI=true` in the
//! environment that is a failure. Everything else that goes wrong panics, with the server's own words.
// This crate serves tests alone: what fails here has to fail the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod denokv;
mod etcd;
mod gcs;
mod mariadb;
mod memcached;
mod mongodb;
mod moto;
mod nats;
mod node;
mod pgbouncer;
mod planetscale;
mod port;
mod postgres;
mod process;
mod program;
mod proxy;
mod redis;
mod resp;
mod sentinel;
mod server;
mod store;
mod template;
mod tls;
mod until;
mod upstash;
mod worker;

pub use cluster::RedisCluster;
pub use denokv::DenoKv;
pub use etcd::Etcd;
pub use gcs::Gcs;
pub use mariadb::MariaDb;
pub use memcached::Memcached;
pub use mongodb::MongoDb;
pub use moto::Moto;
pub use nats::Nats;
pub use node::{JavaScript, NodeServer, run_script};
pub use pgbouncer::PgBouncer;
pub use planetscale::PlanetScale;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use redis::Redis;
pub use resp::Reply;
pub use sentinel::RedisSentinel;
pub use server::Server;
pub use store::{Peer, Store};
pub use upstash::Upstash;
pub use worker::conformance_in_worker;
