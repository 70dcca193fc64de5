//! What only the crate of a type can do for axum: the session, whose it is and where a sign-in leads are extractors, and errors
//! are responses.
//!
//! So that a handler's session and error are the same types as everywhere else. It knows `axum-core`'s traits and nothing
//! else of axum: the layer is in `cloakroom-tower`.

mod principal;
mod return_to;

use std::convert::Infallible;
use std::fmt;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::Failure;
use crate::error::Error;
use crate::scope::Prerendered;
use crate::session::Session;

pub use principal::PrincipalRejection;

/// With the feature `axum`, the request's session. `Option<Session>` is `None` on a route without sessions.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Session, SessionRejection> {
        match parts.extensions.get::<Session>() {
            Some(session) => Ok(session.clone()),
            None => Err(SessionRejection::new(parts)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Session>, Infallible> {
        Ok(parts.extensions.get::<Session>().cloned())
    }
}

/// A session was asked for on a route that has none: a prerendered page, or a route added after the layer.
#[derive(Debug)]
pub struct SessionRejection(Error);

impl SessionRejection {
    fn new(parts: &Parts) -> SessionRejection {
        let error = match parts.extensions.get::<Prerendered>() {
            Some(page) => page.error(),
            None => Error::no_session(
                parts.uri.path(),
                "below a SessionLayer; add the route before `.layer(SessionLayer::new(sessions))`, or take \
                 `Option<Session>`",
            ),
        };
        SessionRejection(error)
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A handler that asks for the session by itself answers both with `?`.
impl From<SessionRejection> for Error {
    fn from(rejection: SessionRejection) -> Error {
        rejection.0
    }
}

/// In full, for whoever writes the site.
impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

/// With the feature `axum`, so that handlers can use `?`.
///
/// The client gets a status and a sentence without details: 503 with `Retry-After` where the store does not answer, 500
/// where a record cannot be read, 413 where a session grew too large, 409 where it was destroyed elsewhere.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Failure::from(&self).into_response(Body::from)
    }
}
