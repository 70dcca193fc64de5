//! Connections to one database.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::failure::may_not_write;
use crate::table::Dialect;

/// A connection that was in use a moment ago is taken to be alive; one that was idle for longer is asked first. No
/// database restarts in less, so that not even a write, which is not tried again, falls into a connection's grave.
const FRESH: Duration = Duration::from_millis(100);

/// A connection that was idle for longer is closed.
const IDLE: Duration = Duration::from_secs(300);

/// How long a connection is kept at least that may not write, lest every refused write makes a new one.
const LEAST_AGE: Duration = Duration::from_millis(200);

/// Connections, ours or the user's.
///
/// DIFFERENCE: not a pool of sqlx, unless the user brings one. That one asks each connection whether it is alive after
/// each use, which is a second round trip for every call; and while a database is away it holds a call until its
/// patience ends, where a session would rather hear of it at once.
pub(super) enum Pool<DB: Database> {
    Own(OwnPool<DB>),
    #[cfg_attr(not(feature = "sqlx-0-9"), allow(dead_code))]
    Users(sqlx::Pool<DB>),
}

pub(super) struct OwnPool<DB: Database> {
    options: <DB::Connection as Connection>::Options,
    /// The most recently used last.
    idle: Mutex<Vec<Idle<DB::Connection>>>,
    permits: Semaphore,
}

struct Idle<C> {
    connection: C,
    begun: Instant,
    since: Instant,
}

/// A connection, closed on drop: a statement may be half-way through then.
pub(super) enum Lease<'p, DB: Database> {
    Own {
        connection: DB::Connection,
        begun: Instant,
        pool: &'p OwnPool<DB>,
        _permit: SemaphorePermit<'p>,
    },
    Users(PoolConnection<DB>),
}

impl<DB: Database> Pool<DB> {
    /// At most `size` connections, made when they are needed.
    pub(super) fn new(options: <DB::Connection as Connection>::Options, size: u32) -> Pool<DB> {
        let permits = Semaphore::new(size as usize);
        Pool::Own(OwnPool { options, idle: Mutex::default(), permits })
    }

    /// A connection that is probably alive. Waits without a bound; dropping the future gives up.
    pub(super) async fn acquire(&self) -> Result<Lease<'_, DB>, sqlx::Error> {
        match self {
            Pool::Own(pool) => pool.acquire().await,
            Pool::Users(pool) => pool.acquire().await.map(Lease::Users),
        }
    }
}

impl<DB: Database> OwnPool<DB> {
    async fn acquire(&self) -> Result<Lease<'_, DB>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let (connection, begun) = match self.alive().await {
            Some(alive) => alive,
            None => (DB::Connection::connect_with(&self.options).await?, Instant::now()),
        };
        Ok(Lease::Own { connection, begun, pool: self, _permit: permit })
    }

    async fn alive(&self) -> Option<(DB::Connection, Instant)> {
        let Idle { mut connection, begun, since } = self.idle().pop()?;
        if since.elapsed() > FRESH && connection.ping().await.is_err() {
            self.distrust();
            return None;
        }
        Some((connection, begun))
    }

    /// Closes what is idle: what broke one connection probably broke all.
    fn distrust(&self) {
        let broken = std::mem::take(&mut *self.idle());
        drop(broken);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<DB::Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: Database> Lease<'_, DB> {
    /// Gives the connection back after a statement.
    pub(super) fn settle<T>(self, result: &Result<T, sqlx::Error>, dialect: Dialect) {
        let Lease::Own { connection, begun, pool, _permit } = self else { return };
        if let Err(error) = result
            && (breaks_connection(error)
                || may_not_write(dialect, error) && begun.elapsed() >= LEAST_AGE)
        {
            pool.distrust();
            return;
        }
        let mut idle = pool.idle();
        let old = idle.iter().take_while(|idle| idle.since.elapsed() > IDLE).count();
        idle.drain(..old);
        idle.push(Idle { connection, begun, since: Instant::now() });
    }
}

impl<DB: Database> Deref for Lease<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match self {
            Lease::Own { connection, .. } => connection,
            Lease::Users(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for Lease<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match self {
            Lease::Own { connection, .. } => connection,
            Lease::Users(connection) => connection,
        }
    }
}

/// Whether the connection cannot be used any more after this error.
fn breaks_connection(error: &sqlx::Error) -> bool {
    match error {
        // The database said so, and goes on listening, unless it says good-bye.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => true,
    }
}
