//! A session's error as a handler's error.

use std::fmt;

use cloakroom_session::adapter::{Failure, FailureFormat};
use cloakroom_session::{Error, ErrorKind};
use salvo::http::ResBody;
use salvo::{Response, Scribe};

/// What a handler that uses the session returns.
pub type Result<T, E = SessionError> = std::result::Result<T, E>;

/// A session's error that is a response, so that handlers can use `?`.
///
/// The client gets a status and a sentence without details: 503 with `Retry-After` where the store does not
/// answer, 500 where a record cannot be read, 413 where a session grew too large, 409 where it was destroyed
/// elsewhere. That a route has no session is said in full, for whoever writes the site.
#[derive(Debug)]
pub struct SessionError(Error);

impl SessionError {
    /// The error itself.
    pub fn get_ref(&self) -> &Error {
        &self.0
    }

    /// The error itself.
    pub fn into_inner(self) -> Error {
        self.0
    }
}

impl From<Error> for SessionError {
    fn from(error: Error) -> SessionError {
        SessionError(error)
    }
}

impl Scribe for SessionError {
    fn render(self, response: &mut Response) {
        self.render_in(None, response);
    }
}

impl SessionError {
    /// Renders it as the response that it takes the place of wants it told.
    pub(crate) fn render_in(self, format: Option<FailureFormat>, response: &mut Response) {
        let told_in_full = format.is_none() && self.0.kind() == ErrorKind::NoSession;
        let failure = Failure::from(&self.0).into_response_in(format, |text| match told_in_full {
            true => self.0.to_string(),
            false => text.into_owned(),
        });
        let (head, text) = failure.into_parts();
        response.status_code(head.status);
        response.headers_mut().extend(head.headers);
        response.replace_body(ResBody::Once(text.into()));
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
