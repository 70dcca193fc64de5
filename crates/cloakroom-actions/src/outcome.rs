//! How an action ended, as it travels: over the wire, and in the session to the next page.

use std::any::TypeId;

use cloakroom_session::adapter::{Failure, FailureFormat};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::error::ActionError;

/// How an action ended: its value in the devalue format, nothing, or its error; Astro's serialised action result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    #[serde(rename = "type")]
    kind: Kind,
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Data,
    Error,
    Empty,
}

/// `undefined`, as devalue writes it.
const UNDEFINED: &str = "-1";

impl Outcome {
    /// What the action of this name ended with. An error that the caller does not learn all of is logged here.
    pub fn new<T: Serialize + 'static>(action: &str, result: Result<T, ActionError>) -> Outcome {
        let value = match result {
            // What Rust says of nothing, where JavaScript says undefined.
            Ok(_) if TypeId::of::<T>() == TypeId::of::<()>() => return Outcome::empty(),
            Ok(value) => value,
            Err(error) => return Outcome::error(action, &error),
        };
        match serde_devalue::Options::astro().to_string(&value) {
            Ok(text) if text == UNDEFINED => Outcome::empty(),
            Ok(text) => Outcome::full(Kind::Data, StatusCode::OK, "application/json+devalue", text),
            Err(error) => Outcome::error(action, &ActionError::from(error)),
        }
    }

    /// An action that failed.
    pub fn error(action: &str, error: &ActionError) -> Outcome {
        let status = error.code().status();
        if let Some(cause) = error.source() {
            if status.is_server_error() {
                tracing::error!(action, %status, error = chain(cause), "an action failed");
            } else {
                tracing::info!(action, %status, error = chain(cause), "an action was refused");
            }
        }
        Outcome::full(Kind::Error, status, "application/json", error.to_json())
    }

    fn full(kind: Kind, status: StatusCode, content_type: &str, body: String) -> Outcome {
        let content_type = Some(content_type.to_owned());
        Outcome { kind, status: status.as_u16(), content_type, body: Some(body) }
    }

    fn empty() -> Outcome {
        let status = StatusCode::NO_CONTENT.as_u16();
        Outcome { kind: Kind::Empty, status, content_type: None, body: None }
    }

    /// The response's status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the action failed.
    pub fn is_error(&self) -> bool {
        self.kind == Kind::Error
    }

    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.kind == Kind::Empty
    }

    /// The type of the body; `None` where there is no body.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The response's body.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// The response's body.
    pub fn into_body(self) -> Option<String> {
        self.body
    }

    /// Reads it back, as Astro's client does.
    ///
    /// # Errors
    /// The action's own; and [`ErrorCode::InternalServerError`](crate::ErrorCode::InternalServerError) where its value
    /// is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let body = self.body.as_deref().unwrap_or_default();
        match self.kind {
            Kind::Data => Ok(serde_devalue::from_str(body)?),
            Kind::Empty => Ok(serde_devalue::from_str(UNDEFINED)?),
            Kind::Error => Err(ActionError::from_json(body)),
        }
    }
}

/// How a client is told that the session could not be saved after its action, in the only format that it understands:
/// to be put into the extensions of its response. For authors of framework adapters.
pub const FAILURE_FORMAT: FailureFormat = FailureFormat(|failure: &Failure| {
    let error = ActionError::new(ErrorCode::from_status(failure.status), failure.message);
    ("application/json", error.to_json())
});

/// An error and its causes, each told once.
fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut told = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_devalue::{Undefined, Url};

    use super::*;

    fn ended<T: Serialize + 'static>(value: T) -> (u16, Option<String>) {
        let outcome = Outcome::new("test", Ok(value));
        (outcome.status, outcome.body)
    }

    #[test]
    fn a_value_is_its_devalue_text_and_nothing_is_204() {
        assert_eq!(ended(vec!["a"]), (200, Some(r#"[[1],"a"]"#.to_owned())));
        assert_eq!(ended(None::<u8>), (200, Some("[null]".to_owned())));
        let url = Url::parse("https://example.com/").unwrap();
        assert_eq!(ended(url), (200, Some(r#"[["URL",1],"https://example.com/"]"#.to_owned())));
        assert_eq!(ended(()), (204, None));
        assert_eq!(ended(Undefined), (204, None));
    }

    #[test]
    fn an_outcome_is_kept_as_astro_keeps_it() {
        let keep = |outcome| serde_json::to_string(&outcome).unwrap();
        assert_eq!(
            keep(Outcome::new("test", Ok(1))),
            r#"{"type":"data","status":200,"contentType":"application/json+devalue","body":"[1]"}"#
        );
        assert_eq!(keep(Outcome::new("test", Ok(()))), r#"{"type":"empty","status":204}"#);
        let error = ActionError::new(ErrorCode::NotFound, "");
        assert!(
            keep(Outcome::error("test", &error))
                .starts_with(r#"{"type":"error","status":404,"contentType":"application/json","#)
        );
    }

    #[test]
    fn an_outcome_is_read_as_what_it_was() {
        assert_eq!(Outcome::new("test", Ok(7)).decode::<u8>().unwrap(), 7);
        Outcome::new("test", Ok(())).decode::<()>().unwrap();
        assert_eq!(Outcome::new("test", Ok(())).decode::<Option<u8>>().unwrap(), None);
        let error = ActionError::new(ErrorCode::Gone, "eaten");
        let error = Outcome::error("test", &error).decode::<()>().unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::Gone, "eaten"));
        assert!(Outcome::new("test", Ok("text")).decode::<u8>().is_err());
    }

    #[test]
    fn what_cannot_be_written_is_an_error_that_says_nothing() {
        let outcome = Outcome::new("test", Ok(u64::MAX));
        assert_eq!(outcome.status, 500);
        assert!(!outcome.body.unwrap().contains("18446744073709551615"));
    }
}
