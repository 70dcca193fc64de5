//! Extractors that refuse a request, in an action.

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{Error, HttpResponse, ResponseError};
use cloakroom_actions::{ActionError, ErrorCode, Outcome};

/// An action's error as an extractor's: the action's caller gets it as it is.
#[derive(Debug)]
pub struct ActionRejection(ActionError);

impl ActionRejection {
    pub(super) fn new(error: ActionError) -> ActionRejection {
        ActionRejection(error)
    }

    /// The error.
    pub fn get_ref(&self) -> &ActionError {
        &self.0
    }
}

impl<E: Into<ActionError>> From<E> for ActionRejection {
    fn from(error: E) -> ActionRejection {
        ActionRejection(error.into())
    }
}

impl fmt::Display for ActionRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for ActionRejection {
    fn status_code(&self) -> StatusCode {
        status(self.0.code().status())
    }

    fn error_response(&self) -> HttpResponse {
        response(Outcome::error("", &self.0))
    }
}

/// The answer to a client.
pub(super) fn response(outcome: Outcome) -> HttpResponse {
    let mut response = HttpResponse::build(status(outcome.status()));
    if let Some(content_type) = outcome.content_type() {
        response.content_type(content_type);
    }
    match outcome.into_body() {
        Some(body) => response.body(body),
        None => response.finish(),
    }
}

/// Of another version of the crate `http`, with the same numbers.
pub(super) fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The longest sentence that is taken over from an extractor's own response, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// What an error that is no action's says to an action's caller: its status, and its sentence where it blames the
/// request.
pub(super) fn outcome(action: &str, refused: &Error) -> Outcome {
    if let Some(ActionRejection(error)) = refused.as_error() {
        return Outcome::error(action, error);
    }
    let response = refused.error_response();
    let status = http::StatusCode::from_u16(response.status().as_u16())
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let message = match status.is_client_error() {
        true => text(response),
        false => None,
    };
    let error = ActionError::new(ErrorCode::from_status(status), message.unwrap_or_default());
    Outcome::error(action, &error)
}

fn text(response: HttpResponse) -> Option<String> {
    let content_type = response.headers().get(CONTENT_TYPE)?;
    if !content_type.as_bytes().starts_with(b"text/plain") {
        return None;
    }
    let text = response.into_body().try_into_bytes().ok()?;
    if text.len() > LONGEST_MESSAGE {
        return None;
    }
    String::from_utf8(text.into()).ok()
}
