//! JavaScript's `URLSearchParams`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::tag;

/// A JavaScript `URLSearchParams`. Other formats see its text.
///
/// With the `url` feature (on by default) the text is normalised as JavaScript's `new URLSearchParams(text)` does.
/// DIFFERENCE: without the feature it is taken as it is.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct UrlSearchParams(String);

impl UrlSearchParams {
    /// `new URLSearchParams(text)`: a leading `?` is dropped.
    pub fn new(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        #[cfg(feature = "url")]
        let text = url::form_urlencoded::Serializer::new(String::with_capacity(text.len()))
            .extend_pairs(url::form_urlencoded::parse(text.as_bytes()))
            .finish();
        #[cfg(not(feature = "url"))]
        let text = text.to_owned();
        UrlSearchParams(text)
    }

    /// The parameters as they stand in a URL, without a `?`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pairs of names and values, decoded.
    #[cfg(feature = "url")]
    pub fn pairs(
        &self,
    ) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
        url::form_urlencoded::parse(self.0.as_bytes())
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for UrlSearchParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UrlSearchParams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::URL_SEARCH_PARAMS, &self.0)
    }
}
