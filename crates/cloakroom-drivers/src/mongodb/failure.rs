//! What the server and its client report, and what it means to a caller.

use mongodb::error::{
    Error as MongoError, ErrorKind as MongoErrorKind, NO_WRITES_PERFORMED, WriteFailure,
};

use cloakroom_storage::{Error, ErrorKind};

const DUPLICATE_KEY: i32 = 11_000;

/// What the codes of MongoDB mean that callers may tell apart, and whether they refuse what would be done already if an
/// earlier try of the client's had done it: then nothing was changed, for sure.
fn meaning(code: i32) -> (ErrorKind, bool, &'static str) {
    use ErrorKind::{Other, PermissionDenied, StorageFull, Timeout, TooLarge, Unavailable};
    match code {
        // Unauthorized, AuthenticationFailed, and what is said to a client that gave no name.
        13 | 18 | 8000 => (PermissionDenied, true, "check the user, its password and its roles"),
        // BSONObjectTooLarge, and what becomes too large by an update.
        10_334 | 17_419 | 17_420 => {
            let advice =
                "a document has at most 16 MiB, and an item with a ttl takes twice its room";
            (TooLarge, true, advice)
        }
        // NotWritablePrimary, InterruptedAtShutdown, HostUnreachable and their like. The client may have sent the write
        // to another server before, which may have done it.
        6 | 7 | 89 | 91 | 189 | 9001 | 10_058 | 10_107 | 11_600 | 11_602 | 13_435 | 13_436 => {
            (Unavailable, false, "the server is starting, shutting down or changing its role")
        }
        // WriteConflict: it tried again by itself, and gave up.
        112 => (Unavailable, true, "another write was in the way; try again"),
        // MaxTimeMSExpired, ExceededTimeLimit
        50 | 262 => (Timeout, false, "the server gave up"),
        // OutOfDiskSpace
        14_031 => (StorageFull, true, "the server has no room left"),
        _ => (Other, true, "the server refused"),
    }
}

/// As the error of a driver.
pub(super) fn failed(error: MongoError) -> Error {
    match &*error.kind {
        MongoErrorKind::Command(refusal) => {
            let is_unapplied = error.contains_label(NO_WRITES_PERFORMED);
            refused(refusal.code, &refusal.message, is_unapplied)
        }
        MongoErrorKind::Write(WriteFailure::WriteError(refusal)) => {
            refused(refusal.code, &refusal.message, false)
        }
        MongoErrorKind::Write(WriteFailure::WriteConcernError(concern)) => {
            let message = format!(
                "the write was done, and not confirmed as the write concern wants it (code {}); is a majority of \
                 the servers up?",
                concern.code
            );
            Error::new(ErrorKind::Unavailable, message)
        }
        MongoErrorKind::Authentication { message, .. } => {
            let message =
                format!("{message}; check the user and the password in `connectionString`");
            Error::new(ErrorKind::PermissionDenied, message).with_unapplied(true)
        }
        MongoErrorKind::ServerSelection { .. } => {
            let message = "no server could take it within `serverSelectionTimeoutMS`; is MongoDB up, and is there a \
                           primary?";
            Error::new(ErrorKind::Unavailable, message).with_source(error).with_unapplied(true)
        }
        MongoErrorKind::ConnectionPoolCleared { message, .. } => {
            Error::new(ErrorKind::Unavailable, message.as_str()).with_unapplied(true)
        }
        MongoErrorKind::Io(_) | MongoErrorKind::DnsResolve { .. } => {
            let message = format!("the connection failed ({error}); is the server up?");
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        }
        MongoErrorKind::InvalidTlsConfig { .. } | MongoErrorKind::IncompatibleServer { .. } => {
            Error::new(ErrorKind::InvalidOptions, error.to_string()).with_unapplied(true)
        }
        MongoErrorKind::InvalidResponse { .. } | MongoErrorKind::Bson(_) => {
            // Its words may have a part of what was stored.
            Error::new(ErrorKind::Corrupt, "the server's answer cannot be read")
        }
        // Found before anything was sent.
        MongoErrorKind::InvalidArgument { message, .. } => {
            Error::new(ErrorKind::Other, message.as_str()).with_unapplied(true)
        }
        _ => Error::new(ErrorKind::Other, "MongoDB's client failed").with_source(error),
    }
}

/// The server may say itself that it wrote nothing.
fn refused(code: i32, message: &str, says_untouched: bool) -> Error {
    let (kind, is_refusal, advice) = meaning(code);
    // The message about a duplicate has its key.
    let message = match code {
        DUPLICATE_KEY => format!("{advice} (code {code})"),
        _ => format!("{advice}: {message} (code {code})"),
    };
    Error::new(kind, message).with_unapplied(is_refusal || says_untouched)
}

fn code(error: &MongoError) -> Option<i32> {
    match &*error.kind {
        MongoErrorKind::Command(refusal) => Some(refusal.code),
        MongoErrorKind::Write(WriteFailure::WriteError(refusal)) => Some(refusal.code),
        _ => None,
    }
}

/// Whether there is such a document already.
pub(super) fn is_duplicate(error: &MongoError) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Why there is no client.
pub(super) fn not_parsed(error: MongoError) -> Error {
    match &*error.kind {
        MongoErrorKind::DnsResolve { .. } | MongoErrorKind::Io(_) => failed(error),
        MongoErrorKind::InvalidArgument { message, .. } => {
            let message = format!("options `connectionString` and `clientOptions`: {message}");
            Error::new(ErrorKind::InvalidOptions, message)
        }
        _ => Error::new(ErrorKind::InvalidOptions, error.to_string()),
    }
}

const MAKE_INDEX: &str = "db.COLLECTION.createIndex({ key: 1 }, { unique: true })";

/// Why the indexes were not made.
pub(super) fn not_indexed(error: MongoError) -> Error {
    let message = match code(&error) {
        Some(DUPLICATE_KEY) => format!(
            "the collection has several documents of one `key`, as JavaScript leaves them when two writers create an \
             item at once; remove all but one of each, so that the unique index on `key` can be made: {MAKE_INDEX}"
        ),
        // IndexOptionsConflict, IndexKeySpecsConflict
        Some(85 | 86) => format!(
            "the collection has an index on `key` that is not unique, or one on `expiresAt` that is not sparse; drop \
             it, so that ours can be made: {MAKE_INDEX}"
        ),
        Some(13) => format!(
            "the user may not make the unique index on `key`; make it ({MAKE_INDEX}), and set `migrate` to false"
        ),
        _ => return failed(error),
    };
    let kind = match code(&error) {
        Some(13) => ErrorKind::PermissionDenied,
        _ => ErrorKind::InvalidOptions,
    };
    Error::new(kind, message).with_unapplied(true)
}

/// Why the indexes were not found.
pub(super) fn no_index(error: MongoError) -> Error {
    // NamespaceNotFound: there is no collection yet.
    if code(&error) == Some(26) { missing_index() } else { failed(error) }
}

/// Why nothing is written where the indexes are not to be made.
pub(super) fn missing_index() -> Error {
    let message = format!(
        "the collection has no unique index on `key`, and `migrate` is false; make it: {MAKE_INDEX}"
    );
    Error::new(ErrorKind::InvalidOptions, message).with_unapplied(true)
}
