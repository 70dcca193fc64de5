//! A connection that somebody else made and looks after.

use std::fmt;

use async_trait::async_trait;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, Value};

use super::failure::Sent;
use super::server::Failure;

/// A connection of whatever type.
#[async_trait]
pub(super) trait Connection: fmt::Debug + Send + Sync {
    /// Sends a command and waits for the answer.
    async fn command(&self, command: &Cmd) -> Result<Value, Failure>;

    /// Sends commands together, in one round trip.
    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure>;
}

/// Cloned for each call, as clones share what is underneath.
pub(super) struct Supplied<C>(pub(super) C);

#[async_trait]
impl<C> Connection for Supplied<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        command
            .query_async(&mut self.0.clone())
            .await
            .map_err(|error| Failure { error, sent: Sent::Perhaps })
    }

    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        commands
            .query_async(&mut self.0.clone())
            .await
            .map_err(|error| Failure { error, sent: Sent::Perhaps })
    }
}

impl<C> fmt::Debug for Supplied<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection of one's own")
    }
}
