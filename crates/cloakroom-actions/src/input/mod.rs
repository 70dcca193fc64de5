//! What an action is called with.

mod attempt;
mod body;
mod decode;
mod field;
mod file;
mod form;
mod multipart;
mod number;
mod object;
mod reading;
mod rejection;

use bytes::Bytes;
use serde::de::DeserializeOwned;

pub use body::{BODY_LIMIT, read};
pub use file::File;
pub use form::{FormData, FormValue};

use crate::code::ErrorCode;
use crate::error::{ActionError, Result};

/// An action's input as it arrived.
#[derive(Clone, Debug, Default)]
pub enum RawInput {
    /// None at all: JavaScript's undefined.
    #[default]
    Undefined,
    /// A JSON text.
    Json(Bytes),
    /// A form's fields.
    Form(FormData),
}

/// What kind of input an action takes, as Astro's `accept` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// JSON, or nothing.
    Json,
    /// A form.
    Form,
}

impl RawInput {
    /// Refuses an input of the other kind.
    ///
    /// # Errors
    /// [`ErrorCode::UnsupportedMediaType`], with Astro's words.
    pub fn expect(self, accept: Accept) -> Result<RawInput> {
        let message = match (accept, &self) {
            (Accept::Json, RawInput::Form(_)) => "This action only accepts JSON.",
            (Accept::Form, RawInput::Json(_) | RawInput::Undefined) => {
                "This action only accepts FormData."
            }
            _ => return Ok(self),
        };
        Err(ActionError::new(ErrorCode::UnsupportedMediaType, message))
    }

    /// The form's fields, if it is a form.
    pub fn form(&self) -> Option<&FormData> {
        match self {
            RawInput::Form(form) => Some(form),
            RawInput::Undefined | RawInput::Json(_) => None,
        }
    }
}

/// A type that an action's input can be read into: everything that serde can deserialise, or [`FormData`] as it is.
pub trait FromInput: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// With issues where the input is not such a value, [`ErrorCode::BadRequest`] where it cannot be read at all.
    fn from_input(input: &RawInput) -> Result<Self>;
}

impl<T: DeserializeOwned> FromInput for T {
    fn from_input(input: &RawInput) -> Result<T> {
        decode::decode(input)
    }
}

impl FromInput for FormData {
    fn from_input(input: &RawInput) -> Result<FormData> {
        let form = input.clone().expect(Accept::Form)?;
        Ok(form.form().cloned().unwrap_or_default())
    }
}

/// Reads an input and holds it to the rules of its type.
///
/// Such an issue is told at the field's name in Rust: garde 0.23 knows no other, whatever `rename` says.
///
/// # Errors
/// As [`FromInput::from_input`]; with an issue for each rule that is broken.
#[cfg(feature = "garde-0-23")]
pub fn validated<T>(input: &RawInput) -> Result<T>
where
    T: FromInput + garde::Validate<Context: Default>,
{
    let value = T::from_input(input)?;
    match value.validate() {
        Ok(()) => Ok(value),
        Err(report) => Err(ActionError::input(
            report.iter().map(|(path, error)| crate::Issue::new(steps(path), error.message())),
        )),
    }
}

/// The way to a value, as it was taken: its text could be taken for another one.
#[cfg(feature = "garde-0-23")]
fn steps(path: &garde::Path) -> Vec<crate::PathSegment> {
    use garde::error::Kind;

    // What `garde::select!` looks through, too: there is nothing else that tells a step from the next.
    let steps = path.__iter().rev().filter_map(|(kind, step)| match kind {
        Kind::None => None,
        Kind::Key => Some(step.as_str().into()),
        Kind::Index => step.parse().ok().map(crate::PathSegment::Index),
    });
    steps.collect()
}

#[cfg(all(test, feature = "garde-0-23"))]
mod tests {
    use std::collections::BTreeMap;

    use garde::Validate;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    struct Form {
        #[garde(inner(length(min = 2)))]
        note: Option<String>,
        #[garde(inner(length(min = 2)))]
        tags: Vec<String>,
        #[garde(dive)]
        town: Town,
        #[garde(dive)]
        towns: BTreeMap<String, Town>,
    }

    #[derive(Debug, Deserialize, Validate)]
    struct Town {
        #[garde(length(min = 2))]
        name: String,
    }

    #[test]
    fn a_rule_that_is_broken_is_told_at_its_own_step() {
        let json = r#"{
            "note": "a", "tags": ["bb", "b"], "town": { "name": "c" },
            "towns": { "x[0].y": { "name": "d" }, "": { "name": "e" } }
        }"#;
        let error = validated::<Form>(&RawInput::Json(json.into())).unwrap_err();
        let paths = error.issues().iter().map(|issue| serde_json::to_string(&issue.path).unwrap());
        let expected = [
            r#"["note"]"#,
            r#"["tags",1]"#,
            r#"["town","name"]"#,
            r#"["towns","","name"]"#,
            r#"["towns","x[0].y","name"]"#,
        ];
        assert_eq!(paths.collect::<Vec<_>>(), expected);
    }
}
