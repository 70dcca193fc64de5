use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cloakroom::Error;

/// Why a step could not be taken.
#[derive(Debug)]
pub(crate) enum Problem {
    Session(Error),
    Storage(cloakroom::storage::Error),
    Devalue(serde_devalue::Error),
    Ttl,
    Gate,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl From<serde_devalue::Error> for Problem {
    fn from(error: serde_devalue::Error) -> Self {
        Self::Devalue(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Storage(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
            Self::Devalue(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            Self::Ttl => (StatusCode::BAD_REQUEST, "`ttl` must be a number of seconds, 0 or more")
                .into_response(),
            Self::Gate => (StatusCode::REQUEST_TIMEOUT, "the gate was not reached, or not opened")
                .into_response(),
        }
    }
}
