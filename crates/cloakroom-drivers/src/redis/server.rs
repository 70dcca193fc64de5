//! What the driver needs of a server, however it is reached.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value, pipe};

use super::cluster::Cluster;
use super::failure::{Sent, failure, is_unknown_command};
use super::link::Link;
#[cfg(feature = "redis-1")]
use super::supplied::Connection;
use crate::common::keyspace::Expiry;
use cloakroom_storage::{Error, Item};

/// A command that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: RedisError,
    pub(super) sent: Sent,
}

impl Failure {
    /// Whether the server does not know the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        self.error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
    }

    /// Whether the server does not know the command or an option of it, or does not let us use it: it has changed nothing.
    pub(super) fn is_unknown_command(&self) -> bool {
        is_unknown_command(&self.error)
    }

    /// An answer that makes no sense.
    pub(super) fn misread(error: RedisError) -> Failure {
        Failure { error, sent: Sent::Perhaps }
    }

    /// What a caller gets.
    pub(super) fn into_error(self) -> Error {
        failure(&self.error, self.sent)
    }
}

/// An item, and how long it still lives.
pub(super) type Found = Option<(Item, Option<Duration>)>;

/// A server, or several that are one store.
///
/// An enum and no trait, so that a command's future is a part of its caller's and not on the heap.
#[derive(Clone, Debug)]
pub(super) enum Server {
    Link(Arc<Link>),
    Cluster(Arc<Cluster>),
    #[cfg(feature = "redis-1")]
    Supplied(Arc<dyn Connection>),
}

impl Server {
    /// Sends a command and waits for the answer.
    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        match self {
            Server::Link(link) => link.command(command).await,
            Server::Cluster(cluster) => cluster.command(command).await,
            #[cfg(feature = "redis-1")]
            Server::Supplied(connection) => connection.command(command).await,
        }
    }

    /// Sends commands together, in one round trip.
    pub(super) async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        match self {
            Server::Link(link) => link.commands(commands).await,
            Server::Cluster(cluster) => cluster.commands(commands).await,
            #[cfg(feature = "redis-1")]
            Server::Supplied(connection) => connection.commands(commands).await,
        }
    }

    /// Connects now, and not at the first command.
    pub(super) async fn connect(&self) -> Result<(), Failure> {
        match self {
            Server::Link(link) => link.connect().await,
            _ => self.command(&redis::cmd("PING")).await.map(|_| ()),
        }
    }

    /// The item under `key`.
    pub(super) async fn get(&self, key: &[u8]) -> Result<Option<Item>, Failure> {
        if let Server::Link(link) = self
            && link.has_near_cache()
        {
            // The near cache has to know when an item expires.
            return Ok(self.get_with_ttl(key).await?.map(|(item, _)| item));
        }
        let mut command = Cmd::with_capacity(2, "GET".len() + key.len());
        command.arg("GET").arg(key);
        item(self.command(&command).await?)
    }

    /// The item under `key`, and how long it still lives.
    pub(super) async fn get_with_ttl(&self, key: &[u8]) -> Result<Found, Failure> {
        match self {
            Server::Link(link) => link.get_with_ttl(key).await,
            _ => found(self.commands(&get_and_pttl(key)).await?),
        }
    }

    /// Forgets what may be remembered of the item under `key`.
    pub(super) fn forget(&self, key: &[u8]) {
        if let Server::Link(link) = self {
            link.forget(key);
        }
    }

    /// The parts that together hold all keys.
    pub(super) async fn parts(&self) -> Result<Vec<Part>, Failure> {
        match self {
            Server::Cluster(cluster) => cluster.parts().await,
            _ => Ok(vec![Part::Whole]),
        }
    }

    /// Sends a command to one part.
    pub(super) async fn command_to(&self, part: &Part, command: &Cmd) -> Result<Value, Failure> {
        match (self, part) {
            (Server::Cluster(cluster), Part::Node { host, port }) => {
                cluster.command_to(host.clone(), *port, command).await
            }
            _ => self.command(command).await,
        }
    }
}

/// Where a share of the keys is.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Whole,
    Node { host: String, port: u16 },
}

/// An item and its deadline, in one round trip.
pub(super) fn get_and_pttl(key: &[u8]) -> Pipeline {
    let mut commands = pipe();
    commands.cmd("GET").arg(key).cmd("PTTL").arg(key);
    commands
}

/// The answers to these two commands.
pub(super) fn found(answers: Vec<Value>) -> Result<Found, Failure> {
    let [value, ttl] = answers.try_into().map_err(|_| Failure::misread(not_two()))?;
    let item = item(value)?;
    let ttl: i64 = redis::from_redis_value(ttl).map_err(|error| Failure::misread(error.into()))?;
    // It may expire between the one command and the other.
    Ok(item.zip(Expiry::told(ttl)))
}

fn not_two() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "two commands have two answers").into()
}

/// The version is the bytes themselves: a JavaScript writer keeps no other.
fn item(answer: Value) -> Result<Option<Item>, Failure> {
    let value: Option<Vec<u8>> =
        redis::from_redis_value(answer).map_err(|error| Failure::misread(error.into()))?;
    Ok(value.map(|value| {
        let value = bytes::Bytes::from(value);
        Item::new(value.clone(), value)
    }))
}
