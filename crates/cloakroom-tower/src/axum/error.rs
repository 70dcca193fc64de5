//! A session's error as a handler's error.

use std::fmt;
use std::ops::Deref;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};

use cloakroom_session::adapter::Failure;

/// What a handler that uses the session returns.
pub type Result<T, E = SessionError> = std::result::Result<T, E>;

/// A session's error that is a response, so that handlers can use `?`.
///
/// The client gets a status and a sentence without details: 503 with `Retry-After` where the store does not
/// answer, 500 where a record cannot be read, 413 where a session grew too large, 409 where it was destroyed
/// elsewhere.
pub struct SessionError(cloakroom_session::Error);

impl SessionError {
    /// The error itself.
    pub fn get_ref(&self) -> &cloakroom_session::Error {
        &self.0
    }

    /// The error itself.
    pub fn into_inner(self) -> cloakroom_session::Error {
        self.0
    }
}

/// So that its [`kind`](cloakroom_session::Error::kind) is at hand.
impl Deref for SessionError {
    type Target = cloakroom_session::Error;

    fn deref(&self) -> &cloakroom_session::Error {
        &self.0
    }
}

impl From<cloakroom_session::Error> for SessionError {
    fn from(error: cloakroom_session::Error) -> SessionError {
        SessionError(error)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        Failure::from(&self.0).into_response(Body::from)
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The error itself and not its cause, so that whoever walks the causes finds it.
        Some(&self.0)
    }
}
