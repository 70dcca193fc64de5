//! A session's error as a handler's error.

use std::fmt;
use std::sync::OnceLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use cloakroom_session::adapter::{Failure, FailureFormat};
use cloakroom_session::{Error, ErrorKind};

/// What a handler that uses the session returns.
pub type Result<T, E = SessionError> = std::result::Result<T, E>;

/// A session's error that is a response, so that handlers can use `?`.
///
/// The client gets a status and a sentence without details: 503 with `Retry-After` where the store does not
/// answer, 500 where a record cannot be read, 413 where a session grew too large, 409 where it was destroyed
/// elsewhere. That a route has no session is said in full, for whoever writes the site.
pub struct SessionError {
    error: Error,
    /// Made once, because that logs it.
    failure: OnceLock<Failure>,
    /// How the response that it takes the place of wanted it told.
    format: Option<FailureFormat>,
}

impl SessionError {
    /// The error itself.
    pub fn get_ref(&self) -> &Error {
        &self.error
    }

    /// The error itself.
    pub fn into_inner(self) -> Error {
        self.error
    }

    pub(crate) fn told_in(self, format: Option<FailureFormat>) -> SessionError {
        SessionError { format, ..self }
    }

    fn failure(&self) -> &Failure {
        self.failure.get_or_init(|| Failure::from(&self.error))
    }
}

impl From<Error> for SessionError {
    fn from(error: Error) -> SessionError {
        SessionError { error, failure: OnceLock::new(), format: None }
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        // Of another version of the crate `http`, with the same numbers.
        let status = StatusCode::from_u16(self.failure().status.as_u16());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let failure = self.failure();
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = failure.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        let (content_type, mut body) = failure.content(self.format);
        if self.format.is_none() && self.error.kind() == ErrorKind::NoSession {
            body = self.error.to_string().into();
        }
        response.content_type(content_type).body(body)
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
