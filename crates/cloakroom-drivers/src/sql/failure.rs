//! What the databases report, and what it means to a caller.

use std::time::Duration;

use crate::common::table::{Aftermath, Dialect, Meaning};
use cloakroom_storage::{Error, ErrorKind};

/// A database's own error.
type DatabaseError = dyn sqlx::error::DatabaseError + 'static;

/// Why a statement has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There was no connection to be had, so that nothing was sent.
    Connect(sqlx::Error),
    /// There was none within this time.
    ConnectTimeout(Duration),
    /// A statement was sent and failed.
    Statement(sqlx::Error),
    /// Connections that are lent, or the table, are not as they have to be.
    Unfit(String),
}

/// What `error` means for the connection that gave it.
pub(super) fn aftermath(dialect: Dialect, error: &sqlx::Error) -> Aftermath {
    match error.as_database_error() {
        Some(_) if dialect == Dialect::Sqlite => Aftermath::Fine,
        Some(error) => match meaning(dialect, error).aftermath {
            // Whatever it means to a caller: this class of the standard's is of broken connections.
            Aftermath::Fine if error.code().is_some_and(|code| code.starts_with("08")) => {
                Aftermath::Broken
            }
            aftermath => aftermath,
        },
        None => Aftermath::Broken,
    }
}

impl Failure {
    /// As the error of a driver. `place` names the database without its secrets.
    pub(crate) fn into_error(self, dialect: Dialect, place: &str) -> Error {
        match self {
            Failure::Connect(sqlx::Error::Database(error)) => {
                database_error(dialect, place, &*error).with_unapplied(true)
            }
            Failure::Connect(error @ sqlx::Error::Configuration(_)) => {
                let message = format!("{place} cannot be used as it is configured: {error}");
                Error::new(ErrorKind::InvalidOptions, message).with_source(error)
            }
            Failure::Connect(error) => {
                let message = format!("{place} cannot be reached ({error}); is it up?");
                Error::new(ErrorKind::Unavailable, message).with_source(error).with_unapplied(true)
            }
            Failure::ConnectTimeout(limit) => {
                let message = format!(
                    "no connection to {place} was free or opened within {limit:?}; \
                     is it up, and are `maxConnections` enough?"
                );
                Error::new(ErrorKind::Unavailable, message).with_unapplied(true)
            }
            Failure::Unfit(reason) => {
                Error::new(ErrorKind::InvalidOptions, format!("{place}: {reason}"))
            }
            Failure::Statement(sqlx::Error::Database(error)) => {
                database_error(dialect, place, &*error)
            }
            Failure::Statement(
                error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)),
            ) => {
                let message = format!("the connection to {place} broke ({error})");
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            }
            Failure::Statement(error @ (sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed)) => {
                let message = format!("the connection to {place} is closed ({error})");
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            }
            Failure::Statement(error) => {
                let message = format!("{place} does not hold what was written ({error})");
                Error::new(ErrorKind::Corrupt, message).with_source(error)
            }
        }
    }

    /// Whether the statement was not run, because its connection does not know it as it was prepared there.
    pub(super) fn is_unprepared(&self, dialect: Dialect) -> bool {
        match self {
            Failure::Statement(error) => error
                .as_database_error()
                .is_some_and(|error| meaning(dialect, error).is_unprepared()),
            _ => false,
        }
    }

    /// Whether the database itself refused.
    pub(super) fn is_refusal(&self) -> bool {
        self.database().is_some()
    }

    /// Whether a row is in the way.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.database().is_some_and(|error| error.is_unique_violation())
    }

    /// Whether the table is not there, or lacks a column.
    pub(crate) fn is_missing_table(&self, dialect: Dialect) -> bool {
        self.database().is_some_and(|error| match dialect {
            Dialect::Postgres => is_one_of(error, &["42P01", "42703", "3F000"]),
            Dialect::MySql => matches!(number(error), 1146 | 1054),
            Dialect::Sqlite => error.message().starts_with("no such "),
        })
    }

    /// Whether what was to be created is there, as when several processes start at once.
    pub(crate) fn is_there_already(&self, dialect: Dialect) -> bool {
        self.database().is_some_and(|error| match dialect {
            Dialect::Postgres => is_one_of(error, &["42P07", "42P06", "42701", "42710", "23505"]),
            Dialect::MySql => matches!(number(error), 1050 | 1060 | 1061),
            Dialect::Sqlite => {
                let message = error.message();
                message.starts_with("duplicate column") || message.ends_with("already exists")
            }
        })
    }

    /// Whether another process has SQLite's file, even for the first look at it.
    pub(crate) fn is_busy_file(&self, dialect: Dialect) -> bool {
        let busy = |error: &DatabaseError| matches!(number(error) & 0xff, 5 | 6);
        dialect == Dialect::Sqlite && self.database().is_some_and(busy)
    }

    fn database(&self) -> Option<&DatabaseError> {
        match self {
            Failure::Statement(error) | Failure::Connect(error) => error.as_database_error(),
            _ => None,
        }
    }
}

fn meaning(dialect: Dialect, error: &DatabaseError) -> Meaning {
    match dialect {
        Dialect::Postgres if is_outdated(error) => Meaning::OUTDATED,
        Dialect::Postgres if is_misled(error) => Meaning::MISLED,
        Dialect::Postgres => Meaning::of_postgres(&error.code().unwrap_or_default()),
        Dialect::MySql => Meaning::of_mysql(number(error)),
        Dialect::Sqlite => Meaning::of_sqlite(number(error)),
    }
}

fn database_error(dialect: Dialect, place: &str, error: &DatabaseError) -> Error {
    let meaning = meaning(dialect, error);
    let advice = meaning.advice;
    let code = error.code().unwrap_or_default();
    // sqlx's own error is not kept as the cause: its `Debug` may show the row, and so the ID of a session.
    let message = if cites_data(dialect, error) {
        format!("{place}: {advice} (code {code})")
    } else {
        format!("{place}: {advice}: {} (code {code})", error.message())
    };
    Error::new(meaning.kind, message)
        .with_retryable(meaning.is_retryable())
        .with_unapplied(meaning.is_unapplied)
}

/// Whether the error's words may contain a key or a part of a value.
fn cites_data(dialect: Dialect, error: &DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    match dialect {
        Dialect::Postgres => code.starts_with("22") || code.starts_with("23"),
        Dialect::MySql => code.starts_with("22") || code.starts_with("23") || number(error) == 1366,
        Dialect::Sqlite => false,
    }
}

/// Whether the result of a statement is not any more what it was when it was prepared. There are other errors of this code.
fn is_outdated(error: &DatabaseError) -> bool {
    is_one_of(error, &["0A000"]) && routine(error) == Some("RevalidateCachedQuery")
}

/// Whether a prepared statement took other parameters, and was not run. There are other errors of this code.
fn is_misled(error: &DatabaseError) -> bool {
    is_one_of(error, &["08P01"]) && routine(error) == Some("exec_bind_message")
}

/// Where PostgreSQL's own code gave the error.
fn routine(error: &DatabaseError) -> Option<&str> {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return error.routine();
    }
    _ = error;
    None
}

fn is_one_of(error: &DatabaseError, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&&*code))
}

/// The number of an error of MySQL or SQLite.
fn number(error: &DatabaseError) -> u32 {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return error.number().into();
    }
    error.code().and_then(|code| code.parse().ok()).unwrap_or_default()
}
