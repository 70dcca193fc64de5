//! What a database's refusal means to a caller.

use cloakroom_storage::ErrorKind;

/// What a database's own error means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub(crate) kind: ErrorKind,
    /// Whether the same call may succeed a little later, where the kind alone does not tell.
    pub(crate) is_passing: bool,
    /// Whether nothing was changed, for sure.
    pub(crate) is_unapplied: bool,
    pub(crate) aftermath: Aftermath,
    pub(crate) advice: &'static str,
}

/// What a database's error means for the connection that gave it, and for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// The database goes on listening.
    Fine,
    /// The connection cannot be used any more.
    Broken,
    /// The server at the other end takes no writes, which another one may by now: a connection outlives the change of
    /// roles between a master and its replica.
    MayNotWrite,
    /// A statement that was prepared on it does not fit the table any more, and was not run.
    Outdated,
    /// It led to another server than the one that a statement was prepared on, which did not run it.
    Misled,
}

/// Nothing was changed, and the same call may succeed a little later.
const fn passing(kind: ErrorKind, advice: &'static str) -> Meaning {
    Meaning { is_passing: true, ..refusal(kind, advice) }
}

/// Nothing was changed, and nothing will be.
const fn refusal(kind: ErrorKind, advice: &'static str) -> Meaning {
    Meaning { kind, is_passing: false, is_unapplied: true, aftermath: Aftermath::Fine, advice }
}

const AGAIN: Meaning =
    passing(ErrorKind::Unavailable, "another statement was in the way; try again");
const AWAY: Meaning = Meaning {
    is_unapplied: false,
    aftermath: Aftermath::Broken,
    ..passing(ErrorKind::Unavailable, "the database is shutting down or starting")
};
const FULL_HOUSE: Meaning = passing(
    ErrorKind::Unavailable,
    "it takes no more connections; lower `maxConnections`, or raise its limit",
);
const NOT_READY: Meaning = Meaning {
    aftermath: Aftermath::MayNotWrite,
    ..passing(ErrorKind::Unavailable, "this node of the cluster takes no statements now")
};
const READ_ONLY: Meaning = Meaning {
    aftermath: Aftermath::MayNotWrite,
    ..refusal(
        ErrorKind::ReadOnly,
        "it cannot be written to; is it a replica, or are transactions read-only by a setting?",
    )
};
const TIMEOUT: Meaning = passing(ErrorKind::Timeout, "it ended a statement that took too long");
const TOO_MANY_STATEMENTS: Meaning = passing(
    ErrorKind::Unavailable,
    "it prepares no more statements; lower `maxConnections`, or raise `max_prepared_stmt_count`",
);
const NO_SUCH_LETTER: Meaning = refusal(
    ErrorKind::Other,
    "the key or the value has letters that it does not take; are the table and the database for UTF-8 (`utf8mb4`)?",
);

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
const OTHER: Meaning =
    Meaning { is_unapplied: false, ..refusal(ErrorKind::Other, "the statement failed") };

impl Meaning {
    /// A prepared statement gives another result now.
    pub(crate) const OUTDATED: Meaning = Meaning {
        aftermath: Aftermath::Outdated,
        ..passing(
            ErrorKind::Unavailable,
            "the table has changed since a statement was prepared; try again",
        )
    };

    /// A prepared statement is another one on this connection, or none.
    pub(crate) const MISLED: Meaning = Meaning {
        aftermath: Aftermath::Misled,
        ..passing(
            ErrorKind::Unavailable,
            "a prepared statement is not known there, as behind a pooler of transactions; try again",
        )
    };

    /// By SQLSTATE.
    pub(crate) fn of_postgres(code: &str) -> Meaning {
        match code {
            "40001" | "40P01" | "55P03" => AGAIN,
            "57014" | "25P03" | "25P04" => TIMEOUT,
            "26000" | "42P05" => Meaning::MISLED,
            "53300" => FULL_HOUSE,
            "53100" => FULL,
            "25006" => READ_ONLY,
            "42501" | "28000" | "28P01" => DENIED,
            "3D000" => NO_DATABASE,
            "22001" | "54000" => TOO_LARGE,
            "XX001" | "XX002" => CORRUPT,
            "22P05" | "22021" => NO_SUCH_LETTER,
            // Also when it is dropped, or ends what was idle.
            _ if code.starts_with("08") || code.starts_with("57P") => AWAY,
            // What was written, or the table, does not fit.
            _ if ["22", "23", "42"].iter().any(|class| code.starts_with(class)) => REFUSED,
            _ => OTHER,
        }
    }

    /// By MySQL's and MariaDB's numbers.
    pub(crate) fn of_mysql(number: u32) -> Meaning {
        match number {
            // A lock was not to be had; a deadlock; the row changed since the snapshot.
            1205 | 1213 | 1020 => AGAIN,
            1969 | 3024 => TIMEOUT,
            1040 | 1203 | 1226 => FULL_HOUSE,
            1053 | 1152 | 1158..=1161 | 1927 | 4031 => AWAY,
            // Of Galera; elsewhere nobody sends what is no command.
            1047 => NOT_READY,
            1243 | 1615 => Meaning::OUTDATED,
            1461 => TOO_MANY_STATEMENTS,
            1021 | 1114 => FULL,
            1290 | 1792 | 1836 => READ_ONLY,
            1044 | 1045 | 1142 | 1143 | 1227 | 1698 => DENIED,
            1049 => NO_DATABASE,
            1153 | 1301 | 1406 => TOO_LARGE,
            1034 | 1194 | 1195 => CORRUPT,
            // A column or a table that is not there or does not fit, syntax, a constraint.
            1366 | 3854 => NO_SUCH_LETTER,
            1048 | 1054 | 1062 | 1064 | 1146 | 1175 | 3819 | 4025 => REFUSED,
            _ => OTHER,
        }
    }

    /// By the primary result code.
    pub(crate) fn of_sqlite(number: u32) -> Meaning {
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

    /// Whether the statement was not run, because it was prepared for something else.
    pub(crate) fn is_unprepared(self) -> bool {
        matches!(self.aftermath, Aftermath::Outdated | Aftermath::Misled)
    }

    /// Whether the same call may succeed a little later.
    pub(crate) fn is_retryable(self) -> bool {
        self.is_passing || matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_leaves_open_what_was_committed_is_not_called_untouched() {
        for code in ["40003", "08007", "57P01", "58030", "XX000"] {
            assert!(!Meaning::of_postgres(code).is_unapplied, "{code}");
        }
        for number in [1180, 1053, 1317, 1927] {
            assert!(!Meaning::of_mysql(number).is_unapplied, "{number}");
        }
        for number in [10, 10 | 4 << 8] {
            assert!(!Meaning::of_sqlite(number).is_unapplied, "{number}");
        }
    }
}
