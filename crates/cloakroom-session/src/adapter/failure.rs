//! What a client is told when a session fails.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::error::{Error, ErrorKind};

/// The answer to a request whose session failed: a status and a sentence that gives nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The response's status.
    pub status: StatusCode,
    /// The response's text.
    pub message: &'static str,
    /// Where the same request may succeed a little later: in how many seconds, for `Retry-After`.
    pub retry_after: Option<u64>,
}

/// How long a client should wait before it tries again, in seconds.
const RETRY_SECONDS: u64 = 2;

impl Failure {
    /// What to answer to this error, which somebody else logs.
    ///
    /// The sentence is for a handler that failed as well as for a commit, so it says that nothing was saved only where that
    /// holds for both: what a handler has set before it fails is saved.
    pub fn new(error: &Error) -> Failure {
        let (status, message) = match error.kind() {
            ErrorKind::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The session store is not available. Please try again in a moment.",
            ),
            ErrorKind::Conflict => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The session is being changed by many requests at once. Please try again in a moment.",
            ),
            ErrorKind::Destroyed => {
                (StatusCode::CONFLICT, "The session has ended in the meantime. Nothing was saved.")
            }
            ErrorKind::Expired => {
                (StatusCode::CONFLICT, "The session has expired. Nothing was saved.")
            }
            ErrorKind::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "This is more than a session can hold.")
            }
            ErrorKind::InvalidId => (StatusCode::BAD_REQUEST, "This is not a session ID."),
            ErrorKind::NotSignedIn => (StatusCode::UNAUTHORIZED, "Please sign in first."),
            ErrorKind::NotRecent => {
                (StatusCode::FORBIDDEN, "Please confirm that it is you, and try again.")
            }
            ErrorKind::TooManySessions => (
                StatusCode::CONFLICT,
                "There are as many sessions as there may be. Please sign out somewhere first.",
            ),
            ErrorKind::NoSession => {
                (StatusCode::INTERNAL_SERVER_ERROR, "There is no session on this page.")
            }
            ErrorKind::Corrupt => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The stored session cannot be read. It was left as it is.",
            ),
            ErrorKind::BeyondLimit => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The session holds more than can be read here. It was left as it is.",
            ),
            ErrorKind::Storage => (StatusCode::INTERNAL_SERVER_ERROR, "The session store refuses."),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "The session failed."),
        };
        let retry_after = error.is_retryable().then_some(RETRY_SECONDS);
        Failure { status, message, retry_after }
    }
}

/// Logs the error, since the client does not get it.
impl From<&Error> for Failure {
    fn from(error: &Error) -> Failure {
        let failure = Failure::new(error);
        let status = failure.status;
        // The client gets a sentence; whoever runs the server gets the cause.
        if status.is_server_error() {
            tracing::error!(%error, cause = cause(error), %status, "a session failed");
        } else if matches!(error.kind(), ErrorKind::NotSignedIn | ErrorKind::NotRecent) {
            // What a visitor has to do first is no failure, and a page that is for few says it to many.
            tracing::debug!(%error, %status, "a visitor was turned away");
        } else {
            tracing::info!(%error, %status, "a session failed");
        }
        failure
    }
}

impl Failure {
    /// What to answer with in this format: a content type and a body.
    pub fn content(&self, format: Option<FailureFormat>) -> (&'static str, Cow<'static, str>) {
        match format {
            Some(FailureFormat(format)) => {
                let (content_type, body) = format(self);
                (content_type, body.into())
            }
            None => ("text/plain; charset=utf-8", self.message.into()),
        }
    }

    /// The response, with a body made by `body`.
    pub fn into_response<B>(self, body: impl FnOnce(Cow<'static, str>) -> B) -> Response<B> {
        self.into_response_in(None, body)
    }

    /// The response in this format.
    pub fn into_response_in<B>(
        self,
        format: Option<FailureFormat>,
        body: impl FnOnce(Cow<'static, str>) -> B,
    ) -> Response<B> {
        let (content_type, text) = self.content(format);
        let mut response = Response::new(body(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How a response wants it told that its session could not be saved, where the sentence alone would not be understood:
/// a content type and a body. Adapters find it in the response's extensions.
#[derive(Clone, Copy, Debug)]
pub struct FailureFormat(pub fn(&Failure) -> (&'static str, String));

/// What the error's causes say that it does not say itself, the root last.
fn cause(error: &Error) -> Option<String> {
    let first = std::error::Error::source(error);
    let mut told = error.to_string();
    let mut causes = Vec::new();
    for cause in std::iter::successors(first, |cause| cause.source()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told.push_str(&cause);
            causes.push(cause);
        }
    }
    (!causes.is_empty()).then(|| causes.join(": "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Config, CookieHeaders, Sessions};

    #[tokio::test]
    async fn a_cause_is_told_once() {
        let config = Config::new("fs-lite").option("base", "/dev/null/x");
        let sessions = Sessions::from_config(config).await.unwrap();
        let session = sessions.session(CookieHeaders::default());
        session.set("theme", "dark").unwrap();
        let error = session.save().await.unwrap_err();
        let cause = cause(&error).unwrap();
        assert!(cause.contains("os error"), "{cause}");
        assert!(!cause.contains("fs-lite"), "{cause}");
    }
}
