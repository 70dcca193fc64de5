//! Whose the session is, as axum's extractor.

use std::fmt;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use super::SessionRejection;
use crate::adapter::Principal;
use crate::error::Error;
use crate::session::Session;

/// With the feature `axum`, whose the request's session is. `Option<Principal>` is `None` where nobody is signed in, and on a
/// route without sessions.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = PrincipalRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Principal, PrincipalRejection> {
        match parts.extensions.get::<Session>() {
            Some(session) => Principal::of(session).await.map_err(PrincipalRejection::Failed),
            None => Err(PrincipalRejection::NoSession(SessionRejection::new(parts))),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = PrincipalRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Principal>, PrincipalRejection> {
        match parts.extensions.get::<Session>() {
            Some(session) => Principal::find(session).await.map_err(PrincipalRejection::Failed),
            None => Ok(None),
        }
    }
}

/// A principal was asked for and there is none.
#[derive(Debug)]
#[non_exhaustive]
pub enum PrincipalRejection {
    /// The route has no session.
    NoSession(SessionRejection),
    /// Nobody is signed in, or the session cannot be read.
    Failed(Error),
}

impl fmt::Display for PrincipalRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrincipalRejection::NoSession(rejection) => rejection.fmt(formatter),
            PrincipalRejection::Failed(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for PrincipalRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PrincipalRejection::NoSession(rejection) => rejection.source(),
            PrincipalRejection::Failed(error) => error.source(),
        }
    }
}

/// A handler that asks for the principal by itself answers all with `?`.
impl From<PrincipalRejection> for Error {
    fn from(rejection: PrincipalRejection) -> Error {
        match rejection {
            PrincipalRejection::NoSession(rejection) => rejection.into(),
            PrincipalRejection::Failed(error) => error,
        }
    }
}

/// 401 where nobody is signed in, and else as the session's own errors.
impl IntoResponse for PrincipalRejection {
    fn into_response(self) -> Response {
        match self {
            PrincipalRejection::NoSession(rejection) => rejection.into_response(),
            PrincipalRejection::Failed(error) => error.into_response(),
        }
    }
}
