//! What an answer that is none of those that a driver hopes for is to its caller.

use http::StatusCode;

use cloakroom_storage::{Error, ErrorKind};

/// The store refused. `detail` is what it said, where that cannot hold a key.
pub(crate) fn refusal(driver: &'static str, status: StatusCode, detail: Option<&str>) -> Error {
    let (kind, advice) = match status.as_u16() {
        401 | 403 => {
            (ErrorKind::PermissionDenied, "are the credentials right, and do they permit this?")
        }
        408 | 425 => (ErrorKind::Unavailable, "it waited for the request for too long"),
        413 => (ErrorKind::TooLarge, "the value is larger than it takes"),
        429 => (ErrorKind::Unavailable, "it is asked too often"),
        501 | 405 => (ErrorKind::Unsupported, "it cannot do this; is it the right kind of store?"),
        507 => (ErrorKind::StorageFull, "it has no room left"),
        500..=599 => (ErrorKind::Unavailable, "it has trouble of its own"),
        _ => (ErrorKind::Other, "is this the address of such a store?"),
    };
    let said = detail.map(|detail| format!(" ({})", shortened(detail))).unwrap_or_default();
    Error::new(kind, format!("the store answered {status}{said}: {advice}"))
        .with_driver(driver)
        // A gateway's 5xx may hide that the request arrived. These say that it was not carried out.
        .with_unapplied(matches!(status.as_u16(), 401 | 403 | 405 | 413 | 425 | 429))
}

/// The store answered, but not as such a store would.
pub(crate) fn unreadable(
    driver: &'static str,
    what: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let message = format!("{what} is not what such a store answers; is its address right?");
    Error::new(ErrorKind::Unavailable, message)
        .with_driver(driver)
        .with_retryable(false)
        .with_source(source)
}

/// A line of it.
fn shortened(detail: &str) -> String {
    const LONGEST: usize = 200;
    detail
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_for_what_may_pass() {
        for (status, kind, retryable) in [
            (401, ErrorKind::PermissionDenied, false),
            (404, ErrorKind::Other, false),
            (413, ErrorKind::TooLarge, false),
            (429, ErrorKind::Unavailable, true),
            (500, ErrorKind::Unavailable, true),
            (503, ErrorKind::Unavailable, true),
            (507, ErrorKind::StorageFull, false),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = refusal("example", status, Some("no\nway"));
            assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{status}");
            assert!(error.to_string().contains("(no way)"), "{error}");
        }
    }

    #[test]
    fn only_what_was_not_carried_out_is_untouched() {
        let is_unapplied = |status: u16| {
            refusal("example", StatusCode::from_u16(status).expect("a status"), None).is_unapplied()
        };
        assert!(is_unapplied(429) && is_unapplied(401));
        assert!(!is_unapplied(500) && !is_unapplied(502) && !is_unapplied(503));
    }
}
