//! `redis`: Redis and Valkey; one server, a master behind sentinels, or a cluster.
//!
//! # Layout
//! unstorage's: the item `id` is the string under `id`, or under `base:id`, with Redis's own expiry. JavaScript reads
//! and writes the same.
//!
//! # While Redis is away
//! A process has one connection, which all its calls share. When it is lost, one attempt is made to connect; if
//! that fails, calls fail at once with [`Unavailable`](cloakroom_storage::ErrorKind::Unavailable), and a task in the background goes on
//! trying, with growing pauses of at most a second. Nothing is queued. Behind sentinels, each attempt asks them anew
//! who the master is.
//!
//! What Redis acknowledged and had not yet copied to a replica is lost when a replica takes over; that is how Redis
//! replicates. Its `min-replicas-to-write` bounds it.
//!
//! # Compare and swap
//! The server compares what is stored with what was read, so that a JavaScript writer, who knows nothing of versions, is
//! seen as well, in one round trip: by a command of its own where it has one (Redis 8.4, Valkey 8.1 and later), else by a script. A
//! server that does not know the command refuses it once in ten minutes; one that does not know the script, or has forgotten it,
//! is sent its text once. By the script, values of 4 KB and more are compared by SHA-1 and length.
//!
//! # The near cache
//! Our option [`nearCache`](Options::near_cache) keeps what was read in this process. The server tells of every change
//! (`CLIENT TRACKING`, Redis 6 and later), so that reading a session that nobody has changed costs no round trip. A change
//! by somebody else is seen as soon as the server's word of it arrives; until then, a millisecond or so, a reader may see
//! what was there before. A commit built on that is refused as any other conflict is, and reads again from the server.
//! Nothing is read from the cache of a connection that is lost, nor of one from which nothing has been heard for a second:
//! then one read goes to the server to find out. Nothing is held for longer than a minute: of `SWAPDB` the server does not
//! tell. It is not for clusters, nor for proxies before several servers, where what one of them tells may never arrive.

mod advice;
mod cluster;
mod failure;
mod given;
mod link;
mod listing;
mod near_cache;
mod options;
mod script;
mod server;
#[cfg(feature = "redis-1")]
mod supplied;
mod swap;
mod target;
mod tls;
mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use redis::{Cmd, Value as Answer, cmd, pipe};
use serde_json::{Map, Value};

use crate::common::capabilities::FREED;
use crate::common::keyspace::{Expiry, Layout, Swapped};
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, When,
};
use cluster::Cluster;
pub use given::Given;
use link::Link;
use options::invalid;
pub use options::{CacheLimits, ClusterNode, ClusterOptions, Options, SentinelAddress};
use server::{Failure, Server};
use swap::Swap;
use target::{Target, Wire};
use tls::Tls;
pub use tls::TlsOptions;

const NAME: &str = "redis";

/// Items in Redis or Valkey.
///
/// ```no_run
/// use cloakroom_drivers::redis::{Options, Redis};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let mut options = Options::new("redis://localhost:6379");
/// options.base = "sess".to_owned();
/// let redis = Redis::new(options).await?;
/// # Ok(())
/// # }
/// ```
pub struct Redis {
    server: Server,
    swap: Swap,
    layout: Layout,
    /// For writes that carry none.
    ttl: Option<Duration>,
    scan_count: Option<u32>,
    /// What is unsafe on the way to the server.
    on_the_way: Vec<Advice>,
}

impl Redis {
    /// A store in Redis. Connects at the first call, or now with [`Options::pre_connect`].
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible, and with
    /// `pre_connect` when Redis refuses us.
    pub async fn new(options: Options) -> Result<Redis> {
        let options = options.resolved()?;
        let redis = match options.cluster {
            Some(_) => Redis::clustered(&options)?,
            None => Redis::linked(&options)?,
        };
        if options.pre_connect
            && let Err(failure) = redis.server.connect().await
        {
            let error = failure.into_error().with_operation(Operation::Open);
            if !error.is_retryable() {
                return Err(error);
            }
            tracing::warn!(%error, "going on without a connection, which is tried again");
        }
        Ok(redis)
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Redis::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is
    /// unknown.
    pub async fn open(options: &Map<String, Value>) -> Result<Redis> {
        Redis::new(Options::read(options)?).await
    }

    /// A store at the server that a client of one's own leads to, over a connection that is made anew whenever it is lost, and
    /// whenever it leads to what has become a replica: as if the client's URL were the option `url`.
    ///
    /// ```no_run
    /// use cloakroom_drivers::redis::Redis;
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = redis::Client::open("redis://localhost:6379")?;
    /// let redis = Redis::with_client(&client).with_base("sess");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "redis-1")]
    pub fn with_client(client: &redis::Client) -> Redis {
        let target = Target::Server(Box::new(client.get_connection_info().clone()));
        let on_the_way = target.advice();
        Redis {
            server: Server::Link(Link::new(target, Wire::usual(), None)),
            swap: Swap::new(),
            layout: Layout::new("", ""),
            ttl: None,
            scan_count: None,
            on_the_way,
        }
    }

    /// A store over a connection of one's own, which reconnects by itself or not, as it was made.
    ///
    /// It stays with its server for as long as it does: one that reconnects when it breaks may be on what has become a replica
    /// (`READONLY`) for good after a failover. [`Redis::with_client`] connects anew then.
    ///
    /// Not for a connection to a cluster: it would list the keys of one node, and send a write twice whose answer was
    /// lost. Open that with the option `cluster`.
    ///
    /// ```no_run
    /// use cloakroom_drivers::redis::Redis;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = redis::Client::open("redis://localhost:6379")?;
    /// let connection = client.get_multiplexed_async_connection().await?;
    /// let redis = Redis::with_connection(connection).with_base("sess");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "redis-1")]
    pub fn with_connection<C>(connection: C) -> Redis
    where
        C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
    {
        Redis {
            server: Server::Supplied(Arc::new(supplied::Supplied(connection))),
            swap: Swap::new(),
            layout: Layout::new("", ""),
            ttl: None,
            scan_count: None,
            on_the_way: Vec::new(),
        }
    }

    /// Puts every item below `base`, as the option of that name does.
    #[must_use]
    #[cfg(feature = "redis-1")]
    pub fn with_base(self, base: &str) -> Redis {
        Redis { layout: Layout::new("", base), ..self }
    }

    /// One server, or one at a time.
    fn linked(options: &Options) -> Result<Redis> {
        let tls = Tls::read(options.tls.as_ref(), options.host.as_deref())?;
        let wire = Wire::new(options, tls.clone())?;
        let target = Target::new(options, tls)?;
        let on_the_way = target.advice();
        let link = Link::new(target, wire, options.near_cache);
        Ok(Redis { on_the_way, ..Redis::over(Server::Link(link), options, &options.key_prefix) })
    }

    fn clustered(options: &Options) -> Result<Redis> {
        if options.near_cache.is_some() {
            return Err(invalid("option `nearCache` is for a single server, not for a cluster"));
        }
        let cluster = options.for_cluster()?;
        if cluster.scale_reads.as_deref().is_some_and(|reads| reads != "master") {
            return Err(invalid(
                "option `scaleReads`: sessions are read from the `master`; replicas lag behind",
            ));
        }
        // As in ioredis, the nodes' options are in `redisOptions`; those outside serve as well.
        let mut nodes = cluster.for_node()?;
        nodes.cluster.clone_from(&options.cluster);
        nodes.username = nodes.username.or_else(|| options.username.clone());
        nodes.password = nodes.password.or_else(|| options.password.clone());
        let tls = nodes.tls.as_ref().or(options.tls.as_ref());
        let tls = Tls::read(tls, None)?;
        let wire = Wire::new(&nodes, tls.clone())?;
        let target = Target::new(&nodes, tls)?;
        let on_the_way = target.advice();
        let Target::Cluster(addresses) = target else {
            return Err(invalid("option `cluster`: there is no node"));
        };
        let server = Cluster::new(addresses, &wire, cluster.max_redirections).map_err(|error| {
            invalid("option `cluster`: the nodes do not go together").with_source(error)
        })?;
        let prefixes = [&cluster.key_prefix, &nodes.key_prefix, &options.key_prefix];
        let prefix = prefixes.into_iter().find(|prefix| !prefix.is_empty());
        let server = Server::Cluster(Arc::new(server));
        let prefix = prefix.map_or("", |prefix| prefix);
        Ok(Redis { on_the_way, ..Redis::over(server, options, prefix) })
    }

    fn over(server: Server, options: &Options, key_prefix: &str) -> Redis {
        Redis {
            server,
            swap: Swap::new(),
            layout: Layout::new(key_prefix, &options.base),
            // As in unstorage, none is as good as zero.
            ttl: options.ttl.filter(|ttl| *ttl > 0).map(Duration::from_secs),
            scan_count: options.scan_count,
            on_the_way: Vec::new(),
        }
    }

    fn expiry(&self, ttl: Option<Duration>) -> Expiry {
        Expiry::new(ttl.or(self.ttl))
    }

    async fn write(
        &self,
        key: &[u8],
        value: &Bytes,
        when: &When,
        expiry: Expiry,
    ) -> Result<bool, Failure> {
        match when {
            When::Version(version) => {
                let Some(seen) = version.as_bytes() else { return Ok(false) };
                self.swap.replace(&self.server, key, seen, value, expiry).await
            }
            When::Always if expiry == Expiry::After(0) => {
                self.server.command(cmd("UNLINK").arg(key)).await.map(|_| true)
            }
            When::Absent if expiry == Expiry::After(0) => {
                let there = self.server.command(cmd("EXISTS").arg(key)).await?;
                Ok(number(there)? == 0)
            }
            When::Always | When::Absent => {
                let mut set = Cmd::with_capacity(6, key.len() + value.len() + 32);
                set.arg("SET");
                set.arg(key).arg(&value[..]);
                if let Expiry::After(milliseconds) = expiry {
                    set.arg("PX").arg(milliseconds);
                }
                if *when == When::Absent {
                    set.arg("NX");
                }
                Ok(self.server.command(&set).await? != Answer::Nil)
            }
        }
    }

    async fn unlink(&self, key: &[u8], when: &When) -> Result<RemoveOutcome, Failure> {
        let swapped = match when {
            When::Version(version) => match version.as_bytes() {
                Some(seen) => self.swap.remove(&self.server, key, seen).await?,
                None => Swapped::Changed,
            },
            When::Always | When::Absent => {
                let gone = self.server.command(cmd("UNLINK").arg(key)).await?;
                Swapped::read(number(gone)?)
            }
        };
        Ok(match swapped {
            Swapped::Done => RemoveOutcome::Removed,
            Swapped::Missing => RemoveOutcome::Missing,
            Swapped::Changed => RemoveOutcome::Conflict,
        })
    }

    async fn expire(&self, key: &[u8], expiry: Expiry) -> Result<bool, Failure> {
        let there = match expiry {
            Expiry::After(milliseconds) => {
                self.server.command(cmd("PEXPIRE").arg(key).arg(milliseconds)).await?
            }
            Expiry::Never => {
                // Whether it had a deadline is what `PERSIST` answers, not whether it was there.
                let mut commands = pipe();
                commands.cmd("PERSIST").arg(key).cmd("EXISTS").arg(key);
                self.server.commands(&commands).await?.pop().unwrap_or(Answer::Nil)
            }
        };
        Ok(number(there)? == 1)
    }
}

fn number(answer: Answer) -> Result<i64, Failure> {
    redis::from_redis_value(answer).map_err(|error| Failure::misread(error.into()))
}

/// Says what was being done to what.
fn explain(failure: Failure, operation: Operation, key: &ItemKey) -> Error {
    failure.into_error().with_operation(operation).with_key(key)
}

#[async_trait]
impl Driver for Redis {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        FREED
    }

    async fn advice(&self) -> Vec<Advice> {
        let settings = self.settings_advice().await;
        self.on_the_way.iter().cloned().chain(settings).collect()
    }

    async fn time(&self) -> Result<Option<Duration>> {
        let (seconds, microseconds) = self.clock().await.map_err(Failure::into_error)?;
        Ok(Some(Duration::new(seconds, microseconds.saturating_mul(1000))))
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        let item = self.server.get(self.layout.name(key).as_bytes()).await;
        item.map_err(|failure| explain(failure, Operation::Get, key))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.server.get_with_ttl(self.layout.name(key).as_bytes()).await;
        found.map_err(|failure| explain(failure, Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let name = self.layout.name(key);
        let written = self.write(name.as_bytes(), &value, &when, self.expiry(ttl)).await;
        self.server.forget(name.as_bytes());
        match written.map_err(|failure| explain(failure, Operation::Set, key))? {
            true => Ok(SetOutcome::Written { version: value.into() }),
            false => Ok(SetOutcome::Conflict),
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let name = self.layout.name(key);
        let outcome = self.unlink(name.as_bytes(), &when).await;
        self.server.forget(name.as_bytes());
        outcome.map_err(|failure| explain(failure, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let name = self.layout.name(key);
        let there = self.expire(name.as_bytes(), self.expiry(ttl)).await;
        self.server.forget(name.as_bytes());
        there.map_err(|failure| explain(failure, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        listing::keys(self.server.clone(), self.layout.clone(), prefix, self.scan_count)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("server", &self.server).finish_non_exhaustive()
    }
}
