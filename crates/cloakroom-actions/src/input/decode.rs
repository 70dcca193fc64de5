//! From an input to a type of serde's, and from what fails there to issues.

use std::collections::HashSet;

use serde::de::value::{Error as ValueError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment, Track};

use super::RawInput;
use super::attempt::Attempt;
use super::field::FieldError;
use super::form::FormData;
use super::object::Object;
use crate::code::ErrorCode;
use crate::error::{ActionError, Result};
use crate::issue::{Issue, PathSegment};

/// Who gets as much wrong is no person with a form.
const MOST_ISSUES: usize = 32;

/// What is said of a value that is not there.
const REQUIRED: &str = "This is required.";

pub(super) fn decode<T: DeserializeOwned>(input: &RawInput) -> Result<T> {
    match input {
        RawInput::Undefined => {
            let nothing: UnitDeserializer<ValueError> = ().into_deserializer();
            T::deserialize(nothing)
                .map_err(|_| ActionError::input([Issue::type_mismatch(Vec::new(), REQUIRED)]))
        }
        RawInput::Json(text) => json(text),
        RawInput::Form(form) => self::form(form),
    }
}

fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let outcome = T::deserialize(tracked).and_then(|value| deserializer.end().map(|()| value));
    outcome.map_err(|error| match error.classify() {
        Category::Data => ActionError::input([json_issue(&track.path(), &error)]),
        Category::Syntax | Category::Eof | Category::Io => {
            ActionError::new(ErrorCode::BadRequest, format!("The request is not JSON: {error}."))
        }
    })
}

fn json_issue(path: &Path, error: &serde_json::Error) -> Issue {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let mut path: Vec<PathSegment> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(PathSegment::Index(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => Some(key.as_str().into()),
            Segment::Unknown => None,
        })
        .collect();
    // The deserialiser speaks of the object that lacks a field, a form of the field.
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(field) = missing {
        path.push(field.into());
        return Issue::type_mismatch(path, REQUIRED);
    }
    Issue::type_mismatch(path, format!("This is not valid: {message}."))
}

/// Reads a form again and again, until it is known all that is wrong with it.
///
/// A field that is not there can be `false`, an empty list, or whatever its type has for a default, and only the type
/// knows which: so first it is offered as missing, then left out. And a field that is wrong is replaced by a value of
/// its type, so that the others are looked at too. Each round settles a field, so there are no more than two for each
/// that the type has.
fn form<T: DeserializeOwned>(form: &FormData) -> Result<T> {
    let mut attempt = Attempt::new(form);
    let mut objects = HashSet::new();
    let mut wrong: Vec<(String, String)> = Vec::new();
    while wrong.len() < MOST_ISSUES {
        let error = match T::deserialize(Object::whole(attempt.begin())) {
            Ok(value) if wrong.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(error) => error,
        };
        let (name, message) = match error {
            FieldError::Missing { name, is_object } if attempt.leave_out(&name) => {
                if is_object {
                    objects.insert(name);
                }
                continue;
            }
            FieldError::Missing { name, .. } | FieldError::NoDefault { name } => {
                (name, REQUIRED.to_owned())
            }
            FieldError::Invalid { name, message } => (name, message),
        };
        let is_news = attempt.replace(&name);
        // Of an object that is not there it is enough to say that.
        let is_part =
            |object: &String| name.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'));
        if (is_news && !objects.iter().any(is_part)) || wrong.is_empty() {
            wrong.push((name, message));
        }
        // No value is good enough for its type: the others stay unknown.
        if !is_news {
            break;
        }
    }
    wrong.sort_by_cached_key(|(name, _)| attempt.position(name));
    let issue = |(name, message): (String, _)| Issue::type_mismatch(path_segments(&name), message);
    Err(ActionError::input(wrong.into_iter().map(issue)))
}

/// `address.lines[2]` step by step.
pub(super) fn path_segments(path: &str) -> Vec<PathSegment> {
    let steps = path.split('.').filter(|step| !step.is_empty()).flat_map(|step| {
        let (name, indices) = step.find('[').map_or((step, ""), |at| step.split_at(at));
        let indices = indices
            .split(['[', ']'])
            .filter_map(|index| index.parse().ok())
            .map(PathSegment::Index);
        let name = (!name.is_empty()).then(|| PathSegment::from(name));
        name.into_iter().chain(indices)
    });
    steps.collect()
}

#[cfg(test)]
mod tests;
