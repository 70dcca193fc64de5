//! What the databases report, and what it means to a caller.

use std::time::Duration;

use super::dialect::Dialect;
use crate::{Error, ErrorKind};

/// A database's own error.
type DatabaseError = dyn sqlx::error::DatabaseError + 'static;

/// Why a statement has no result.
#[derive(Debug)]
pub(in crate::drivers) enum Failure {
    /// There was no connection to be had, so that nothing was sent.
    Connect(sqlx::Error),
    /// There was none within this time.
    ConnectTimeout(Duration),
    /// A statement was sent and failed.
    Statement(sqlx::Error),
    /// What was sent had no answer within this time.
    StatementTimeout(Duration),
}

/// What a database's own error means.
struct Meaning {
    kind: ErrorKind,
    /// Whether the same call may succeed a little later, where the kind alone does not tell.
    is_passing: bool,
    /// Whether nothing was changed, for sure.
    is_untouched: bool,
    advice: &'static str,
}

impl Failure {
    /// As the error of a driver. `place` names the database without its secrets.
    pub(in crate::drivers) fn into_error(self, dialect: Dialect, place: &str) -> Error {
        match self {
            Failure::Connect(sqlx::Error::Database(error)) => {
                database_error(dialect, place, &*error).with_untouched(true)
            }
            Failure::Connect(error @ sqlx::Error::Configuration(_)) => {
                let message = format!("{place} cannot be used as it is configured: {error}");
                Error::new(ErrorKind::InvalidOptions, message).with_source(error)
            }
            Failure::Connect(error) => {
                let message = format!("{place} cannot be reached ({error}); is it up?");
                Error::new(ErrorKind::Unavailable, message).with_source(error).with_untouched(true)
            }
            Failure::ConnectTimeout(limit) => {
                let message = format!(
                    "no connection to {place} was free or opened within {limit:?}; \
                     is it up, and are `maxConnections` enough?"
                );
                Error::new(ErrorKind::Unavailable, message).with_untouched(true)
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
            Failure::StatementTimeout(limit) => {
                Error::new(ErrorKind::Timeout, format!("no answer from {place} within {limit:?}"))
            }
        }
    }

    /// Whether a row is in the way.
    pub(in crate::drivers) fn is_duplicate(&self) -> bool {
        self.database().is_some_and(|error| error.is_unique_violation())
    }

    /// Whether the table is not there, or lacks a column.
    pub(in crate::drivers) fn is_missing_table(&self, dialect: Dialect) -> bool {
        self.database().is_some_and(|error| match dialect {
            Dialect::Postgres => is_one_of(error, &["42P01", "42703", "3F000"]),
            Dialect::MySql => matches!(number(error), 1146 | 1054),
            Dialect::Sqlite => error.message().starts_with("no such "),
        })
    }

    /// Whether what was to be created is there, as when several processes start at once.
    pub(in crate::drivers) fn is_there_already(&self, dialect: Dialect) -> bool {
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
    pub(in crate::drivers) fn is_busy_file(&self, dialect: Dialect) -> bool {
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

/// Whether the server at the other end takes no writes, which another one may by now: a connection outlives the change
/// of roles between a master and its replica.
pub(super) fn may_not_write(dialect: Dialect, error: &sqlx::Error) -> bool {
    dialect != Dialect::Sqlite
        && error
            .as_database_error()
            .is_some_and(|error| meaning(dialect, error).kind == ErrorKind::ReadOnly)
}

fn meaning(dialect: Dialect, error: &DatabaseError) -> Meaning {
    match dialect {
        Dialect::Postgres => postgres(&error.code().unwrap_or_default()),
        Dialect::MySql => mysql(number(error)),
        Dialect::Sqlite => sqlite(number(error)),
    }
}

fn database_error(dialect: Dialect, place: &str, error: &DatabaseError) -> Error {
    let Meaning { kind, is_passing, is_untouched, advice } = meaning(dialect, error);
    let code = error.code().unwrap_or_default();
    // sqlx's own error is not kept as the cause: its `Debug` may show the row, and so the ID of a session.
    let message = if cites_data(dialect, error) {
        format!("{place}: {advice} (code {code})")
    } else {
        format!("{place}: {advice}: {} (code {code})", error.message())
    };
    let is_retryable = is_passing || matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout);
    Error::new(kind, message).with_retryable(is_retryable).with_untouched(is_untouched)
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

const AGAIN: Meaning = Meaning {
    kind: ErrorKind::Unavailable,
    is_passing: true,
    is_untouched: true,
    advice: "another statement was in the way; try again",
};
const AWAY: Meaning = Meaning {
    kind: ErrorKind::Unavailable,
    is_passing: true,
    is_untouched: false,
    advice: "the database is shutting down or starting",
};
const FULL_HOUSE: Meaning = Meaning {
    kind: ErrorKind::Unavailable,
    is_passing: true,
    is_untouched: true,
    advice: "it takes no more connections; lower `maxConnections`, or raise its limit",
};
const READ_ONLY: Meaning = Meaning {
    kind: ErrorKind::ReadOnly,
    is_passing: false,
    is_untouched: true,
    advice: "it cannot be written to; is it a replica?",
};
const TIMEOUT: Meaning = Meaning {
    kind: ErrorKind::Timeout,
    is_passing: true,
    is_untouched: true,
    advice: "it ended a statement that took too long",
};

const fn refusal(kind: ErrorKind, advice: &'static str) -> Meaning {
    Meaning { kind, is_passing: false, is_untouched: true, advice }
}

const DENIED: Meaning =
    refusal(ErrorKind::PermissionDenied, "it refuses this user; check the URL and the privileges");
const NO_DATABASE: Meaning =
    refusal(ErrorKind::InvalidOptions, "there is no such database; create it, or check the URL");
const FULL: Meaning = refusal(ErrorKind::StorageFull, "it has no room left");
const TOO_LARGE: Meaning = refusal(ErrorKind::TooLarge, "the key or the value is too large for it");
const CORRUPT: Meaning = refusal(ErrorKind::Corrupt, "it is damaged; restore a backup");
const REFUSED: Meaning = refusal(ErrorKind::Other, "it refused the statement");
// What is not known here says nothing of what it changed, such as PostgreSQL's 40003 or MySQL's 1180, an error while it
// commits.
const OTHER: Meaning = Meaning {
    kind: ErrorKind::Other,
    is_passing: false,
    is_untouched: false,
    advice: "the statement failed",
};

/// By SQLSTATE.
fn postgres(code: &str) -> Meaning {
    match code {
        "40001" | "40P01" | "55P03" => AGAIN,
        "57014" | "25P03" | "25P04" => TIMEOUT,
        "53300" => FULL_HOUSE,
        "57P01" | "57P02" | "57P03" => AWAY,
        "53100" => FULL,
        "25006" => READ_ONLY,
        "42501" | "28000" | "28P01" => DENIED,
        "3D000" => NO_DATABASE,
        "22001" | "54000" => TOO_LARGE,
        "XX001" | "XX002" => CORRUPT,
        _ if code.starts_with("08") => AWAY,
        // What was written, or the table, does not fit.
        _ if ["22", "23", "42"].iter().any(|class| code.starts_with(class)) => REFUSED,
        _ => OTHER,
    }
}

/// By MySQL's and MariaDB's numbers.
fn mysql(number: u32) -> Meaning {
    match number {
        // A lock was not to be had; a deadlock; the row changed since the snapshot.
        1205 | 1213 | 1020 => AGAIN,
        1969 | 3024 => TIMEOUT,
        1040 | 1203 | 1226 => FULL_HOUSE,
        1053 | 1152 | 1158..=1161 | 1927 | 4031 => AWAY,
        1021 | 1114 => FULL,
        1290 | 1792 | 1836 => READ_ONLY,
        1044 | 1045 | 1142 | 1143 | 1227 | 1698 => DENIED,
        1049 => NO_DATABASE,
        1153 | 1301 | 1406 => TOO_LARGE,
        1034 | 1194 | 1195 => CORRUPT,
        // A column or a table that is not there or does not fit, syntax, a constraint.
        1048 | 1054 | 1062 | 1064 | 1146 | 1366 | 3819 | 4025 => REFUSED,
        _ => OTHER,
    }
}

/// By the primary result code.
fn sqlite(number: u32) -> Meaning {
    match number & 0xff {
        5 | 6 => AGAIN,
        8 => READ_ONLY,
        // PERM, CANTOPEN, AUTH
        3 | 14 | 23 => DENIED,
        13 => FULL,
        18 => TOO_LARGE,
        11 | 26 => CORRUPT,
        // CONSTRAINT, MISMATCH
        19 | 20 => REFUSED,
        // Also IOERR: the disk may have kept it.
        _ => OTHER,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_leaves_open_what_was_committed_is_not_called_untouched() {
        for code in ["40003", "08007", "57P01", "58030", "XX000"] {
            assert!(!postgres(code).is_untouched, "{code}");
        }
        for number in [1180, 1053, 1317, 1927] {
            assert!(!mysql(number).is_untouched, "{number}");
        }
        for number in [10, 10 | 4 << 8] {
            assert!(!sqlite(number).is_untouched, "{number}");
        }
    }
}
