//! What the databases say differently.

use std::fmt;

/// A family of databases that share their SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// The dialect of a URL's scheme.
    pub(crate) fn of_url(url: &str) -> Option<Dialect> {
        match url.split_once(':')?.0 {
            "postgres" | "postgresql" => Some(Dialect::Postgres),
            "mysql" | "mariadb" => Some(Dialect::MySql),
            "sqlite" => Some(Dialect::Sqlite),
            _ => None,
        }
    }

    /// The feature that compiles its client in.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Dialect::Postgres => "postgres",
            Dialect::MySql => "mysql",
            Dialect::Sqlite => "sqlite",
        }
    }

    /// What traces call the database.
    pub(crate) fn system(self) -> &'static str {
        match self {
            Dialect::Postgres => "postgresql",
            Dialect::MySql => "mysql",
            Dialect::Sqlite => "sqlite",
        }
    }

    /// Milliseconds since 1970, the same throughout a statement. The database's clock, which is one for all machines;
    /// SQLite's is the process's.
    pub(crate) fn now(self) -> &'static str {
        match self {
            Dialect::Postgres => {
                "CAST(floor(extract(epoch FROM statement_timestamp()) * 1000) AS BIGINT)"
            }
            // Not UNIX_TIMESTAMP: it reads a local time, of which there are two when summer ends.
            Dialect::MySql => {
                "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"
            }
            Dialect::Sqlite => "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)",
        }
    }

    /// SQL that is written with the quotes of MySQL, which are SQLite's too.
    ///
    /// Not the standard's in SQLite, where a misspelt column between those is a text.
    pub(crate) fn quote(self, sql: &str) -> String {
        match self {
            Dialect::Postgres => sql.replace('`', "\""),
            Dialect::MySql | Dialect::Sqlite => sql.to_owned(),
        }
    }

    /// The placeholder of the parameter at `index`, which begins at one.
    pub(crate) fn placeholder(self, index: usize) -> String {
        match self {
            Dialect::Postgres => format!("${index}"),
            Dialect::MySql => "?".to_owned(),
            Dialect::Sqlite => format!("?{index}"),
        }
    }

    /// Whether a placeholder has a number, so that it may stand in several places.
    pub(crate) fn numbers_placeholders(self) -> bool {
        self != Dialect::MySql
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dialect::Postgres => "PostgreSQL",
            Dialect::MySql => "MySQL",
            Dialect::Sqlite => "SQLite",
        })
    }
}
