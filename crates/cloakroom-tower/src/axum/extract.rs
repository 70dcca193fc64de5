//! The extractor.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use cloakroom_session::Error;
use cloakroom_session::adapter::Prerendered;
use http::StatusCode;
use http::request::Parts;

use super::SessionError;

/// The request's session.
///
/// Dereferences to [`cloakroom_session::Session`], so a `&Session` can be handed to functions that know
/// nothing of axum. A type of its own, because only the crate of a type or of a trait may implement one for
/// the other. `Option<Session>` is `None` on a route without sessions.
#[derive(Clone, Debug)]
pub struct Session(cloakroom_session::Session);

impl Deref for Session {
    type Target = cloakroom_session::Session;

    fn deref(&self) -> &cloakroom_session::Session {
        &self.0
    }
}

/// For a test of a handler, or for code that has a session from elsewhere.
impl From<cloakroom_session::Session> for Session {
    fn from(session: cloakroom_session::Session) -> Session {
        Session(session)
    }
}

impl From<Session> for cloakroom_session::Session {
    fn from(session: Session) -> cloakroom_session::Session {
        session.0
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Session, SessionRejection> {
        match parts.extensions.get::<cloakroom_session::Session>() {
            Some(session) => Ok(Session(session.clone())),
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
        Ok(parts.extensions.get::<cloakroom_session::Session>().cloned().map(Session))
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
impl From<SessionRejection> for SessionError {
    fn from(rejection: SessionRejection) -> SessionError {
        SessionError::from(rejection.0)
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
