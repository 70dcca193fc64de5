//! The value in a request.

use std::error::Error as _;
use std::time::Duration;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::LengthLimitError;

use crate::refusal::Refusal;

/// How long a value may be on its way.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a value of at most this many bytes. What is declared to be longer is refused before it is read.
pub(crate) async fn read(body: Body, max_size: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("the value is larger than {max_size} bytes, which is the limit here");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > max_size as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(body, max_size)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            Err(too_large())
        }
        Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the value did not arrive whole")),
        Err(_) => {
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the value took too long to arrive"))
        }
    }
}

/// # Errors
/// When there is a value where none is expected.
pub(crate) fn refuse(body: &Body) -> Result<(), Refusal> {
    match body.size_hint().exact() {
        Some(0) => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "`PATCH` moves a deadline, and takes no value; `PUT` does",
        )),
    }
}
