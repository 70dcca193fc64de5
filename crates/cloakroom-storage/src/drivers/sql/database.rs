//! One database of any kind: the seam between the drivers and sqlx, whose types differ for each.

use std::any::Any;
use std::time::Duration;

use bytes::Bytes;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::pool::Pool;
use crate::Error;
use crate::table::{Argument, Arguments, Dialect, Executor, Row, Statement};

/// Between two looks at a file that another process makes.
const PAUSE: Duration = Duration::from_millis(10);

/// A database, and how to speak with it.
pub(in crate::drivers) struct Database {
    pub(super) pools: Pools,
    pub(super) dialect: Dialect,
    /// Names the database, without secrets.
    pub(super) place: String,
    /// How long a connection may take to be had.
    pub(super) connect_timeout: Duration,
    /// Where there can be only one writer: those of this process queue up, which is fairer and faster than asking the
    /// database again and again.
    pub(super) writer: Option<Semaphore>,
    /// Keeps a database in memory, which would go with its last connection.
    pub(super) keeper: Option<Box<dyn Any + Send + Sync>>,
}

pub(super) enum Pools {
    #[cfg(feature = "postgres")]
    Postgres(Pool<sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(Pool<sqlx::MySql>),
    #[cfg(feature = "sqlite")]
    Sqlite(Pool<sqlx::Sqlite>),
    #[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
    None(std::convert::Infallible),
}

/// The same code for each of sqlx's pools.
macro_rules! with_pool {
    ($database:expr, $pool:ident => $code:expr) => {
        match &$database.pools {
            #[cfg(feature = "postgres")]
            Pools::Postgres($pool) => $code,
            #[cfg(feature = "mysql")]
            Pools::MySql($pool) => $code,
            #[cfg(feature = "sqlite")]
            Pools::Sqlite($pool) => $code,
            #[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
            Pools::None(never) => match *never {},
        }
    };
}

/// A statement with its arguments, as sqlx's query.
macro_rules! query {
    ($statement:expr, $arguments:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($statement.sql().clone()));
        for argument in $statement.arguments($arguments) {
            query = match argument {
                Argument::Text(text) => query.bind(text),
                Argument::OwnedText(text) => query.bind(text),
                Argument::Bytes(bytes) => query.bind(bytes),
                Argument::OwnedBytes(bytes) => query.bind(bytes),
                Argument::Integer(integer) => query.bind(integer),
            };
        }
        query
    }};
}

impl Database {
    /// Whether it outlives the process.
    pub(in crate::drivers) fn is_durable(&self) -> bool {
        self.keeper.is_none()
    }

    async fn connect<T>(
        &self,
        acquire: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Failure> {
        match timeout(self.connect_timeout, acquire).await {
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                Err(Failure::ConnectTimeout(self.connect_timeout))
            }
            Ok(result) => result.map_err(Failure::Connect),
        }
    }

    async fn turn(&self, statement: &Statement) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        match &self.writer {
            Some(writer) if statement.writes() => {
                let turn = async { writer.acquire().await.map_err(|_| sqlx::Error::PoolClosed) };
                self.connect(turn).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Executor for Database {
    type Failure = Failure;

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn place(&self) -> &str {
        &self.place
    }

    /// sqlx tells MySQL so, and the others do it anyway.
    fn counts_found_rows(&self) -> bool {
        true
    }

    async fn execute(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<u64, Failure> {
        let _turn = self.turn(statement).await?;
        with_pool!(self, pool => {
            let mut lease = self.connect(pool.acquire()).await?;
            let query = query!(statement, arguments);
            let result = query.execute(&mut *lease).await.map(|done| done.rows_affected());
            lease.settle(&result, self.dialect);
            result.map_err(Failure::Statement)
        })
    }

    async fn fetch(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<Row>, Failure> {
        with_pool!(self, pool => {
            let mut lease = self.connect(pool.acquire()).await?;
            let result = query!(statement, arguments).fetch_all(&mut *lease).await;
            lease.settle(&result, self.dialect);
            let rows = result.map_err(Failure::Statement)?;
            let rows = rows.into_iter().map(|row| {
                // Unchecked: a text is read as the bytes that it is.
                let mut numbers = [None; 2];
                for (index, number) in numbers.iter_mut().enumerate().take(row.len() - 1) {
                    *number = row.try_get_unchecked(index + 1)?;
                }
                let bytes: Option<Vec<u8>> = row.try_get_unchecked(0)?;
                Ok(Row { bytes: bytes.map(Bytes::from), numbers })
            });
            rows.collect::<Result<_, _>>().map_err(Failure::Statement)
        })
    }

    async fn look(&self, probe: &Statement) -> Result<(), Failure> {
        let deadline = Instant::now() + self.connect_timeout;
        loop {
            match self.fetch(probe, &Arguments::default()).await {
                Ok(_) => return Ok(()),
                // SQLite does not wait for its turn where another process makes the file.
                Err(failure) if failure.is_busy_file(self.dialect) && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(self.dialect, &self.place)
    }

    fn is_duplicate(&self, failure: &Failure) -> bool {
        failure.is_duplicate()
    }

    fn is_missing_table(&self, failure: &Failure) -> bool {
        failure.is_missing_table(self.dialect)
    }

    fn is_there_already(&self, failure: &Failure) -> bool {
        failure.is_there_already(self.dialect)
    }
}
