//! A connection that somebody else made and looks after.

use std::fmt;

use async_trait::async_trait;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, Value};

use super::failure::Sent;
use super::server::{Failure, Server};

/// Cloned for each call, as clones share what is underneath.
pub(super) struct Own<C>(pub(super) C);

#[async_trait]
impl<C> Server for Own<C>
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

impl<C> fmt::Debug for Own<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection of one's own")
    }
}
