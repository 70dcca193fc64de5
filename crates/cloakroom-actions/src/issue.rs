//! What is wrong with an input, place by place.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with an action's input.
///
/// ```
/// use cloakroom_actions::Issue;
///
/// let issue = Issue::new(["address", "town"], "There is no such town.");
/// assert_eq!(
///     serde_json::to_string(&issue)?,
///     r#"{"code":"custom","path":["address","town"],"message":"There is no such town."}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Issue {
    /// What a program may decide by: `invalid_type` where a value is missing or of another type, or `custom`.
    pub code: Cow<'static, str>,
    /// Where in the input.
    pub path: Vec<PathSegment>,
    /// For a person.
    pub message: String,
}

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathSegment {
    /// Into a list.
    Index(usize),
    /// Into an object.
    Key(String),
}

impl Issue {
    /// An issue by a rule of the application's own. An empty path speaks of the whole input.
    pub fn new(
        path: impl IntoIterator<Item = impl Into<PathSegment>>,
        message: impl Into<String>,
    ) -> Issue {
        let path = path.into_iter().map(Into::into).collect();
        Issue { code: "custom".into(), path, message: message.into() }
    }

    /// A value that is missing, or is of another type than it should be.
    pub(crate) fn type_mismatch(path: Vec<PathSegment>, message: impl Into<String>) -> Issue {
        Issue { code: "invalid_type".into(), path, message: message.into() }
    }

    /// The field that it is about: the first step of the path.
    pub fn field(&self) -> Option<Cow<'_, str>> {
        match self.path.first()? {
            PathSegment::Key(key) => Some(key.into()),
            PathSegment::Index(index) => Some(index.to_string().into()),
        }
    }
}

impl From<&str> for PathSegment {
    fn from(key: &str) -> PathSegment {
        PathSegment::Key(key.to_owned())
    }
}

impl From<String> for PathSegment {
    fn from(key: String) -> PathSegment {
        PathSegment::Key(key)
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> PathSegment {
        PathSegment::Index(index)
    }
}
