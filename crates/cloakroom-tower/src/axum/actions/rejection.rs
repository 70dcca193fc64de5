//! Extractors that refuse a request, in an action.

use std::fmt;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use bytes::BytesMut;
use cloakroom_actions::{ActionError, ErrorCode, Outcome};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http_body::Body as _;

/// An action's error as an extractor's: the action's caller gets it as it is.
#[derive(Clone, Debug)]
pub struct ActionRejection(Arc<ActionError>);

impl ActionRejection {
    /// The error.
    pub fn get_ref(&self) -> &ActionError {
        &self.0
    }
}

impl<E: Into<ActionError>> From<E> for ActionRejection {
    fn from(error: E) -> ActionRejection {
        ActionRejection(Arc::new(error.into()))
    }
}

impl fmt::Display for ActionRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl IntoResponse for ActionRejection {
    fn into_response(self) -> Response {
        let outcome = Outcome::error("", &self.0);
        let mut answer = response(outcome);
        answer.extensions_mut().insert(self);
        answer
    }
}

/// The answer to a client.
pub(super) fn response(outcome: Outcome) -> Response {
    let content_type = outcome.content_type().and_then(|text| HeaderValue::from_str(text).ok());
    let status = outcome.status();
    let mut response = Response::new(outcome.into_body().map_or_else(Body::empty, Body::from));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// The longest sentence that is taken over from an extractor's own response, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// What a response that is no action's says to an action's caller: its status, and its sentence where it blames the
/// request.
pub(super) async fn outcome(action: &str, refused: Response) -> Outcome {
    if let Some(ActionRejection(error)) = refused.extensions().get() {
        return Outcome::error(action, error);
    }
    let status = refused.status();
    let is_text = refused
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/plain"));
    let message = match is_text && status.is_client_error() {
        true => text(refused.into_body()).await,
        false => None,
    };
    let error = ActionError::new(ErrorCode::from_status(status), message.unwrap_or_default());
    Outcome::error(action, &error)
}

async fn text(body: Body) -> Option<String> {
    let mut body = std::pin::pin!(body);
    let mut text = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
    {
        text.extend_from_slice(&frame.ok()?.into_data().ok()?);
        if text.len() > LONGEST_MESSAGE {
            return None;
        }
    }
    String::from_utf8(text.into()).ok()
}
