//! Redis over HTTP.

use std::ops::Deref;

use crate::node::NodeServer;
use crate::redis::Redis;

/// A real Redis, and before it what speaks Upstash's HTTP.
pub struct Upstash {
    // Before the server that it leads to.
    front: NodeServer,
    redis: Redis,
}

impl Upstash {
    /// What its clients show.
    pub const TOKEN: &str = "a token of the tests";

    /// Starts both.
    #[must_use]
    pub fn start() -> Option<Self> {
        let redis = Redis::start()?;
        let front = NodeServer::start("upstash", "ioredis", &[&redis.url(), Self::TOKEN])?;
        Some(Self { front, redis })
    }

    /// The Redis that keeps the data.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }
}

impl Deref for Upstash {
    type Target = NodeServer;

    fn deref(&self) -> &NodeServer {
        &self.front
    }
}
