//! Connections of a pool that the user has anyway, treated as our own are.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;

use super::session::Session;

/// A pool of sqlx. How many connections there are, and which of them are asked whether they are alive, is the user's.
pub(super) struct LentPool<DB: Session> {
    pool: sqlx::Pool<DB>,
    /// When its idle connections were closed last.
    distrusted: Mutex<Option<Instant>>,
}

/// A connection of the pool, closed on drop: a statement may be half-way through then, for whose end sqlx would wait
/// without a bound.
pub(super) struct Lent<DB: Session> {
    connection: PoolConnection<DB>,
    is_settled: bool,
}

impl<DB: Session> LentPool<DB> {
    #[cfg_attr(not(feature = "sqlx-0-9"), allow(dead_code))]
    pub(super) fn new(pool: sqlx::Pool<DB>) -> LentPool<DB> {
        LentPool { pool, distrusted: Mutex::new(None) }
    }

    pub(super) async fn acquire(&self) -> Result<Lent<DB>, sqlx::Error> {
        Ok(Lent { connection: self.pool.acquire().await?, is_settled: false })
    }

    /// Closes what is idle, and notes the time.
    pub(super) fn distrust(&self) {
        *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        for _ in 0..self.pool.num_idle() {
            let Some(idle) = self.pool.try_acquire() else { break };
            drop(Lent { connection: idle, is_settled: false });
        }
    }

    pub(super) fn was_distrusted_within(&self, time: Duration) -> bool {
        let distrusted = *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner);
        distrusted.is_some_and(|at| at.elapsed() < time)
    }
}

impl<DB: Session> Lent<DB> {
    pub(super) fn give_back(mut self) {
        self.is_settled = true;
    }
}

impl<DB: Session> Drop for Lent<DB> {
    fn drop(&mut self) {
        // A database in memory would go with its last connection, and none of SQLite's leads anywhere.
        if !self.is_settled && DB::IS_REMOTE {
            self.connection.close_on_drop();
        }
    }
}

impl<DB: Session> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection
    }
}

impl<DB: Session> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }
}
