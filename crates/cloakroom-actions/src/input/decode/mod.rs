//! From an input to a type of serde's, and from what fails there to issues.

use serde::de::value::{Error as ValueError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment, Track};

use super::rejection::{REQUIRED, sentence};
use super::{RawInput, reading};
use crate::code::ErrorCode;
use crate::error::{ActionError, Result};
use crate::issue::{Issue, PathSegment};

pub(super) fn decode<T: DeserializeOwned>(input: &RawInput) -> Result<T> {
    match input {
        RawInput::Undefined => {
            let nothing: UnitDeserializer<ValueError> = ().into_deserializer();
            T::deserialize(nothing)
                .map_err(|_| ActionError::input([Issue::type_mismatch(Vec::new(), REQUIRED)]))
        }
        RawInput::Json(text) => json(text),
        RawInput::Form(form) => reading::read(form),
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
    let message = match message.rsplit_once(", expected ") {
        Some((_, expected)) => sentence(expected),
        None => format!("This is not valid: {message}."),
    };
    Issue::type_mismatch(path, message)
}

#[cfg(test)]
mod tests;
