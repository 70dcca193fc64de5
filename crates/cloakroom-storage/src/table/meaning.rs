//! What a database's refusal means to a caller.

use crate::ErrorKind;

/// What a database's own error means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub(crate) kind: ErrorKind,
    /// Whether the same call may succeed a little later, where the kind alone does not tell.
    pub(crate) is_passing: bool,
    /// Whether nothing was changed, for sure.
    pub(crate) is_untouched: bool,
    pub(crate) advice: &'static str,
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

impl Meaning {
    /// By SQLSTATE.
    pub(crate) fn of_postgres(code: &str) -> Meaning {
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
    pub(crate) fn of_mysql(number: u32) -> Meaning {
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
            assert!(!Meaning::of_postgres(code).is_untouched, "{code}");
        }
        for number in [1180, 1053, 1317, 1927] {
            assert!(!Meaning::of_mysql(number).is_untouched, "{number}");
        }
        for number in [10, 10 | 4 << 8] {
            assert!(!Meaning::of_sqlite(number).is_untouched, "{number}");
        }
    }
}
