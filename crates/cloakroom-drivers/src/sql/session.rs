//! What each of the databases needs to know of a connection, and what the statements rely on there, whatever the
//! server's settings are.

#[cfg(feature = "mysql")]
use sqlx::AssertSqlSafe;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use sqlx::Executor as _;
use sqlx::Row as _;

use super::failure::Failure;

/// What may be between a connection and its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// One server for the whole of the connection, which knows the statements that were prepared on it.
    Direct,
    /// A pooler of transactions, such as PgBouncer: the next statement may reach another server. What was prepared is
    /// unknown there or, worse, another client's statement of the same name.
    Pooled,
}

/// One of sqlx's databases.
pub(super) trait Session: sqlx::Database {
    /// Whether connections lead to a server.
    const IS_REMOTE: bool = true;

    /// Makes a new connection of ours independent of the server's settings.
    fn begin(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Route, sqlx::Error>> + Send;

    /// Looks whether a connection of somebody else's fits. `keeps_texts` where values are stored as texts.
    fn inspect(
        connection: &mut Self::Connection,
        keeps_texts: bool,
    ) -> impl Future<Output = Result<Route, Failure>> + Send;

    /// The bytes of a column, which may be a text's.
    fn bytes(row: &Self::Row, index: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

#[cfg(feature = "postgres")]
impl Session for sqlx::Postgres {
    async fn begin(connection: &mut sqlx::PgConnection) -> Result<Route, sqlx::Error> {
        // sqlx sends these three when it connects. A pooler has connections of its own to the server, and sets them there
        // later, if at all.
        const SENT_BY_US: &str = "SELECT name FROM pg_settings WHERE source = 'client' \
                                  AND name IN ('DateStyle', 'TimeZone', 'client_encoding')";
        // Without a prepared statement, which is what this is about.
        match connection.fetch_all(sqlx::raw_sql(SENT_BY_US)).await {
            Ok(rows) if rows.len() == 3 => Ok(Route::Direct),
            // Also what only speaks as PostgreSQL does: this way suits everybody, and is a little slower.
            Ok(_) | Err(sqlx::Error::Database(_)) => Ok(Route::Pooled),
            Err(error) => Err(error),
        }
    }

    async fn inspect(connection: &mut sqlx::PgConnection, _: bool) -> Result<Route, Failure> {
        Self::begin(connection).await.map_err(Failure::Statement)
    }

    fn bytes(row: &sqlx::postgres::PgRow, index: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        use sqlx::postgres::PgValueFormat;
        use sqlx::{TypeInfo as _, ValueRef as _};

        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let is_bytea = value.type_info().name() == "BYTEA";
        let format = value.format();
        let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
        if is_bytea && format == PgValueFormat::Text {
            let unreadable = || sqlx::Error::Decode("these are no bytes of PostgreSQL's".into());
            return crate::common::table::literal::read_bytea(bytes)
                .map(Some)
                .ok_or_else(unreadable);
        }
        Ok(Some(bytes.to_vec()))
    }
}

#[cfg(feature = "mysql")]
impl Session for sqlx::MySql {
    async fn begin(connection: &mut sqlx::MySqlConnection) -> Result<Route, sqlx::Error> {
        // Only in a strict mode is what cannot be stored refused, and not cut short or replaced. Who waits for a lock for
        // longer than a call may take would write when nobody waits for it any more.
        const SETTINGS: &str = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
             sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
             sql_safe_updates = 0, sql_select_limit = 18446744073709551615, \
             innodb_lock_wait_timeout = 5";
        connection.execute(sqlx::raw_sql(SETTINGS)).await?;
        // Poolers for MySQL, such as ProxySQL, number the prepared statements of each client, and follow these settings.
        Ok(Route::Direct)
    }

    async fn inspect(
        connection: &mut sqlx::MySqlConnection,
        keeps_texts: bool,
    ) -> Result<Route, Failure> {
        let strict = "IF(FIND_IN_SET('STRICT_TRANS_TABLES', @@sql_mode) \
                      OR FIND_IN_SET('STRICT_ALL_TABLES', @@sql_mode), NULL, \
                      '`sql_mode` lacks STRICT_TRANS_TABLES')";
        let look = format!(
            "SELECT CONCAT_WS(', ', IF(@@autocommit, NULL, '`autocommit` is off'), \
             IF(@@sql_safe_updates, '`sql_safe_updates` is on', NULL), \
             IF(@@sql_select_limit = 0, '`sql_select_limit` is 0', NULL), \
             IF(FIND_IN_SET('EMPTY_STRING_IS_NULL', @@sql_mode), \
             '`sql_mode` has EMPTY_STRING_IS_NULL', NULL), {}) LIMIT 1",
            if keeps_texts { strict } else { "NULL" }
        );
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(look))).await;
        let odd = row.and_then(|row| Self::bytes(&row, 0)).map_err(Failure::Statement)?;
        match odd.filter(|odd| !odd.is_empty()) {
            Some(odd) => Err(Failure::Unfit(format!(
                "{} on the connections of the pool; let its `after_connect` set what is usual",
                String::from_utf8_lossy(&odd)
            ))),
            None => Ok(Route::Direct),
        }
    }

    fn bytes(row: &sqlx::mysql::MySqlRow, index: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        // Unchecked: a text is read as the bytes that it is.
        row.try_get_unchecked(index)
    }
}

#[cfg(feature = "sqlite")]
impl Session for sqlx::Sqlite {
    const IS_REMOTE: bool = false;

    async fn begin(_: &mut sqlx::SqliteConnection) -> Result<Route, sqlx::Error> {
        Ok(Route::Direct)
    }

    async fn inspect(_: &mut sqlx::SqliteConnection, _: bool) -> Result<Route, Failure> {
        Ok(Route::Direct)
    }

    fn bytes(row: &sqlx::sqlite::SqliteRow, index: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        // Unchecked: a text is read as the bytes that it is.
        row.try_get_unchecked(index)
    }
}
