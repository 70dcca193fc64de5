//! What it means that the server refuses a command.

use cloakroom_storage::{Error, ErrorKind};

/// A command that the server refused as a whole.
pub(crate) fn refusal(driver: &'static str, code: &str, detail: &str) -> Error {
    // The text of an unknown command repeats its arguments, and thereby a key.
    let detail = detail.split(", with args").next().unwrap_or_default();
    let (kind, advice, retryable) = match code {
        "NOAUTH" => (
            ErrorKind::PermissionDenied,
            "it wants a password: see `username` and `password`",
            false,
        ),
        "WRONGPASS" => {
            (ErrorKind::PermissionDenied, "see the options `username` and `password`", false)
        }
        "NOPERM" => {
            (ErrorKind::PermissionDenied, "its access control list has to allow this", false)
        }
        "OOM" => (ErrorKind::StorageFull, "raise its `maxmemory`, or let it evict", false),
        "MISCONF" => (ErrorKind::StorageFull, "it cannot write to its disk: see its log", false),
        "READONLY" => (ErrorKind::Unavailable, "this is a replica: connect to the master", true),
        "WRONGTYPE" => (
            ErrorKind::Corrupt,
            "something else than a session is stored here, and was kept",
            false,
        ),
        "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "NOREPLICAS" | "TRYAGAIN" | "MOVED"
        | "ASK" => (ErrorKind::Unavailable, "it may be back in a moment", true),
        _ if detail.contains("max number of clients") => {
            (ErrorKind::Unavailable, "raise its `maxclients`", true)
        }
        _ if detail.contains("exceeds maximum allowed size") => {
            (ErrorKind::TooLarge, "store less, or raise its `proto-max-bulk-len`", false)
        }
        // Upstash's.
        _ if detail.contains("max request size exceeded") => {
            (ErrorKind::TooLarge, "store less, or raise the limit of its plan", false)
        }
        _ if detail.contains("limit exceeded") => {
            (ErrorKind::Unavailable, "its plan allows no more for now", true)
        }
        _ if detail.contains("DB index is out of range") => {
            (ErrorKind::InvalidOptions, "see the option `db`", false)
        }
        _ => (ErrorKind::Other, "see its log", false),
    };
    Error::new(
        kind,
        format!("Redis answered `{}`; {advice}", format!("{code} {detail}").trim_end()),
    )
    .with_driver(driver)
    .with_retryable(retryable)
    .with_unapplied(true)
}
