//! One database of any kind: the seam between the drivers and sqlx, whose types differ for each.

use std::any::Any;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::pool::Pool;
use super::session::{Route, Session};
use crate::common::table::{Argument, Arguments, Dialect, Executor, Row, Statement, literal};
use cloakroom_storage::{Advice, Error};

/// Between two looks at a file that another process makes.
const PAUSE: Duration = Duration::from_millis(10);

/// A database, and how to speak with it.
pub(crate) struct Database {
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
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only SQLite has one"))]
    pub(super) keeper: Option<Box<dyn Any + Send + Sync>>,
    /// Whether it outlives the process.
    pub(super) is_durable: bool,
    /// What is unsafe on the way there.
    pub(super) on_the_way: Option<Advice>,
    /// SQLite's file.
    pub(super) file: Option<PathBuf>,
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
                Argument::Bytes(bytes) => query.bind(bytes),
                Argument::OwnedBytes(bytes) => query.bind(bytes),
                Argument::Integer(integer) => query.bind(integer),
            };
        }
        query
    }};
}

/// A statement with its arguments in it, which is sent without preparing it.
macro_rules! written {
    ($statement:expr, $arguments:expr) => {
        sqlx::raw_sql(AssertSqlSafe(literal::written($statement, $arguments)))
    };
}

impl Database {
    /// Whether it outlives the process.
    pub(crate) fn is_durable(&self) -> bool {
        self.is_durable
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

impl Database {
    async fn execute_once(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<u64, Failure> {
        with_pool!(self, pool => {
            let mut lease = self.connect(pool.acquire()).await?;
            let done = match lease.route() {
                Route::Direct => query!(statement, arguments).execute(&mut *lease).await,
                Route::Pooled => written!(statement, arguments).execute(&mut *lease).await,
            };
            let result = done.map(|done| done.rows_affected());
            lease.settle(&result, self.dialect);
            result.map_err(Failure::Statement)
        })
    }

    async fn fetch_once(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<Row>, Failure> {
        with_pool!(self, pool => {
            let mut lease = self.connect(pool.acquire()).await?;
            let result = match lease.route() {
                Route::Direct => query!(statement, arguments).fetch_all(&mut *lease).await,
                Route::Pooled => written!(statement, arguments).fetch_all(&mut *lease).await,
            };
            lease.settle(&result, self.dialect);
            let rows = result.map_err(Failure::Statement)?;
            let rows = rows.into_iter().map(|row| read(pool, &row));
            rows.collect::<Result<_, _>>().map_err(Failure::Statement)
        })
    }

    /// What a first statement selects.
    pub(super) async fn fetch_patiently(&self, probe: &Statement) -> Result<Vec<Row>, Failure> {
        let deadline = Instant::now() + self.connect_timeout;
        loop {
            match self.fetch(probe, &Arguments::default()).await {
                // SQLite does not wait for its turn where another process makes the file.
                Err(failure) if failure.is_busy_file(self.dialect) && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Looks whether connections that are lent fit.
    pub(super) async fn inspect_connections(&self, keeps_texts: bool) -> Result<(), Failure> {
        with_pool!(self, pool => pool.inspect(keeps_texts).await)
    }
}

/// The row of a database of the pool's kind.
fn read<DB: Session>(_: &Pool<DB>, row: &DB::Row) -> Result<Row, sqlx::Error>
where
    usize: sqlx::ColumnIndex<DB::Row>,
    Option<i64>: for<'r> sqlx::Decode<'r, DB>,
{
    let mut numbers = [None; 2];
    for (index, number) in numbers.iter_mut().enumerate().take(row.len() - 1) {
        *number = row.try_get_unchecked(index + 1)?;
    }
    Ok(Row { bytes: DB::bytes(row, 0)?.map(Bytes::from), numbers })
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
        match self.execute_once(statement, arguments).await {
            Err(failure) if failure.is_unprepared(self.dialect) => {
                self.execute_once(statement, arguments).await
            }
            result => result,
        }
    }

    async fn fetch(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<Row>, Failure> {
        match self.fetch_once(statement, arguments).await {
            Err(failure) if failure.is_unprepared(self.dialect) => {
                self.fetch_once(statement, arguments).await
            }
            result => result,
        }
    }

    async fn look(&self, probe: &Statement) -> Result<(), Failure> {
        self.fetch_patiently(probe).await.map(|_| ())
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
