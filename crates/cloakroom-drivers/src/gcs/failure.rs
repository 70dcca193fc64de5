//! What Cloud Storage says when it does not do what it was asked for.

use http::StatusCode;
use serde::Deserialize;

use super::NAME;
use crate::common::http::{Response, refusal};
use cloakroom_storage::{Error, ErrorKind};

/// How it tells a missing bucket from a missing object: both have one reason.
const NO_BUCKET: &str = "The specified bucket does not exist";

#[derive(Deserialize)]
struct Answer {
    error: Refused,
}

#[derive(Deserialize)]
struct Refused {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

/// What it says of a missing object where it is asked for the object's own bytes: a text, and no reason.
const NO_OBJECT: &[u8] = b"No such object";

/// Whether the service itself says that the object is missing, and not the bucket: a gateway without a service says
/// "not found" of all.
pub(super) fn is_missing(response: &Response) -> bool {
    let says_so = || {
        response.body().starts_with(NO_OBJECT) || reason(response).as_deref() == Some("notFound")
    };
    response.status() == StatusCode::NOT_FOUND && !has_no_bucket(response) && says_so()
}

fn has_no_bucket(response: &Response) -> bool {
    String::from_utf8_lossy(response.body()).contains(NO_BUCKET)
}

/// The error's reason, such as `conditionNotMet`. What stands beside it may name the item.
fn reason(response: &Response) -> Option<String> {
    let answer: Answer = serde_json::from_slice(response.body()).ok()?;
    let Reason { reason } = answer.error.errors.into_iter().next()?;
    reason.bytes().all(|letter| letter.is_ascii_alphanumeric()).then_some(reason)
}

/// The error of an answer that is none of those that were hoped for.
pub(super) fn failure(response: &Response) -> Error {
    let reason = reason(response);
    let (kind, message) = match reason.as_deref() {
        _ if response.status() == StatusCode::NOT_FOUND && has_no_bucket(response) => (
            ErrorKind::InvalidOptions,
            "there is no such bucket; make it, or correct the option `bucket`",
        ),
        // With the status of those that may never pass.
        Some("rateLimitExceeded" | "userRateLimitExceeded") => {
            (ErrorKind::Unavailable, "the store is asked too often")
        }
        reason => return refusal(NAME, response.status(), reason),
    };
    Error::new(kind, message).with_driver(NAME).with_unapplied(true)
}
