//! A cluster: each node has a share of the keys.
//!
//! The client knows which node has which key and follows them when they move. It also sends a command again when its
//! answer was lost, which a conditional write cannot bear: it would find its own result in its way. So a node's
//! connection is wrapped, and a write whose answer was lost is an error that the client does not try again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::TryFutureExt;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::{ClusterConnection, Connect};
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo, SingleNodeRoutingInfo,
};
use redis::{
    Arg, AsyncConnectionConfig, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline,
    RedisError, RedisFuture, RedisResult, Value, cmd,
};
use tokio::sync::OnceCell;

use super::failure::Sent;
use super::server::{Failure, Part};
use super::target::Wire;

/// How often a refused or misdirected command is sent again. ioredis follows 16 times; a request does not wait so long.
const REDIRECTIONS: u32 = 6;

/// The pauses between these, in milliseconds.
const LEAST_PAUSE: u64 = 10;
const LONGEST_PAUSE: u64 = 500;

pub(super) struct Cluster {
    client: ClusterClient,
    /// Connected to at the first command, since connecting needs a runtime.
    connection: OnceCell<ClusterConnection<Node>>,
}

impl Cluster {
    pub(super) fn new(
        nodes: Vec<ConnectionInfo>,
        wire: &Wire,
        redirections: Option<u32>,
    ) -> RedisResult<Cluster> {
        let mut builder = ClusterClient::builder(nodes)
            .retries(redirections.unwrap_or(REDIRECTIONS))
            .min_retry_wait(LEAST_PAUSE)
            .max_retry_wait(LONGEST_PAUSE)
            .connection_timeout(wire.connect_timeout)
            .response_timeout(wire.command_timeout)
            // A command that is redirected gets a little more than one that is not.
            .overall_response_timeout(Some(wire.command_timeout * 2));
        if let Some(resolver) = wire.resolver {
            builder = builder.async_dns_resolver(resolver);
        }
        if let Some(certificates) = wire.tls.as_ref().and_then(|tls| tls.certificates.clone()) {
            builder = builder.certs(certificates);
        }
        Ok(Cluster { client: builder.build()?, connection: OnceCell::new() })
    }

    async fn connection(&self) -> Result<ClusterConnection<Node>, Failure> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection.clone());
        }
        // On the heap, as it happens once and is large.
        let connect = || Box::pin(self.client.get_async_generic_connection::<Node>());
        let connection = self.connection.get_or_try_init(connect).await;
        connection.cloned().map_err(|error| Failure { error, sent: Sent::No })
    }

    async fn route(&self, command: &Cmd, routing: RoutingInfo) -> Result<Value, Failure> {
        let answer = self.connection().await?.route_command(command.clone(), routing).await;
        answer.and_then(Value::extract_error).map_err(perhaps)
    }

    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        command.query_async(&mut self.connection().await?).await.map_err(perhaps)
    }

    pub(super) async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        commands.query_async(&mut self.connection().await?).await.map_err(perhaps)
    }

    /// The masters.
    pub(super) async fn parts(&self) -> Result<Vec<Part>, Failure> {
        let masters = RoutingInfo::MultiNode((
            MultipleNodeRoutingInfo::AllMasters,
            Some(ResponsePolicy::Special),
        ));
        let answers = self.route(&cmd("PING"), masters).await?;
        let Value::Map(answers) = answers else { return Err(Failure::misread(no_nodes())) };
        answers.into_iter().map(|(address, _)| part(address).map_err(Failure::misread)).collect()
    }

    /// Sends a command to one node.
    pub(super) async fn command_to(
        &self,
        host: String,
        port: u16,
        command: &Cmd,
    ) -> Result<Value, Failure> {
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        self.route(command, RoutingInfo::SingleNode(node)).await
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("connected", &self.connection.initialized()).finish()
    }
}

fn perhaps(error: RedisError) -> Failure {
    Failure { error, sent: Sent::Perhaps }
}

fn part(address: Value) -> RedisResult<Part> {
    let address: String = redis::from_redis_value(address)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(no_nodes)?;
    Ok(Part::Node { host: host.to_owned(), port: port.parse().map_err(|_| no_nodes())? })
}

fn no_nodes() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "each node has an address and an answer").into()
}

/// A connection to one node, which is not asked to do a write twice.
#[derive(Clone)]
struct Node {
    connection: MultiplexedConnection,
    /// Left a command unanswered, so that the client has to make another one.
    lost: Arc<AtomicBool>,
}

impl Node {
    fn check(&self) -> RedisResult<()> {
        match self.lost.load(Ordering::Acquire) {
            true => Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into()),
            false => Ok(()),
        }
    }

    fn learn<T>(&self, result: RedisResult<T>, writes: bool) -> RedisResult<T> {
        let Err(error) = result else { return result };
        if !error.is_io_error() {
            return Err(error);
        }
        self.lost.store(true, Ordering::Release);
        Err(match writes {
            // Of a kind that the client gives up on.
            true => (ErrorKind::Client, "the answer to a write was lost", error.to_string()).into(),
            // Of a kind that makes it connect again, also after a command that took too long.
            false => std::io::Error::from(std::io::ErrorKind::ConnectionReset).into(),
        })
    }
}

/// Whether sending it twice does something else than sending it once.
fn writes(command: &Cmd) -> bool {
    let name = command.args_iter().next();
    matches!(name, Some(Arg::Simple(b"SET" | b"EVAL" | b"EVALSHA")))
}

impl ConnectionLike for Node {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            self.check()?;
            let result = self.connection.send_packed_command(command).await;
            self.learn(result, writes(command))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            self.check()?;
            let result = self.connection.send_packed_commands(commands, offset, count).await;
            // What the driver sends together does no harm when it is sent twice.
            self.learn(result, false)
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

impl Connect for Node {
    fn connect_with_config<'a, T>(
        information: T,
        configuration: AsyncConnectionConfig,
    ) -> RedisFuture<'a, Node>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        let connection = MultiplexedConnection::connect_with_config(information, configuration);
        Box::pin(connection.map_ok(|connection| Node { connection, lost: Arc::default() }))
    }
}

#[cfg(test)]
mod tests {
    use redis::{Client, RedisConnectionInfo, RetryMethod};
    use tokio::net::TcpListener;

    use super::*;

    /// A node that reads a command and closes the connection without an answer.
    async fn node() -> Node {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
        });
        let login = RedisConnectionInfo::default().set_skip_set_lib_name();
        let information = ("127.0.0.1", address.port()).into_connection_info().unwrap();
        let client = Client::open(information.set_redis_settings(login)).unwrap();
        let configuration = AsyncConnectionConfig::new();
        Node::connect_with_config(client.get_connection_info().clone(), configuration)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_is_not_tried_again_and_a_read_is() {
        for (command, again) in [("SET", false), ("EVALSHA", false), ("EVAL", false), ("GET", true)]
        {
            let mut node = node().await;
            let lost = node.req_packed_command(cmd(command).arg("key")).await.unwrap_err();
            let reconnects = matches!(lost.retry_method(), RetryMethod::Reconnect);
            let gives_up = matches!(lost.retry_method(), RetryMethod::NoRetry);
            assert_eq!((reconnects, gives_up), (again, !again), "{command}: {lost}");

            // The next one never leaves, and so may go over another connection.
            let unsent = node.req_packed_command(cmd("SET").arg("key")).await.unwrap_err();
            assert!(matches!(unsent.retry_method(), RetryMethod::Reconnect), "{unsent}");
        }
    }
}
