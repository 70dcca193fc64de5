//! Answers to what cannot be done.

use std::fmt;

use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cloakroom_storage::{Error, ErrorKind};
use serde_json::json;

/// Why a request was not carried out. Never says a key.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), header: None }
    }

    /// With this header in its answer, and no other one.
    pub(crate) fn with(self, name: HeaderName, value: HeaderValue) -> Refusal {
        Refusal { header: Some((name, value)), ..self }
    }

    /// Whether it tells of trouble here, and not of a request that could not be carried out anyway.
    pub(crate) fn is_trouble(&self) -> bool {
        self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let status = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::ReadOnly | ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
            ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            ErrorKind::InvalidKey => StatusCode::BAD_REQUEST,
            ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let refusal = Refusal::new(status, error.to_string());
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
