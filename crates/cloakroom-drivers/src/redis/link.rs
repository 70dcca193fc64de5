//! One connection for a whole process, made anew whenever it is lost.
//!
//! Nothing waits in a queue while Redis is away. The calls that find the connection lost wait for one attempt to
//! connect; if it fails, every call fails at once, until an attempt in the background succeeds. A connection that leaves
//! a command unanswered for too long is given up, since a server that hangs, or a route that is gone, may never say so.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use redis::aio::{MultiplexedConnection, SendError};
use redis::{
    Client, Cmd, ErrorKind, Pipeline, ProtocolVersion, PushInfo, PushKind, RedisError, RedisResult,
    Value, cmd,
};
use tokio::sync::watch;

use super::failure::{Sent, calls_for_another_connection, wants_old_protocol};
use super::near_cache::{Held, NearCache};
use super::options::CacheLimits;
use super::server::{Failure, Found, found, get_and_pttl};
use super::target::{Target, Wire};
use cloakroom_storage::platform::random::fraction;

/// The pauses between attempts to connect grow from this, doubling…
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// … to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a connection is kept at least that is not let do something, lest every refused call makes a new one.
const LEAST_AGE: Duration = Duration::from_millis(200);

/// For how long an answer proves that the connection stands, so that nothing is read from the near cache of one that
/// was cut.
const PROOF: Duration = Duration::from_secs(1);

/// How many commands may be on their way to the socket before a caller has to wait.
const QUEUED: usize = 1024;

/// What a process has of a server.
pub(super) struct Link {
    maker: Maker,
    state: watch::Sender<State>,
    /// For the task that connects, which must not keep the link alive.
    this: Weak<Link>,
}

struct Maker {
    target: Target,
    wire: Wire,
    near_cache: Option<CacheLimits>,
}

enum State {
    /// Nobody has asked for a connection yet.
    Idle,
    /// The first attempt is under way.
    Connecting,
    Connected(Arc<Connection>),
    /// The last attempt failed, and more are made.
    Away(RedisError),
}

/// A connection, for as long as it is worth using.
struct Connection {
    inner: MultiplexedConnection,
    lost: Arc<AtomicBool>,
    begun: Instant,
    /// When the last command was sent that was answered, in milliseconds after it was begun.
    proven: AtomicU64,
    near_cache: Option<Arc<NearCache>>,
}

impl Link {
    pub(super) fn new(target: Target, wire: Wire, near_cache: Option<CacheLimits>) -> Arc<Link> {
        Arc::new_cyclic(|this| Link {
            maker: Maker { target, wire, near_cache },
            state: watch::Sender::new(State::Idle),
            this: this.clone(),
        })
    }

    /// The connection, or why there is none.
    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        if let Some(connection) = self.connected() {
            return Ok(connection);
        }
        let mut state = self.state.subscribe();
        loop {
            match &*state.borrow_and_update() {
                State::Connected(connection) if connection.is_usable() => {
                    return Ok(connection.clone());
                }
                State::Away(error) => return Err(Failure { error: error.clone(), sent: Sent::No }),
                State::Idle | State::Connecting | State::Connected(_) => {}
            }
            self.connect_if_nobody_does();
            // The sender is this link's own.
            let _ = state.changed().await;
        }
    }

    /// The connection, if there is one now.
    fn connected(&self) -> Option<Arc<Connection>> {
        match &*self.state.borrow() {
            State::Connected(connection) if connection.is_usable() => Some(connection.clone()),
            _ => None,
        }
    }

    fn connect_if_nobody_does(&self) {
        let begins = self.state.send_if_modified(|state| match state {
            State::Idle => {
                *state = State::Connecting;
                true
            }
            State::Connected(connection) if !connection.is_usable() => {
                *state = State::Connecting;
                true
            }
            State::Connecting | State::Connected(_) | State::Away(_) => false,
        });
        if begins {
            tokio::spawn(Attempts(self.this.clone()).run());
        }
    }

    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        self.connection().await?.command(command).await
    }

    pub(super) async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        self.connection().await?.commands(commands).await
    }

    pub(super) async fn connect(&self) -> Result<(), Failure> {
        self.connection().await.map(|_| ())
    }

    pub(super) fn has_near_cache(&self) -> bool {
        self.maker.near_cache.is_some()
    }

    pub(super) async fn get_with_ttl(&self, key: &[u8]) -> Result<Found, Failure> {
        let connection = self.connection().await?;
        let Some(cache) = &connection.near_cache else {
            return found(connection.commands(&get_and_pttl(key)).await?);
        };
        if connection.is_proven()
            && let Some(held) = cache.get(key)
        {
            let ttl = held.ttl();
            return Ok(Some((held.item, ttl)));
        }
        let (mark, asked) = (cache.mark(key), Instant::now());
        // Over this connection and no other: its near cache may hold only what was read over it.
        let found = found(connection.commands(&get_and_pttl(key)).await?)?;
        cache.store(key, mark, found.clone().map(|(item, ttl)| Held::new(item, ttl, asked)));
        Ok(found)
    }

    pub(super) fn forget(&self, key: &[u8]) {
        if self.has_near_cache()
            && let Some(connection) = self.connected()
            && let Some(cache) = &connection.near_cache
        {
            cache.forget(key);
        }
    }
}

/// The task that connects until there is a connection.
struct Attempts(Weak<Link>);

impl Attempts {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while let Some(link) = self.0.upgrade() {
            match link.maker.connect().await {
                Ok(connection) => {
                    link.state.send_replace(State::Connected(Arc::new(connection)));
                    return;
                }
                Err(error) => {
                    tracing::debug!(driver = super::NAME, %error, "cannot connect; trying again");
                    link.state.send_replace(State::Away(error));
                }
            }
            drop(link);
            tokio::time::sleep(pause.mul_f64(0.5 + fraction() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Attempts {
    /// Where the task's runtime ends before it does, another one's callers must not wait for it.
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_if_modified(|state| {
                let abandoned = matches!(state, State::Connecting | State::Away(_));
                if abandoned {
                    *state = State::Idle;
                }
                abandoned
            });
        }
    }
}

impl Maker {
    /// Connects, and says who we are and what we want to be told.
    async fn connect(&self) -> RedisResult<Connection> {
        let patience = match self.target {
            // One sentinel or two may be down, and each is waited for.
            Target::Sentinels(_) => self.wire.connect_timeout * 2,
            Target::Server(_) | Target::Cluster(_) => self.wire.connect_timeout,
        };
        match tokio::time::timeout(patience, self.connect_over(ProtocolVersion::RESP3)).await {
            // It tells us nothing, not even at once that it closes a connection.
            Ok(Err(error)) if wants_old_protocol(&error) && self.near_cache.is_none() => {
                self.connect_over(ProtocolVersion::RESP2).await
            }
            Ok(result) => result,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    async fn connect_over(&self, protocol: ProtocolVersion) -> RedisResult<Connection> {
        let client = match &self.target {
            Target::Server(information) => {
                let login = information.redis_settings().clone().set_protocol(protocol);
                Client::open(information.as_ref().clone().set_redis_settings(login))?
            }
            Target::Sentinels(sentinels) => sentinels.master(protocol).await?,
            Target::Cluster(_) => {
                return Err((ErrorKind::InvalidClientConfig, "a cluster is not one server").into());
            }
        };
        let lost = Arc::new(AtomicBool::new(false));
        let near_cache = self.near_cache.map(|limits| Arc::new(NearCache::new(limits)));
        let mut configuration = self.wire.configuration().set_pipeline_buffer_size(QUEUED);
        if protocol == ProtocolVersion::RESP3 {
            let (lost, near_cache) = (lost.clone(), near_cache.clone());
            configuration = configuration.set_push_sender(move |push: PushInfo| {
                match (push.kind, &near_cache) {
                    (PushKind::Disconnection, _) => lost.store(true, Ordering::Release),
                    (PushKind::Invalidate, Some(cache)) => cache.invalidate(&push.data),
                    _ => {}
                }
                Ok::<_, SendError>(())
            });
        }
        let mut inner = client.get_multiplexed_async_connection_with_config(&configuration).await?;
        if let Some(name) = &self.wire.connection_name {
            cmd("CLIENT").arg("SETNAME").arg(name).exec_async(&mut inner).await?;
        }
        if near_cache.is_some() {
            cmd("CLIENT").arg("TRACKING").arg("ON").exec_async(&mut inner).await?;
        }
        let (begun, proven) = (Instant::now(), AtomicU64::new(0));
        Ok(Connection { inner, lost, begun, proven, near_cache })
    }
}

impl Connection {
    fn is_usable(&self) -> bool {
        !self.lost.load(Ordering::Acquire)
    }

    async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        let asked = self.asked();
        let answer = self.inner.clone().send_packed_command(command).await;
        self.learn(asked, answer.and_then(Value::extract_error))
    }

    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let asked = self.asked();
        let answers = commands.query_async(&mut self.inner.clone()).await;
        self.learn(asked, answers)
    }

    /// The moment, where it is of use later.
    fn asked(&self) -> Option<Duration> {
        self.near_cache.is_some().then(|| self.begun.elapsed())
    }

    /// Learns from what became of a command.
    fn learn<T>(&self, asked: Option<Duration>, result: RedisResult<T>) -> Result<T, Failure> {
        let error = match result {
            Ok(answer) => {
                self.prove(asked);
                return Ok(answer);
            }
            Err(error) => error,
        };
        let refused = calls_for_another_connection(&error) && self.begun.elapsed() >= LEAST_AGE;
        if error.is_io_error() || error.is_unrecoverable_error() || refused {
            self.lost.store(true, Ordering::Release);
        }
        Err(Failure { error, sent: Sent::Perhaps })
    }

    /// Notes that the connection stood when the command was sent that is answered now: what the server had to tell
    /// before came before this answer.
    fn prove(&self, asked: Option<Duration>) {
        if let Some(asked) = asked {
            let milliseconds = u64::try_from(asked.as_millis()).unwrap_or(u64::MAX);
            self.proven.fetch_max(milliseconds, Ordering::AcqRel);
        }
    }

    fn is_proven(&self) -> bool {
        let proven = Duration::from_millis(self.proven.load(Ordering::Acquire));
        self.is_usable() && self.begun.elapsed().saturating_sub(proven) < PROOF
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.borrow() {
            State::Idle => "not connected yet",
            State::Connecting => "connecting",
            State::Connected(_) => "connected",
            State::Away(_) => "cannot be reached",
        };
        f.debug_struct("Link").field("state", &state).finish_non_exhaustive()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("age", &self.begun.elapsed()).finish_non_exhaustive()
    }
}
