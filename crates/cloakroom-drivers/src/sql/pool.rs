//! Connections to one database.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::failure::{Failure, aftermath};
use super::lent::{Lent, LentPool};
use super::session::{Route, Session};
use crate::common::table::{Aftermath, Dialect};

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
pub(super) struct Pool<DB: Session> {
    connections: Connections<DB>,
    /// Whether there was ever a sign of a pooler: then no statement is prepared any more.
    is_pooled: AtomicBool,
}

enum Connections<DB: Session> {
    Ours(OurPool<DB>),
    #[cfg_attr(not(feature = "sqlx-0-9"), allow(dead_code))]
    Lent(LentPool<DB>),
}

struct OurPool<DB: Session> {
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
pub(super) struct Lease<'p, DB: Session> {
    connection: Leased<'p, DB>,
    pool: &'p Pool<DB>,
}

enum Leased<'p, DB: Session> {
    Ours {
        connection: DB::Connection,
        begun: Instant,
        own: &'p OurPool<DB>,
        _permit: SemaphorePermit<'p>,
    },
    Lent {
        connection: Lent<DB>,
        lent: &'p LentPool<DB>,
    },
}

impl<DB: Session> Pool<DB> {
    /// At most `size` connections, made when they are needed.
    pub(super) fn new(options: <DB::Connection as Connection>::Options, size: u32) -> Pool<DB> {
        let permits = Semaphore::new(size as usize);
        Pool::on(Connections::Ours(OurPool { options, idle: Mutex::default(), permits }))
    }

    /// The connections of a pool that the user has anyway.
    #[cfg(feature = "sqlx-0-9")]
    pub(super) fn of(pool: sqlx::Pool<DB>) -> Pool<DB> {
        Pool::on(Connections::Lent(LentPool::new(pool)))
    }

    fn on(connections: Connections<DB>) -> Pool<DB> {
        Pool { connections, is_pooled: AtomicBool::new(false) }
    }

    /// Looks at the connections, if they are somebody else's.
    pub(super) async fn inspect(&self, keeps_texts: bool) -> Result<(), Failure> {
        if let Connections::Lent(lent) = &self.connections {
            let mut connection = lent.acquire().await.map_err(Failure::Connect)?;
            self.learn(DB::inspect(&mut connection, keeps_texts).await?);
            connection.give_back();
        }
        Ok(())
    }

    /// A connection that is probably alive. Waits without a bound; dropping the future gives up.
    pub(super) async fn acquire(&self) -> Result<Lease<'_, DB>, sqlx::Error> {
        let connection = match &self.connections {
            Connections::Lent(lent) => Leased::Lent { connection: lent.acquire().await?, lent },
            Connections::Ours(own) => {
                let permit = own.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
                let (connection, begun) = match own.alive().await {
                    Some(alive) => alive,
                    None => (self.connect(own).await?, Instant::now()),
                };
                Leased::Ours { connection, begun, own, _permit: permit }
            }
        };
        Ok(Lease { connection, pool: self })
    }

    async fn connect(&self, own: &OurPool<DB>) -> Result<DB::Connection, sqlx::Error> {
        let mut connection = DB::Connection::connect_with(&own.options).await?;
        self.learn(DB::begin(&mut connection).await?);
        Ok(connection)
    }

    fn learn(&self, route: Route) {
        if route == Route::Pooled {
            self.is_pooled.store(true, Ordering::Relaxed);
        }
    }

    /// Closes what is idle: what broke one connection probably broke all.
    fn distrust(&self) {
        match &self.connections {
            Connections::Ours(own) => own.distrust(),
            Connections::Lent(lent) => lent.distrust(),
        }
    }
}

impl<DB: Session> OurPool<DB> {
    async fn alive(&self) -> Option<(DB::Connection, Instant)> {
        let Idle { mut connection, begun, since } = self.idle().pop()?;
        if since.elapsed() > FRESH && connection.ping().await.is_err() {
            self.distrust();
            return None;
        }
        Some((connection, begun))
    }

    fn distrust(&self) {
        let broken = std::mem::take(&mut *self.idle());
        drop(broken);
    }

    fn give_back(&self, connection: DB::Connection, begun: Instant) {
        let mut idle = self.idle();
        let old = idle.iter().take_while(|idle| idle.since.elapsed() > IDLE).count();
        idle.drain(..old);
        idle.push(Idle { connection, begun, since: Instant::now() });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<DB::Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: Session> Lease<'_, DB> {
    /// What is between this connection and its server.
    pub(super) fn route(&self) -> Route {
        match self.pool.is_pooled.load(Ordering::Relaxed) {
            true => Route::Pooled,
            false => Route::Direct,
        }
    }

    /// Gives the connection back after a statement, or closes it.
    pub(super) fn settle<T>(self, result: &Result<T, sqlx::Error>, dialect: Dialect) {
        let aftermath = match result {
            Ok(_) => Aftermath::Fine,
            Err(error) => aftermath(dialect, error),
        };
        match aftermath {
            Aftermath::Fine => self.give_back(),
            // Another one would most probably lead to the same server.
            Aftermath::MayNotWrite if self.is_young() => self.give_back(),
            Aftermath::MayNotWrite | Aftermath::Broken | Aftermath::Outdated => {
                self.pool.distrust();
            }
            Aftermath::Misled => self.pool.learn(Route::Pooled),
        }
    }

    fn is_young(&self) -> bool {
        match &self.connection {
            Leased::Ours { begun, .. } => begun.elapsed() < LEAST_AGE,
            // When it was made, sqlx does not say.
            Leased::Lent { lent, .. } => lent.was_distrusted_within(LEAST_AGE),
        }
    }

    fn give_back(self) {
        match self.connection {
            Leased::Ours { connection, begun, own, .. } => own.give_back(connection, begun),
            Leased::Lent { connection, .. } => connection.give_back(),
        }
    }
}

impl<DB: Session> Deref for Lease<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.connection {
            Leased::Ours { connection, .. } => connection,
            Leased::Lent { connection, .. } => connection,
        }
    }
}

impl<DB: Session> DerefMut for Lease<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.connection {
            Leased::Ours { connection, .. } => connection,
            Leased::Lent { connection, .. } => connection,
        }
    }
}
