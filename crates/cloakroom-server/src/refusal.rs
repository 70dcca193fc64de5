//! Answers to what cannot be done.

use std::fmt;
use std::sync::Arc;

use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cloakroom_storage::{Error, ErrorKind};
use serde_json::json;

/// What is called when a request is refused, before the rest of its value is taken off the wire and thrown away, or when it waits
/// for somebody who has not said who he is: from then on its connection serves nobody. A program that has to choose among connections puts it into a request's extensions.
#[derive(Clone)]
pub struct OnRefusal(Arc<dyn Fn() + Send + Sync>);

impl OnRefusal {
    /// Calls this.
    pub fn new(call: impl Fn() + Send + Sync + 'static) -> OnRefusal {
        OnRefusal(Arc::new(call))
    }

    /// Says that it is so.
    pub fn call(&self) {
        (self.0)();
    }
}

impl fmt::Debug for OnRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnRefusal").finish_non_exhaustive()
    }
}

/// Why a request was not carried out. Never says a key.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// What the store said: for the log alone, because it may say where the store is.
    cause: Option<Error>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), header: None, cause: None }
    }

    /// With this header in its answer, and no other one.
    pub(crate) fn with(self, name: HeaderName, value: HeaderValue) -> Refusal {
        Refusal { header: Some((name, value)), ..self }
    }

    /// Logs it: trouble here as a warning, and what could not be carried out anyway for those who look for it.
    pub(crate) fn log(&self) {
        let reason = match &self.cause {
            Some(cause) => cause.to_string(),
            None => self.message.clone(),
        };
        if self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED {
            tracing::warn!(reason, "a request was not carried out");
        } else {
            tracing::debug!(reason, "a request was refused");
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let (status, message) = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled => {
                (StatusCode::SERVICE_UNAVAILABLE, "the store is away or slow; try again")
            }
            ErrorKind::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "the value is larger than the store takes")
            }
            ErrorKind::ReadOnly | ErrorKind::PermissionDenied => {
                (StatusCode::FORBIDDEN, "the store does not let this server do so")
            }
            ErrorKind::StorageFull => {
                (StatusCode::INSUFFICIENT_STORAGE, "the store has no room left")
            }
            ErrorKind::InvalidKey => {
                (StatusCode::BAD_REQUEST, "this cannot be a key in this store, as it is now")
            }
            ErrorKind::Unsupported => (StatusCode::NOT_IMPLEMENTED, "the store cannot do this"),
            ErrorKind::Corrupt => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "what is stored cannot be what was written; the server's log says more",
            ),
            _ => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the store failed; the server's log says more")
            }
        };
        // What no driver said of a key is about the path of the request.
        let message = match (error.driver(), error.kind()) {
            (None, ErrorKind::InvalidKey) => error.to_string(),
            _ => message.to_owned(),
        };
        let refusal = Refusal { cause: Some(error), ..Refusal::new(status, message) };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return refusal.with(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        refusal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let body = json!({ "error": self.message }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}
