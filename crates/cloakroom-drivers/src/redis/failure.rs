//! What a failure of the client or of the server is to a caller.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind as Kind, RedisError};

use super::NAME;
use crate::common::keyspace::refusal;
use cloakroom_storage::{Error, ErrorKind};

/// What became of a command that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It never left.
    No,
    /// It was sent, and may have been executed.
    Perhaps,
}

/// The error that a caller gets.
///
/// What the server said is repeated where it cannot hold a key or a password.
pub(super) fn failure(error: &RedisError, sent: Sent) -> Error {
    if wants_old_protocol(error) {
        let message = "the server is older than Redis 6, which the near cache and clusters need";
        return Error::new(ErrorKind::Unsupported, message).with_driver(NAME).with_unapplied(true);
    }
    if let Some((code, detail)) = said(error) {
        return refusal(NAME, &code, &detail);
    }
    let unapplied = sent == Sent::No;
    let (kind, message, retryable) = match error.kind() {
        // Also a cluster's, which says in its text alone why no node let us in.
        _ if error
            .detail()
            .is_some_and(|detail| detail.contains("WRONGPASS") || detail.contains("NOAUTH"))
            || error.kind() == Kind::AuthenticationFailed =>
        {
            (ErrorKind::PermissionDenied, "Redis refuses this user name and password", false)
        }
        Kind::InvalidClientConfig | Kind::EmptySentinelList => {
            (ErrorKind::InvalidOptions, "the client cannot work with these options", false)
        }
        Kind::MasterNameNotFoundBySentinel => (
            ErrorKind::Unavailable,
            "the sentinels name no master that is up; is the option `name` theirs?",
            true,
        ),
        Kind::ClusterConnectionNotFound => {
            (ErrorKind::Unavailable, "no node of the cluster can be reached", true)
        }
        Kind::Parse | Kind::UnexpectedReturnType => {
            (ErrorKind::Unavailable, "this is not how Redis answers; is the port right?", false)
        }
        _ if error.is_timeout() => (
            ErrorKind::Timeout,
            "Redis did not answer in time; is it up and near? See the options `connectTimeout` and `commandTimeout`",
            true,
        ),
        _ if is_tls(error) => (
            ErrorKind::Unavailable,
            "no TLS connection comes about; see the options `tls` and `host`",
            false,
        ),
        _ if unapplied => (ErrorKind::Unavailable, "Redis cannot be reached; is it up?", true),
        _ => (ErrorKind::Unavailable, "the connection to Redis was lost", true),
    };
    Error::new(kind, message)
        .with_driver(NAME)
        .with_retryable(retryable)
        .with_unapplied(unapplied || error.is_connection_refusal() || was_refused(error.kind()))
        .with_source(error.clone())
}

/// Whether another connection may be let do what this one is not: to the master that took over, or with a login.
pub(super) fn calls_for_another_connection(error: &RedisError) -> bool {
    said(error)
        .is_some_and(|(code, _)| matches!(code.as_str(), "READONLY" | "MASTERDOWN" | "NOAUTH"))
}

/// Whether the server knows the protocol of before Redis 6 alone.
pub(super) fn wants_old_protocol(error: &RedisError) -> bool {
    // A proxy says it in its own way.
    let unknown = |(code, detail): (String, String)| {
        let said = format!("{code} {detail}").to_lowercase();
        code == "NOPROTO" || said.contains("command") && said.contains("hello")
    };
    error.kind() == Kind::RESP3NotSupported || said(error).is_some_and(unknown)
}

/// Whether the server knows no such command or option, or does not let us use it.
pub(super) fn is_unknown_command(error: &RedisError) -> bool {
    said(error).is_some_and(|(code, detail)| {
        let said = format!("{code} {detail}").to_lowercase();
        // A proxy says it in its own way.
        code == "NOPERM"
            || ["syntax error", "unknown", "unsupported"].iter().any(|word| said.contains(word))
    })
}

/// Whether the client gave up before it sent anything.
fn was_refused(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ClusterConnectionNotFound
            | Kind::AuthenticationFailed
            | Kind::InvalidClientConfig
            | Kind::MasterNameNotFoundBySentinel
    )
}

/// The code and the text of the server's answer, if it is the server that refused.
fn said(error: &RedisError) -> Option<(String, String)> {
    if let Some(errors) = error.clone().into_server_errors() {
        let (_, first) = errors.first()?;
        return Some((first.code().to_owned(), first.details().unwrap_or_default().to_owned()));
    }
    // What the server said while the connection was being made.
    let Kind::Server(_) = error.kind() else { return None };
    Some((error.code()?.to_owned(), error.detail().unwrap_or_default().to_owned()))
}

/// Whether certificates or protocols are what did not fit.
fn is_tls(error: &RedisError) -> bool {
    let shared = error.source().and_then(|error| error.downcast_ref::<Arc<Cause>>());
    // An I/O error hides its inner error from `source`.
    let io = shared.and_then(|error| error.downcast_ref::<io::Error>());
    io.and_then(io::Error::get_ref).is_some_and(|error| error.is::<rustls::Error>())
}

type Cause = dyn std::error::Error + Send + Sync;

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn answer(line: &str) -> Error {
        let error = parse_redis_value(format!("-{line}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .expect_err("an error");
        failure(&error, Sent::Perhaps)
    }

    #[test]
    fn each_refusal_has_its_kind_and_changed_nothing() {
        for (line, kind, retryable) in [
            ("NOAUTH Authentication required.", ErrorKind::PermissionDenied, false),
            ("WRONGPASS invalid username-password pair", ErrorKind::PermissionDenied, false),
            ("NOPERM this user has no permissions", ErrorKind::PermissionDenied, false),
            ("OOM command not allowed", ErrorKind::StorageFull, false),
            ("MISCONF Redis is configured to save", ErrorKind::StorageFull, false),
            ("READONLY You can't write against a read only replica.", ErrorKind::Unavailable, true),
            ("LOADING Redis is loading the dataset in memory", ErrorKind::Unavailable, true),
            ("BUSY Redis is busy running a script.", ErrorKind::Unavailable, true),
            ("CLUSTERDOWN The cluster is down", ErrorKind::Unavailable, true),
            ("TRYAGAIN Multiple keys request during rehashing", ErrorKind::Unavailable, true),
            ("MASTERDOWN Link with MASTER is down", ErrorKind::Unavailable, true),
            ("WRONGTYPE Operation against a key", ErrorKind::Corrupt, false),
            ("ERR max number of clients reached", ErrorKind::Unavailable, true),
            ("ERR DB index is out of range", ErrorKind::InvalidOptions, false),
            ("ERR something new", ErrorKind::Other, false),
        ] {
            let error = answer(line);
            assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{line}");
            assert!(error.is_unapplied(), "{line}");
        }
    }

    #[test]
    fn a_server_or_a_proxy_that_knows_no_hello_is_spoken_to_as_before() {
        for (line, expected) in [
            ("ERR unknown command `HELLO`, with args beginning with: `3`, ", true),
            ("ERR unknown command 'hello'", true),
            ("ERR unsupported command 'hello'", true),
            ("unsupported command 'HELLO'", true),
            ("NOPROTO unsupported protocol version", true),
            ("ERR unknown command 'UNLINK'", false),
            ("LOADING Redis is loading the dataset in memory", false),
        ] {
            let error = parse_redis_value(format!("-{line}\r\n").as_bytes())
                .and_then(redis::Value::extract_error)
                .expect_err("an error");
            assert_eq!(wants_old_protocol(&error), expected, "{line}");
        }
    }

    #[test]
    fn a_key_in_the_servers_words_is_left_out() {
        let error =
            answer("ERR unknown command 'UNLINK', with args beginning with: 'sess:secret' ");
        assert!(error.to_string().contains("unknown command 'UNLINK'"), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }

    #[test]
    fn a_lost_connection_leaves_open_what_a_write_did() {
        let lost = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        for (sent, unapplied) in [(Sent::No, true), (Sent::Perhaps, false)] {
            let error = failure(&lost, sent);
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.is_retryable());
            assert_eq!(error.is_unapplied(), unapplied);
        }
        let refused = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        assert!(failure(&refused, Sent::Perhaps).is_unapplied());
    }
}
