//! How an action fails.

use std::error::Error as StdError;
use std::fmt;

use cloakroom_session::adapter::Failure;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::issue::Issue;

/// A result whose error is [`ActionError`].
pub type Result<T, E = ActionError> = std::result::Result<T, E>;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why an action failed, as its caller learns it: Astro's `ActionError`, or `ActionInputError` where it has issues.
///
/// Every error can be turned into one by `?`: the caller learns no more than that something went wrong, and the cause
/// is logged. A session's error keeps its status: 503 where the store does not answer, 409 where the session ended
/// elsewhere.
///
/// ```
/// use cloakroom_actions::{ActionError, ErrorCode, Issue, Result};
///
/// fn order(name: &str, quantity: &str) -> Result<u32> {
///     if name.is_empty() {
///         return Err(ActionError::new(ErrorCode::Unauthorized, "Please log in first."));
///     }
///     if quantity == "0" {
///         return Err(ActionError::input([Issue::new(["quantity"], "Nothing is not much.")]));
///     }
///     Ok(quantity.parse()?)
/// }
///
/// assert_eq!(order("", "1").unwrap_err().code(), ErrorCode::Unauthorized);
/// assert_eq!(order("Ann", "0").unwrap_err().fields()["quantity"], ["Nothing is not much."]);
/// let unexpected = order("Ann", "many").unwrap_err();
/// assert_eq!(unexpected.code(), ErrorCode::InternalServerError);
/// assert!(!unexpected.message().contains("digit"));
/// # assert!(unexpected.source().is_some());
/// ```
///
/// It is no [`std::error::Error`] itself, since then it could not be made from every one.
pub struct ActionError(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    issues: Option<Vec<Issue>>,
    source: Option<BoxError>,
}

/// What an unexpected error says to whoever is outside.
const UNEXPECTED: &str = "Something went wrong on our side.";

impl ActionError {
    /// An error whose message the caller is shown.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ActionError {
        ActionError(Box::new(Inner { code, message: message.into(), issues: None, source: None }))
    }

    /// An input that is not as it should be.
    pub fn input(issues: impl IntoIterator<Item = Issue>) -> ActionError {
        let issues: Vec<Issue> = issues.into_iter().collect();
        let messages: Vec<&str> = issues.iter().map(|issue| issue.message.as_str()).collect();
        let mut error = ActionError::new(ErrorCode::BadRequest, messages.join(" "));
        error.0.issues = Some(issues);
        error
    }

    /// Keeps the cause, for the log alone.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> ActionError {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of error it is.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What the caller is told.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the input was not as it should be.
    pub fn is_input_error(&self) -> bool {
        self.0.issues.is_some()
    }

    /// What is wrong with the input.
    pub fn issues(&self) -> &[Issue] {
        self.0.issues.as_deref().unwrap_or_default()
    }

    /// What is wrong with the input, field by field.
    pub fn fields(&self) -> IndexMap<String, Vec<String>> {
        let mut fields: IndexMap<String, Vec<String>> = IndexMap::new();
        for issue in self.issues() {
            if let Some(field) = issue.field() {
                fields.entry(field.into_owned()).or_default().push(issue.message.clone());
            }
        }
        fields
    }

    /// The cause, which the caller does not learn.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// The JSON that Astro's client reads.
    pub(crate) fn to_json(&self) -> String {
        let wire = match &self.0.issues {
            Some(issues) => {
                Wire::AstroActionInputError { issues: issues.clone(), fields: self.fields() }
            }
            None => Wire::AstroActionError {
                code: self.0.code,
                status: self.0.code.status().as_u16(),
                message: self.0.message.clone(),
            },
        };
        // Strings, numbers and lists of them: nothing that JSON has no word for.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads what [`ActionError::to_json`] or Astro wrote.
    pub(crate) fn from_json(text: &str) -> ActionError {
        match serde_json::from_str(text) {
            Ok(Wire::AstroActionInputError { issues, .. }) => ActionError::input(issues),
            Ok(Wire::AstroActionError { code, message, .. }) => ActionError::new(code, message),
            Err(_) => ActionError::new(ErrorCode::InternalServerError, text),
        }
    }
}

/// The order of the fields is Astro's.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Wire {
    AstroActionError {
        code: ErrorCode,
        status: u16,
        #[serde(default)]
        message: String,
    },
    AstroActionInputError {
        issues: Vec<Issue>,
        fields: IndexMap<String, Vec<String>>,
    },
}

impl<E: StdError + Send + Sync + 'static> From<E> for ActionError {
    fn from(error: E) -> ActionError {
        let first: &(dyn StdError + 'static) = &error;
        let session = std::iter::successors(Some(first), |cause| StdError::source(*cause))
            .find_map(|error| error.downcast_ref::<cloakroom_session::Error>());
        let (code, message) = match session.map(Failure::new) {
            Some(failure) => (ErrorCode::from_status(failure.status), failure.message),
            None => (ErrorCode::InternalServerError, UNEXPECTED),
        };
        ActionError::new(code, message).with_source(error)
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for ActionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ActionError")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("issues", &self.0.issues)
            .field("source", &self.0.source)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_written_as_astro_writes_it() {
        let error = ActionError::new(ErrorCode::Unauthorized, "nope");
        assert_eq!(
            error.to_json(),
            r#"{"type":"AstroActionError","code":"UNAUTHORIZED","status":401,"message":"nope"}"#
        );
    }

    #[test]
    fn an_input_error_is_written_as_astro_writes_it() {
        let error = ActionError::input([
            Issue::new(["name"], "Too short."),
            Issue::new(["name"], "Not a name."),
            Issue::new(["sizes".into(), crate::PathSegment::Index(2)], "Too large."),
            Issue::new([] as [&str; 0], "Come back tomorrow."),
        ]);
        assert_eq!(
            error.to_json(),
            concat!(
                r#"{"type":"AstroActionInputError","issues":["#,
                r#"{"code":"custom","path":["name"],"message":"Too short."},"#,
                r#"{"code":"custom","path":["name"],"message":"Not a name."},"#,
                r#"{"code":"custom","path":["sizes",2],"message":"Too large."},"#,
                r#"{"code":"custom","path":[],"message":"Come back tomorrow."}],"#,
                r#""fields":{"name":["Too short.","Not a name."],"sizes":["Too large."]}}"#
            )
        );
    }

    #[test]
    fn what_was_written_is_read_again() {
        for error in [
            ActionError::new(ErrorCode::NotFound, ""),
            ActionError::input([Issue::new(["a", "b"], "c")]),
        ] {
            let read = ActionError::from_json(&error.to_json());
            assert_eq!((read.code(), read.message()), (error.code(), error.message()));
            assert_eq!(read.issues(), error.issues());
        }
        assert_eq!(ActionError::from_json("<html>").code(), ErrorCode::InternalServerError);
    }
}
