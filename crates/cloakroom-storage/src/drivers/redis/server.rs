//! What the driver needs of a server, however it is reached.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value, cmd, pipe};

use super::failure::{Sent, failure};
use crate::keyspace::Expiry;
use crate::{Error, Item};

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
#[async_trait]
pub(super) trait Server: fmt::Debug + Send + Sync {
    /// Sends a command and waits for the answer.
    async fn command(&self, command: &Cmd) -> Result<Value, Failure>;

    /// Sends commands together, in one round trip.
    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure>;

    /// Connects now, and not at the first command.
    async fn connect(&self) -> Result<(), Failure> {
        self.command(&cmd("PING")).await.map(|_| ())
    }

    /// The item under `key`.
    async fn get(&self, key: &[u8]) -> Result<Option<Item>, Failure> {
        get(self, key).await
    }

    /// The item under `key`, and how long it still lives.
    async fn get_with_ttl(&self, key: &[u8]) -> Result<Found, Failure> {
        get_with_ttl(self, key).await
    }

    /// Forgets what may be remembered of the item under `key`.
    fn forget(&self, _key: &[u8]) {}

    /// The parts that together hold all keys.
    async fn parts(&self) -> Result<Vec<Part>, Failure> {
        Ok(vec![Part::Whole])
    }

    /// Sends a command to one part.
    async fn command_to(&self, _part: &Part, command: &Cmd) -> Result<Value, Failure> {
        self.command(command).await
    }
}

/// `GET`.
pub(super) async fn get<S: Server + ?Sized>(
    server: &S,
    key: &[u8],
) -> Result<Option<Item>, Failure> {
    item(server.command(cmd("GET").arg(key)).await?).map_err(Failure::misread)
}

/// `GET` and `PTTL`, in one round trip.
pub(super) async fn get_with_ttl<S: Server + ?Sized>(
    server: &S,
    key: &[u8],
) -> Result<Found, Failure> {
    let mut commands = pipe();
    commands.cmd("GET").arg(key).cmd("PTTL").arg(key);
    let answers = server.commands(&commands).await?;
    let [value, ttl] = answers.try_into().map_err(|_| Failure::misread(not_two()))?;
    let item = item(value).map_err(Failure::misread)?;
    let ttl: i64 = redis::from_redis_value(ttl).map_err(|error| Failure::misread(error.into()))?;
    // It may expire between the one command and the other.
    Ok(item.zip(Expiry::told(ttl)))
}

/// Where a share of the keys is.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Whole,
    Node { host: String, port: u16 },
}

fn not_two() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "two commands have two answers").into()
}

/// The version is the bytes themselves: a JavaScript writer keeps no other.
fn item(answer: Value) -> RedisResult<Option<Item>> {
    let value: Option<Vec<u8>> = redis::from_redis_value(answer)?;
    Ok(value.map(|value| {
        let value = bytes::Bytes::from(value);
        Item::new(value.clone(), value)
    }))
}
